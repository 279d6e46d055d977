#include "bulk/desk.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <mutex>
#include <set>

#include "bulk/test_dir.h"
#include "store/empty_store_test.h"

namespace trunkline::bulk {
namespace {

using namespace std::chrono_literals;
using Kind = Desk::Finished::Kind;
using Obeyed = Desk::Obeyed;
using Order = Desk::Order;

constexpr std::uint8_t kTag = 4;
const std::string kTenant = "demo";

// An engine that answers when it is told to; keys it has seen are answered with their message.
class TestBackend final : public edge::Backend {
 public:
  TestBackend() {
    auto config = std::make_shared<config::Config>();
    for (const char* name : {"demo", "other", "third"}) {
      config->tenants.push_back({.name = name, .default_class = {}});
      config->tables.policy.tenants.push_back({.name = name});
    }
    config_ = std::move(config);
  }

  bool post(engine::Event&& event) override {
    const std::lock_guard lock(mutex_);
    if (refusing) return false;
    posted_.push_back(std::move(std::get<engine::Accept>(event)));
    changed_.notify_all();
    return true;
  }
  bool accepting() const override { return true; }
  std::shared_ptr<const config::Config> config() const override {
    const std::lock_guard lock(mutex_);
    return config_;
  }
  store::Store& store() override { return store_; }
  seal::Vault& vault() override { return *vault_; }

  void allow(double per_s) {
    const std::lock_guard lock(mutex_);
    auto next = std::make_shared<config::Config>(*config_);
    next->tables.policy.tenants[0].allowed.messages_per_s = per_s;
    config_ = std::move(next);
  }

  // Waits for what is handed over next; nothing if nothing is for a while.
  std::optional<engine::Accept> next(std::chrono::milliseconds patience = 20s) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, patience, [&] { return !posted_.empty(); })) return std::nullopt;
    engine::Accept out = std::move(posted_.front());
    posted_.pop_front();
    return out;
  }

  using Refuse = std::function<std::optional<engine::Refusal>(const std::string& line)>;
  engine::AcceptAnswer answer(const engine::Accept& accept, const Refuse& refuse = {}) {
    engine::AcceptAnswer out{.token = accept.token};
    for (const message::Submission& item : accept.items) {
      engine::ItemAnswer one;
      one.kind = engine::ItemAnswer::Kind::accepted;
      const auto found = messages.find({item.key->key.high, item.key->key.low});
      const auto refusal = refuse && found == messages.end() ? refuse(item.from) : std::nullopt;
      if (refusal) {
        one.kind = engine::ItemAnswer::Kind::refused;
        one.refusal = *refusal;
      } else if (found != messages.end()) {
        one.id = found->second;
      } else {
        one.id = {1, ++last_};
        messages[{item.key->key.high, item.key->key.low}] = one.id;
        texts.insert(item.from);
      }
      out.items.push_back(std::move(one));
    }
    return out;
  }

  std::atomic<bool> refusing = false;
  std::map<std::pair<std::uint64_t, std::uint64_t>, base::MessageId> messages;  // by key
  std::multiset<std::string> texts;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<engine::Accept> posted_;
  std::shared_ptr<const config::Config> config_;
  store::EmptyStore store_;
  std::unique_ptr<seal::Vault> vault_ = seal::Vault::in_memory(1);
  std::uint64_t last_ = 0;
};

// The sender is the line; "bad" ones are none.
struct TestMaker final : Maker {
  Made make(message::TenantIndex tenant, std::string_view defaults, std::string_view line,
            const config::Config&, base::Now) override {
    if (line.starts_with("bad")) return {.submission = {}, .status = 400, .problem = "{}"};
    Made made;
    made.submission = message::Submission{.tenant = tenant,
                                          .to = *numbering::Number::from_digits(447'700'900'123)};
    made.submission->from = std::string(defaults) + std::string(line);
    return made;
  }
  Made refused(const engine::Refusal& refusal) override {
    const bool limited = refusal.code == "rate_limited";
    return {.submission = {},
            .status = static_cast<std::uint16_t>(limited ? 429 : 422),
            .problem = "{}"};
  }
};

engine::Refusal limited(std::string_view rule, base::Duration after = 1s) {
  return {
      .code = "rate_limited", .reasons = {{rule, "too much"}}, .retry_after = after, .version = {}};
}

class DeskTest : public testing::Test {
 protected:
  void SetUp() override { open(); }
  void TearDown() override { desk_.reset(); }

  void open() {
    desk_.reset();
    auto desk = Desk::open(backend_, maker_,
                           {.directory = directory_.path(),
                            .token_tag = kTag,
                            .clock = [this] { return now(); },
                            .free_bytes = [this] { return free_.load(); }});
    ASSERT_TRUE(desk) << desk.error();
    desk_ = std::move(*desk);
    desk_->start();
  }

  base::Now now() const {
    const std::chrono::microseconds at(us_.load());
    return {.mono = base::Mono{at}, .wall = base::wall_from_us(1'790'000'000'000'000) + at};
  }
  void advance(base::Duration d) {
    us_ += d.count();
    desk_->deliver({.token = 1});  // nobody's: it looks at the clock
  }

  std::unique_ptr<Draft> begin(const std::string& tenant = kTenant,
                               std::optional<base::Hash128> key = {}) {
    auto draft = desk_->begin(tenant, key);
    return draft ? std::move(*draft) : nullptr;
  }
  Desk::Full full(const std::string& tenant = kTenant, std::optional<base::Hash128> key = {}) {
    const auto draft = desk_->begin(tenant, key);
    EXPECT_FALSE(draft.has_value());
    return draft ? Desk::Full::broken : draft.error();
  }
  Desk::Finished finish(std::unique_ptr<Draft> draft, std::optional<base::Hash128> key = {}) {
    std::promise<Desk::Finished> promise;
    desk_->finish(std::move(draft), key, [&](const auto& done) { promise.set_value(done); });
    return promise.get_future().get();
  }
  static std::string line(std::size_t i) { return "to " + std::to_string(i); }
  std::string upload(std::size_t count, double rate = 0, const std::string& tenant = kTenant) {
    auto draft = begin(tenant);
    EXPECT_NE(draft, nullptr);
    for (std::size_t i = 0; i < count; ++i)
      EXPECT_EQ(draft->add(i + 1, line(i)), Draft::Added::taken);
    draft->set_rate(rate);
    const auto done = finish(std::move(draft));
    EXPECT_EQ(done.kind, Kind::made);
    return done.status.id;
  }
  std::pair<Obeyed, Status> order(const std::string& id, Order what) {
    std::promise<std::pair<Obeyed, Status>> promise;
    desk_->order(kTenant, id, what,
                 [&](Obeyed obeyed, const Status& status) { promise.set_value({obeyed, status}); });
    return promise.get_future().get();
  }
  Status status(const std::string& id) {
    const auto out = desk_->find(kTenant, id);
    EXPECT_TRUE(out);
    return out.value_or(Status{});
  }
  // Answers whatever is handed over until it has ended; how many times.
  int run(const std::string& id, const TestBackend::Refuse& refuse = {}) {
    int batches = 0;
    while (!has_ended(status(id).state)) {
      auto accept = backend_.next(20ms);
      if (!accept) {
        advance(100ms);
        continue;
      }
      ++batches;
      desk_->deliver(backend_.answer(*accept, refuse));
    }
    return batches;
  }
  std::map<std::uint32_t, Result> results(const std::string& id) {
    std::map<std::uint32_t, Result> out;
    std::uint64_t from = 0;
    while (true) {
      const auto page = desk_->results(kTenant, id, from, 7);
      EXPECT_TRUE(page);
      if (!page || page->results.empty()) return out;
      for (const Result& result : page->results)
        EXPECT_TRUE(out.emplace(result.index, result).second) << "twice: " << result.index;
      from = page->next;
    }
  }
  std::set<std::string> endings() const {
    std::set<std::string> out;
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path()))
      out.insert(entry.path().extension());
    return out;
  }
  std::string path_of(const std::string& id, const std::string& ending) const {
    return directory_.path() + "/" + id.substr(4) + ending;
  }

  TestDir directory_;
  std::atomic<std::int64_t> us_ = 1'000'000'000;
  std::atomic<std::uint64_t> free_ = 100ull << 30;
  TestBackend backend_;
  TestMaker maker_;
  std::unique_ptr<Desk> desk_;
};

TEST_F(DeskTest, EachRecipientOnce) {
  auto draft = begin();
  for (std::size_t i = 0; i < 250; ++i)
    ASSERT_EQ(draft->add(3 * i + 1, i % 50 == 7 ? "bad" : line(i)), Draft::Added::taken);
  draft->set_defaults("common ");
  const std::string id = finish(std::move(draft)).status.id;
  EXPECT_EQ(run(id), 3);
  const Status done = status(id);
  EXPECT_EQ(done.state, State::done);
  EXPECT_EQ(std::tuple(done.total, done.accepted, done.refused), std::tuple(250u, 245u, 5u));
  EXPECT_EQ(backend_.texts.size(), 245u);
  EXPECT_EQ(backend_.texts.count("common to 249"), 1u);
  const auto all = results(id);
  ASSERT_EQ(all.size(), 250u);
  for (const auto& [index, result] : all) {
    EXPECT_EQ(result.line, 3 * index + 1);
    EXPECT_EQ(result.status, index % 50 == 7 ? 400 : 201);
    EXPECT_EQ(result.id.is_null(), index % 50 == 7);
  }
  EXPECT_EQ(endings(), (std::set<std::string>{".job", ".results"}));
  open();
  EXPECT_EQ(status(id).accepted, 245u);
  EXPECT_EQ(results(id).size(), 250u);
  EXPECT_FALSE(desk_->find("other", id));
  EXPECT_FALSE(desk_->results("other", id, 0, 1));
}

// What an order leads to: from which state, with or without a batch at the engine.
TEST_F(DeskTest, Orders) {
  struct Row {
    State from;
    bool in_flight;
    Order order;
    Obeyed obeyed;
    State to;
  };
  constexpr Row kRows[] = {
      {State::running, false, Order::pause, Obeyed::done, State::paused},
      {State::running, false, Order::resume, Obeyed::done, State::running},
      {State::running, false, Order::cancel, Obeyed::done, State::canceled},
      {State::running, true, Order::pause, Obeyed::done, State::paused},
      {State::running, true, Order::resume, Obeyed::done, State::running},
      {State::running, true, Order::cancel, Obeyed::done, State::canceled},
      {State::paused, false, Order::pause, Obeyed::done, State::paused},
      {State::paused, false, Order::resume, Obeyed::done, State::running},
      {State::paused, false, Order::cancel, Obeyed::done, State::canceled},
      {State::done, false, Order::pause, Obeyed::ended, State::done},
      {State::done, false, Order::resume, Obeyed::ended, State::done},
      {State::done, false, Order::cancel, Obeyed::ended, State::done},
      {State::canceled, false, Order::pause, Obeyed::ended, State::canceled},
      {State::canceled, false, Order::resume, Obeyed::ended, State::canceled},
      {State::canceled, false, Order::cancel, Obeyed::done, State::canceled},
  };
  for (const Row& row : kRows) {
    SCOPED_TRACE(
        fmt::format("{} {} {}", name(row.from), row.in_flight, static_cast<int>(row.order)));
    backend_.refusing = true;
    const std::string id = upload(150);
    if (row.from == State::done) {
      backend_.refusing = false;
      run(id);
    } else if (row.from != State::running) {
      order(id, row.from == State::paused ? Order::pause : Order::cancel);
    }
    std::optional<engine::Accept> out;
    if (row.in_flight) {
      backend_.refusing = false;
      advance(1s);
      out = backend_.next();
      ASSERT_TRUE(out);
      backend_.refusing = true;
    }
    std::promise<std::pair<Obeyed, Status>> promise;
    auto told = promise.get_future();
    desk_->order(kTenant, id, row.order,
                 [&](Obeyed obeyed, const Status& s) { promise.set_value({obeyed, s}); });
    if (row.in_flight) {
      // Not before the engine has said what became of those it was handed.
      EXPECT_EQ(told.wait_for(20ms), std::future_status::timeout);
      desk_->deliver(backend_.answer(*out));
    }
    const auto [obeyed, after] = told.get();
    EXPECT_EQ(obeyed, row.obeyed);
    EXPECT_EQ(after.state, row.to);
    EXPECT_EQ(after.accepted, row.in_flight ? 100u : row.from == State::done ? 150u : 0u);
    EXPECT_EQ(results(id).size(), after.accepted);
    if (!has_ended(after.state)) EXPECT_EQ(order(id, Order::cancel).first, Obeyed::done);
    backend_.refusing = false;
  }
  EXPECT_EQ(order("blk_" + std::string(32, '0'), Order::pause).first, Obeyed::not_found);
}

TEST_F(DeskTest, PausedNothingIsHandedOver) {
  const std::string id = upload(300);
  auto first = backend_.next();
  ASSERT_TRUE(first);
  desk_->order(kTenant, id, Order::pause, [](Obeyed, const Status&) {});
  desk_->deliver(backend_.answer(*first));
  advance(1min);
  EXPECT_FALSE(backend_.next(50ms));
  open();
  EXPECT_EQ(status(id).state, State::paused);
  advance(1min);
  EXPECT_FALSE(backend_.next(50ms));
  EXPECT_EQ(order(id, Order::resume).first, Obeyed::done);
  run(id);
  EXPECT_EQ(status(id).accepted, 300u);
  EXPECT_EQ(backend_.texts.size(), 300u);
}

// Handed over, accepted, and then the process ends before it has heard so.
TEST_F(DeskTest, WhatWasHandedOverIsAskedAboutAgain) {
  const std::string id = upload(250);
  auto first = backend_.next();
  ASSERT_TRUE(first);
  desk_->deliver(backend_.answer(*first));
  auto second = backend_.next();
  ASSERT_TRUE(second);
  static_cast<void>(backend_.answer(*second));
  // And a result was being written.
  desk_.reset();
  std::ofstream(path_of(id, ".results"), std::ios::binary | std::ios::app) << "\x30half";
  open();
  EXPECT_EQ(status(id).accepted, 100u);
  run(id);
  EXPECT_EQ(status(id).accepted, 250u);
  EXPECT_EQ(backend_.texts.size(), 250u);
  EXPECT_EQ(results(id).size(), 250u);
}

TEST_F(DeskTest, TooFastIsWaitedFor) {
  const std::string id = upload(100);
  const auto refuse = [&](const std::string&) {
    return std::optional(limited("limits.tenant_rate", 5s));
  };
  for (int i = 0; i < 10; ++i) {
    auto accept = backend_.next();
    ASSERT_TRUE(accept);
    desk_->deliver(backend_.answer(*accept, refuse));
    advance(1s);
    EXPECT_FALSE(backend_.next(10ms)) << "too early";
    EXPECT_EQ(status(id).waiting, "too much");
    advance(5s);
  }
  run(id);
  EXPECT_EQ(status(id).accepted, 100u);
}

// A class that is shed goes later; the others meanwhile.
TEST_F(DeskTest, WhatIsShedDoesNotStandInTheWay) {
  const std::string id = upload(300);
  int refused = 0;
  run(id, [&](const std::string& who) -> std::optional<engine::Refusal> {
    if (!who.ends_with("0") || ++refused > 200) return std::nullopt;
    return limited("limits.overload");
  });
  EXPECT_GT(refused, 200);
  EXPECT_EQ(std::tuple(status(id).accepted, status(id).refused), std::tuple(300u, 0u));
}

TEST_F(DeskTest, WhoIsAtACapOfHisOwnIsTold) {
  const std::string id = upload(101);
  run(id, [&](const std::string& who) -> std::optional<engine::Refusal> {
    if (who != "to 5" && who != "to 100") return std::nullopt;
    auto refusal = limited("limits.tenant_cap", 24h);
    refusal.of_recipient = true;
    return refusal;
  });
  EXPECT_EQ(results(id).at(5).status, 429);
  EXPECT_EQ(results(id).at(100).status, 429) << "the last one, too";
  EXPECT_EQ(status(id).accepted, 99u);
}

TEST_F(DeskTest, ACapOfAllIsWaitedFor) {
  const std::string id = upload(300);
  int left = 130;
  for (int i = 0; i < 50; ++i) {
    if (auto accept = backend_.next(10ms)) {
      desk_->deliver(backend_.answer(*accept, [&](const std::string&) {
        return left-- > 0 ? std::nullopt : std::optional(limited("limits.tenant_cap", 24h));
      }));
    }
    advance(30s);
  }
  EXPECT_EQ(std::tuple(status(id).accepted, status(id).refused), std::tuple(130u, 0u));
  run(id);
  EXPECT_EQ(status(id).accepted, 300u);
}

TEST_F(DeskTest, Pace) {
  const auto batch_of = [&](double rate, double allowed) {
    backend_.allow(allowed);
    const std::string id = upload(500, rate);
    auto accept = backend_.next();
    const std::size_t size = accept->items.size();
    desk_->deliver(backend_.answer(*accept));
    // Another may have been handed over meanwhile: it is answered first.
    std::promise<Obeyed> promise;
    auto told = promise.get_future();
    desk_->order(kTenant, id, Order::cancel,
                 [&](Obeyed obeyed, const Status&) { promise.set_value(obeyed); });
    while (told.wait_for(5ms) != std::future_status::ready) {
      if (auto more = backend_.next(5ms)) desk_->deliver(backend_.answer(*more));
    }
    EXPECT_EQ(told.get(), Obeyed::done);
    return size;
  };
  EXPECT_EQ(batch_of(0, 0), 100u);
  EXPECT_EQ(batch_of(200, 0), 20u);
  EXPECT_EQ(batch_of(3, 0), 1u);
  EXPECT_EQ(batch_of(0, 100), 8u);  // the rest of its rate is for single messages
  EXPECT_EQ(batch_of(50, 100), 5u);
  backend_.allow(0);
  const std::string id = upload(1000, 200);
  const std::int64_t begun = us_;
  run(id);
  EXPECT_GE(us_ - begun, 4'800'000);
}

TEST_F(DeskTest, TheSameUploadIsTheSameBulk) {
  const base::Hash128 key{1, 2};
  const auto with = [&](const std::string& text, double rate = 0) {
    auto draft = begin(kTenant, key);
    EXPECT_EQ(draft->add(1, text), Draft::Added::taken);
    draft->set_rate(rate);
    return finish(std::move(draft), key);
  };
  const auto first = with("a");
  EXPECT_EQ(first.kind, Kind::made);
  EXPECT_EQ(with("a").kind, Kind::replayed);
  EXPECT_EQ(with("a").status.id, first.status.id);
  EXPECT_EQ(with("b").kind, Kind::mismatch);
  EXPECT_EQ(with("a", 1).kind, Kind::mismatch);
  run(first.status.id);
  open();
  const auto again = with("a");
  EXPECT_EQ(again.kind, Kind::replayed);
  EXPECT_EQ(again.status.state, State::done);
  auto others = begin("other", key);
  EXPECT_EQ(others->add(1, "a"), Draft::Added::taken);
  EXPECT_EQ(finish(std::move(others), key).kind, Kind::made);
  EXPECT_EQ(backend_.texts.size(), 1u);
}

TEST_F(DeskTest, Bounds) {
  {
    auto a = begin();
    auto b = begin();
    EXPECT_EQ(full(), Desk::Full::uploads);
    auto c = begin("other");
    auto d = begin("other");
    EXPECT_EQ(full("third"), Desk::Full::uploads);
  }
  EXPECT_TRUE(endings().empty()) << "uploads that broke off leave nothing";
  free_ = kFreeBytesMin - 1;
  EXPECT_EQ(full(), Desk::Full::disk);
  free_ = kFreeBytesMin;
  {
    auto draft = begin();
    std::uint64_t number = 0;
    const std::string line(kLineBytesMax, 'x');
    while (number < 1000 && draft->add(++number, line) == Draft::Added::taken) free_ = 0;
    EXPECT_LT(number, 200u);
  }
  free_ = 100ull << 30;
  backend_.refusing = true;
  const base::Hash128 key{1, 2};
  auto keyed = begin(kTenant, key);
  EXPECT_EQ(keyed->add(1, "x"), Draft::Added::taken);
  finish(std::move(keyed), key);
  for (std::size_t i = 1; i < kJobsMax; ++i) upload(1);
  EXPECT_EQ(full(), Desk::Full::jobs);
  EXPECT_NE(begin("other"), nullptr);
  EXPECT_NE(begin(kTenant, key), nullptr) << "a repetition is let in";
}

TEST_F(DeskTest, EndedOnesAreDroppedAfterAWhile) {
  const std::string id = upload(3);
  run(id);
  advance(std::chrono::duration_cast<base::Duration>(kKept) - 1min);
  EXPECT_TRUE(desk_->find(kTenant, id));
  advance(2min);
  while (desk_->find(kTenant, id)) advance(11s);
  EXPECT_TRUE(endings().empty());
}

// A spool that cannot be read: nothing of it is guessed, nothing before is sent again.
TEST_F(DeskTest, DamageStopsTheJob) {
  const std::string id = upload(20'000);
  auto first = backend_.next();
  ASSERT_TRUE(first);
  desk_.reset();
  static_cast<void>(backend_.answer(*first));
  std::fstream file(path_of(id, ".spool"), std::ios::binary | std::ios::in | std::ios::out);
  file.seekg(0, std::ios::end);
  const auto size = static_cast<std::int64_t>(file.tellg());
  std::string bytes(static_cast<std::size_t>(size), '\0');
  file.seekg(0);
  file.read(bytes.data(), size);
  file.seekp(size / 2);
  file.put(static_cast<char>(bytes[static_cast<std::size_t>(size) / 2] ^ 1));
  file.close();
  open();
  while (status(id).state == State::running) {
    if (auto accept = backend_.next(20ms)) desk_->deliver(backend_.answer(*accept));
  }
  const Status stopped = status(id);
  EXPECT_EQ(stopped.state, State::paused);
  EXPECT_EQ(stopped.waiting, "its recipients cannot be read");
  EXPECT_GT(stopped.accepted, 5'000u);
  EXPECT_LT(stopped.accepted, 12'000u);
  // With the damage mended it goes on where it was.
  std::ofstream(path_of(id, ".spool"), std::ios::binary) << bytes;
  EXPECT_EQ(order(id, Order::resume).first, Obeyed::done);
  run(id);
  EXPECT_EQ(status(id).accepted, 20'000u);
  EXPECT_EQ(backend_.texts.size(), 20'000u);
  // Of a state that is damaged nothing is done.
  const std::string other = upload(10);
  desk_.reset();
  std::fstream job(path_of(other, ".job"), std::ios::binary | std::ios::in | std::ios::out);
  job.seekp(40);
  job.put('\xff');
  job.close();
  open();
  EXPECT_FALSE(desk_->find(kTenant, other));
  EXPECT_TRUE(std::filesystem::exists(path_of(other, ".spool"))) << "left for somebody to look at";
}

TEST_F(DeskTest, AFullDiskStopsResultsNotMessages) {
  const std::string id = upload(150);
  auto first = backend_.next();
  ASSERT_TRUE(first);
  // Results cannot be written: the name is a directory.
  std::filesystem::create_directory(path_of(id, ".results"));
  desk_->deliver(backend_.answer(*first));
  while (status(id).waiting.empty()) std::this_thread::yield();
  EXPECT_EQ(status(id).waiting, "results cannot be written");
  EXPECT_EQ(status(id).accepted, 0u);
  std::filesystem::remove(path_of(id, ".results"));
  advance(kRetryMost);
  run(id);
  EXPECT_EQ(status(id).accepted, 150u);
  EXPECT_EQ(backend_.texts.size(), 150u);
  EXPECT_EQ(results(id).size(), 150u);
}

}  // namespace
}  // namespace trunkline::bulk
