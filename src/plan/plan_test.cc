// Plays models and holds what is said of them against what was said before, and against arithmetic.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "plan/demand.h"
#include "plan/report.h"

namespace trunkline::plan {
namespace {

using namespace std::chrono_literals;

std::string read(const std::string& name) {
  std::ifstream in(std::string(TRUNKLINE_TESTDATA) + "/" + name);
  EXPECT_TRUE(in.is_open()) << name;
  return (std::stringstream() << in.rdbuf()).str();
}

config::Config the_config() {
  const auto loaded = config::load({{"config.yaml", read("config.yaml")}}, {}, nullptr, {});
  for (const auto& finding : loaded.findings) {
    if (finding.severity == config::Finding::Severity::error) ADD_FAILURE() << to_text(finding);
  }
  return loaded.config.value();
}

Report play(const config::Config& config, const Model& model, std::uint64_t seed = 1) {
  std::vector<Links> links;
  for (const auto& carrier : config.carriers) {
    links.push_back({carrier.smpp.binds, carrier.smpp.window});
  }
  return run(std::make_shared<const engine::Tables>(config.tables), model, links, seed,
             [](double) {});
}

Model model_of(const config::Config& config, const std::string& text) {
  const Loaded loaded = load_model({"model.yaml", text}, config);
  for (const auto& finding : loaded.findings) ADD_FAILURE() << config::to_text(finding);
  return loaded.model.value();
}

TEST(Plan, Golden) {
  const config::Config config = the_config();
  const Model model = model_of(config, read("model.yaml"));
  const std::string actual = to_text(config.tables, model, play(config, model));
  const std::string path = std::string(TRUNKLINE_TESTDATA) + "/report.txt";
  if (std::getenv("TRUNKLINE_GOLDEN") != nullptr) std::ofstream(path) << actual;
  EXPECT_EQ(actual, read("report.txt"));
}

TEST(Plan, TheSameSeedGivesTheSame) {
  const config::Config config = the_config();
  const Model model = model_of(config, R"(
start: 2026-11-27
length: 10m
uses: [ { name: a, tenant: shop, to: "+4477009", rate: 30/s, from: Shop } ]
)");
  const auto text = [&](std::uint64_t seed) {
    return to_json(config.tables, model, play(config, model, seed));
  };
  EXPECT_EQ(text(1), text(1));
  EXPECT_NE(text(1), text(2));
}

// What is said to be missing is what is missing: with it all is in time, without it not.
TEST(Plan, WhatItSaysIsNeededSuffices) {
  config::Config config = the_config();
  const std::string text = R"(
start: 2026-11-27
length: 30m
uses:
  - { name: codes, tenant: shop, class: otp, to: "+4477009", rate: 6/s, within: 2s, from: Shop }
  - { name: news, tenant: shop, class: support, to: "+4477009", messages: 8000, at: 5m, over: 5m, within: 10m, from: Shop }
)";
  for (auto& tenant : config.tables.policy.tenants) tenant.allowed_of_classes.clear();
  config.tables.routing.routes[0].via.resize(1);
  config.tables.carriers[0].rate_per_s = 12;
  const Model model = model_of(config, text);
  const Report before = play(config, model);
  EXPECT_FALSE(suffices(model, before));
  EXPECT_GE(before.uses[0].within, 0.99) << "passwords go first whatever is behind them";
  EXPECT_LT(before.uses[1].within, 0.99);
  const CarrierReport& alpha = before.carriers[0];
  // 8,000 within 10 minutes of a burst of 5, and 6 a second beside it.
  EXPECT_NEAR(alpha.needed_per_s, 8'000 / 900.0 + 6, 1);
  EXPECT_EQ(alpha.needed_for, 1u);
  EXPECT_NEAR(std::chrono::duration<double>(alpha.needed_at).count(), 600, 60);

  config.tables.carriers[0].rate_per_s = alpha.needed_per_s * 1.03;
  const Report after = play(config, model);
  EXPECT_TRUE(suffices(model, after)) << to_text(config.tables, model, after);
  config.tables.carriers[0].rate_per_s = alpha.needed_per_s * 0.9;
  EXPECT_FALSE(suffices(model, play(config, model)));
}

TEST(Plan, AnOutageIsPlayed) {
  const config::Config config = the_config();
  const Model model = model_of(config, R"(
start: 2026-11-27
length: 30m
uses: [ { name: a, tenant: shop, to: "+4477009", rate: 5/s, within: 5s, from: Shop } ]
carriers: [ { name: alpha, down: "00:10-00:20" }, { name: beta, takes: 2/s } ]
)");
  const Report report = play(config, model);
  const UseReport& use = report.uses[0];
  EXPECT_EQ(use.taken, use.offered);
  EXPECT_GT(use.longest, 1min) << "half of it has to wait until alpha is back";
  EXPECT_LT(use.within, 0.9);
  EXPECT_NEAR(report.carriers[1].busiest_per_s, 2, 0.3);
  EXPECT_GT(report.carriers[1].throttled, 0u);
  ASSERT_FALSE(report.queues.empty());
  EXPECT_NEAR(std::chrono::duration<double>(report.queues[0].deepest_at).count(), 1200, 60);
}

TEST(Plan, MistakesAreToldWithTheirPlace) {
  const config::Config config = the_config();
  const Loaded loaded = load_model({"model.yaml", R"(start: 2026-11-27
uses:
  - { name: a, tenant: shpo, to: "447", rate: 1/s, messages: 5 }
  - { name: b, tenant: shop, class: opt, to: "+447", rate: 1/s }
  - { name: c, tenant: shop, to: "+447", messages: 10, at: 2d }
  - { name: d, tenant: shop, to: "+447", rate: 1000/s, day: [ { hours: "8-9", share: 20% } ] }
  - { name: e, tenant: shop, to: "+447", rate: 1000/s }
carriers: [ { name: gamma, refuses: 200% }, { nmae: alpha } ]
)"},
                                   config);
  EXPECT_FALSE(loaded.model.has_value());
  std::string said;
  for (const auto& finding : loaded.findings) said += config::to_text(finding) + "\n";
  const std::string path = std::string(TRUNKLINE_TESTDATA) + "/mistakes.txt";
  if (std::getenv("TRUNKLINE_GOLDEN") != nullptr) std::ofstream(path) << said;
  EXPECT_EQ(said, read("mistakes.txt"));
  const Loaded many = load_model({"model.yaml", R"(start: 2026-11-27
uses: [ { name: e, tenant: shop, to: "+447", rate: 1000/s } ]
)"},
                                 config);
  ASSERT_EQ(many.findings.size(), 1u);
  EXPECT_NE(many.findings[0].what.find("about 86400000 messages, and 20000000 is the most"),
            std::string::npos)
      << many.findings[0].what;
}

TEST(Plan, ReferenceIsWhatTheDocumentationSays) {
  const std::string path = "../../../docs/planning.md";
  const std::string doc = read(path);
  const std::string begin = "<!-- the model: begin -->\n";
  const std::size_t from = doc.find(begin);
  const std::size_t to = doc.find("<!-- the model: end -->");
  ASSERT_NE(from, std::string::npos);
  ASSERT_NE(to, std::string::npos);
  const std::size_t start = from + begin.size();
  if (std::getenv("TRUNKLINE_GOLDEN") != nullptr) {
    std::ofstream(std::string(TRUNKLINE_TESTDATA) + "/" + path)
        << doc.substr(0, start) << model_reference() << doc.substr(to);
    return;
  }
  EXPECT_EQ(doc.substr(start, to - start), model_reference())
      << "TRUNKLINE_GOLDEN=write plan_test rewrites it";
}

TEST(Demand, IsTheLeastRateThatKeepsTheBound) {
  Demand demand(1, 100s);
  for (int i = 0; i < 100; ++i) demand.add(0, std::chrono::seconds(i), 10s, 0, 10);
  // Ten a second for ever need all but ten a second: what is at the end may wait for 10 s.
  EXPECT_NEAR(demand.needed(0).per_s, 1000.0 / 110, 0.2);
  demand.add(0, 50s, 4s, 1, 200);
  // At once and within 4 s (a grain of a second more): 40; the others may wait.
  EXPECT_NEAR(demand.needed(0).per_s, 40, 1);
  EXPECT_EQ(demand.needed(0).use, 1u);
}

}  // namespace
}  // namespace trunkline::plan
