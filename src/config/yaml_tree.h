// YAML text to a tree that knows where everything stood. Bounded against hostile input: size, depth
// and number of nodes (aliases count as the copies they are).
//
// Stricter than YAML where its freedom hides mistakes: a key given twice, a second document, tags
// and quotes that are never closed are errors.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/findings.h"

namespace trunkline::config {

struct Entry;

struct Node {
  enum class Kind : std::uint8_t { null, scalar, list, map };
  Kind kind = Kind::null;
  bool quoted = false;  // scalar: between quotes, so text whatever it looks like
  Mark mark;
  std::string scalar;
  std::vector<Node> items;     // list
  std::vector<Entry> entries;  // map, in the order written

  const Node* find(std::string_view key) const;
};

struct Entry {
  std::string key;
  Mark mark;  // of the key
  Node value;
};

// "a mapping", "a list", "text", "nothing", for messages.
std::string_view kind_name(const Node& node);

// One file. Empty text is an empty mapping. None after a syntax error, which `findings` then tells.
// `budget` is the number of nodes still allowed, shared by all files of a configuration.
std::optional<Node> parse_yaml(const SourceFile& file, std::uint16_t file_index,
                               std::size_t& budget, Findings& findings);

// Puts `from` into `into`: mappings merge, lists append, anything else given twice is an error.
void merge(Node& into, Node&& from, const std::string& path, Findings& findings);

}  // namespace trunkline::config
