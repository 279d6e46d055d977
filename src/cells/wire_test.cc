#include "cells/wire.h"

#include <gtest/gtest.h>

#include "config/shared.h"
#include "message/opt_out.h"

namespace trunkline::cells {
namespace {

Told told() {
  return {.cell = "us",
          .instance = "0123456789abcdef",
          .latest = 9,
          .next = 7,
          .entries = {{.out = true,
                       .at = base::wall_from_us(1'800'000'000'000'000),
                       .digits = 447700900123,
                       .tenant = "demo",
                       .sender = "Acme",
                       .cell = "ap",
                       .by = "api"},
                      {.out = false,
                       .at = base::wall_from_us(message::kOptOutTimeMax - 1),
                       .digits = 447700900124}}};
}

TEST(Wire, WhatIsWrittenIsRead) {
  const auto pull = decode_pull(encode(Pull{"eu", "0123", 17, 10'000}));
  ASSERT_TRUE(pull.has_value());
  EXPECT_EQ(pull->cell, "eu");
  EXPECT_EQ(pull->instance, "0123");
  EXPECT_EQ(pull->after, 17u);
  EXPECT_EQ(pull->wait_ms, 10'000u);
  const auto read = decode_told(encode(told()));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->entries, told().entries);
  EXPECT_EQ(read->cell, "us");
  EXPECT_EQ(read->latest, 9u);
  EXPECT_EQ(read->next, 7u);
}

TEST(Wire, RefusesWhatIsCutOrHasNoSense) {
  const std::string whole = encode(told());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    EXPECT_FALSE(decode_told(std::string_view(whole).substr(0, i))) << i;
  }
  EXPECT_FALSE(decode_told(whole + "x"));
  EXPECT_FALSE(decode_told(""));
  Told wrong = told();
  wrong.entries[0].digits = 1;
  EXPECT_FALSE(decode_told(encode(wrong)));
  wrong = told();
  wrong.entries[1].at = base::wall_from_us(message::kOptOutTimeMax);
  EXPECT_FALSE(decode_told(encode(wrong)));
  wrong = told();
  wrong.entries[0].sender = std::string(21, 's');
  EXPECT_FALSE(decode_told(encode(wrong)));
  wrong = told();
  wrong.entries.resize(kEntriesMax + 1, wrong.entries[0]);
  EXPECT_FALSE(decode_told(encode(wrong)));
}

SharedTold shared() {
  SharedTold told{.cell = "eu"};
  told.shared.files = {{"a.yaml", "currency: EUR\n"}, {"b.yaml", ""}};
  told.shared.version = config::shared_version(told.shared.files);
  return told;
}

TEST(Wire, WhatIsSharedIsRead) {
  const auto question = decode_question(encode(Question{"us", "0123456789ab", 10'000}));
  ASSERT_TRUE(question.has_value());
  EXPECT_EQ(question->cell, "us");
  EXPECT_EQ(question->have, "0123456789ab");
  EXPECT_EQ(question->wait_ms, 10'000u);
  const std::string whole = encode(shared());
  const auto told = decode_shared(whole);
  ASSERT_TRUE(told.has_value());
  EXPECT_EQ(told->cell, "eu");
  ASSERT_EQ(told->shared.files.size(), 2u);
  EXPECT_EQ(told->shared.files[0].name, "a.yaml");
  EXPECT_EQ(told->shared.files[0].text, "currency: EUR\n");
  EXPECT_TRUE(decode_shared(encode(SharedTold{.cell = "eu", .shared = {.version = "same"}})));
  for (std::size_t i = 0; i < whole.size(); ++i) {
    EXPECT_FALSE(decode_shared(std::string_view(whole).substr(0, i))) << i;
  }
  EXPECT_FALSE(decode_shared(whole + "x"));
}

// Whoever has the secret is believed what it shares, but not where it is to be written.
TEST(Wire, RefusesFilesThatAreNone) {
  const auto refused = [](auto&& change) {
    SharedTold told = shared();
    change(told.shared);
    if (!told.shared.files.empty()) {
      told.shared.version = config::shared_version(told.shared.files);
    }
    return !decode_shared(encode(told)).has_value();
  };
  EXPECT_FALSE(refused([](auto&) {}));
  for (const char* name : {"../a.yaml", "/a.yaml", "a", "", ".a.yaml", "a\n.yaml"}) {
    EXPECT_TRUE(refused([&](auto& s) { s.files[0].name = name; })) << name;
  }
  EXPECT_TRUE(refused([](auto& s) { s.files[1].name = "a.yaml"; }));
  EXPECT_TRUE(refused([](auto& s) { std::swap(s.files[0], s.files[1]); }));
  EXPECT_TRUE(
      refused([](auto& s) { s.files[1].text = std::string(base::limits::kSharedBytesMax, '#'); }));
  EXPECT_TRUE(refused([](auto& s) {
    s.files.clear();
    for (std::size_t i = 0; i <= base::limits::kSharedFilesMax; ++i) {
      s.files.push_back({"f" + std::to_string(1000 + i) + ".yaml", ""});
    }
  }));
  SharedTold told = shared();
  told.shared.version = "0123456789ab";
  EXPECT_FALSE(decode_shared(encode(told)));
}

}  // namespace
}  // namespace trunkline::cells
