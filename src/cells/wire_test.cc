#include "cells/wire.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace trunkline::cells
