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
    EXPECT_EQ(status_verdict(code),
              (StatusVerdict{info->action, info->cls, row.health == "true", false}));
    EXPECT_EQ(StatusProfile{}.verdict(code), status_verdict(code));
    EXPECT_EQ(status_action_from_name(to_string(info->action)), info->action);

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

// All there are: what has no line is reported, and treated as "perhaps later, perhaps elsewhere".
TEST(Status, EveryOtherCodeIsReportedAsUnmapped) {
  std::size_t unmapped = 0;
  for (std::uint32_t code = 0; code <= 0xffff; ++code) {
    const StatusVerdict verdict = status_verdict(code);
    EXPECT_EQ(verdict.unmapped, find_status(code) == nullptr) << code;
    if (!verdict.unmapped) continue;
    ++unmapped;
    EXPECT_EQ(verdict, (StatusVerdict{StatusAction::transient, StatusClass::unknown, true, true}));
  }
  EXPECT_EQ(unmapped, 0x10000 - status_table().size());
  EXPECT_TRUE(status_verdict(0xffffffff).unmapped);
}

TEST(Status, AProfileSaysWhatACarrierMeans) {
  StatusProfile profile;
  profile.set(0x45d, StatusAction::fail);
  profile.set(0x401, StatusAction::throttled);
  profile.set(kEsmeRsubmitfail, StatusAction::reroute);
  profile.set(0x401, StatusAction::park_route);
  EXPECT_EQ(profile.verdict(0x45d),
            (StatusVerdict{StatusAction::fail, StatusClass::unknown, false, false}));
  EXPECT_EQ(profile.verdict(0x401),
            (StatusVerdict{StatusAction::park_route, StatusClass::unknown, true, false}));
  EXPECT_EQ(profile.verdict(kEsmeRsubmitfail),
            (StatusVerdict{StatusAction::reroute, StatusClass::transient, false, false}));
  EXPECT_EQ(profile.verdict(kEsmeRthrottled), status_verdict(kEsmeRthrottled));
  EXPECT_TRUE(profile.verdict(0x402).unmapped);
  EXPECT_EQ(status_action_from_name("retry"), std::nullopt);
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
