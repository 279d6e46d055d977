// The second half of the conformance suite; see conformance.h.
#pragma once

#include "store/conformance.h"

namespace trunkline::store::conformance {

TEST_P(StoreConformance, OptOutsAreFoundByPlaceAndByChange) {
  const auto entry = [](std::string tenant, std::uint64_t number, std::string sender, bool out) {
    return message::OptOut{.tenant = std::move(tenant),
                           .sender = std::move(sender),
                           .to_hash = number,
                           .out = out,
                           .at = kStart,
                           .cell = "eu",
                           .by = "api",
                           .sealed = "sealed"};
  };
  EXPECT_TRUE(store_->opt_out_changes(0, 10)->empty());
  EXPECT_TRUE(store_->opt_outs({.tenant = "a"})->entries.empty());
  EXPECT_EQ(*store_->peer_cursor("us"), "");

  message::Commit first = next_commit();
  first.opt_outs = {{1, 0, entry("a", 7, "", true)},
                    {2, 0, entry("a", 7, "Acme", true)},
                    {3, 0, entry("a", ~std::uint64_t{0}, "", true)},
                    {4, 0, entry(std::string("a\0b", 3), 7, "", true)},
                    {5, 0, entry("", 7, "", true)}};
  first.peer_cursors = {{"us", "17"}};
  commit(first);
  message::Commit second = next_commit();
  // Changed twice in one commit.
  second.opt_outs = {{6, 1, entry("a", 7, "", false)}, {7, 6, entry("a", 7, "", true)}};
  second.peer_cursors = {{"us", "18"}, {"ap", "1"}};
  commit(second);

  for (int opens = 0; opens < 2; ++opens) {
    const auto changes = store_->opt_out_changes(0, 10);
    ASSERT_TRUE(changes.has_value());
    std::vector<std::uint64_t> numbers;
    for (const StoredOptOut& one : *changes) numbers.push_back(one.change);
    EXPECT_EQ(numbers, (std::vector<std::uint64_t>{2, 3, 4, 5, 7}));
    EXPECT_EQ(changes->back().bytes, message::encode_opt_out(entry("a", 7, "", true)));
    EXPECT_EQ(store_->opt_out_changes(2, 2)->back().change, 4u);
    EXPECT_TRUE(store_->opt_out_changes(7, 10)->empty());

    EXPECT_EQ(store_->opt_outs({.tenant = "a"})->entries.size(), 3u);
    EXPECT_EQ(store_->opt_outs({.tenant = std::string("a\0b", 3)})->entries.size(), 1u);
    EXPECT_EQ(store_->opt_outs({.tenant = ""})->entries.size(), 1u);
    EXPECT_EQ(store_->opt_outs({.tenant = "b"})->entries.size(), 0u);
    EXPECT_EQ(store_->opt_outs({.tenant = "a", .to_hash = 7})->entries.size(), 2u);
    OptOutQuery query{.tenant = "a", .limit = 1};
    std::vector<std::string> all;
    for (int pages = 0; pages < 10; ++pages) {
      const auto page = store_->opt_outs(query);
      ASSERT_TRUE(page.has_value());
      all.insert(all.end(), page->entries.begin(), page->entries.end());
      if (!page->resume) break;
      query.after = page->resume;
    }
    EXPECT_EQ(all, store_->opt_outs({.tenant = "a"})->entries);
    EXPECT_EQ(*store_->peer_cursor("us"), "18");
    EXPECT_EQ(*store_->peer_cursor("ap"), "1");
    reopen();
  }
}

TEST_P(StoreConformance, AllColdMessagesAreVisited) {
  const auto all = [&] {
    std::vector<std::string> records;
    const auto done =
        store_->visit_cold([&](std::string_view record) { records.emplace_back(record); });
    EXPECT_TRUE(done.has_value());
    std::ranges::sort(records);
    return records;
  };
  EXPECT_TRUE(all().empty());
  message::Commit put = next_commit();
  for (std::uint64_t i = 1; i <= 3; ++i) {
    put.cold.push_back({.tenant = i == 1 ? "a" : "b",
                        .id = {i, i},
                        .to_hash = 7,
                        .due_at = now_,
                        .receipt_keys = {{i, 1}},
                        .record = "record " + std::to_string(i)});
  }
  commit(put);
  EXPECT_EQ(all(), (std::vector<std::string>{"record 1", "record 2", "record 3"}));
  message::Commit remove = next_commit();
  remove.cold_removed = {{2, 2}};
  commit(remove);
  reopen();
  EXPECT_EQ(all(), (std::vector<std::string>{"record 1", "record 3"}));
}

}  // namespace trunkline::store::conformance
