// The inside of simulate(). One class, several files:
//   driver.cc   the clock, the engine, its commits, crashes
//   network.cc  links, adapters and carriers
//   clients.cc  those who send, ask and cancel
//   world.cc    how one world is laid out, and its end
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "simulation/agenda.h"
#include "simulation/ledger.h"
#include "simulation/random.h"
#include "simulation/world.h"
#include "store/memory/memory_store.h"

namespace trunkline::simulation {

class Life {
 public:
  explicit Life(const Options& options);
  Result run();

 private:
  using Action = Agenda::Action;

  // --- driver.cc
  base::Mono mono() const { return agenda_.now(); }
  base::Now now() const { return {mono(), base::Wall{mono().time_since_epoch() + offset_}}; }
  // Whatever becomes of the engine.
  void later(base::Duration after, Action action) { agenda_.add(after, std::move(action)); }
  void soon(base::Duration after, Action action);  // unless the engine crashes before
  bool run_next(base::Mono until) { return agenda_.run_next(until); }
  void start();
  void crash();
  bool is_running() const { return engine_ != nullptr; }
  void step(engine::Event event);
  void look_up(engine::Event& event);
  void disturb(const base::MessageId& id);
  std::string cold_record(const base::MessageId& id);
  void look_up_key(const base::Hash128& key, std::optional<message::KeyRecord>& known);
  engine::Output& output();
  bool has_work() const;
  void commit_soon();
  void hand_over();
  void commit_durable();
  void make_durable(std::size_t count);
  void perform(engine::Output& output, std::uint64_t serial);
  void perform_one(engine::Effect& effect, std::uint64_t serial);
  void tick_soon();
  void thaw_soon();
  void thaw_due();
  void mix(std::uint64_t value);
  void mix(const base::MessageId& id);
  void trace(const std::string& text) const;

  struct Batch {
    engine::Output output;
    std::uint64_t serial = 0;
    bool performed = false;
  };

  // --- network.cc
  struct Flight {
    engine::AttemptRef ref;
    std::uint8_t segment = 1;
    std::size_t message = 0;
    std::size_t handover = 0;
    base::Mono not_after{};
    base::Mono written_at{};
    base::Duration response_timeout{};
    bool late = false;
  };
  struct Link {
    std::uint16_t carrier = 0;
    std::uint16_t number = 0;
    std::uint32_t window = 1;
    bool up = false;
    std::map<std::uint64_t, Flight> flights;
    std::map<std::uint16_t, std::uint32_t> outstanding;  // by bind
  };
  // How a carrier behaves before the end, in percent of the submits.
  struct Mood {
    unsigned throttled = 0;
    unsigned transient = 0;
    unsigned reroute = 0;
    unsigned fail = 0;
    unsigned silent = 0;
    unsigned slow = 0;
    unsigned no_receipt = 0;
    unsigned undelivered = 0;
  };
  struct ReceiptToSend {
    std::uint16_t carrier = 0;
    std::string id;
    std::uint64_t to_hash = 0;
    message::ReceiptState state = message::ReceiptState::delivered;
    bool is_known = true;  // false: of nobody's message
    std::size_t message = 0;
    std::size_t handover = 0;
  };
  void link_up(Link& link);
  void link_down(Link& link);
  void flap(Link& link);
  void submit(const engine::Submit& submit, std::uint64_t serial, bool dying);
  void write(Link& link, std::uint64_t number);
  void timeout(Link& link, std::uint64_t number);
  void answer(Link& link, std::uint64_t number, const message::Outcome& outcome);
  void tell(Link& link, const Flight& flight, message::Outcome outcome);
  // The carrier has the bytes. What it says, and how long it takes; nothing: silence.
  std::optional<message::Outcome> carrier_takes(const Flight& flight);
  void plan_receipts(const Flight& flight, const std::string& id);
  void send_receipt(const ReceiptToSend& receipt);
  void receipt_acknowledged(engine::Token token, std::uint64_t serial);
  void stray_receipt();
  Link& link_of(message::CarrierIndex carrier, std::uint16_t link);
  std::uint64_t number_hash(std::size_t message) const;

  // --- clients.cc
  struct Request {
    std::vector<std::size_t> messages;
    bool is_batch = false;
    bool batch_key = false;
    bool keyed = false;  // may be repeated
    bool wrong = false;  // the key of an earlier one with other fields
    bool answered = false;
    int tries = 0;
    std::uint64_t number = 0;
  };
  void new_request();
  std::size_t new_message(bool keyed, std::uint16_t tenant);
  void send(std::size_t request);
  void answered(const engine::AcceptAnswer& answer);
  void item_answered(std::size_t request, std::size_t message, const engine::ItemAnswer& item);
  void follow_up(std::size_t request, std::size_t message);
  void cancel(std::size_t message);
  void answered(const engine::CancelAnswer& answer);
  Ledger::Text new_text();
  message::Submission submission(std::size_t message, std::size_t text);
  void replace(std::size_t message);
  void answered(const engine::ReplaceAnswer& answer);
  void query(std::size_t message, bool again = false);
  void answered(const engine::QueryAnswer& answer);
  void clients_lost_connection();

  // --- world.cc
  void lay_out();
  void finish();
  std::shared_ptr<const engine::Tables> make_tables();

  Options options_;
  Random random_;
  bool exact_clock_;
  std::shared_ptr<const engine::Tables> tables_;
  Ledger ledger_;
  Result result_;

  Agenda agenda_;
  base::Duration offset_{};

  std::shared_ptr<store::MemoryDisk> disk_ = std::make_shared<store::MemoryDisk>();
  std::unique_ptr<store::MemoryStore> store_;
  std::unique_ptr<engine::Engine> engine_;
  std::uint64_t life_ = 0;
  std::uint64_t epoch_ = 0;
  std::uint64_t next_seq_ = 1;
  std::uint64_t next_serial_ = 1;
  std::uint64_t durable_serial_ = 0;
  std::uint64_t durable_seq_ = 0;
  std::vector<Batch> batches_;  // being filled
  std::vector<Batch> job_;      // on its way to the disk
  bool busy_ = false;
  bool commit_planned_ = false;
  base::Mono tick_at_ = base::Mono::max();
  bool thaw_planned_ = false;
  base::Mono thaw_at_ = base::Mono::max();
  std::map<base::MessageId, base::Wall> cold_due_;  // what is in the cold tier

  std::vector<std::unique_ptr<Link>> links_;
  std::vector<Mood> moods_;
  std::uint64_t next_flight_ = 1;
  std::uint64_t next_carrier_id_ = 1;
  std::map<engine::Token, ReceiptToSend> receipts_;

  std::vector<Request> requests_;
  engine::Token next_token_ = 1;
  std::map<engine::Token, std::size_t> accepts_;
  struct Question {
    std::size_t message = 0;
    message::State floor = message::State::accepted;  // reached when it was asked
    bool again = false;                               // neither engine nor store had it
  };
  std::map<engine::Token, Question> cancels_;
  std::map<engine::Token, std::pair<std::size_t, std::size_t>> replaces_;  // message, text
  std::map<engine::Token, Question> queries_;

  bool calm_ = false;  // the load is over and everybody behaves
  base::Wall calm_since_{};
};

}  // namespace trunkline::simulation
