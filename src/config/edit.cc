#include "config/edit.h"

#include <algorithm>

#include "base/limits.h"
#include "config/findings.h"
#include "config/text.h"
#include "config/yaml_tree.h"

namespace trunkline::config {
namespace {

// A credential's entry in the tree: `list->items[at]`.
struct Found {
  KeyPlace place;
  Node* list = nullptr;
  std::size_t at = 0;
};

struct Parsed {
  Node root;
  std::vector<Found> keys;
};

Node* child(Node& node, std::string_view key) {
  for (Entry& entry : node.entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

std::string text_of(const Node& node, std::string_view key) {
  const Node* value = node.find(key);
  return value != nullptr ? value->scalar : std::string();
}

void collect(Node* list, const std::string& owner, std::vector<Found>& out) {
  if (list == nullptr) return;
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    const Node& item = list->items[i];
    const std::string id = text_of(item, "id");
    if (id.empty()) continue;
    out.push_back({.place = {.owner = owner,
                             .id = id,
                             .line = item.mark.line + 1,
                             .column = item.mark.column + 1},
                   .list = list,
                   .at = i});
  }
}

std::expected<Parsed, std::string> parse(const SourceFile& file) {
  const std::vector<SourceFile> files = {file};
  Findings findings(files);
  std::size_t budget = base::limits::kConfigNodesMax;
  auto root = parse_yaml(files[0], 0, budget, findings);
  const std::vector<Finding> errors = findings.take();
  if (!errors.empty()) return std::unexpected(to_text(errors[0]));
  Parsed parsed{.root = std::move(root.value())};
  if (Node* admin = child(parsed.root, "admin")) collect(child(*admin, "tokens"), "", parsed.keys);
  if (Node* tenants = child(parsed.root, "tenants")) {
    for (Node& tenant : tenants->items) {
      collect(child(tenant, "keys"), text_of(tenant, "name"), parsed.keys);
    }
  }
  return parsed;
}

bool same(const Node& a, const Node& b) {
  return a.kind == b.kind && a.quoted == b.quoted && a.scalar == b.scalar &&
         std::ranges::equal(a.items, b.items, same) &&
         std::ranges::equal(a.entries, b.entries, [](const Entry& x, const Entry& y) {
           return x.key == y.key && same(x.value, y.value);
         });
}

// The text as lines with their ends, to cut and join again.
class Lines {
 public:
  explicit Lines(std::string_view text) {
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
      lines_.emplace_back(text.substr(0, end));
      text.remove_prefix(end);
    }
  }
  std::size_t size() const { return lines_.size(); }
  std::string& operator[](std::size_t i) { return lines_[i]; }
  void erase(std::size_t from, std::size_t to) {
    lines_.erase(lines_.begin() + static_cast<std::ptrdiff_t>(from),
                 lines_.begin() + static_cast<std::ptrdiff_t>(to));
  }
  std::string join() const {
    std::string out;
    for (const std::string& line : lines_) out += line;
    return out;
  }

 private:
  std::vector<std::string> lines_;
};

constexpr std::string_view kBlanks = " \t\r\n";

std::size_t indent_of(std::string_view line) {
  return std::min(line.find_first_not_of(kBlanks), line.size());
}
bool is_nothing(std::string_view text) {
  const std::size_t at = text.find_first_not_of(kBlanks);
  return at == text.npos || text[at] == '#';
}

// Behind the brace that closes the one at `begin`, on the same line; npos if it is not there.
std::size_t behind_brace(std::string_view line, std::size_t begin) {
  char quote = 0;
  int depth = 0;
  for (std::size_t i = begin; i < line.size(); ++i) {
    const char c = line[i];
    if (quote != 0) {
      if (c == '\\' && quote == '"')
        ++i;
      else if (c == quote)
        quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '{') {
      ++depth;
    } else if (c == '}' && --depth == 0) {
      return i + 1;
    }
  }
  return line.npos;
}

// `- { id: …, hash: … }` or `- id: …` and the lines below it.
void cut_block_item(Lines& lines, std::size_t line, std::size_t dash) {
  std::size_t end = line + 1;
  for (std::size_t i = end; i < lines.size(); ++i) {
    if (is_nothing(lines[i])) continue;
    if (indent_of(lines[i]) <= dash) break;
    end = i + 1;
  }
  lines.erase(line, end);
}

// `{ id: …, hash: … }` within [ ].
bool cut_flow_item(Lines& lines, std::size_t line, std::size_t begin) {
  std::string& text = lines[line];
  std::size_t end = behind_brace(text, begin);
  if (end == text.npos) return false;
  const std::size_t comma = text.find_first_not_of(kBlanks, end);
  if (comma != text.npos && text[comma] == ',') {
    end = std::min(text.find_first_not_of(" \t", comma + 1), text.size());
  } else {
    const std::size_t before = text.find_last_not_of(kBlanks, begin == 0 ? 0 : begin - 1);
    if (before != text.npos && before < begin && text[before] == ',') begin = before;
  }
  const std::string rest = text.substr(0, begin) + text.substr(end);
  if (is_nothing(rest)) {
    lines.erase(line, line + 1);
  } else {
    text = rest;
  }
  return true;
}

// What stood in a block list of one, `keys:` and a line below, becomes `keys: []`.
bool empty_block_list(Lines& lines, std::size_t item_line) {
  for (std::size_t i = item_line; i-- > 0;) {
    if (is_nothing(lines[i])) continue;
    std::string& text = lines[i];
    const std::size_t colon = text.find(':');
    if (colon == text.npos || !is_nothing(std::string_view(text).substr(colon + 1))) return false;
    text.insert(colon + 1, " []");
    return true;
  }
  return false;
}

bool cut(Lines& lines, const Found& found) {
  const auto line = static_cast<std::size_t>(found.place.line - 1);
  const auto column = static_cast<std::size_t>(found.place.column - 1);
  if (line >= lines.size() || column >= lines[line].size()) return false;
  const std::size_t first = indent_of(lines[line]);
  const bool block =
      lines[line][first] == '-' && lines[line].find_first_not_of(" \t", first + 1) == column;
  if (!block) return lines[line][column] == '{' && cut_flow_item(lines, line, column);
  cut_block_item(lines, line, first);
  return found.list->items.size() > 1 || empty_block_list(lines, line);
}

}  // namespace

std::expected<std::vector<KeyPlace>, std::string> find_keys(const SourceFile& file) {
  auto parsed = parse(file);
  if (!parsed) return std::unexpected(parsed.error());
  std::vector<KeyPlace> out;
  for (Found& found : parsed->keys) out.push_back(std::move(found.place));
  return out;
}

std::expected<std::string, std::string> remove_key(const SourceFile& file, const KeyPlace& key) {
  const auto unsafe = [&] {
    return std::unexpected(fmt::format("the layout around line {} is not understood", key.line));
  };
  auto parsed = parse(file);
  if (!parsed) return std::unexpected(parsed.error());
  const auto found = std::ranges::find_if(parsed->keys, [&](const Found& candidate) {
    return candidate.place.line == key.line && candidate.place.column == key.column &&
           candidate.place.id == key.id;
  });
  if (found == parsed->keys.end()) return unsafe();

  const std::string_view text = without_bom(file.text);
  Lines lines(text);
  if (!cut(lines, *found)) return unsafe();
  SourceFile edited{file.name, file.text.substr(0, file.text.size() - text.size()) + lines.join()};
  found->list->items.erase(found->list->items.begin() + static_cast<std::ptrdiff_t>(found->at));
  const auto again = parse(edited);
  if (!again || !same(again->root, parsed->root)) return unsafe();
  return std::move(edited.text);
}

}  // namespace trunkline::config
