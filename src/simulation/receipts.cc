#include "simulation/receipts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <deque>
#include <memory>
#include <unordered_map>

#include "base/assert.h"
#include "base/limits.h"
#include "message/record.h"
#include "simulation/gateway.h"
#include "smpp/pdu.h"
#include "smpp/receipt.h"

namespace trunkline::simulation {
namespace {

using namespace std::chrono_literals;
namespace limits = base::limits;
using message::AttemptState;
using message::Cause;
using message::OutcomeKind;
using message::ReceiptState;

constexpr std::size_t kCarriers = 3;
constexpr std::uint64_t kNumbers = 4'000'000;
constexpr std::size_t kPerSecond = 40;
constexpr std::size_t kExamplesMax = 20;
constexpr base::Duration kBetweenRestarts = 30min;
// An id comes again when the carrier's counter has come around.
constexpr base::Duration kIdComesAgain = 40min;

// How a receipt is hard to match; a set.
enum Difficulty : std::uint16_t {
  kPlain = 0,
  kEarly = 1,       // before the answer to the submit
  kRepeated = 2,    // the second one
  kContrary = 4,    // the second one, and it says the opposite
  kIdLost = 8,      // we never saw the answer to its submit
  kIdReused = 16,   // another message had that id before
  kCold = 32,       // more than limits::kColdAfter after the submit
  kDays = 64,       // more than two days after it
  kNoNumber = 128,  // does not say which number
  kTlvOnly = 256,   // or in data_sm
  kOtherAttempt = 512,
  kRestarted = 1024,  // sent again, since we ended before we acknowledged it
};
constexpr std::array<const char*, 11> kDifficulties{
    "early",           "repeated",  "contrary",
    "id lost",         "id reused", "cold",
    "days late",       "no number", "TLV only or data_sm",
    "another attempt", "restarted"};

// One segment that a carrier took: what is true of it.
struct Taken {
  std::uint32_t message = 0;
  std::uint8_t attempt = 0;
  std::uint8_t segment = 1;
  std::uint16_t carrier = 0;
  std::uint64_t id = 0;
  base::Mono at{};
  bool reused_id = false;
  bool answered = false;         // we saw its id, or will
  std::uint8_t said = 0;         // 1 delivered, 2 undelivered
  std::uint32_t first_said = 0;  // its receipts, one behind the other
  std::uint32_t said_count = 0;
};

struct Said {
  std::uint32_t taken = 0;
  ReceiptState state = ReceiptState::delivered;
  std::uint16_t difficulty = kPlain;
  base::Mono at{};  // first sent
  bool names_number = true;
  bool found_owner = false;  // the engine said so when it came
};

struct Message {
  std::uint64_t number = 0;
  base::MessageId id;
  base::Mono archived_at = base::Mono::max();
  std::uint8_t segments = 1;
  std::vector<std::uint32_t> taken;
};

std::uint64_t hash_of(std::uint64_t number) {
  return base::hash128(fmt::format("{}", number), 7).low | 1;
}

class Exchange : private Gateway {
 public:
  explicit Exchange(const ReceiptOptions& options)
      : Gateway(make_tables(),
                {.seed = options.seed, .commit_min = 1ms, .commit_max = 40ms, .tick_lag = 20ms}),
        options_(options) {}

  ReceiptResult run();

 private:
  static std::shared_ptr<const engine::Tables> make_tables();
  void restart();
  void started() override;
  void perform(engine::Effect& effect) override;
  void committed(const message::Commit& commit) override;

  // --- those who send, and the carriers
  void send_messages();
  void submit(const engine::Submit& submit);
  void take(const engine::Submit& submit, std::uint8_t segment);
  void answer(const engine::AttemptRef& ref, std::uint8_t segment, base::Mono written,
              OutcomeKind kind, Cause cause, std::string id);
  std::uint64_t next_id(std::uint16_t carrier, std::uint64_t number, bool& reused);
  void plan_receipts(std::uint32_t taken, base::Duration answer_after);
  void say(base::Duration after, Said said);
  void send(std::uint32_t said);
  bool notes_a_receipt(std::size_t since);
  engine::Receipt on_the_wire(Said& said);

  // --- the end
  void judge();
  message::State judge_record(std::uint32_t message, std::string_view bytes,
                              std::vector<std::uint8_t>& found);
  void example(std::string text);
  static std::string id_text(std::uint64_t id) { return fmt::format("{:08x}", id); }

  ReceiptOptions options_;
  ReceiptResult result_;
  std::vector<base::Mono> restarts_;

  std::vector<Message> messages_;
  std::unordered_map<base::MessageId, std::uint32_t, base::MessageIdHash> by_id_;
  std::vector<Taken> taken_;
  std::vector<Said> said_;
  std::unordered_map<engine::Token, std::uint32_t> unacknowledged_;
  std::array<std::uint64_t, kCarriers> last_id_{};
  struct OldId {
    std::uint64_t id;
    std::uint64_t number;
    base::Mono at;
  };
  std::array<std::deque<OldId>, kCarriers> old_ids_;
  engine::Token next_token_ = 1;
  bool enough_ = false;
};

std::shared_ptr<const engine::Tables> Exchange::make_tables() {
  auto tables = std::make_shared<engine::Tables>();
  tables->version = "receipts";
  tables->classes = message::default_traffic_classes();
  for (const message::TrafficClass& c : tables->classes) tables->policy.classes.push_back(c.name);
  tables->policy.tenants.push_back({.name = "acme", .classes = ~0u});
  routing::Route route{.name = "all"};
  for (std::uint16_t i = 0; i < kCarriers; ++i) {
    tables->routing.carriers.push_back({.name = fmt::format("carrier{}", i), .region = "eu"});
    tables->carriers.push_back({});
    route.via.push_back({.carrier = {i}});
  }
  tables->routing.routes.push_back(std::move(route));
  routing::finish(tables->routing);
  return tables;
}

// --- the gateway ---------------------------------------------------------------------------------

void Exchange::started() {
  for (std::uint16_t i = 0; i < kCarriers; ++i) step(engine::LinkUp{{i}, 0, 5'000});
}

void Exchange::restart() {
  ++result_.restarts;
  restarts_.push_back(now().mono);
  stop();
  // What was not acknowledged is sent again.
  for (const auto& [token, said] : unacknowledged_) {
    said_[said].difficulty |= kRestarted;
    later(random_.between(1s, 60s), [this, s = said] { send(s); });
  }
  unacknowledged_.clear();
  later(random_.between(1s, 20s), [this] { start(); });
}

void Exchange::committed(const message::Commit& commit) {
  for (const message::ArchivePut& put : commit.archive) {
    if (const auto found = by_id_.find(put.id); found != by_id_.end())
      messages_[found->second].archived_at = now().mono;
  }
}

void Exchange::perform(engine::Effect& effect) {
  if (const auto* accepted = std::get_if<engine::AcceptAnswer>(&effect)) {
    const auto message = static_cast<std::uint32_t>(accepted->token);
    messages_[message].id = accepted->items.at(0).id;
    by_id_[messages_[message].id] = message;
  } else if (const auto* sent = std::get_if<engine::Submit>(&effect)) {
    submit(*sent);
  } else if (const auto* ack = std::get_if<engine::ReceiptAck>(&effect)) {
    unacknowledged_.erase(ack->token);
  }
}

// --- senders and carriers ------------------------------------------------------------------------

void Exchange::send_messages() {
  enough_ = enough_ || said_.size() >= options_.receipts;
  if (enough_) return;
  for (std::size_t i = 0; i < kPerSecond && is_running(); ++i) {
    const std::uint64_t number =
        447'700'000'000 + static_cast<std::uint64_t>(random_.between(0, kNumbers - 1));
    const auto index = static_cast<std::uint32_t>(messages_.size());
    const std::uint8_t segments =
        random_.percent(80) ? 1 : static_cast<std::uint8_t>(random_.between(2, 4));
    messages_.push_back({.number = number, .segments = segments, .taken = {}});
    message::Submission item{.to = *numbering::Number::from_digits(number)};
    item.tenant = {0};
    item.traffic_class = {static_cast<std::uint8_t>(random_.between(0, 3))};
    item.to_hash = hash_of(number);
    item.segments = segments;
    item.sealed = fmt::format("m{}", index);
    engine::Accept accept;
    accept.token = index;
    accept.items.push_back(std::move(item));
    step(std::move(accept));
  }
  later(1s, [this] { send_messages(); });
}

void Exchange::submit(const engine::Submit& s) {
  for (std::uint8_t segment = 1; segment <= s.segments; ++segment) {
    if ((s.segment_set >> (segment - 1) & 1) != 0) take(s, segment);
  }
}

void Exchange::answer(const engine::AttemptRef& ref, std::uint8_t segment, base::Mono written,
                      OutcomeKind kind, Cause cause, std::string id) {
  message::Outcome outcome;
  outcome.kind = kind;
  outcome.cause = cause;
  outcome.carrier_message_id = std::move(id);
  outcome.raw = kind == OutcomeKind::accepted ? "ok" : "no";
  step(engine::SubmitResult{ref, segment, written, std::move(outcome)});
}

void Exchange::take(const engine::Submit& s, std::uint8_t segment) {
  const auto message = static_cast<std::uint32_t>(std::strtoul(s.sealed.c_str() + 1, nullptr, 10));
  const base::Mono written = now().mono;
  const auto answers = [&](base::Duration after, OutcomeKind kind, Cause cause, std::string id) {
    in_this_life(after, [this, ref = s.ref, segment, written, kind, cause, i = std::move(id)] {
      answer(ref, segment, written, kind, cause, i);
    });
  };
  const auto roll = static_cast<unsigned>(random_.between(0, 999));
  const base::Duration soon = random_.between(1ms, 80ms);
  if (roll < 20) return answers(soon, OutcomeKind::transient, Cause::carrier_refused, {});
  if (roll < 30) return answers(soon, OutcomeKind::reroute, Cause::carrier_refused, {});
  if (roll < 33) {  // lost on the way there
    return answers(s.response_timeout, OutcomeKind::in_doubt, Cause::response_timeout, {});
  }
  Taken t{.message = message,
          .attempt = s.ref.attempt,
          .segment = segment,
          .carrier = s.ref.carrier.value,
          .at = now().mono};
  t.id = next_id(t.carrier, messages_[message].number, t.reused_id);
  const auto index = static_cast<std::uint32_t>(taken_.size());
  messages_[message].taken.push_back(index);
  base::Duration answer_after = random_.percent(95) ? soon : random_.between(80ms, 3s);
  if (roll < 36) {  // the answer is lost
    answers(s.response_timeout, OutcomeKind::in_doubt, Cause::response_timeout, {});
    answer_after = s.response_timeout;
  } else {
    in_this_life(answer_after, [this, index, ref = s.ref, segment, written, id = id_text(t.id)] {
      taken_[index].answered = true;
      const std::size_t notes = output().notes.size();
      answer(ref, segment, written, OutcomeKind::accepted, Cause::carrier_accepted, id);
      if (!notes_a_receipt(notes)) return;
      const Taken& t = taken_[index];
      for (std::uint32_t i = t.first_said; i < t.first_said + t.said_count; ++i)
        said_[i].found_owner |= said_[i].at != base::Mono{};
    });
  }
  taken_.push_back(t);
  plan_receipts(index, answer_after);
}

// Ids of different carriers are the same; those of one come again, for other numbers.
std::uint64_t Exchange::next_id(std::uint16_t carrier, std::uint64_t number, bool& reused) {
  auto& old = old_ids_[carrier];
  if (random_.percent(1) && !old.empty() && now().mono - old.front().at > kIdComesAgain &&
      old.front().number != number) {
    const std::uint64_t id = old.front().id;
    old.pop_front();
    reused = true;
    return id;
  }
  const std::uint64_t id = ++last_id_[carrier];
  if (random_.percent(3)) old.push_back({id, number, now().mono});
  return id;
}

void Exchange::plan_receipts(std::uint32_t index, base::Duration answer_after) {
  taken_[index].first_said = static_cast<std::uint32_t>(said_.size());
  Said first{.taken = index};
  if (random_.percent(11)) first.state = ReceiptState::undelivered;
  // Without a number nothing tells one message's id from another's.
  const Taken& t = taken_[index];
  base::Duration wait = answer_after + random_.between(1s, 30s);
  const std::int64_t roll = random_.between(0, 99);
  if (roll < 10) {
    wait = random_.between(base::Duration(1), std::max(answer_after, base::Duration(2)));
    first.difficulty |= kEarly;
  } else if (roll < 40) {
    wait = random_.between(30s, 9min);
  } else if (roll < 44) {  // just when it leaves for the cold tier
    wait = limits::kColdAfter + random_.between(-200ms, 300ms);
  } else if (roll < 55) {
    wait = random_.between(10min, 12h);
  } else if (roll < 58) {
    wait = random_.between(12h, 71h);
  } else if (roll < 60) {
    wait = limits::kReceiptWaitMax - random_.between(5s, 30min);
  }
  if (wait < kIdComesAgain - 10min && random_.percent(5)) first.difficulty |= kNoNumber;
  if (t.reused_id) first.difficulty |= kIdReused;
  if (wait > limits::kColdAfter) first.difficulty |= kCold;
  if (wait > 48h) first.difficulty |= kDays;
  if (t.attempt > 1) first.difficulty |= kOtherAttempt;
  if (random_.percent(4)) {
    Said on_its_way = first;
    on_its_way.state = ReceiptState::intermediate;
    say(random_.between(base::Duration(1), wait), on_its_way);
  }
  if (random_.percent(3)) {  // the carrier does not know yet, either before it does or for good
    Said unknown = first;
    unknown.state = ReceiptState::unknown;
    say(random_.between(base::Duration(1), wait), unknown);
  }
  say(wait, first);
  if (random_.percent(8)) {  // again, mostly at once, on whichever connection
    Said again = first;
    again.difficulty |= kRepeated;
    say(wait + (random_.percent(50) ? random_.between(1us, 50ms) : random_.between(1s, 8min)),
        again);
  }
  if (random_.percent(2)) {
    Said contrary = first;
    contrary.state = first.state == ReceiptState::delivered ? ReceiptState::undelivered
                                                            : ReceiptState::delivered;
    contrary.difficulty |= kContrary;
    say(std::max(wait, answer_after) + random_.between(3s, 8min), contrary);
  }
}

void Exchange::say(base::Duration after, Said said) {
  const auto index = static_cast<std::uint32_t>(said_.size());
  said_.push_back(said);
  taken_[said.taken].said_count += 1;
  later(after, [this, index] { send(index); });
}

// A carrier repeats a receipt until it is acknowledged.
void Exchange::send(std::uint32_t index) {
  if (!is_running()) return later(random_.between(1s, 30s), [this, index] { send(index); });
  Said& said = said_[index];
  if (said.at == base::Mono{}) said.at = now().mono;
  Taken& t = taken_[said.taken];
  if (!t.answered) said.difficulty |= kIdLost;
  if (said.state == ReceiptState::delivered) t.said |= 1;
  if (said.state == ReceiptState::undelivered) t.said |= 2;
  engine::Receipt receipt = on_the_wire(said);
  receipt.token = next_token_++;
  unacknowledged_[receipt.token] = index;
  const std::size_t notes = output().notes.size();
  step(std::move(receipt));
  said_[index].found_owner |= notes_a_receipt(notes);
}

// Was a receipt matched since there were so many notes?
bool Exchange::notes_a_receipt(std::size_t since) {
  const std::vector<engine::Note>& notes = output().notes;
  return std::any_of(
      notes.begin() + static_cast<std::ptrdiff_t>(since), notes.end(),
      [](const engine::Note& note) { return note.metric == engine::Note::Metric::receipt; });
}

// As a PDU, written and read again.
engine::Receipt Exchange::on_the_wire(Said& said) {
  const Taken& t = taken_[said.taken];
  const std::string id = id_text(t.id);
  const std::uint64_t number = messages_[t.message].number;
  smpp::ReceiptFields fields{.id = id, .state = smpp::ReceiptState::delivered};
  if (said.state == ReceiptState::undelivered) fields.state = smpp::ReceiptState::undeliverable;
  if (said.state == ReceiptState::unknown) fields.state = smpp::ReceiptState::unknown;
  if (said.state == ReceiptState::intermediate) fields.state = smpp::ReceiptState::enroute;
  fields.submit_date = fields.done_date = now().wall;
  const auto esm_class = static_cast<std::uint8_t>(said.state == ReceiptState::intermediate
                                                       ? smpp::esm_class::kIntermediate
                                                       : smpp::esm_class::kReceipt);
  said.names_number = t.reused_id || !t.answered || (said.difficulty & kNoNumber) == 0;
  const smpp::Address source =
      said.names_number ? smpp::Address{1, 1, fmt::format("{}", number)} : smpp::Address{};
  const std::int64_t form = random_.between(0, 9);
  if (form < 3) said.difficulty |= kTlvOnly;
  smpp::Pdu pdu;
  if (form == 0) {
    smpp::DataSm data{.source = source, .esm_class = esm_class};
    smpp::add_receipt_tlvs(data.tlvs, fields);
    pdu = std::move(data);
  } else {
    smpp::DeliverSm deliver;
    deliver.source = source;
    deliver.esm_class = esm_class;
    if (form >= 3) deliver.short_message = smpp::format_receipt(fields);
    if (form < 7) smpp::add_receipt_tlvs(deliver.tlvs, fields);
    pdu = std::move(deliver);
  }
  std::string octets;
  ASSERT(smpp::encode(pdu, 1, 0, octets).has_value());
  const auto decoded = smpp::decode(octets);
  ASSERT(decoded.has_value());
  const auto* deliver = std::get_if<smpp::DeliverSm>(&decoded->pdu);
  const auto* data = std::get_if<smpp::DataSm>(&decoded->pdu);
  const auto read = deliver != nullptr ? smpp::parse_receipt(*deliver) : smpp::parse_receipt(*data);
  ASSERT(read.has_value());

  engine::Receipt event;
  event.carrier = {t.carrier};
  event.carrier_message_id = read->id;
  const std::string& digits = deliver != nullptr ? deliver->source.addr : data->source.addr;
  if (!digits.empty()) event.to_hash = base::hash128(digits, 7).low | 1;
  event.raw = "stat";
  if (read->kind == smpp::ReceiptKind::intermediate) {
    event.state = ReceiptState::intermediate;
  } else if (read->state == smpp::ReceiptState::delivered) {
    event.state = ReceiptState::delivered;
  } else if (read->state == smpp::ReceiptState::undeliverable) {
    event.state = ReceiptState::undelivered;
  }
  return event;
}

// --- the end -------------------------------------------------------------------------------------

void Exchange::example(std::string text) {
  if (result_.examples.size() < kExamplesMax) result_.examples.push_back(std::move(text));
}

// `found` has a place for each of the message's `taken`: bit 0 delivered, bit 1 undelivered.
message::State Exchange::judge_record(std::uint32_t index, std::string_view bytes,
                                      std::vector<std::uint8_t>& found) {
  const Message& m = messages_[index];
  const auto record = message::decode_record(bytes);
  ASSERT(record.has_value());
  for (const message::Event& e : record->events) {
    if (e.kind != message::EventKind::receipt && e.kind != message::EventKind::late) continue;
    std::uint8_t state = 0;
    if (e.attempt_state == AttemptState::delivered) state = 1;
    if (e.attempt_state == AttemptState::undelivered) state = 2;
    const auto of = std::ranges::find_if(m.taken, [&](std::uint32_t i) {
      const Taken& t = taken_[i];
      return t.attempt == e.attempt && t.segment == e.segment &&
             e.carrier == tables().routing.carriers[t.carrier].name &&
             e.carrier_message_id == id_text(t.id);
    });
    const bool is_true = of != m.taken.end() && (taken_[*of].said & state) == state;
    if (e.cause == Cause::receipt_matched_by_number) ++result_.by_number;
    if (!is_true) {
      ++result_.mismatched;
      example(fmt::format("m{} #{}.{} of {}: {}, no carrier said {} of id {} there ({})", index,
                          e.attempt, e.segment, m.segments, e.carrier,
                          message::name(e.attempt_state), e.carrier_message_id,
                          message::name(e.cause)));
      continue;
    }
    found[static_cast<std::size_t>(of - m.taken.begin())] |= state;
  }
  return message::fold(*record).state;
}

void Exchange::judge() {
  std::vector<message::State> ended(messages_.size());
  std::vector<std::uint8_t> recorded(taken_.size());
  std::vector<std::uint8_t> found;
  for (std::uint32_t i = 0; i < messages_.size(); ++i) {
    if (messages_[i].taken.empty()) continue;
    const auto record = store().find_message("acme", messages_[i].id);
    ASSERT(record.has_value() && *record);
    found.assign(messages_[i].taken.size(), 0);
    ended[i] = judge_record(i, **record, found);
    for (std::size_t n = 0; n < found.size(); ++n) recorded[messages_[i].taken[n]] = found[n];
  }
  for (const Said& said : said_) {
    ++result_.sent;
    for (std::size_t bit = 0; bit < kDifficulties.size(); ++bit) {
      if ((said.difficulty >> bit & 1) != 0) ++result_.kinds[kDifficulties[bit]];
    }
    const bool delivered = said.state == ReceiptState::delivered;
    if (!delivered && said.state != ReceiptState::undelivered) continue;
    ++result_.finals;
    const Taken& t = taken_[said.taken];
    const Message& m = messages_[t.message];
    // What only says once more how the message or another copy of the segment ended is not
    // recorded.
    const std::uint8_t bit = delivered ? 1 : 2;
    const bool says_nothing_new =
        ended[t.message] == (delivered ? message::State::delivered : message::State::undelivered) ||
        std::ranges::any_of(m.taken, [&](std::uint32_t other) {
          return taken_[other].segment == t.segment && (recorded[other] & bit) != 0;
        });
    if ((recorded[said.taken] & bit) != 0 || (said.found_owner && says_nothing_new)) {
      ++result_.matched;
      continue;
    }
    if (m.archived_at != base::Mono::max() &&
        said.at > m.archived_at + limits::kReceiptOwnersKept - 1s) {
      ++result_.too_late;
      continue;
    }
    std::string what;
    for (std::size_t i = 0; i < kDifficulties.size(); ++i) {
      if ((said.difficulty >> i & 1) != 0)
        what += fmt::format("{}{}", what.empty() ? "" : ", ", kDifficulties[i]);
    }
    ++result_.unmatched[what.empty() ? "plain" : what];
    example(fmt::format("m{} #{}.{} of {}, carrier{} id {}: {} is in no record ({})", t.message,
                        t.attempt, t.segment, m.segments, t.carrier, id_text(t.id),
                        delivered ? "delivered" : "undelivered", what));
  }
  result_.messages = messages_.size();
}

ReceiptResult Exchange::run() {
  start();
  send_messages();
  const auto plan_restart = [this](auto&& self) -> void {
    later(kBetweenRestarts + random_.between(0s, 60s), [this, self] {
      if (is_running()) restart();
      self(self);
    });
  };
  plan_restart(plan_restart);
  base::Mono end = base::Mono::max();
  while (run_next(end)) {
    if (enough_ && end == base::Mono::max()) end = now().mono + limits::kReceiptWaitMax + 26h;
  }
  if (!is_running()) start();
  judge();
  return std::move(result_);
}

}  // namespace

ReceiptResult exchange_receipts(const ReceiptOptions& options) { return Exchange(options).run(); }

}  // namespace trunkline::simulation
