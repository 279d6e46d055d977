// What the engine is told, and what it answers: the whole vocabulary between the pure half and the
// edges. Values only; nothing here refers to a socket, a thread or a clock.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "base/id.h"
#include "base/time.h"
#include "engine/explain.h"
#include "engine/tables.h"
#include "message/commit.h"
#include "message/journal.h"
#include "message/notice.h"
#include "message/outcome.h"
#include "message/submission.h"

namespace trunkline::engine {

// Names the asker; comes back in the answer untouched.
using Token = std::uint64_t;

// Names one attempt on the wire; comes back in its results untouched. A slot is reused, its
// generation never, so that an answer for a message long gone finds nobody; the link's accounts are
// still settled by it.
struct AttemptRef {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  message::CarrierIndex carrier;
  std::uint16_t link = 0;
  std::uint16_t bind = 0;  // of the link: tells its window slots from those before a reconnect
  std::uint8_t attempt = 0;
};

// --- events in -----------------------------------------------------------------------------------

// What was decided for a group of parts, as the store has it.
struct KnownParts {
  std::optional<message::KeyRecord> key;
  std::string record;  // of the message that it names, if the engine has it not
};

// Of the message that `Submission::replaces` leads to.
struct KnownEarlier {
  std::optional<message::KeyRecord> key;
  std::string cold_record;  // if !is_hot() of it: what the cold tier has, else empty
};

// One POST. Its items are accepted or refused each by itself but become durable together. Only
// overload and the tenant's rate refuse them all at once: then every item carries the same refusal.
struct Accept {
  Token token = 0;
  std::vector<message::Submission> items;
  // Look-ups, done just before step() for every key of which Engine::needs_key says so; by item,
  // empty or as long as `items`.
  std::vector<std::optional<message::KeyRecord>> known;
  // The same for the parts of which Engine::needs_parts says so.
  std::vector<KnownParts> known_parts;
  // The same for Submission::replaces, whose keys needs_key asks for, too.
  std::vector<KnownEarlier> known_earlier;
  bool is_batch = false;
  std::optional<message::KeyRef> batch_key;  // is_batch: the request's own key
  std::optional<message::KeyRecord> known_batch;
};

struct Cancel {
  Token token = 0;
  message::TenantIndex tenant;
  base::MessageId id;
  std::optional<message::KeyRef> key;
  std::optional<message::KeyRecord> known;
  std::string cold_record;  // if !is_hot(id): what the cold tier has, else empty
};

// Takes numbers and text out of a message that has ended, for good: on disk before it is answered.
struct Redact {
  Token token = 0;
  message::TenantIndex tenant;
  base::MessageId id;
  // Look-ups, if !is_hot(id): what the cold tier has, else the archive.
  std::string cold_record;
  std::string ended_record;
};

// Another text in the place of one that waits, under the same id: decided about anew, on disk
// before it is answered. What is on the wire, in doubt, or was taken by a carrier in part, stays.
struct Replace {
  Token token = 0;
  base::MessageId id;
  // Tenant, class and recipient are those of the message. Without send_at or ttl its times stay as
  // they are; `ttl` runs from now, or from when it is due. No key, no part; alias: its own.
  message::Submission item;
  std::string cold_record;  // if !is_hot(id): what the cold tier has, else empty
};

// Of what is not hot the asker asks the store. If that has nothing either, the asker asks here once
// more: the message may have come back from the cold tier between the two.
struct Query {
  Token token = 0;
  message::TenantIndex tenant;
  base::MessageId id;
};

// Hot messages only; the asker merges them with the store's, which it asks *after* this answer, so
// that a message on its way out is seen twice rather than not at all.
struct ListHot {
  Token token = 0;
  message::TenantIndex tenant;
  std::optional<base::MessageId> before;
  std::size_t limit = 50;
  std::optional<std::uint64_t> to_hash;
  std::optional<message::State> status;
  std::optional<message::ClassIndex> traffic_class;
  std::optional<base::Wall> from_time;
  std::optional<base::Wall> to_time;
};

struct Explain {
  Token token = 0;
  Question question;
};

// The link is bound. Again for a link that is up: its window is another now. 0: what is out is
// still answered, but nothing new is taken (the link drains, or its peer does not read).
struct LinkUp {
  message::CarrierIndex carrier;
  std::uint16_t link = 0;
  std::uint32_t window = 1;  // outstanding submits it takes
};
// Every outstanding submit of the link has been answered (SubmitResult) before this is sent. Those
// on their way to the link at that moment are answered after it: not_sent, or as usual if the link
// is up again by then.
struct LinkDown {
  message::CarrierIndex carrier;
  std::uint16_t link = 0;
};

struct SubmitResult {
  AttemptRef ref;
  std::uint8_t segment = 1;  // 1-based
  base::Mono written_at{};   // first octet handed to the socket; zero if none was
  message::Outcome outcome;
};

// What the store knows of whom a receipt may belong to: as find_receipt_owners() asks it.
struct ReceiptOwners {
  std::string cold;   // the record of the one that waits in the cold tier under the carrier's id
  std::string ended;  // or of the one in the archive, and which copy of which segment it is
  std::uint8_t ended_attempt = 0;
  std::uint8_t ended_segment = 0;
  // Nobody under the id: those that may be meant by carrier and number.
  std::vector<std::string> cold_by_number;
  std::vector<std::string> ended_by_number;
  bool others = false;  // and more, of which nothing is known
};

struct Receipt {
  Token token = 0;  // acknowledged to the carrier once it is durable
  message::CarrierIndex carrier;
  std::string carrier_message_id;
  std::uint64_t to_hash = 0;  // of the number the receipt is about; 0: not readable
  message::ReceiptState state = message::ReceiptState::unknown;
  std::string raw;  // "stat:DELIVRD err:000"
  ReceiptOwners owners;
};

// A message from a phone, for one account of a tenant.
struct Inbound {
  Token token = 0;  // acknowledged to the carrier once it is durable
  message::TenantIndex tenant;
  std::string account;
  std::string sealed;  // Payload; the context is the tenant's name
};

// The account has confirmed them, or they are too old to be told.
struct Told {
  Token token = 0;
  std::vector<message::NoticeKey> done;
};

struct Thaw {  // cold messages that are due
  std::vector<std::string> records;
};

struct CommitDone {
  std::uint64_t seq = 0;  // this and all before are durable, and look-ups made from now on see them
};

struct Reload {
  std::shared_ptr<const Tables> tables;
};

// An operator's order about traffic that the tables name; `since` and `until` are given.
struct Order {
  Token token = 0;
  message::TrafficOrder order;
};

// An operator at the queues: everything that waits for a carrier, a retry or its time, is covered
// by `of` and was accepted so long ago.
struct Surgery {
  enum class Kind : std::uint8_t {
    count,
    purge,   // ends `canceled`
    bounce,  // ends `failed`
    move,    // goes by `to`, if that is in its plan
  };
  Token token = 0;
  Kind kind = Kind::count;
  message::TrafficFilter of;  // `carrier`: in whose line it waits
  base::Duration older_than{};
  std::string to;      // move
  std::string reason;  // in the event of what ends
  // count: what has a row of its own.
  bool by_carrier = false, by_country = false, by_class = false, by_tenant = false;
};

// Entries of who must not be written to. Those from here (`own`) come after all that is known of
// the same and get their time and cell from the engine; what is so already is left as it is.
// Those of other cells are taken if they are later than what is known here.
struct ChangeOptOuts {
  Token token = 0;
  std::vector<message::OptOut> entries;
  bool own = true;
  std::optional<message::KeyRef> key;
  std::optional<message::KeyRecord> known;
  std::optional<message::PeerCursor> cursor;  // durable with them
};

// The disk of the store; about once a second. When little is left, classes are closed from the
// least urgent up: what was accepted goes on.
struct DiskRoom {
  std::uint64_t free_bytes = 0;
  std::uint64_t total_bytes = 0;
};
enum class DiskClosed : std::uint8_t { none, least_urgent, all_but_urgent, all };

struct Drain {};  // start no new attempt; answers and receipts go on
struct Tick {};

using Event = std::variant<Accept, Cancel, Query, ListHot, Explain, LinkUp, LinkDown, SubmitResult,
                           Receipt, Inbound, Told, Thaw, CommitDone, Reload, Drain, Tick, Order,
                           Replace, ChangeOptOuts, Surgery, DiskRoom, Redact>;

// --- effects out ---------------------------------------------------------------------------------

// Why a submission was not taken.
struct Refusal {
  std::string code;  // the API's problem code: policy_refused, class_not_allowed, rate_limited, ...
  std::vector<policy::Reason> reasons;
  base::Duration retry_after{};  // rate_limited and overload
  std::string version;           // of the configuration that refused; kept with the key
  // rate_limited: by what is counted of this recipient. Others may be taken. Not kept.
  bool of_recipient = false;
};

struct ItemAnswer {
  enum class Kind : std::uint8_t {
    accepted,          // `record`: the new message
    replayed,          // the key was used before: `id` is the first message; `record` if it is hot
    refused,           // `refusal`
    replayed_refusal,  // `refusal`, as first given
    key_mismatch,      // the key was used before with other fields
    replaced,          // `id` is an earlier message, `record` what it has become
  };
  Kind kind = Kind::refused;
  base::MessageId id;
  std::string record;
  Refusal refusal;
};

struct AcceptAnswer {
  Token token = 0;
  bool replayed = false;      // the whole request is a replay
  bool key_mismatch = false;  // is_batch: the request's own key was used before with other items
  std::vector<ItemAnswer> items;
};

struct CancelAnswer {
  Token token = 0;
  enum class Kind : std::uint8_t {
    canceled,
    not_cancelable,
    not_found,
    key_mismatch
  } kind = Kind::not_found;
  bool replayed = false;
  std::string record;  // after the cancel; empty if not hot and not cold
};

struct RedactAnswer {
  Token token = 0;
  enum class Kind : std::uint8_t { redacted, not_ended, not_found } kind = Kind::not_found;
  std::string record;  // as it is now; empty: not found
};

struct ReplaceAnswer {
  Token token = 0;
  enum class Kind : std::uint8_t {
    replaced,
    not_replaceable,
    not_found,
    refused,
  } kind = Kind::not_found;
  std::string record;  // replaced: what it has become
  Refusal refusal;     // refused
};

struct QueryAnswer {
  Token token = 0;
  std::string record;  // empty: not hot
};

struct ListAnswer {
  Token token = 0;
  std::vector<std::string> records;       // newest first
  std::optional<base::MessageId> resume;  // more may follow
};

struct ExplainAnswer {
  Token token = 0;
  Explained explained;  // with Candidate::now
};

// Bytes may go to the carrier now: the attempt is durable.
struct Submit {
  AttemptRef ref;
  message::CarrierIndex carrier;
  std::uint16_t link = 0;
  base::MessageId id;
  std::string tenant;
  std::string traffic_class;
  std::string sealed;  // Payload
  std::uint8_t encoding = 0;
  std::uint8_t segments = 1;
  std::uint64_t text = 0;         // gsm::TextCode by which these two were found
  std::uint8_t reference = 0;     // of the concatenation
  std::uint32_t segment_set = 1;  // which segments to send, bit 0 = first
  base::Mono not_after{};         // no octet leaves after this
  base::Duration response_timeout{};
  bool possible_duplicate = false;
};

// Of a Receipt or an Inbound.
struct ReceiptAck {
  Token token = 0;
};

// There is something to tell. Whoever tells the account may take it from here, or from the store
// later: it stays there until Told.
struct NoticeReady {
  message::NoticeKey key;
  std::string bytes;  // encode_notice()
};

// The store does not have them any more.
struct ToldAnswer {
  Token token = 0;
};

struct OrderAnswer {
  Token token = 0;
  bool done = false;  // false: limits::kOrdersMax are in force
};

// How many wait; none: not told apart, or (carrier) they wait in no carrier's line.
struct QueueRow {
  message::CarrierIndex carrier;
  message::ClassIndex traffic_class;
  message::TenantIndex tenant;
  numbering::Country country;
  std::size_t queued = 0;
  std::size_t retrying = 0;
  std::size_t scheduled = 0;  // held; those that are due soon
  base::Wall oldest{};        // acceptance
};
// By what it counts.
struct QueueRowOrder {
  bool operator()(const QueueRow& a, const QueueRow& b) const {
    const auto key = [](const QueueRow& r) {
      return std::tuple(r.carrier, r.traffic_class, r.tenant, r.country);
    };
    return key(a) < key(b);
  }
};
struct SurgeryAnswer {
  Token token = 0;
  enum class End : std::uint8_t {
    done,
    not_configured,  // there is nothing of one of the names
    too_many,        // limits::kSurgeriesMax are under way
  } end = End::done;
  std::size_t found = 0;
  std::size_t changed = 0;     // the rest may be with a carrier, or cannot go by `to`
  std::vector<QueueRow> rows;  // count
  bool more_rows = false;      // than limits::kQueueRowsMax
};

// It is durable.
struct ChangeOptOutsAnswer {
  Token token = 0;
  enum class Kind : std::uint8_t {
    done,
    replayed,
    key_mismatch,
    full,  // limits::kOptOutsMax: those before the first without room are taken
  } kind = Kind::done;
  std::size_t changed = 0;  // of the entries
  std::uint64_t latest_change = 0;
  std::optional<message::PeerCursor> cursor;  // as given
};

// A canary began, or ended by its rule. For the log.
struct CanaryTold {
  message::CanaryRecord canary;
};

using Effect = std::variant<AcceptAnswer, CancelAnswer, QueryAnswer, ListAnswer, ExplainAnswer,
                            Submit, ReceiptAck, NoticeReady, ToldAnswer, OrderAnswer, ReplaceAnswer,
                            CanaryTold, ChangeOptOutsAnswer, SurgeryAnswer, RedactAnswer>;

// A fact for the metrics; labels are indexes and fixed words, never a number, id or body.
struct Note {
  enum class Metric : std::uint8_t {
    accepted,
    submit_result,
    submit_duration,
    accept_to_submit,
    receipt,
    submit_to_receipt,
    retry,
    in_doubt,
    possible_duplicate,
    throttled,
    receipt_unmatched,
    policy_decision,
    shed,
    ejection,  // word: the cause; word2: carrier or country
    cost,      // of a segment that was taken; value: millionths of Table::currency
  };
  Metric metric;
  message::CarrierIndex carrier;
  message::ClassIndex traffic_class;
  numbering::Country country;
  std::string_view word;   // result, state, reason or rule: points to static storage
  std::string_view word2;  // decision, ingress
  std::int64_t value = 1;  // count, or microseconds
};

// What one or several steps ask for. The driver sets commit.seq, .epoch and .time before the first
// step, makes `commit` durable, then performs `after_commit` in order.
struct Output {
  message::Commit commit;
  std::vector<Effect> after_commit;
  std::vector<Note> notes;
};

}  // namespace trunkline::engine
