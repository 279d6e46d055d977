// One simulated carrier as a state machine without I/O: bytes and time in, bytes out.
//
// It takes binds with its system_id, answers submit_sm, keeps the promise of a receipt over
// disconnections as a store-and-forward centre does, and misbehaves as its fault plan says. What it
// saw goes to its ledger. One thread owns it.
//
// After every call: for each link in take_touched(), write output() to its socket, tell written(),
// and close it as fate() says; then arm a timer for next_deadline().
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "sim/fault.h"
#include "sim/ledger.h"
#include "sim/scenario.h"
#include "sim/wire.h"

namespace trunkline::sim {

class Smsc {
 public:
  using LinkId = std::uint32_t;

  enum class Fate : std::uint8_t {
    open,
    close,  // when the output is written
    reset,  // by RST; what output there is goes first
  };

  struct Stats {
    std::uint64_t binds = 0;
    std::uint64_t binds_refused = 0;
    std::uint64_t submits = 0;
    std::uint64_t accepted = 0;
    std::map<std::uint32_t, std::uint64_t> refused;  // by status
    std::uint64_t silent = 0;
    std::uint64_t dropped = 0;
    std::uint64_t resets = 0;
    std::uint64_t garbage = 0;
    std::uint64_t receipts_sent = 0;  // deliver_sm written, repeats included
    std::uint64_t receipts_acked = 0;
    std::uint64_t receipts_refused = 0;  // the client said no, for good
    std::uint64_t receipts_lost = 0;     // by fault
    std::uint64_t receipts_waiting = 0;  // nobody is bound to take them, or the window is full
    std::uint64_t lies = 0;              // said delivered, was not
    std::uint64_t protocol_errors = 0;   // what the client did against the specification
    std::string last_protocol_error;
    std::uint64_t links = 0;
    std::uint64_t bound = 0;
  };

  // Outstanding deliver_sm a link. A power of two.
  static constexpr std::uint32_t kDeliverWindow = 1024;
  // Receipts that wait for somebody to take them; beyond, the oldest is lost.
  static constexpr std::size_t kWaitingMax = 2'000'000;
  static constexpr std::size_t kOutputMax = 1 << 20;  // then wants_read() is false
  static constexpr auto kReceiptRetry = std::chrono::seconds(1);
  static constexpr auto kReorderWait = std::chrono::milliseconds(200);

  // Ids start at `first_id`: they must not repeat what an earlier run gave out.
  Smsc(const CarrierSpec& spec, std::uint64_t seed, std::uint64_t first_id, LineFile& ledger,
       const base::Now& now);

  LinkId connected();
  void received(LinkId link, std::string_view bytes, const base::Now& now);
  void disconnected(LinkId link, const base::Now& now);
  void on_timer(const base::Now& now);

  // Valid until the next call of anything else.
  std::string_view output(LinkId link) const;
  void written(LinkId link, std::size_t bytes);
  Fate fate(LinkId link) const;
  bool wants_read(LinkId link) const;
  // Links with output or an end that were touched since the last call; `out` is cleared first.
  void take_touched(std::vector<LinkId>& out);
  std::optional<base::Mono> next_deadline() const;

  void add_fault(const Fault& fault, base::Mono now) { plan_.add(fault, now); }
  void clear_faults() { plan_.clear(); }
  std::size_t faults() const { return plan_.size(); }
  void reset_links();
  // Before the end: everything unanswered goes into the ledger.
  void finish() { ledger_.finish(); }

  Stats stats() const;

 private:
  // A submit_sm from its arrival until nothing is left to do for it.
  struct Sms {
    std::uint32_t uses = 0;  // response to come, receipts to come or outstanding
    LinkId link = 0;
    std::uint32_t sequence = 0;
    std::uint32_t status = 0;  // of the response
    std::uint64_t id = 0;
    bool owes_receipt = false;  // once the response is out
    bool early = false;
    bool duplicate = false;
    bool reorder = false;
    IdForm response_id = IdForm::hex;
    base::Duration receipt_delay{0};
    CarrierLedger::Ticket ticket;
    base::Wall submitted;
    bool delivered = true;
    IdForm receipt_id = IdForm::hex;
    ReceiptForm form = ReceiptForm::both;
    std::uint32_t err = 0;
    std::string stat;
    std::uint8_t source_ton = 0, source_npi = 0, dest_ton = 0, dest_npi = 0;
    std::string source;
    std::string dest;
    std::uint8_t text_length = 0;
    std::array<char, 20> text{};
  };
  using Slot = std::uint32_t;
  static constexpr Slot kNoSlot = UINT32_MAX;

  // The ledger says "ok" once the response's last octet was handed to the socket.
  struct Unsettled {
    std::uint64_t end = 0;  // in the link's stream of output
    CarrierLedger::Ticket ticket;
    Answer answer = Answer::ok;
    std::uint32_t status = 0;
  };
  struct Outstanding {
    std::uint32_t sequence = 0;
    Slot slot = kNoSlot;
  };
  struct Link {
    enum class Bound : std::uint8_t { no, transmitter, receiver, transceiver };
    Bound bound = Bound::no;
    Fate fate = Fate::open;
    bool touched = false;
    bool sent_garbage = false;  // a generic_nack is its due
    std::string input;          // an incomplete frame
    std::string out;
    std::size_t out_at = 0;
    std::uint64_t queued = 0;  // octets ever put into `out`
    std::uint64_t taken = 0;   // octets ever taken by the socket
    std::deque<Unsettled> unsettled;
    std::uint32_t next_sequence = 1;
    std::vector<Outstanding> delivers;  // by sequence modulo kDeliverWindow; empty until bound
  };
  struct Action {
    enum class Kind : std::uint8_t { respond, receipt, release_held };
    base::Mono at;
    std::uint64_t order = 0;
    Kind kind = Kind::respond;
    Slot slot = kNoSlot;
    bool operator<(const Action& o) const {  // std::push_heap keeps the largest on top
      return at != o.at ? at > o.at : order > o.order;
    }
  };

  Link* find(LinkId id);
  const Link* find(LinkId id) const;
  void touch(LinkId id, Link& link);
  void protocol_error(std::string_view what);

  void on_frame(LinkId id, Link& link, const wire::Frame& frame, const base::Now& now);
  void on_bind(LinkId id, Link& link, const wire::Frame& frame, const base::Now& now);
  void on_submit(LinkId id, Link& link, const wire::Frame& frame, const base::Now& now);
  void on_deliver_resp(Link& link, const wire::Frame& frame, const base::Now& now);

  Slot keep(LinkId id, const wire::Frame& frame, const wire::Submit& submit, const base::Now& now);
  void release(Slot slot);
  void plan_receipt(Sms& sms, const wire::Submit& submit, const Behaviour& b, const Dice& dice);
  bool refused(const Behaviour& b, const Dice& dice, base::Mono now, std::uint32_t& status);
  bool over_rate(const RateLimit& limit, base::Mono now);
  bool resets(const Reset& reset, const Dice& dice);

  void respond(Slot slot, const base::Now& now);
  void send_receipt_later(Slot slot, const base::Now& now);
  void receipt_due(Slot slot, const base::Now& now);
  void deliver(Slot slot, const base::Now& now);
  void write_deliver(LinkId id, Link& link, Slot slot, const base::Now& now);
  LinkId receiver_for(const Sms& sms);
  bool can_take(const Link& link) const;
  void deliver_waiting(const base::Now& now);
  void wait(Slot slot);
  void schedule(base::Mono at, Action::Kind kind, Slot slot);
  std::string_view minute_text(base::Wall t);

  std::string name_;
  std::string system_id_;
  std::string password_;
  std::uint64_t seed_;
  std::uint64_t hash_;
  std::uint64_t next_id_;
  std::uint64_t counter_ = 0;  // submits seen: each has its dice
  std::uint64_t since_reset_ = 0;
  FaultPlan plan_;
  CarrierLedger ledger_;
  Stats stats_;

  std::unordered_map<LinkId, std::unique_ptr<Link>> links_;
  LinkId next_link_ = 1;
  std::vector<LinkId> receivers_;
  std::size_t next_receiver_ = 0;
  std::vector<LinkId> touched_;

  std::vector<Sms> sms_;
  std::vector<Slot> free_;
  std::vector<Action> actions_;  // a heap
  std::uint64_t next_order_ = 0;
  std::deque<Slot> waiting_;
  Slot held_ = kNoSlot;  // a receipt that goes after the next one

  double tokens_ = 0;
  base::Mono tokens_at_;
  std::optional<RateLimit> limit_;
  base::Mono stale_checked_;

  std::string text_;
  std::int64_t minute_ = -1;
  std::string minute_text_;
};

}  // namespace trunkline::sim
