// The compiled table against the file it is made from, read here by other code.
#include "policy/country_facts.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace trunkline::policy {
namespace {

std::vector<std::string> cells(const std::string& line) {
  std::vector<std::string> out(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      out.emplace_back();
    } else {
      out.back() += c;
    }
  }
  return out;
}

std::vector<std::map<std::string, std::string>> read(const std::string& name) {
  std::ifstream in(std::string(TRUNKLINE_TESTDATA) + "/../../../tools/policy/" + name);
  EXPECT_TRUE(in.good()) << name;
  std::vector<std::map<std::string, std::string>> rows;
  std::vector<std::string> head;
  for (std::string line; std::getline(in, line);) {
    if (head.empty()) {
      head = cells(line);
      continue;
    }
    const auto row = cells(line);
    EXPECT_EQ(row.size(), head.size()) << line;
    rows.emplace_back();
    for (std::size_t i = 0; i < row.size(); ++i) rows.back()[head[i]] = row[i];
  }
  return rows;
}

std::vector<std::string> words(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}
void add(std::string& list, const std::string& word) { list += (list.empty() ? "" : " ") + word; }

TEST(CountryFacts, AreWhatTheFileSays) {
  const auto rows = read("countries.csv");
  const auto all = all_countries();
  ASSERT_EQ(rows.size(), all.size());
  ASSERT_GE(all.size(), 230u);
  constexpr std::string_view kKept[] = {"unknown", "yes", "if_registered", "route", "no"};
  constexpr std::string_view kConfidence[] = {"low", "medium", "high"};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const CountryFacts& facts = all[i];
    auto row = rows[i];
    SCOPED_TRACE(row["country"]);
    EXPECT_EQ(facts.code, row["country"]);
    EXPECT_EQ(facts.name, row["name"]);
    EXPECT_EQ(name(facts.senders[0]), row["alphanumeric"]);
    EXPECT_EQ(name(facts.senders[1]), row["long_number"]);
    EXPECT_EQ(name(facts.senders[2]), row["short_code"]);
    EXPECT_EQ(name(facts.senders[3]), row["toll_free"]);
    EXPECT_EQ(facts.registry, row["registry"]);
    EXPECT_EQ(kKept[static_cast<int>(facts.kept)], row["sender_kept"]);
    EXPECT_EQ(name(facts.concatenation), row["concatenation"]);
    EXPECT_EQ(name(facts.unicode), row["unicode"]);
    EXPECT_EQ(name(facts.marketing), row["marketing"]);
    std::string quiet = row["quiet"];
    for (const std::string& day : words(row["quiet_days"])) add(quiet, day);
    if (!row["quiet_holidays"].empty()) add(quiet, "holidays");
    std::string told = to_string(facts.quiet);
    for (const std::string& word : words(quiet)) EXPECT_TRUE(told.contains(word)) << told;
    EXPECT_EQ(words(told).size(), quiet.empty() ? 1 : words(quiet).size());
    EXPECT_EQ(facts.quiet.any(), !quiet.empty());
    EXPECT_EQ(facts.basis == Basis::none, quiet.empty());
    EXPECT_EQ(name(facts.links), row["links"].empty() ? "allowed" : row["links"]);
    EXPECT_EQ(facts.no_phone_numbers, !row["phone_numbers"].empty());
    EXPECT_EQ(facts.opt_out, !row["opt_out"].empty());
    EXPECT_EQ(facts.consent, !row["consent"].empty());
    EXPECT_EQ(facts.sender_prefix, row["sender_prefix"]);
    EXPECT_EQ(facts.sender_suffix, row["sender_suffix"]);
    EXPECT_EQ(facts.body_prefix, row["body_prefix"]);
    EXPECT_EQ(kConfidence[static_cast<int>(facts.confidence)], row["confidence"]);
    EXPECT_EQ(facts.conflicts, row["conflicts"]);
    EXPECT_EQ(facts.sources, row["sources"]);
    EXPECT_EQ(to_string(facts.verified), row["verified"]);
    // Each has a source, a day, and numbers.
    EXPECT_TRUE(facts.sources.starts_with("https://"));
    EXPECT_GE(facts.verified, *parse_day("2023-01-01"));
    const auto country = numbering::Country::parse(facts.code);
    ASSERT_TRUE(country.has_value());
    EXPECT_TRUE(numbering::has_numbers(*country));
    EXPECT_EQ(country_facts(*country), &facts);
  }
  EXPECT_EQ(country_facts({}), nullptr);
  EXPECT_EQ(country_facts(*numbering::Country::parse("AQ")), nullptr);
}

TEST(CountryFacts, HolidaysAreWhatTheFileSays) {
  std::map<std::string, std::size_t> counts;
  for (auto& row : read("holidays.csv")) {
    SCOPED_TRACE(row["country"] + " " + row["date"]);
    const auto days = holidays(*numbering::Country::parse(row["country"]));
    const std::size_t at = counts[row["country"]]++;
    ASSERT_LT(at, days.size());
    EXPECT_EQ(to_string(days[at].day), row["date"]);
    EXPECT_EQ(days[at].name, row["name"]);
    EXPECT_TRUE(row["source"].starts_with("https://"));
  }
  EXPECT_EQ(counts.size(), 3u);
  EXPECT_TRUE(holidays(*numbering::Country::parse("GB")).empty());
}

TEST(CountryFacts, Days) {
  EXPECT_EQ(parse_day("1970-01-01"), Day{0});
  EXPECT_EQ(to_string(Day{20780}), "2026-11-23");
  EXPECT_EQ(parse_day("2028-02-29"), parse_day("2028-02-29"));
  for (const char* wrong : {"", "2026-02-29", "2026-13-01", "2026-1-1", "26-01-01", "2026-01-0x",
                            "2026-01-01 ", "+026-01-01"}) {
    EXPECT_EQ(parse_day(wrong), std::nullopt) << wrong;
  }
  EXPECT_EQ(day_of(*base::parse_rfc3339("2026-11-23T23:59:59Z")), Day{20780});
}

TEST(CountryFacts, KindsOfSenders) {
  EXPECT_EQ(sender_kind("Acme"), SenderKind::alphanumeric);
  EXPECT_EQ(sender_kind("4U"), SenderKind::alphanumeric);
  EXPECT_EQ(sender_kind("+447700900123"), SenderKind::long_number);
  EXPECT_EQ(sender_kind("+18002345678"), SenderKind::toll_free);
  EXPECT_EQ(sender_kind("80123"), SenderKind::short_code);
  EXPECT_EQ(sender_kind("4477009001"), SenderKind::long_number);
}

TEST(CountryFacts, Windows) {
  EXPECT_EQ(parse_window("20:00-09:00"), (QuietHours{1200, 540}));
  EXPECT_EQ(to_string(*parse_window("20:05-09:00")), "20:05-09:00");
  EXPECT_EQ(to_string(QuietHours{}), "none");
  EXPECT_EQ(to_string(QuietHours{0, 0, 0b1000000, true}), "sun, holidays");
  for (const char* wrong : {"", "none", "20:00", "20:00-24:00", "20:00-20:00", "8:00-09:00",
                            "20:60-09:00", "20.00-09.00"}) {
    EXPECT_EQ(parse_window(wrong), std::nullopt) << wrong;
  }
}

}  // namespace
}  // namespace trunkline::policy
