// Those who send: single messages and batches, with and without keys, patient and impatient.
#include <fmt/format.h>

#include "simulation/life.h"

namespace trunkline::simulation {

using namespace std::chrono_literals;
using engine::ItemAnswer;

namespace {

constexpr int kTriesMax = 40;

base::Hash128 hash_of(std::string_view kind, std::size_t number) {
  return base::hash128(fmt::format("{}{}", kind, number), 3);
}

}  // namespace

std::size_t Life::new_message(bool keyed, std::uint16_t tenant) {
  Ledger::Message m;
  m.traffic_class = static_cast<std::uint8_t>(random_.between(0, 3));
  m.tenant = tenant;
  m.keyed = keyed;
  m.texts = {new_text()};
  m.segments = m.texts.front().segments;
  return ledger_.add(std::move(m));
}

Ledger::Text Life::new_text() {
  Ledger::Text text;
  text.segments = static_cast<std::uint8_t>(random_.percent(70) ? 1 : random_.between(2, 4));
  if (random_.percent(20)) {
    text.ttl = random_.between(1s, 30s);
  } else if (random_.percent(15)) {
    text.ttl = random_.between(1min, 3h);
  }
  if (random_.percent(8)) text.send_at = now().wall + random_.between(-10s, 5min);
  if (random_.percent(8)) text.send_at = now().wall + random_.between(11min, 4h);
  return text;
}

void Life::new_request() {
  Request request;
  request.number = requests_.size();
  request.keyed = random_.percent(75);
  request.is_batch = random_.percent(20);
  request.batch_key = request.is_batch && request.keyed && random_.percent(50);
  const auto tenant = static_cast<std::uint16_t>(random_.between(0, 1));
  const std::int64_t count = request.is_batch ? random_.between(1, 5) : 1;
  for (std::int64_t i = 0; i < count; ++i)
    request.messages.push_back(new_message(request.keyed, tenant));
  requests_.push_back(request);
  send(requests_.size() - 1);
}

message::Submission Life::submission(std::size_t index, std::size_t number) {
  const Ledger::Message& m = ledger_.at(index);
  const Ledger::Text& text = m.texts[number];
  message::Submission item{.to = *numbering::Number::from_digits(447700900000 + index % 1000)};
  item.tenant = {m.tenant};
  item.traffic_class = {m.traffic_class};
  item.to_hash = number_hash(index);
  item.segments = text.segments;
  item.region = index % 3 == 0 ? "us" : "";
  item.ttl = text.ttl;
  item.send_at = text.send_at;
  item.sealed = Ledger::sealed_text(index, number);
  item.account = Ledger::account_of(index);
  item.notify = Ledger::notify_of(index);
  return item;
}

void Life::send(std::size_t number) {
  Request& request = requests_[number];
  if (++request.tries > kTriesMax) return;
  if (!is_running()) return later(random_.between(100ms, 20s), [this, number] { send(number); });
  engine::Accept accept;
  accept.token = next_token_++;
  accept.is_batch = request.is_batch;
  const base::Hash128 fingerprint = hash_of(request.wrong ? "other" : "same", request.number);
  if (request.batch_key) accept.batch_key = {hash_of("batch", request.number), fingerprint};
  for (const std::size_t index : request.messages) {
    message::Submission item = submission(index, 0);
    if (request.keyed && !request.batch_key) {
      item.key = {hash_of("item", index), hash_of(request.wrong ? "other" : "same", index)};
    }
    accept.items.push_back(std::move(item));
  }
  trace(fmt::format("request {} with {} messages from m{}{}", number, request.messages.size(),
                    request.messages.front(), request.wrong ? ", wrong" : ""));
  accepts_[accept.token] = number;
  step(std::move(accept));
  if (request.keyed && !request.wrong) {
    // Impatient: asks again while the first may still be on its way.
    later(random_.percent(10) ? random_.between(1us, 20ms) : random_.between(5s, 40s),
          [this, number] {
            if (!requests_[number].answered) send(number);
          });
  }
}

// Their connections break; who has a key asks again by itself, see send(). Who has none never
// learns.
void Life::clients_lost_connection() {
  accepts_.clear();
  cancels_.clear();
  replaces_.clear();
  queries_.clear();
  for (auto& [token, receipt] : receipts_)
    later(random_.between(1s, 90s), [this, r = receipt] { send_receipt(r); });
  receipts_.clear();
}

void Life::answered(const engine::AcceptAnswer& answer) {
  const auto found = accepts_.find(answer.token);
  if (found == accepts_.end()) return ledger_.breaks("P3", "an answer to no question");
  const std::size_t number = found->second;
  accepts_.erase(found);
  const Request request = requests_[number];
  if (answer.key_mismatch) {
    if (!request.wrong) ledger_.breaks("P3", fmt::format("request {}: mismatch", number));
    return;
  }
  if (request.wrong && request.batch_key)
    return ledger_.breaks("P3", fmt::format("request {}: other fields passed", number));
  if (random_.percent(4)) return;  // lost on its way
  if (answer.items.size() != request.messages.size())
    return ledger_.breaks("P3", fmt::format("request {}: wrong number of answers", number));
  for (std::size_t i = 0; i < answer.items.size(); ++i)
    item_answered(number, request.messages[i], answer.items[i]);
}

void Life::item_answered(std::size_t number, std::size_t index, const ItemAnswer& item) {
  Request& request = requests_[number];
  mix(static_cast<std::uint64_t>(item.kind));
  mix(item.id);
  switch (item.kind) {
    case ItemAnswer::Kind::key_mismatch:
      if (!request.wrong) ledger_.breaks("P3", fmt::format("m{}: mismatch", index));
      return;
    case ItemAnswer::Kind::refused:
      if (item.refusal.code != "rate_limited")
        return ledger_.breaks("P1", fmt::format("m{} refused: {}", index, item.refusal.code));
      if (request.wrong) return;
      // Said for all items at once: one repeats for all.
      if (index == request.messages.front() && !request.answered)
        later(item.refusal.retry_after + random_.between(1ms, 1s),
              [this, number] { send(number); });
      return;
    case ItemAnswer::Kind::replayed_refusal:
      return ledger_.breaks("P3", fmt::format("m{}: a refusal that never was", index));
    case ItemAnswer::Kind::replaced:
      return ledger_.breaks("P1", fmt::format("m{} took the place of another", index));
    case ItemAnswer::Kind::accepted:
    case ItemAnswer::Kind::replayed:
      break;
  }
  if (request.wrong)
    return ledger_.breaks("P3", fmt::format("m{}: other fields under its key passed", index));
  if (!request.keyed && item.kind == ItemAnswer::Kind::replayed)
    return ledger_.breaks("P3", fmt::format("m{} has no key, yet was replayed", index));
  const bool first = !ledger_.at(index).acknowledged;
  ledger_.acknowledged(index, item.id);
  if (!item.record.empty()) ledger_.observe(item.record, "an answer", message::State::accepted);
  request.answered = true;
  if (first) {
    ++result_.accepted;
    follow_up(number, index);
  }
}

void Life::follow_up(std::size_t number, std::size_t index) {
  const Request& request = requests_[number];
  if (request.keyed && random_.percent(15))
    later(random_.between(1ms, 1h), [this, number] { send(number); });
  if (request.keyed && random_.percent(8)) {
    Request wrong = request;
    wrong.wrong = true;
    wrong.tries = 0;
    const std::size_t at = requests_.size();
    requests_.push_back(wrong);
    later(random_.between(1ms, 10min), [this, at] { send(at); });
  }
  if (random_.percent(10))
    later(random_.percent(50) ? random_.between(1us, 1s) : random_.between(1s, 30min),
          [this, index] { cancel(index); });
  for (int times = 0; times < 3 && random_.percent(12); ++times)
    later(random_.percent(50) ? random_.between(1us, 1s) : random_.between(1s, 30min),
          [this, index] { replace(index); });
  const std::int64_t queries = random_.between(0, 3);
  for (std::int64_t i = 0; i < queries; ++i)
    later(random_.percent(70) ? random_.between(1us, 10s) : random_.between(10s, 24h),
          [this, index] { query(index); });
}

void Life::cancel(std::size_t index) {
  if (!is_running()) return;
  const Ledger::Message& m = ledger_.at(index);
  engine::Cancel event;
  event.token = next_token_++;
  event.tenant = {m.tenant};
  event.id = m.id;
  if (random_.percent(50)) event.key = {hash_of("cancel", index), hash_of("cancel", 0)};
  cancels_[event.token] = {index, m.state, false};
  step(std::move(event));
}

void Life::answered(const engine::CancelAnswer& answer) {
  const auto found = cancels_.find(answer.token);
  if (found == cancels_.end()) return ledger_.breaks("P3", "an answer to no cancel");
  const auto [index, floor, again] = found->second;
  cancels_.erase(found);
  trace(fmt::format("cancel of m{}: {}", index, static_cast<int>(answer.kind)));
  mix(static_cast<std::uint64_t>(answer.kind));
  if (!answer.record.empty()) ledger_.observe(answer.record, "the answer to a cancel", floor);
  const Ledger::Message& m = ledger_.at(index);
  switch (answer.kind) {
    case engine::CancelAnswer::Kind::canceled:
      return ledger_.canceled(index);
    case engine::CancelAnswer::Kind::not_cancelable:
      return;
    case engine::CancelAnswer::Kind::not_found:
      // Neither hot nor cold: then it has ended.
      if (m.archived_serial == 0)
        ledger_.breaks("P1", fmt::format("m{} cannot be canceled because it is lost", index));
      return;
    case engine::CancelAnswer::Kind::key_mismatch:
      return ledger_.breaks("P3", fmt::format("m{}: mismatch of a cancel", index));
  }
}

// Both times are given, or neither.
void Life::replace(std::size_t index) {
  if (!is_running()) return;
  Ledger::Text text = new_text();
  text.asked_at = now().wall;
  if (random_.percent(60)) {
    text.ttl.reset();
    text.send_at.reset();
  } else {
    text.ttl = text.ttl.value_or(1h);
    text.send_at = text.send_at.value_or(now().wall);
  }
  const std::size_t number = ledger_.replacing(index, text);
  engine::Replace event{.token = next_token_++,
                        .id = ledger_.at(index).id,
                        .item = submission(index, number),
                        .cold_record = {}};
  replaces_[event.token] = {index, number};
  trace(fmt::format("replace m{} by text {}", index, number));
  step(std::move(event));
}

void Life::answered(const engine::ReplaceAnswer& answer) {
  const auto found = replaces_.find(answer.token);
  if (found == replaces_.end()) return ledger_.breaks("P3", "an answer to no replace");
  const auto [index, number] = found->second;
  replaces_.erase(found);
  using Kind = engine::ReplaceAnswer::Kind;
  trace(fmt::format("replace of m{}: {}", index, static_cast<int>(answer.kind)));
  mix(static_cast<std::uint64_t>(answer.kind));
  if (answer.kind == Kind::refused)
    return ledger_.breaks("P1", fmt::format("m{}: its text {} refused", index, number));
  if (answer.kind == Kind::not_found && ledger_.at(index).archived_serial == 0)
    return ledger_.breaks("P1", fmt::format("m{} cannot be replaced, it is lost", index));
  if (answer.kind == Kind::replaced) ++result_.replaced;
  if (random_.percent(4)) return;  // lost on its way
  ledger_.replaced(index, number, answer.kind == Kind::replaced);
}

void Life::query(std::size_t index, bool again) {
  if (!is_running()) return;
  const engine::Token token = next_token_++;
  queries_[token] = {index, ledger_.at(index).state, again};
  step(engine::Query{token, {ledger_.at(index).tenant}, ledger_.at(index).id});
}

// What the engine does not have, the store has: an acknowledged message is always to be found.
void Life::answered(const engine::QueryAnswer& answer) {
  const auto found = queries_.find(answer.token);
  if (found == queries_.end()) return ledger_.breaks("P3", "an answer to no query");
  const auto [index, floor, again] = found->second;
  queries_.erase(found);
  if (!answer.record.empty()) return ledger_.observe(answer.record, "a query", floor);
  const Ledger::Message& m = ledger_.at(index);
  const auto stored = store_->find_message(tables_->policy.tenants[m.tenant].name, m.id);
  if (stored && !*stored && !again) return query(index, /*again=*/true);
  if (!stored || !*stored) return ledger_.breaks("P1", fmt::format("m{} is not found", index));
  ledger_.observe(**stored, "a query of the store", floor);
}

}  // namespace trunkline::simulation
