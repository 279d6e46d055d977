// Mixed receipts, each found where it belongs.
//
//   TRUNKLINE_SEED=n       another world
//   TRUNKLINE_RECEIPTS=n   so many instead of the usual number
#include "simulation/receipts.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace trunkline::simulation {
namespace {

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(receipts, each_is_found_where_it_belongs) {
  ReceiptOptions options;
  options.seed = number_from("TRUNKLINE_SEED", options.seed);
  options.receipts = number_from("TRUNKLINE_RECEIPTS", options.receipts);
  const ReceiptResult r = exchange_receipts(options);
  fmt::print(
      "seed {}: {} messages, {} receipts, {} restarts; {} say how it ended: {} matched ({} without "
      "an id), {} too late, {:.4f} % of the rest, {} mismatched\n",
      options.seed, r.messages, r.sent, r.restarts, r.finals, r.matched, r.by_number, r.too_late,
      100 * r.matched_ratio(), r.mismatched);
  for (const auto& [what, count] : r.kinds) fmt::print("  {}: {}\n", what, count);
  for (const auto& [what, count] : r.unmatched) fmt::print("  unmatched, {}: {}\n", what, count);
  std::string examples;
  for (const std::string& example : r.examples) examples += example + "\n";
  EXPECT_GE(r.sent, options.receipts);
  EXPECT_EQ(r.mismatched, 0u) << examples;
  // One in ten thousand; of a few ten thousand, by chance, a few more.
  const std::uint64_t by_chance = r.finals < 500'000 ? 6 : 0;
  EXPECT_LE(r.finals - r.too_late - r.matched, (r.finals - r.too_late) / 10'000 + by_chance)
      << examples;
}

}  // namespace
}  // namespace trunkline::simulation
