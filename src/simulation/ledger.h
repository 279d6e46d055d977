// What really happened: what clients sent and were told, what the carriers were handed, what they
// made of it, said of it and had acknowledged. Held against what the engine does; none of the
// engine's code is used. Of message/ only the format of a record.
//
// The first contradiction to a promise is kept as a sentence (broken()); the rest is of no interest
// then.
//
// A *serial* numbers the driver's outputs over all lives of the engine: what the engine was told in
// the step that filled output n is forgotten by a crash unless n had become durable.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/id.h"
#include "base/time.h"
#include "engine/event.h"
#include "message/record.h"

namespace trunkline::simulation {

class Ledger {
 public:
  // What one carrier was given of one segment.
  struct Handover {
    std::uint16_t carrier = 0;
    std::uint8_t attempt = 0;
    std::uint8_t segment = 0;
    enum class Told : std::uint8_t { nothing, unaccepted, accepted, in_doubt } told = Told::nothing;
    std::uint64_t told_serial = 0;
    std::uint64_t negative_serial = 0;  // the engine was told that it is undelivered; 0: no
    bool was_in_doubt = false;          // at any time
    base::Wall told_at{};
    bool written = false;
    bool taken = false;  // the carrier accepted it, whether or not it could say so
    bool said_delivered = false;
    bool said_undelivered = false;
    std::string carrier_message_id;  // taken: what the carrier calls it
    std::size_t text = 0;
  };
  struct AckedReceipt {
    std::string carrier_message_id;
    std::uint64_t serial = 0;
  };
  // One text of a message: the first, or one that a client wanted in its place.
  struct Text {
    std::uint8_t segments = 1;
    std::optional<base::Duration> ttl;
    std::optional<base::Wall> send_at;
    base::Wall asked_at{};  // of a later one
    enum class Said : std::uint8_t { nothing, replaced, refused } said = Said::nothing;
  };
  // One message as a client wants it sent.
  struct Message {
    std::uint8_t traffic_class = 0;
    std::uint16_t tenant = 0;
    std::uint8_t segments = 1;  // of the text in force
    bool keyed = false;
    std::vector<Text> texts = std::vector<Text>(1);
    std::size_t text = 0;  // in force, as far as it was seen on the disk

    base::MessageId id;  // null: not seen yet
    bool acknowledged = false;
    bool told_canceled = false;
    std::uint64_t archived_serial = 0;  // 0: not archived
    message::State archived_state = message::State::accepted;
    std::vector<message::State> told_ends;  // to its account
    std::size_t told_taken = 0;
    base::Wall expires_at{};  // as the record says, checked against ttl and send_at
    message::State state = message::State::accepted;  // the furthest that was seen
    std::vector<Handover> handovers;
    std::vector<AckedReceipt> acked;             // final ones
    std::vector<std::uint8_t> flagged_attempts;  // handed over as possible duplicates
  };

  // `exact_clock`: the wall clock is not going to be set; promises about time are checked.
  Ledger(const std::vector<message::TrafficClass>& classes, bool exact_clock)
      : classes_(classes), exact_clock_(exact_clock) {}

  std::size_t add(Message message);
  Message& at(std::size_t index) { return messages_[index]; }
  std::size_t size() const { return messages_.size(); }
  std::optional<std::size_t> index_of(const base::MessageId& id) const;
  static std::string sealed_text(std::size_t index, std::size_t text = 0);
  // Who wants to be told of its end, and of which ends.
  static std::string account_of(std::size_t index) { return index % 2 == 0 ? "app" : ""; }
  static std::uint8_t notify_of(std::size_t index) {
    return index % 2 == 0 ? static_cast<std::uint8_t>(index / 2 % 8) : std::uint8_t{0};
  }

  // --- clients
  void acknowledged(std::size_t index, const base::MessageId& id);
  void canceled(std::size_t index);
  // Asked of the engine, in this order. Returns the number of the text.
  std::size_t replacing(std::size_t index, Text text);
  void replaced(std::size_t index, std::size_t text, bool done);

  // --- carriers
  // The engine released an attempt. P2 and P4. Returns the number of the first handover; the other
  // segments' follow it.
  std::size_t submitted(std::size_t index, const engine::Submit& submit, std::uint64_t serial,
                        base::Now now);
  void written(std::size_t index, std::size_t handover, base::Now now);
  void told(std::size_t index, std::size_t handover, message::OutcomeKind kind,
            std::uint64_t serial, base::Now now);
  void told_undelivered(std::size_t index, std::size_t handover, std::uint64_t serial);
  void receipt_acknowledged(std::size_t index, std::string carrier_message_id,
                            std::uint64_t serial);

  // --- store
  void durable(const message::Commit& commit, std::uint64_t serial);
  void crashed(std::uint64_t durable_serial);
  // A record that somebody was shown. P7, P3. `floor`: the state that was known to be reached when
  // they asked; an answer may be older than what has come to the disk while it was on its way.
  // `on_disk`: it is no answer, but what the store has.
  void observe(std::string_view record, std::string_view where, message::State floor,
               bool on_disk = false);

  // --- the end
  using Find = std::function<std::optional<std::string>(std::uint16_t tenant, base::MessageId id)>;
  // Nothing is left to be done: every message must have come to a true end. `calm_since`: from then
  // on all carriers took everything.
  void finish(const Find& find, base::Wall calm_since);

  void breaks(std::string_view promise, std::string text);
  const std::string& broken() const { return broken_; }

 private:
  void check_resend(const Message& m, const Handover& before, const engine::Submit& submit,
                    std::uint64_t serial, base::Now now);
  bool is_overdue(const Message& m, const message::TrafficClass& rules, base::Now now) const;
  void observe_notice(const message::NoticePut& put);
  void check_told(const Message& m, const message::Record& record);
  void check_end(const Message& m, const message::Record& record, base::Wall calm_since);
  void check_receipts(const Message& m, const message::Record& record);
  void check_matches(const Message& m, const message::Record& record);
  message::State reached(const base::MessageId& id) const;
  void learn(const message::Envelope& envelope, bool on_disk);
  void check_text(const Message& m, std::size_t text);
  bool may_have_times(const Message& m, std::size_t text, const message::Envelope& e) const;

  std::vector<message::TrafficClass> classes_;
  bool exact_clock_;
  std::vector<Message> messages_;
  std::map<base::MessageId, std::size_t> by_id_;
  std::string broken_;
};

}  // namespace trunkline::simulation
