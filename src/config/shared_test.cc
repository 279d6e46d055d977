#include "config/shared.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace trunkline::config {
namespace {

std::expected<std::string, std::string> resolver(std::string_view reference) {
  if (reference == "${CELLS}") return "what all of the cells have";
  return std::unexpected(fmt::format("{} is not set", reference));
}

std::string node(std::string_view cell, std::string_view cells) {
  return fmt::format(
      "node: {{ name: {}-1, region: eu, cell: {} }}\n"
      "listen: {{ http: {{ address: 127.0.0.1:0 }}, admin: {{ address: 127.0.0.1:0 }} }}\n"
      "store: {{ rocksdb: {{ path: /var/lib/tl }} }}\n"
      "cells:\n"
      "  secret: ${{CELLS}}\n"
      "  peers: [ {{ name: eu, url: \"http://10.0.0.1:9\" }}, {{ name: ap, url: "
      "\"http://10.0.0.3:9\" }} ]\n"
      "  {}\n",
      cell, cell, cells);
}
std::string leader(std::string_view cells) {
  std::string text = node("eu", cells);
  return text.replace(text.find("name: eu, url"), 8, "name: us");
}

const std::string kRoutes = "routes: [ { name: all, via: [ { carrier: alpha } ] } ]\n";
const std::string kCarrier =
    "carriers: [ { name: alpha, region: eu, smpp: { host: h, port: 1, system_id: s, password: "
    "\"${P}\" } } ]\n";

std::string told(const std::vector<SourceFile>& files) {
  const Loaded loaded = load(files, resolver);
  std::string out;
  for (const Finding& finding : loaded.findings) {
    if (finding.what.starts_with("there is no") || finding.what.contains("no tenant")) continue;
    out += to_text(finding) + "\n";
  }
  return out;
}

TEST(Shared, NamesOfFiles) {
  for (const char* good : {"routes.yaml", "20-A_b.yml", "a..yaml"}) {
    EXPECT_TRUE(is_shared_name(good)) << good;
  }
  for (const char* bad : {"", ".yaml", "routes", "../a.yaml", "/a.yaml", "a/b.yaml", "a b.yaml",
                          "a\n.yaml", "-.csv", "ä.yaml"}) {
    EXPECT_FALSE(is_shared_name(bad)) << bad;
  }
  EXPECT_FALSE(is_shared_name(std::string(200, 'a') + ".yaml"));
  EXPECT_EQ(base_name("/etc/tl/a.yaml"), "a.yaml");
  EXPECT_EQ(base_name("a.yaml"), "a.yaml");
}

TEST(Shared, AVersionIsOfNamesAndTexts) {
  const std::string one = shared_version({{"a", "bc"}, {"d", "e"}});
  EXPECT_EQ(one.size(), 12u);
  EXPECT_EQ(one, shared_version({{"a", "bc"}, {"d", "e"}}));
  EXPECT_NE(one, shared_version({{"ab", "c"}, {"d", "e"}}));
  EXPECT_NE(one, shared_version({{"a", "bc"}, {"d", "f"}}));
  EXPECT_NE(one, shared_version({{"a", "bcd"}, {"", "e"}}));
}

TEST(Shared, WhatIsSharedIsTheTextAsItIsWritten) {
  const std::string text = "# ours\nadmin: { tokens: [] }\n";
  const Loaded loaded = load({{"/etc/tl/base.yaml", leader("shares: [ z.yaml, b.yaml ]")},
                              {"/etc/tl/b.yaml", text},
                              {"/etc/tl/z.yaml", "classes: { extra: { priority: 4 } }\n"}},
                             resolver);
  ASSERT_TRUE(loaded.config.has_value());
  const SharedFiles& shared = *loaded.config->shared;
  ASSERT_EQ(shared.files.size(), 2u);
  EXPECT_EQ(shared.files[0].name, "b.yaml");
  EXPECT_EQ(shared.files[0].text, text);
  EXPECT_EQ(shared.files[1].name, "z.yaml");
  EXPECT_EQ(shared.version, shared_version(shared.files));
  EXPECT_EQ(loaded.config->taken_version, "");
}

TEST(Shared, WhatCannotBeShared) {
  EXPECT_EQ(
      told({{"x.yaml", leader("shares: [ x.yaml, y.yaml ]")}}),
      "x.yaml:1:1: error: \"node\" is each cell's own, and this file is shared by all (node); "
      "move it into a file that cells.shares does not name\n"
      "x.yaml:2:1: error: \"listen\" is each cell's own, and this file is shared by all "
      "(listen); move it into a file that cells.shares does not name\n"
      "x.yaml:3:1: error: \"store\" is each cell's own, and this file is shared by all "
      "(store); move it into a file that cells.shares does not name\n"
      "x.yaml:4:1: error: \"cells\" is each cell's own, and this file is shared by all "
      "(cells); move it into a file that cells.shares does not name\n"
      "x.yaml:7:21: error: this configuration is one file, and cannot be shared as a whole "
      "(cells.shares[1]); put what all cells have into files of their own, in one directory "
      "with this one, and start with --config DIRECTORY\n");
  EXPECT_EQ(told({{"x.yaml", leader("shares: [ ../b.yaml, c.yaml ]")}, {"b.yaml", kCarrier}}),
            "x.yaml:7:13: error: \"../b.yaml\" cannot be the name of a shared file "
            "(cells.shares[0]); name a file beside this one, without its directory: letters, "
            "digits, _ . -, and .yaml or .yml at the end\n"
            "x.yaml:7:24: error: \"c.yaml\" is no file of this configuration (cells.shares[1]); "
            "its files are: x.yaml, b.yaml\n"
            "b.yaml:1:90: error: ${P} is not set (carriers[0].smpp.password); set it in the "
            "environment of the process, or correct the reference\n");
  std::string large;
  while (large.size() < base::limits::kSharedBytesMax / 2) large += "# .............\n";
  EXPECT_EQ(told({{"a.yaml", large},
                  {"b.yaml", large + "#"},
                  {"x.yaml", leader("shares: [ a.yaml, b.yaml ]")}}),
            fmt::format("x.yaml:7:11: error: these files are {} octets together, {} can be shared "
                        "(cells.shares); leave to each cell what only it needs\n",
                        base::limits::kSharedBytesMax + 1, base::limits::kSharedBytesMax));
  std::vector<SourceFile> many = {{"x.yaml", ""}};
  std::string names;
  for (std::size_t i = 0; i <= base::limits::kSharedFilesMax; ++i) {
    many.push_back({fmt::format("f{}.yaml", i), ""});
    names += fmt::format("{}f{}.yaml", i == 0 ? "" : ", ", i);
  }
  many[0].text = leader("shares: [ " + names + " ]");
  EXPECT_EQ(told(many),
            "x.yaml:7:11: error: 101 files, 100 can be shared (cells.shares); put what belongs "
            "together into one\n");
}

TEST(Shared, OneLeadsAndTheOthersFollow) {
  EXPECT_EQ(told({{"x.yaml", node("us", "takes_configuration_from: ue")}}),
            "x.yaml:7:29: error: cell \"ue\" is none of cells.peers "
            "(cells.takes_configuration_from); did you mean \"eu\"?\n"
            "x.yaml:7:29: warning: nothing has been taken from \"ue\" yet: these are this cell's "
            "own files only (cells.takes_configuration_from); start the gateway here once that "
            "cell runs; it asks there first\n");
  EXPECT_EQ(told({{"b.yaml", ""},
                  {"x.yaml", node("us", "takes_configuration_from: eu\n  shares: [ b.yaml ]")}}),
            "x.yaml:7:29: error: a cell that takes its configuration has none to share "
            "(cells.takes_configuration_from); let one cell share, and all others take it from "
            "there\n"
            "x.yaml:7:29: warning: nothing has been taken from \"eu\" yet: these are this cell's "
            "own files only (cells.takes_configuration_from); start the gateway here once that "
            "cell runs; it asks there first\n");
  EXPECT_EQ(told({{"x.yaml", node("eu", "takes_configuration_from: us")}}).substr(0, 40),
            "x.yaml:6:20: error: \"eu\" is this cell it");
}

TEST(Shared, AFollowerIsKnownByItsOwnFiles) {
  const auto found = following(
      {{"b.yaml", kRoutes}, {"x.yaml", node("us", "takes_configuration_from: eu")}}, resolver);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->cell, "us");
  EXPECT_EQ(found->store_path, "/var/lib/tl");
  EXPECT_EQ(found->cells.takes_from, "eu");
  EXPECT_EQ(found->cells.secret, "what all of the cells have");
  EXPECT_FALSE(following({{"x.yaml", node("us", "")}}, resolver).has_value());
  EXPECT_FALSE(
      following({{"x.yaml", node("us", "takes_configuration_from: zz")}}, resolver).has_value());
  EXPECT_FALSE(
      following({{"x.yaml", node("us", "takes_configuration_from: eu")}}, nullptr).has_value());
  EXPECT_FALSE(following({{"x.yaml", "["}}, resolver).has_value());
  EXPECT_FALSE(following({}, resolver).has_value());
}

TEST(Shared, TakenFilesComeAmongTheOwnByName) {
  const std::string own = node("us", "takes_configuration_from: eu");
  const auto route = [](std::string_view name) {
    return fmt::format("routes: [ {{ name: {}, via: [ {{ carrier: alpha }} ] }} ]\n", name);
  };
  std::string carrier = kCarrier;
  carrier.replace(carrier.find("${P}"), 4, "pp");
  const std::vector<SourceFile> taken = {{"20-b.yaml", route("b")}, {"40-d.yaml", route("d")}};
  const auto files = with_taken(
      {{"/etc/us/10-a.yaml", own + carrier + route("a")}, {"/etc/us/30-c.yaml", route("c")}}, taken,
      "eu");
  const Loaded loaded = load(files, resolver);
  ASSERT_TRUE(loaded.config.has_value()) << told(files);
  std::string order;
  for (const auto& one : loaded.config->tables.routing.routes) order += one.name;
  EXPECT_EQ(order, "abcd");
  EXPECT_EQ(loaded.config->taken_version, shared_version(taken));
  EXPECT_EQ(loaded.config->shared, nullptr);
}

TEST(Shared, WhatContradictsIsToldWithFileAndLine) {
  const std::string own = node("us", "takes_configuration_from: eu");
  EXPECT_EQ(told(with_taken({{"/etc/us/x.yaml", own + "currency: EUR\n"}},
                            {{"routes.yaml", "# one\n" + kRoutes + "currency: USD\n"}}, "eu")),
            "eu:routes.yaml:2:42: error: carrier \"alpha\" is not defined "
            "(routes[0].via[0].carrier); define it under carriers\n"
            "/etc/us/x.yaml:8:1: error: \"currency\" is given twice (currency); keep one; the "
            "first is at eu:routes.yaml:3\n");
  EXPECT_EQ(told(with_taken(
                {{"/etc/us/routes.yaml", own}},
                {{"a.yaml", "store: { rocksdb: { path: /etc } }\n"}, {"routes.yaml", ""}}, "eu")),
            "eu:a.yaml:1:1: error: \"store\" is each cell's own, and this file is shared by all "
            "(store); move it, in the cell eu, into a file that cells.shares does not name\n"
            "/etc/us/routes.yaml:1:1: error: cell eu shares a file \"routes.yaml\", too; remove "
            "this one if that one takes its place, or rename it\n"
            "/etc/us/routes.yaml:3:21: error: \"path\" is given twice (store.rocksdb.path); keep "
            "one; the first is at eu:a.yaml:1\n");
}

}  // namespace
}  // namespace trunkline::config
