// Test support: the one suite every engine of store::Store must pass. An engine's *_test.cc
// includes this once and instantiates it:
//
//   INSTANTIATE_TEST_SUITE_P(Memory, StoreConformance, ::testing::Values(engine));
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <thread>

#include "store/conformance_model.h"

namespace trunkline::store::conformance {

// What one store works on. open() may be called again once the store it gave is gone.
class Disk {
 public:
  virtual ~Disk() = default;
  virtual Result<std::unique_ptr<Store>> open(Opened& opened) = 0;
};

struct Engine {
  std::string name;
  std::function<std::unique_ptr<Disk>()> make_disk;  // shard kShard
};
inline constexpr std::uint16_t kShard = 3;

inline void PrintTo(const Engine& engine, std::ostream* out) { *out << engine.name; }

class StoreConformance : public ::testing::TestWithParam<Engine> {
 protected:
  void SetUp() override {
    disk_ = GetParam().make_disk();
    reopen();
  }

  void reopen() {
    store_.reset();
    auto store = disk_->open(opened_);
    ASSERT_TRUE(store.has_value()) << store.error().text;
    store_ = std::move(*store);
    next_seq_ = opened_.next_seq;
    EXPECT_EQ(opened_.damage, "");
    EXPECT_FALSE(opened_.torn_tail);
  }

  // A commit with the next number and one journal entry.
  message::Commit next_commit() {
    message::Commit commit;
    commit.seq = next_seq_++;
    commit.epoch = opened_.epoch;
    commit.time = now_;
    message::append_gone(commit, base::MessageId{commit.seq, 1});
    return commit;
  }

  void commit(const message::Commit& commit) {
    const auto done = store_->commit({&commit, 1});
    ASSERT_TRUE(done.has_value()) << done.error().text;
  }

  std::vector<message::JournalRecord> replayed() {
    std::vector<message::JournalRecord> out;
    const auto done = store_->replay([&](const message::JournalRecord& record) {
      out.push_back(record);
      for (message::Entry& entry : out.back().entries) entry.record = entry.event = {};
    });
    EXPECT_TRUE(done.has_value()) << done.error().text;
    return out;
  }

  // Every page of a query, one behind the other.
  std::vector<std::string> list_all(ListQuery query) {
    std::vector<std::string> out;
    for (int pages = 0; pages < 10'000; ++pages) {
      const auto page = store_->list(query);
      if (!page) {
        ADD_FAILURE() << page.error().text;
        break;
      }
      EXPECT_LE(page->records.size(), query.limit);
      out.insert(out.end(), page->records.begin(), page->records.end());
      if (!page->resume) return out;
      if (query.before) {
        EXPECT_LT(*page->resume, *query.before);
      }
      query.before = page->resume;
    }
    ADD_FAILURE() << "the pages do not end";
    return out;
  }

  std::unique_ptr<Disk> disk_;
  std::unique_ptr<Store> store_;
  Opened opened_;
  std::uint64_t next_seq_ = 1;
  base::Wall now_ = kStart;
  Random random_{1};
};

TEST_P(StoreConformance, StartsEmptyAndRaisesTheEpochAtEveryOpen) {
  EXPECT_EQ(opened_.next_seq, 1u);
  EXPECT_EQ(opened_.first_seq, 1u);
  EXPECT_TRUE(replayed().empty());
  const std::uint64_t first = opened_.epoch;
  EXPECT_GE(first, 1u);
  reopen();
  EXPECT_EQ(opened_.epoch, first + 1);
  commit(next_commit());
  reopen();
  EXPECT_EQ(opened_.epoch, first + 2);
  EXPECT_EQ(opened_.next_seq, 2u);
  EXPECT_EQ(opened_.first_seq, 1u);
}

TEST_P(StoreConformance, OnlyOneAtATime) {
  Opened opened;
  const auto second = disk_->open(opened);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().kind, ErrorKind::locked);
  EXPECT_NE(second.error().text, "");
}

TEST_P(StoreConformance, ReplaysWhatWasCommittedInOrder) {
  std::vector<message::Commit> commits;
  for (int i = 0; i < 3; ++i) commits.push_back(next_commit());
  std::string event;
  message::encode_event(message::Event{}, base::Wall{}, event);
  message::append_event(commits[1], base::MessageId{7, 8}, event);
  message::append_message(commits[2], "record");
  commits.insert(commits.begin() + 1, message::Commit{});  // empty: no number, no record
  ASSERT_TRUE(store_->commit(commits).has_value());
  commit(next_commit());
  ASSERT_TRUE(store_->commit({}).has_value());

  reopen();
  EXPECT_EQ(opened_.next_seq, 5u);
  std::vector<std::string> seen;
  const auto done = store_->replay([&](const message::JournalRecord& record) {
    EXPECT_EQ(record.seq, seen.size() + 1);
    EXPECT_EQ(record.shard, kShard);
    EXPECT_EQ(record.epoch, opened_.epoch - 1);
    EXPECT_LT(record.watermark, record.seq);
    EXPECT_EQ(record.time, kStart);
    std::string line;
    for (const message::Entry& entry : record.entries) {
      line += fmt::format("{}:{}{} ", static_cast<int>(entry.type), entry.id.high, entry.record);
      if (entry.type == message::EntryType::event) {
        EXPECT_EQ(entry.event, event);
      }
    }
    seen.push_back(line);
  });
  ASSERT_TRUE(done.has_value()) << done.error().text;
  EXPECT_EQ(seen, (std::vector<std::string>{"3:1 ", "3:2 2:7 ", "3:3 1:0record ", "3:4 "}));
}

TEST_P(StoreConformance, TrimsTheJournal) {
  for (int i = 0; i < 10; ++i) commit(next_commit());
  const auto before = store_->stats();
  EXPECT_EQ(before.journal_records, 10u);
  message::Commit trim;
  trim.seq = next_seq_++;
  trim.epoch = opened_.epoch;
  trim.trim_before = 7;
  commit(trim);
  EXPECT_EQ(store_->stats().journal_records, 5u);
  EXPECT_LT(store_->stats().journal_bytes, before.journal_bytes);
  for (int round = 0; round < 2; ++round) {
    reopen();
    EXPECT_EQ(opened_.first_seq, 7u);
    EXPECT_EQ(opened_.next_seq, 12u);
    EXPECT_EQ(store_->stats().journal_records, 5u);
    const auto records = replayed();
    ASSERT_EQ(records.size(), 5u);
    EXPECT_EQ(records.front().seq, 7u);
    EXPECT_EQ(records.back().seq, 11u);
  }
  // Everything up to the trimming record itself.
  trim.seq = next_seq_++;
  trim.epoch = opened_.epoch;
  trim.trim_before = trim.seq;
  commit(trim);
  reopen();
  EXPECT_EQ(opened_.first_seq, 12u);
  EXPECT_EQ(opened_.next_seq, 13u);
  EXPECT_EQ(replayed().size(), 1u);
  commit(next_commit());
  reopen();
  EXPECT_EQ(opened_.next_seq, 14u);
}

TEST_P(StoreConformance, ReceiptOwnersAreFoundUntilTheyAreForgotten) {
  const auto owner = [](std::uint64_t n, base::Wall until) {
    return message::ReceiptOwner{"demo", {7, n}, 40 + n, until, 3, static_cast<std::uint8_t>(n)};
  };
  const auto ids = [&](const base::Hash128& key, base::Wall at) {
    std::vector<std::uint64_t> found;
    const auto owners = store_->find_owners(key, at);
    EXPECT_TRUE(owners.has_value());
    for (const message::ReceiptOwner& o : *owners) {
      found.push_back(o.id.low);
      if (o.id.is_null()) continue;
      EXPECT_EQ(o.tenant, "demo");
      EXPECT_EQ(o, owner(o.id.low, o.until));
    }
    return found;
  };
  const auto put = [&](std::vector<message::OwnerPut> puts) {
    message::Commit more = next_commit();
    more.owners = std::move(puts);
    commit(more);
  };
  using Ids = std::vector<std::uint64_t>;
  const base::Hash128 id{1, 2};
  const base::Hash128 number{3, 4};
  put({{id, owner(1, now_ + 1h)}, {number, owner(1, now_ + 1h)}, {number, owner(2, now_ + 3h)}});
  put({{id, owner(2, now_ + 2h)}, {number, owner(3, now_ + 2h)}});
  put({{number, owner(1, now_ + 1h)}});  // not twice
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(ids(id, now_), (Ids{1, 2}));
    EXPECT_EQ(ids(id, now_ + 2h), Ids{});
    EXPECT_EQ(ids(number, now_), (Ids{2, 3, 1}));
    EXPECT_EQ(ids(number, now_ + 1h), (Ids{2, 3}));
    EXPECT_EQ(ids(number, now_ + 2h), Ids{2});
    EXPECT_EQ(ids(number, now_ + 3h), Ids{});
    EXPECT_EQ(ids({4, 4}, now_), Ids{});
    ASSERT_TRUE(store_->sweep(now_ + 30min, kStart - 24h).has_value());
    reopen();
  }
  // Those that are too many are known to be there, for as long as one of them could be meant.
  put({{number, owner(4, now_ + 5h)}, {number, owner(5, now_ + 5h)}});
  EXPECT_EQ(ids(number, now_), (Ids{0, 3, 1, 4, 5}));
  put({{number, owner(6, now_ + 4h)}});
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(ids(number, now_), (Ids{0, 1, 4, 5, 6}));
    EXPECT_EQ(ids(number, now_ + 3h - 1us), (Ids{0, 4, 5, 6}));
    EXPECT_EQ(ids(number, now_ + 3h), (Ids{4, 5, 6}));
    reopen();
  }
}

// Over what a store does with its files between the commits.
TEST_P(StoreConformance, AForgottenReceiptOwnerStaysForgotten) {
  const base::Hash128 key{3, 4};
  const auto put = [&](std::uint64_t n, base::Wall until) {
    message::Commit more = next_commit();
    more.owners = {{key, {"demo", {7, n}, 40, until, 1, 1}}};
    commit(more);
    reopen();
  };
  put(1, now_ + 1h);
  put(2, now_ + 1h);
  put(1, {});
  put(3, now_ + 1h);
  for (int round = 0; round < 3; ++round) {
    const auto owners = store_->find_owners(key, now_);
    ASSERT_TRUE(owners.has_value());
    ASSERT_EQ(owners->size(), 2u);
    EXPECT_EQ(owners->at(0).id.low, 2u);
    EXPECT_EQ(owners->at(1).id.low, 3u);
    ASSERT_TRUE(store_->sweep(now_, kStart - 24h).has_value());
    reopen();
  }
}

TEST_P(StoreConformance, KeysAreFoundUntilTheyExpire) {
  message::Commit commit_keys = next_commit();
  const message::KeyRecord record = key_record(random_, now_ + 24h);
  commit_keys.keys.push_back({{1, 2}, record});
  commit_keys.keys.push_back({{1, 3}, key_record(random_, now_ + 1s)});
  commit(commit_keys);
  for (int round = 0; round < 2; ++round) {
    auto found = store_->find_key({1, 2}, now_);
    ASSERT_TRUE(found && *found);
    EXPECT_TRUE(**found == record);
    EXPECT_TRUE(**store_->find_key({1, 2}, now_ + 24h - 1us) == record);
    EXPECT_FALSE(store_->find_key({1, 2}, now_ + 24h)->has_value());
    EXPECT_FALSE(store_->find_key({2, 2}, now_)->has_value());
    EXPECT_FALSE(store_->find_key({1, 3}, now_ + 1s)->has_value());
    ASSERT_TRUE(store_->sweep(now_ + 2s, kStart - 24h).has_value());
    reopen();
  }
  // A later answer to the same key replaces the earlier.
  message::Commit again = next_commit();
  const message::KeyRecord second = key_record(random_, now_ + 30h);
  again.keys.push_back({{1, 2}, second});
  commit(again);
  EXPECT_TRUE(**store_->find_key({1, 2}, now_ + 25h) == second);
}

TEST_P(StoreConformance, ArchiveIsByTenantAndTakesLateEvents) {
  SampleMaker maker(kShard, 1);
  const Sample sample = maker.make(random_, now_, "demo", "otp", message::State::delivered, 77);
  message::Commit put = next_commit();
  put.archive.push_back(archive_put(sample));
  std::string late;
  message::encode_event(
      event_of(sample.envelope, message::EventKind::late, message::State::delivered, 1h),
      sample.envelope.accepted_at, late);
  // In the same commit, in the same call, in a later one.
  put.archive_appends.push_back({"demo", sample.envelope.id, late});
  message::Commit second = next_commit();
  second.archive_appends.push_back({"demo", sample.envelope.id, late});
  second.archive_appends.push_back({"acme", sample.envelope.id, late});
  second.archive_appends.push_back({"demo", base::MessageId{9, 9}, late});
  const std::vector<message::Commit> both{put, second};
  ASSERT_TRUE(store_->commit(both).has_value());
  message::Commit third = next_commit();
  third.archive_appends.push_back({"demo", sample.envelope.id, late});
  commit(third);
  for (int round = 0; round < 2; ++round) {
    const auto found = store_->find_message("demo", sample.envelope.id);
    ASSERT_TRUE(found && *found);
    EXPECT_EQ(**found, sample.record + late + late + late);
    for (const char* other : {"acme", "dem", "demo2", ""}) {
      EXPECT_FALSE(store_->find_message(other, sample.envelope.id)->has_value()) << other;
    }
    EXPECT_FALSE(store_->find_message("demo", base::MessageId{9, 9})->has_value());
    EXPECT_FALSE(store_->find_message("acme", base::MessageId{9, 9})->has_value());
    ListQuery query;
    query.tenant = "demo";
    EXPECT_EQ(list_all(query), std::vector<std::string>{sample.record + late + late + late});
    query.tenant = "acme";
    EXPECT_TRUE(list_all(query).empty());
    reopen();
  }
}

TEST_P(StoreConformance, RedactedRecordsHaveNoPayload) {
  SampleMaker maker(kShard, 1);
  const Sample sample = maker.make(random_, now_, "demo", "otp", message::State::delivered, 77);
  message::Commit put = next_commit();
  put.archive.push_back(archive_put(sample));
  commit(put);
  std::string expected = sample.record;
  for (const auto kind : {message::EventKind::late, message::EventKind::redacted,
                          message::EventKind::late, message::EventKind::redacted}) {
    std::string event;
    message::encode_event(event_of(sample.envelope, kind, message::State::delivered, 1h),
                          sample.envelope.accepted_at, event);
    message::Commit append = next_commit();
    append.archive_appends.push_back({"demo", sample.envelope.id, event});
    // Another tenant's of the same id is not meant.
    append.archive_appends.push_back({"acme", sample.envelope.id, event});
    commit(append);
    message::append_to_archived(expected, event);
    for (int round = 0; round < 2; ++round) {
      const auto found = store_->find_message("demo", sample.envelope.id);
      ASSERT_TRUE(found && *found);
      EXPECT_EQ(**found, expected);
      ListQuery query;
      query.tenant = "demo";
      query.to_hash = 77;
      EXPECT_EQ(list_all(query), std::vector<std::string>{expected});
      reopen();
    }
  }
  EXPECT_EQ(message::sealed_of(expected), "");
  EXPECT_FALSE(store_->find_message("acme", sample.envelope.id)->has_value());
}

TEST_P(StoreConformance, ArchivedRecordsDoNotGrowWithoutBound) {
  SampleMaker maker(kShard, 1);
  const Sample sample = maker.make(random_, now_, "demo", "otp", message::State::delivered, 77);
  message::Commit put = next_commit();
  put.archive.push_back(archive_put(sample));
  commit(put);
  const std::string event(100'000, 'x');
  for (int i = 0; i < 4; ++i) {
    message::Commit append = next_commit();
    append.archive_appends.push_back({"demo", sample.envelope.id, event});
    commit(append);
  }
  EXPECT_EQ((**store_->find_message("demo", sample.envelope.id)).size(),
            sample.record.size() + 2 * event.size());
}

TEST_P(StoreConformance, ColdMessagesAreFoundByIdDueTimeAndReceipt) {
  SampleMaker maker(kShard, 1);
  Sample one = maker.make(random_, now_, "demo", "otp", message::State::submitted, 1);
  Sample two = maker.make(random_, now_, "acme", "otp", message::State::queued, 2);
  one.due_at = now_ + 10min;
  one.receipt_keys = {{1, 1}, {1, 2}};
  two.due_at = now_ + 5min;
  two.receipt_keys = {{2, 1}};
  message::Commit put = next_commit();
  put.cold = {cold_put(one), cold_put(two)};
  commit(put);
  for (int round = 0; round < 2; ++round) {
    const auto found = store_->find_cold(one.envelope.id);
    ASSERT_TRUE(found && *found);
    EXPECT_EQ((**found).tenant, "demo");
    EXPECT_EQ((**found).record, one.record);
    EXPECT_EQ((**store_->find_cold_by_receipt({1, 2})).id, one.envelope.id);
    EXPECT_EQ((**store_->find_cold_by_receipt({2, 1})).record, two.record);
    EXPECT_FALSE(store_->find_cold_by_receipt({2, 2})->has_value());
    EXPECT_FALSE(store_->find_cold(base::MessageId{1, 2})->has_value());
    EXPECT_EQ(**store_->find_message("demo", one.envelope.id), one.record);
    EXPECT_FALSE(store_->find_message("acme", one.envelope.id)->has_value());
    EXPECT_TRUE(store_->cold_due(now_, 9)->empty());
    EXPECT_EQ(store_->cold_due(now_ + 5min, 9)->size(), 1u);
    const auto due = store_->cold_due(now_ + 1h, 9);
    ASSERT_EQ(due->size(), 2u);
    EXPECT_EQ(due->at(0).id, two.envelope.id);
    EXPECT_EQ(due->at(1).record, one.record);
    EXPECT_EQ(store_->cold_due(now_ + 1h, 1)->size(), 1u);
    reopen();
  }

  // Put again: the old due time and receipts are gone. A receipt id may pass to another message.
  const message::ColdPut old_one = cold_put(one);
  one.due_at = now_ + 20min;
  one.receipt_keys = {{1, 2}, {2, 1}};
  message::Commit again = next_commit();
  again.cold = {cold_put(one)};
  commit(again);
  EXPECT_EQ(store_->cold_due(now_ + 1h, 9)->size(), 2u);
  EXPECT_EQ(store_->cold_due(now_ + 10min, 9)->size(), 1u);
  EXPECT_FALSE(store_->find_cold_by_receipt({1, 1})->has_value());
  EXPECT_EQ((**store_->find_cold_by_receipt({2, 1})).id, one.envelope.id);

  // Removed and put within one call; removal of a message whose receipt id passed on.
  message::Commit remove = next_commit();
  remove.cold_removed = {one.envelope.id, two.envelope.id, base::MessageId{5, 5}};
  message::Commit back = next_commit();
  back.cold = {old_one};
  const std::vector<message::Commit> both{remove, back};
  ASSERT_TRUE(store_->commit(both).has_value());
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(store_->cold_due(now_ + 1h, 9)->size(), 1u);
    EXPECT_EQ((**store_->find_cold_by_receipt({1, 2})).id, one.envelope.id);
    EXPECT_EQ((**store_->find_cold_by_receipt({1, 1})).id, one.envelope.id);
    EXPECT_FALSE(store_->find_cold_by_receipt({2, 1})->has_value());
    EXPECT_FALSE(store_->find_cold(two.envelope.id)->has_value());
    EXPECT_FALSE(store_->find_message("acme", two.envelope.id)->has_value());
    reopen();
  }

  // Finished: out of the cold tier and into the archive in one commit.
  message::Commit finish = next_commit();
  finish.cold_removed = {one.envelope.id};
  finish.archive = {archive_put(one)};
  commit(finish);
  EXPECT_FALSE(store_->find_cold(one.envelope.id)->has_value());
  EXPECT_EQ(**store_->find_message("demo", one.envelope.id), one.record);
  ListQuery query;
  query.tenant = "demo";
  EXPECT_EQ(list_all(query).size(), 1u);
}

TEST_P(StoreConformance, NoticesStayInLineUntilTheyAreDone) {
  const auto put = [&](std::string account, base::Wall time, std::string text) {
    message::Notice notice;
    notice.time = time;
    notice.sealed = std::move(text);
    return message::NoticePut{std::move(account), message::encode_notice(notice)};
  };
  const auto line = [&](std::string_view account, message::NoticeAt after = {},
                        std::size_t limit = 99) {
    std::string out;
    const auto found = store_->notices(account, after, limit);
    EXPECT_TRUE(found.has_value());
    for (const StoredNotice& n : found.value_or(std::vector<StoredNotice>{})) {
      out += fmt::format("{}.{} {}\n", n.at.seq, n.at.index,
                         message::decode_notice(n.bytes).value().sealed);
    }
    return out;
  };
  EXPECT_EQ(line("app"), "");
  message::Commit first = next_commit();
  first.notices = {put("app", now_, "one"), put("app2", now_, "other"), put("app", now_, "two")};
  commit(first);
  // A commit of nothing else is one, too.
  message::Commit second = next_commit();
  second.entries.clear();
  second.entry_count = 0;
  second.notices = {put("app", now_ + 1h, "three"), put("ap", now_, "short")};
  commit(second);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(line("app"), "1.0 one\n1.2 two\n2.0 three\n");
    EXPECT_EQ(line("app", {1, 0}), "1.2 two\n2.0 three\n");
    EXPECT_EQ(line("app", {1, 2}, 1), "2.0 three\n");
    EXPECT_EQ(line("app", {2, 0}), "");
    EXPECT_EQ(line("app", {}, 2), "1.0 one\n1.2 two\n");
    EXPECT_EQ(line("ap"), "2.1 short\n");
    EXPECT_EQ(line("app2"), "1.1 other\n");
    EXPECT_EQ(line("nobody"), "");
    reopen();
  }
  message::Commit done = next_commit();
  done.entries.clear();
  done.entry_count = 0;
  done.notices_done = {{"app", {1, 0}}, {"app", {9, 9}}, {"nobody", {1, 0}}};
  commit(done);
  EXPECT_EQ(line("app"), "1.2 two\n2.0 three\n");
  reopen();
  EXPECT_EQ(line("app"), "1.2 two\n2.0 three\n");
  // Too old: gone, at the latest once the sweep has nothing more to do.
  for (int i = 0; i < 100; ++i) {
    const auto more = store_->sweep(now_ + base::limits::kNoticeKeptMax, kStart - 24h);
    ASSERT_TRUE(more.has_value());
    if (!*more) break;
  }
  EXPECT_EQ(line("app"), "2.0 three\n");
  EXPECT_EQ(line("app2"), "");
}

TEST_P(StoreConformance, SweepDropsOldArchiveButNeverColdMessages) {
  SampleMaker maker(kShard, 1);
  message::Commit put = next_commit();
  std::vector<Sample> samples;
  for (int i = 0; i < 10; ++i) {
    samples.push_back(maker.make(random_, now_ + std::chrono::hours(i), "demo", "otp",
                                 message::State::delivered, 1));
    put.archive.push_back(archive_put(samples.back()));
  }
  const Sample cold = maker.make(random_, now_, "demo", "otp", message::State::queued, 1);
  put.cold.push_back(cold_put(cold));
  commit(put);
  for (int calls = 0;; ++calls) {
    ASSERT_LT(calls, 100);
    const auto more = store_->sweep(now_, now_ + 4h);
    ASSERT_TRUE(more.has_value());
    if (!*more) break;
  }
  for (int round = 0; round < 2; ++round) {
    for (std::size_t i = 0; i < 10; ++i) {
      EXPECT_EQ(store_->find_message("demo", samples[i].envelope.id)->has_value(), i >= 4) << i;
    }
    ListQuery query;
    query.tenant = "demo";
    EXPECT_EQ(list_all(query).size(), 7u);
    query.to_hash = 1;
    EXPECT_EQ(list_all(query).size(), 7u);
    EXPECT_TRUE(store_->find_cold(cold.envelope.id)->has_value());
    reopen();
  }
}

TEST_P(StoreConformance, AListLooksAtABoundedNumberOfRecords) {
  SampleMaker maker(kShard, 1);
  Sample wanted = maker.make(random_, now_, "demo", "otp", message::State::failed, 9);
  const std::size_t others = base::limits::kListScanMax + 10;
  message::Commit put = next_commit();
  put.archive.push_back(archive_put(wanted));
  for (std::size_t i = 0; i < others; ++i) {
    put.archive.push_back(
        archive_put(maker.make(random_, now_, "demo", "otp", message::State::delivered, 8)));
  }
  commit(put);
  ListQuery query;
  query.tenant = "demo";
  query.status = message::State::failed;
  const auto first = store_->list(query);
  ASSERT_TRUE(first.has_value());
  EXPECT_TRUE(first->records.empty());
  ASSERT_TRUE(first->resume.has_value());
  EXPECT_EQ(list_all(query), std::vector<std::string>{wanted.record});
}

// Random commits against the plain model, everything looked up again after each few and after
// every reopen. TRUNKLINE_CONFORMANCE_ROUNDS raises the number of seeds.
class ModelRun {
 public:
  ModelRun(Random& random, std::uint64_t epoch) : random_(random), maker_(kShard, epoch) {}

  void fill(message::Commit& commit) {
    now_ += std::chrono::milliseconds(pick(random_, 3'000));
    commit.time = now_;
    for (std::uint64_t i = pick(random_, 4); i > 0; --i) {
      message::append_gone(commit, {random_(), random_()});
    }
    for (std::uint64_t i = pick(random_, 3); i > 0 && !model.cold.empty(); --i) {
      thaw(commit);
    }
    for (std::uint64_t i = pick(random_, 3); i > 0; --i) {
      const Sample sample = maker_.make(random_, now_);
      commit.cold.push_back(cold_put(sample));
      model.cold[sample.envelope.id] = sample;
    }
    for (std::uint64_t i = pick(random_, 4); i > 0; --i) {
      const Sample sample = maker_.make(random_, now_);
      commit.archive.push_back(archive_put(sample));
      model.archive[sample.envelope.id] = sample;
    }
    if (pick(random_, 3) == 0 && !model.archive.empty()) append_late(commit);
    for (std::uint64_t i = pick(random_, 3); i > 0; --i) {
      const base::Hash128 key{pick(random_, 40), 1};
      const message::KeyRecord record =
          key_record(random_, now_ + std::chrono::milliseconds(pick(random_, 60'000)));
      commit.keys.push_back({key, record});
      model.keys[{key.high, key.low}] = record;
    }
    if (pick(random_, 20) == 0 && !model.journal.empty()) {
      commit.trim_before = model.journal.begin()->first + pick(random_, model.journal.size());
      std::erase_if(model.journal, [&](const auto& e) { return e.first < commit.trim_before; });
    }
    if (!commit.empty()) model.journal[commit.seq] = commit.entries;
  }

  ListQuery random_query() {
    static const std::vector<std::string> kTenants{"demo", "dem", "demo\0x"s, "acme", "nobody"};
    ListQuery query;
    query.tenant = kTenants[pick(random_, kTenants.size())];
    query.limit = 1 + pick(random_, 20);
    if (pick(random_, 3) == 0) query.to_hash = 1 + pick(random_, 6);
    if (pick(random_, 3) == 0) {
      query.status = pick(random_, 2) == 0 ? message::State::delivered : message::State::queued;
    }
    if (pick(random_, 3) == 0) query.traffic_class = pick(random_, 2) == 0 ? "otp" : "marketing";
    if (pick(random_, 3) == 0) query.from_time = moment();
    if (pick(random_, 3) == 0) query.to_time = moment();
    if (pick(random_, 3) == 0 && !model.archive.empty())
      query.before = any(model.archive).envelope.id;
    return query;
  }

  base::Wall moment() {
    return kStart +
           base::Duration(pick(random_, static_cast<std::uint64_t>((now_ - kStart).count()) + 1));
  }

  const Sample& any(const std::map<base::MessageId, Sample>& from) {
    return std::next(from.begin(), static_cast<std::ptrdiff_t>(pick(random_, from.size())))->second;
  }

  Model model;
  base::Wall now_ = kStart;

 private:
  void thaw(message::Commit& commit) {
    Sample sample = any(model.cold);
    if (std::ranges::count(commit.cold_removed, sample.envelope.id) != 0) return;
    commit.cold_removed.push_back(sample.envelope.id);
    model.cold.erase(sample.envelope.id);
    const std::uint64_t what = pick(random_, 3);
    if (what == 0) return;  // hot again
    if (what == 1) {        // finished
      commit.archive.push_back(archive_put(sample));
      model.archive[sample.envelope.id] = sample;
      return;
    }
    sample.due_at += 7min;  // waits on
    sample.receipt_keys.push_back({random_(), random_()});
    commit.cold.push_back(cold_put(sample));
    model.cold[sample.envelope.id] = sample;
  }

  void append_late(message::Commit& commit) {
    Sample& sample = model.archive[any(model.archive).envelope.id];
    std::string late;
    message::encode_event(event_of(sample.envelope, message::EventKind::late, sample.state, 1h),
                          sample.envelope.accepted_at, late);
    commit.archive_appends.push_back({sample.envelope.tenant, sample.envelope.id, late});
    sample.record += late;
  }

  Random& random_;
  SampleMaker maker_;
};

TEST_P(StoreConformance, AgreesWithAPlainModelUnderRandomWork) {
  const char* rounds_text = std::getenv("TRUNKLINE_CONFORMANCE_ROUNDS");
  const int rounds = rounds_text != nullptr ? std::atoi(rounds_text) : 3;
  for (int seed = 1; seed <= rounds; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    store_.reset();
    disk_ = GetParam().make_disk();
    reopen();
    Random random(static_cast<std::uint64_t>(seed));
    ModelRun run(random, 1);
    const auto check_lookups = [&] {
      const Model& model = run.model;
      for (std::uint64_t k = 0; k < 41; ++k) {
        const auto found = store_->find_key({k, 1}, run.now_);
        ASSERT_TRUE(found.has_value());
        const auto known = model.keys.find({k, 1});
        const bool alive = known != model.keys.end() && known->second.expires_at > run.now_;
        ASSERT_EQ(found->has_value(), alive) << k;
        if (alive) {
          ASSERT_TRUE(**found == known->second) << k;
        }
      }
      for (const auto* from : {&model.archive, &model.cold}) {
        if (from->empty()) continue;
        const Sample& sample = run.any(*from);
        const auto found = store_->find_message(sample.envelope.tenant, sample.envelope.id);
        ASSERT_TRUE(found && *found);
        ASSERT_EQ(**found, sample.record);
        ASSERT_FALSE(store_->find_message("nobody", sample.envelope.id)->has_value());
        const bool cold = from == &model.cold;
        ASSERT_EQ(store_->find_cold(sample.envelope.id)->has_value(), cold);
        for (const base::Hash128& key : sample.receipt_keys) {
          const auto by_receipt = store_->find_cold_by_receipt(key);
          ASSERT_TRUE(by_receipt.has_value());
          ASSERT_EQ(by_receipt->has_value(), cold);
        }
      }
      const base::Wall until = run.moment() + 20min;
      const std::size_t limit = 1 + pick(random, 10);
      const auto due = store_->cold_due(until, limit);
      ASSERT_TRUE(due.has_value());
      std::vector<base::MessageId> ids;
      for (const ColdMessage& m : *due) ids.push_back(m.id);
      ASSERT_EQ(ids, model.due(until, limit));
      for (int i = 0; i < 5; ++i) {
        const ListQuery query = run.random_query();
        ASSERT_EQ(list_all(query), model.list(query));
      }
    };
    for (int step = 0; step < 120; ++step) {
      std::vector<message::Commit> commits(1 + pick(random, 4));
      for (message::Commit& commit : commits) {
        commit.seq = next_seq_;
        commit.epoch = opened_.epoch;
        run.fill(commit);
        if (!commit.empty()) ++next_seq_;
      }
      const auto done = store_->commit(commits);
      ASSERT_TRUE(done.has_value()) << done.error().text;
      if (pick(random, 4) == 0) check_lookups();
      if (pick(random, 15) == 0) {
        ASSERT_TRUE(store_->sweep(run.now_, kStart - 24h).has_value());
      }
      if (pick(random, 15) == 0) {
        const std::uint64_t next = next_seq_;
        reopen();
        ASSERT_EQ(opened_.next_seq, next);
        std::map<std::uint64_t, std::size_t> seen;
        for (const auto& record : replayed()) seen[record.seq] = record.entries.size();
        ASSERT_EQ(seen.size(), run.model.journal.size());
        for (const auto& [seq, entries] : run.model.journal) ASSERT_TRUE(seen.contains(seq)) << seq;
        check_lookups();
      }
      if (HasFatalFailure()) return;
    }
  }
}

// Look-ups from other threads while commits go on: each sees every commit that has returned.
TEST_P(StoreConformance, LookupsRunBesideCommits) {
  SampleMaker maker(kShard, 1);
  std::vector<Sample> samples;
  for (int i = 0; i < 300; ++i) {
    samples.push_back(maker.make(random_, now_ + std::chrono::milliseconds(i), "demo", "otp",
                                 message::State::delivered, 5));
    samples.back().receipt_keys = {{static_cast<std::uint64_t>(i), 7}};
  }
  std::atomic<std::size_t> committed{0};
  std::atomic<bool> failed{false};
  const auto look = [&](std::uint64_t seed) {
    Random random(seed);
    std::size_t done = 0;
    while (done < samples.size() && !failed) {
      done = committed.load();
      if (done == 0) {
        std::this_thread::yield();
        continue;
      }
      const Sample& sample = samples[pick(random, done)];
      const auto found = store_->find_message("demo", sample.envelope.id);
      const auto key = store_->find_key(sample.receipt_keys[0], kStart);
      if (!found || !*found || **found != sample.record || !key || !*key) failed = true;
      ListQuery query;
      query.tenant = "demo";
      query.limit = 20;
      if (pick(random, 2) == 0) query.to_hash = 5;
      const auto page = store_->list(query);
      if (!page || page->records.size() < std::min<std::size_t>(done, 20)) failed = true;
      if (!store_->find_cold_by_receipt(sample.receipt_keys[0]) ||
          !store_->cold_due(kStart + 1h, 5) || store_->stats().journal_records < done) {
        failed = true;
      }
    }
  };
  std::vector<std::jthread> threads;
  for (std::uint64_t i = 0; i < 2; ++i) threads.emplace_back(look, i);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    message::Commit put = next_commit();
    put.archive.push_back(archive_put(samples[i]));
    put.keys.push_back({samples[i].receipt_keys[0], key_record(random_, kStart + 1h)});
    if (i % 2 == 0) {
      put.cold.push_back(cold_put(samples[i]));
    } else {
      put.cold_removed.push_back(samples[i - 1].envelope.id);
    }
    const auto done = store_->commit({&put, 1});
    if (!done) failed = true;
    committed = i + 1;
  }
  threads.clear();
  EXPECT_FALSE(failed);
}

}  // namespace trunkline::store::conformance
