// An engine and a store as the REST API sees them, scripted: keys, refusals and lists behave as the
// real ones do, decisions are made by the sender's name. For tests of this folder.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "edge/backend.h"
#include "message/decision.h"
#include "message/record.h"
#include "rest/test_config.h"
#include "store/empty_store_test.h"

namespace trunkline::rest {

class TestStore final : public store::EmptyStore {
 public:
  void put(const std::string& tenant, const base::MessageId& id, std::string record) {
    const std::lock_guard lock(mutex_);
    records_[{tenant, id}] = std::move(record);
  }
  void fail(bool failing) {
    const std::lock_guard lock(mutex_);
    failing_ = failing;
  }

  store::Result<std::optional<std::string>> find_message(std::string_view tenant,
                                                         const base::MessageId& id) override {
    const std::lock_guard lock(mutex_);
    if (failing_) return std::unexpected(store::Error{store::ErrorKind::io, "scripted"});
    const auto found = records_.find({std::string(tenant), id});
    if (found == records_.end()) return std::nullopt;
    return found->second;
  }
  store::Result<store::ListPage> list(const store::ListQuery& query) override {
    const std::lock_guard lock(mutex_);
    if (failing_) return std::unexpected(store::Error{store::ErrorKind::io, "scripted"});
    store::ListPage page;
    base::MessageId last;
    for (auto it = records_.rbegin(); it != records_.rend(); ++it) {
      const auto& [tenant, id] = it->first;
      if (tenant != query.tenant || (query.before && id >= *query.before)) continue;
      if (page.records.size() == query.limit) {
        page.resume = last;
        break;
      }
      last = id;
      if (query.to_hash && message::decode_envelope(it->second)->to_hash != *query.to_hash) {
        continue;
      }
      page.records.push_back(it->second);
    }
    return page;
  }

 private:
  std::mutex mutex_;
  std::map<std::pair<std::string, base::MessageId>, std::string> records_;
  bool failing_ = false;
};

class TestBackend final : public edge::Backend {
 public:
  using Deliver = std::function<void(std::vector<engine::Effect>&)>;

  explicit TestBackend(base::Wall now) : now_(now) {}

  // Where answers go. Held ones wait for release().
  void deliver_to(Deliver deliver) { deliver_ = std::move(deliver); }
  void hold() {
    const std::lock_guard lock(mutex_);
    holding_ = true;
  }
  // Waits until `count` answers are held, then gives them out in one batch, the last first.
  void release(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return held_.size() >= count; });
    std::vector<engine::Effect> out(std::make_move_iterator(held_.rbegin()),
                                    std::make_move_iterator(held_.rend()));
    held_.clear();
    holding_ = false;
    lock.unlock();
    deliver_(out);
  }
  void wait_until_held(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return held_.size() >= count; });
  }
  // The mailbox is full.
  void refuse(bool refusing) {
    const std::lock_guard lock(mutex_);
    refusing_ = refusing;
  }
  void accept(bool accepting) {
    const std::lock_guard lock(mutex_);
    accepting_ = accepting;
  }
  // Moves a message from the engine to the store, with these events behind it.
  void archive(const base::MessageId& id, const std::vector<message::Event>& events = {}) {
    const std::lock_guard lock(mutex_);
    std::string record = std::move(hot_.at(id));
    hot_.erase(id);
    append(record, events);
    const message::Envelope e = *message::decode_envelope(record);
    store_.put(e.tenant, id, std::move(record));
  }
  void add_events(const base::MessageId& id, const std::vector<message::Event>& events) {
    const std::lock_guard lock(mutex_);
    append(hot_.at(id), events);
  }
  std::string hot_record(const base::MessageId& id) {
    const std::lock_guard lock(mutex_);
    return hot_.at(id);
  }

  // It is in the cold tier when it is asked about next, and has come back by the time the store is.
  void miss_once(const base::MessageId& id) {
    const std::lock_guard lock(mutex_);
    missed_ = id;
  }

  bool post(engine::Event&& event) override {
    std::vector<engine::Effect> out;
    {
      const std::lock_guard lock(mutex_);
      if (refusing_) return false;
      std::visit([&](auto& e) { on(std::move(e), out); }, event);
      if (holding_) {
        std::ranges::move(out, std::back_inserter(held_));
        changed_.notify_all();
        return true;
      }
    }
    deliver_(out);
    return true;
  }
  bool accepting() const override {
    const std::lock_guard lock(mutex_);
    return accepting_;
  }
  std::shared_ptr<const config::Config> config() const override { return config_; }
  store::Store& store() override { return store_; }
  seal::Vault& vault() override { return *vault_; }
  TestStore& test_store() { return store_; }

 private:
  using Out = std::vector<engine::Effect>;

  static void append(std::string& record, const std::vector<message::Event>& events) {
    const base::Wall base_time = message::decode_envelope(record)->accepted_at;
    for (const message::Event& event : events) message::encode_event(event, base_time, record);
  }

  engine::ItemAnswer take(message::Submission&& s) {
    using Kind = engine::ItemAnswer::Kind;
    engine::ItemAnswer answer;
    if (s.key) {
      if (const auto known = keys_.find(s.key->key.low); known != keys_.end()) {
        if (known->second.first != s.key->fingerprint) {
          answer.kind = Kind::key_mismatch;
          return answer;
        }
        answer = known->second.second;
        answer.kind = answer.kind == Kind::accepted ? Kind::replayed : Kind::replayed_refusal;
        const auto hot = hot_.find(answer.id);
        answer.record = hot != hot_.end() ? hot->second : "";
        return answer;
      }
    }
    if (s.from == "Evil") {
      answer.refusal = {.code = "policy_refused",
                        .reasons = {{"tenant.sender", "sender Evil is not registered"}},
                        .retry_after = {},
                        .version = "v1"};
    } else if (s.from == "Fast") {
      answer.refusal = {.code = "rate_limited",
                        .reasons = {{"limits.tenant_rate", "too fast"}},
                        .retry_after = std::chrono::milliseconds(2500),
                        .version = "v1"};
      return answer;  // never kept
    } else {
      message::Envelope e;
      e.id = ids_.next(now_);
      e.tenant = config_->tenants[s.tenant.at()].name;
      e.traffic_class = config_->tables.classes[s.traffic_class.at()].name;
      e.region = s.region;
      e.to_hash = s.to_hash;
      e.accepted_at = now_;
      e.due_at = std::max(now_, s.send_at.value_or(now_));
      e.expires_at = e.due_at + s.ttl.value_or(config_->tables.classes[s.traffic_class.at()].ttl);
      e.encoding = s.encoding;
      e.segments = s.segments;
      e.plan = {"alpha"};
      e.decision = message::encode_decision({.route = "all", .resend_of = s.resend_of});
      e.sealed = std::move(s.sealed);
      message::encode_envelope(e, answer.record);
      message::encode_event({.kind = message::EventKind::accepted, .time = now_}, now_,
                            answer.record);
      answer.kind = Kind::accepted;
      answer.id = e.id;
      hot_[e.id] = answer.record;
    }
    if (s.key) keys_[s.key->key.low] = {s.key->fingerprint, answer};
    return answer;
  }

  void on(engine::Accept&& event, Out& out) {
    engine::AcceptAnswer answer{.token = event.token};
    if (event.batch_key) {
      const auto known = batches_.find(event.batch_key->key.low);
      if (known != batches_.end()) {
        answer.key_mismatch = known->second.first != event.batch_key->fingerprint;
        answer.replayed = !answer.key_mismatch;
        if (answer.replayed) answer.items = known->second.second;
        for (engine::ItemAnswer& item : answer.items) {
          item.kind = item.id.is_null() ? engine::ItemAnswer::Kind::replayed_refusal
                                        : engine::ItemAnswer::Kind::replayed;
        }
        out.emplace_back(std::move(answer));
        return;
      }
    }
    for (message::Submission& item : event.items) answer.items.push_back(take(std::move(item)));
    if (!event.is_batch) {
      answer.replayed = answer.items.front().kind == engine::ItemAnswer::Kind::replayed ||
                        answer.items.front().kind == engine::ItemAnswer::Kind::replayed_refusal;
    }
    if (event.batch_key) {
      batches_[event.batch_key->key.low] = {event.batch_key->fingerprint, answer.items};
    }
    out.emplace_back(std::move(answer));
  }
  void on(engine::Cancel&& event, Out& out) {
    using Kind = engine::CancelAnswer::Kind;
    engine::CancelAnswer answer{.token = event.token};
    const auto hot = hot_.find(event.id);
    if (event.key && cancels_.contains(event.key->key.low)) {
      answer.kind = Kind::canceled;
      answer.replayed = true;
    } else if (hot == hot_.end() || !belongs(hot->second, event.tenant)) {
      answer.kind = Kind::not_found;
    } else {
      const message::Progress progress = message::fold(*message::decode_record(hot->second));
      if (message::may_follow(progress.state, message::State::canceled) && progress.attempt == 0) {
        append(hot->second, {{.kind = message::EventKind::ended,
                              .state = message::State::canceled,
                              .time = now_ + std::chrono::seconds(1),
                              .cause = message::Cause::canceled_by_client}});
        answer.kind = Kind::canceled;
        answer.record = hot->second;
        const std::string tenant = config_->tenants[event.tenant.at()].name;
        store_.put(tenant, event.id, hot->second);
        hot_.erase(hot);
        if (event.key) cancels_.emplace(event.key->key.low, true);
      } else {
        answer.kind = Kind::not_cancelable;
        answer.record = hot->second;
      }
    }
    out.emplace_back(std::move(answer));
  }
  void on(engine::Redact&& event, Out& out) {
    using Kind = engine::RedactAnswer::Kind;
    engine::RedactAnswer answer{.token = event.token};
    const std::string tenant = config_->tenants[event.tenant.at()].name;
    const auto hot = hot_.find(event.id);
    if (hot != hot_.end() && belongs(hot->second, event.tenant)) {
      answer.kind = Kind::not_ended;
      answer.record = hot->second;
    } else if (const auto found = store_.find_message(tenant, event.id); found && *found) {
      answer.kind = Kind::redacted;
      answer.record = message::without_payload(**found);
      store_.put(tenant, event.id, answer.record);
    }
    out.emplace_back(std::move(answer));
  }
  void on(engine::Query&& event, Out& out) {
    const auto hot = hot_.find(event.id);
    const bool missed = std::exchange(missed_, base::MessageId{}) == event.id;
    const bool found = !missed && hot != hot_.end() && belongs(hot->second, event.tenant);
    out.emplace_back(engine::QueryAnswer{event.token, found ? hot->second : ""});
  }
  void on(engine::Explain&& event, Out& out) {
    out.emplace_back(
        engine::ExplainAnswer{event.token, engine::explain(config_->tables, event.question)});
  }
  void on(engine::ListHot&& event, Out& out) {
    engine::ListAnswer answer{.token = event.token};
    for (auto it = hot_.rbegin(); it != hot_.rend(); ++it) {
      if (event.before && it->first >= *event.before) continue;
      if (!belongs(it->second, event.tenant)) continue;
      if (event.to_hash && message::decode_envelope(it->second)->to_hash != *event.to_hash) {
        continue;
      }
      answer.records.push_back(it->second);
      if (answer.records.size() == event.limit) {
        answer.resume = it->first;
        break;
      }
    }
    out.emplace_back(std::move(answer));
  }
  template <class T>
  void on(T&&, Out&) {
    ADD_FAILURE() << "the REST API has no business with this event";
  }

  bool belongs(const std::string& record, message::TenantIndex tenant) const {
    return message::decode_envelope(record)->tenant == config_->tenants[tenant.at()].name;
  }

  const base::Wall now_;
  std::shared_ptr<const config::Config> config_ = test_config();
  std::unique_ptr<seal::Vault> vault_ = seal::Vault::in_memory(1);
  TestStore store_;
  Deliver deliver_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<engine::Effect> held_;
  bool holding_ = false;
  bool refusing_ = false;
  bool accepting_ = true;
  base::MessageIdSource ids_{0, 1};
  std::map<base::MessageId, std::string> hot_;
  base::MessageId missed_;
  std::map<std::uint64_t, std::pair<base::Hash128, engine::ItemAnswer>> keys_;
  std::map<std::uint64_t, std::pair<base::Hash128, std::vector<engine::ItemAnswer>>> batches_;
  std::map<std::uint64_t, bool> cancels_;
};

}  // namespace trunkline::rest
