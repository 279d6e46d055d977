#include "smpp/status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <vector>

namespace trunkline::smpp {
namespace {

struct Row {
  std::string code, name, spec, cls, action, health;
};

// The published facts, kept apart from our table: code, name, class, what to do.
std::vector<Row> facts() {
  std::ifstream file(TRUNKLINE_TESTDATA "/command_status.tsv");
  std::vector<Row> rows;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream in(line);
    Row row;
    for (std::string* cell :
         {&row.code, &row.name, &row.spec, &row.cls, &row.action, &row.health}) {
      std::getline(in, *cell, '\t');
    }
    rows.push_back(row);
  }
  return rows;
}

TEST(Status, EveryPublishedCodeIsInTheTableAndNoOther) {
  const auto rows = facts();
  ASSERT_EQ(rows.size(), 67u);
  ASSERT_EQ(status_table().size(), rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows[i];
    const auto code = static_cast<std::uint32_t>(std::stoul(row.code, nullptr, 16));
    const StatusInfo* info = find_status(code);
    ASSERT_NE(info, nullptr) << row.code;
    EXPECT_EQ(info, &status_table()[i]) << row.code;
    EXPECT_EQ(info->name, row.name);
    EXPECT_EQ(to_string(info->cls), row.cls) << row.name;
    EXPECT_EQ(info->counts_against_health, row.health == "true") << row.name;
    EXPECT_FALSE(info->description.empty());

    std::string action = row.action;
    if (action == "retry_then_reroute") action = "transient";
    if (action == "slow_retry") action = row.cls == "throttle" ? "throttled" : "queue_full";
    EXPECT_EQ(to_string(status_action(code)), action) << row.name;
    EXPECT_EQ(to_string(status_class(code)), row.cls) << row.name;

    EXPECT_EQ(status_name(code), row.name);
    EXPECT_EQ(status_from_name(row.name), code);
    EXPECT_EQ(status_from_name(row.name.substr(5)), code);
    EXPECT_EQ(status_from_name(row.code), code);
  }
}

TEST(Status, VendorAndReservedCodesAreTransientAndHaveTheirNumberAsName) {
  for (const auto& [code, name] : {std::pair{0x400u, "0x00000400"}, std::pair{0x4ffu, "0x000004ff"},
                                   std::pair{0x22u, "0x00000022"}, std::pair{0x113u, "0x00000113"},
                                   std::pair{0xffffffffu, "0xffffffff"}}) {
    EXPECT_EQ(find_status(code), nullptr);
    EXPECT_EQ(status_action(code), StatusAction::transient);
    EXPECT_EQ(status_class(code), StatusClass::unknown);
    EXPECT_EQ(status_name(code), name);
    EXPECT_EQ(status_from_name(name), code);
  }
}

TEST(Status, NamesAreReadInAnyCaseAndNothingElseIs) {
  EXPECT_EQ(status_from_name("esme_rthrottled"), kEsmeRthrottled);
  EXPECT_EQ(status_from_name("RThrottled"), kEsmeRthrottled);
  EXPECT_EQ(status_from_name("0x58"), kEsmeRthrottled);
  EXPECT_EQ(status_from_name("0XABC"), 0xabcu);
  for (const char* bad : {"", "ESME_", "0x", "0x123456789", "0x5g", "58", "ESME_RNOSUCH", "0x-1"}) {
    EXPECT_EQ(status_from_name(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace trunkline::smpp
