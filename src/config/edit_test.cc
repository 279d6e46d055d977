#include "config/edit.h"

#include <gtest/gtest.h>

#include "config/yaml_tree.h"

namespace trunkline::config {
namespace {

struct Row {
  std::string name;
  std::string before;
  std::string owner;
  std::string id;
  std::string after;  // empty: refused
};

const Row kRows[] = {
    {"a line of a block list, comments and all",
     "tenants:\n"
     "  - name: t\n"
     "    keys:\n"
     "      # the old laptop\n"
     "      - { id: a, hash: x }  # lost\n"
     "      - { id: b, hash: y }  # kept\n",
     "t", "a",
     "tenants:\n"
     "  - name: t\n"
     "    keys:\n"
     "      # the old laptop\n"
     "      - { id: b, hash: y }  # kept\n"},
    {"the last of a block list",
     "tenants:\n"
     "  - name: t\n"
     "    keys: # of t\n"
     "      - { id: a, hash: x }\n"
     "    senders: [ A ]\n",
     "t", "a",
     "tenants:\n"
     "  - name: t\n"
     "    keys: [] # of t\n"
     "    senders: [ A ]\n"},
    {"a block mapping",
     "tenants:\n"
     "- name: t\n"
     "  keys:\n"
     "  - id: a\n"
     "    # why\n"
     "    hash: x\n"
     "\n"
     "  # of b\n"
     "  - id: b\n"
     "    hash: y\n",
     "t", "a",
     "tenants:\n"
     "- name: t\n"
     "  keys:\n"
     "\n"
     "  # of b\n"
     "  - id: b\n"
     "    hash: y\n"},
    {"first of a flow list", "tenants: [ { name: t, keys: [ { id: a }, { id: b } ] } ]\n", "t", "a",
     "tenants: [ { name: t, keys: [ { id: b } ] } ]\n"},
    {"last of a flow list", "tenants: [ { name: t, keys: [ { id: a }, { id: b } ] } ]\n", "t", "b",
     "tenants: [ { name: t, keys: [ { id: a } ] } ]\n"},
    {"the only one of a flow list", "tenants: [ { name: t, keys: [ { id: a, hash: \"}\" } ] } ]\n",
     "t", "a", "tenants: [ { name: t, keys: [  ] } ]\n"},
    {"a line of a flow list",
     "tenants:\n"
     "  - name: t\n"
     "    keys: [\n"
     "      { id: a, hash: x },  # lost\n"
     "      { id: b, hash: y }\n"
     "    ]\n",
     "t", "a",
     "tenants:\n"
     "  - name: t\n"
     "    keys: [\n"
     "      { id: b, hash: y }\n"
     "    ]\n"},
    {"of the right tenant",
     "tenants:\n  - { name: t, keys: [ { id: a } ] }\n"
     "  - { name: u, keys: [ { id: a } ] }\n",
     "u", "a", "tenants:\n  - { name: t, keys: [ { id: a } ] }\n  - { name: u, keys: [  ] }\n"},
    {"an admin token", "admin:\n  tokens:\n    - { id: a, role: viewer }\n    - { id: b }\n", "",
     "a", "admin:\n  tokens:\n    - { id: b }\n"},
    {"line ends and a byte order mark stay",
     "\xef\xbb\xbf"
     "admin:\r\n  tokens:\r\n    - { id: a }\r\n    - { id: b }",
     "", "a",
     "\xef\xbb\xbf"
     "admin:\r\n  tokens:\r\n    - { id: b }"},
    {"after letters of several bytes", "tenants: [ { name: t, keys: [ { id: ü }, { id: b } ] } ]\n",
     "t", "b", "tenants: [ { name: t, keys: [ { id: ü } ] } ]\n"},
    {"refused: shared by an alias",
     "tenants:\n  - { name: t, keys: &k [ { id: a }, { id: b } ] }\n  - { name: u, keys: *k }\n",
     "t", "a", ""},
    {"refused: over several lines in braces", "admin: { tokens: [ { id: a,\n  role: viewer } ] }\n",
     "", "a", ""},
};

TEST(RemoveKey, Golden) {
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.name);
    const SourceFile file{"x.yaml", row.before};
    const auto keys = find_keys(file);
    ASSERT_TRUE(keys.has_value()) << keys.error();
    const auto key = std::ranges::find_if(
        *keys, [&](const KeyPlace& k) { return k.owner == row.owner && k.id == row.id; });
    ASSERT_NE(key, keys->end());
    const auto after = remove_key(file, *key);
    ASSERT_EQ(after.has_value(), !row.after.empty());
    if (after) {
      EXPECT_EQ(*after, row.after);
    }
  }
}

TEST(FindKeys, InOrderWithTheirPlaces) {
  const auto keys = find_keys({"x.yaml",
                               "admin: { tokens: [ { id: ops } ] }\n"
                               "tenants:\n"
                               "  - name: t\n"
                               "    keys:\n"
                               "      - id: a\n"
                               "      - { hash: nameless }\n"
                               "      - { id: b }\n"
                               "  - name: u\n"});
  ASSERT_TRUE(keys.has_value());
  ASSERT_EQ(keys->size(), 3u);
  EXPECT_EQ((*keys)[0].owner, "");
  EXPECT_EQ((*keys)[0].id, "ops");
  EXPECT_EQ((*keys)[1].owner, "t");
  EXPECT_EQ((*keys)[1].line, 5);
  EXPECT_EQ((*keys)[1].column, 9);
  EXPECT_EQ((*keys)[2].id, "b");
  const auto bad = find_keys({"x.yaml", "a: [\n"});
  ASSERT_FALSE(bad.has_value());
  EXPECT_TRUE(bad.error().starts_with("x.yaml:2:1: error:")) << bad.error();
}

}  // namespace
}  // namespace trunkline::config
