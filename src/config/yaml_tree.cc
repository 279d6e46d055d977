#include "config/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <sstream>
#include <unordered_map>

#include "base/assert.h"
#include "config/text.h"
#include "config/yaml_guard.h"

namespace trunkline::config {
namespace {

// Thrown through the YAML parser, which knows no other way to stop.
struct Abort {
  Mark mark;
  std::string what;
  std::string remedy;
};

// Receives the parser's events and builds the tree.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view text, std::uint16_t file_index, std::size_t& budget,
              Findings& findings)
      : text_(text), file_index_(file_index), budget_(budget), findings_(findings) {}

  std::optional<Node> take_root() { return std::move(root_); }
  // The innermost list or mapping that is still open; null if none.
  const Node* open() const { return frames_.empty() ? nullptr : &frames_.back().node; }
  Mark at(const YAML::Mark& mark) const {
    return {.file = file_index_, .line = mark.line, .column = mark.column};
  }

  bool is_indented_by_tab(const YAML::Mark& mark) const {
    if (mark.pos < 0 || static_cast<std::size_t>(mark.pos) > text_.size()) return false;
    const std::size_t begin = text_.rfind('\n', static_cast<std::size_t>(mark.pos)) + 1;
    const std::string_view line = text_.substr(begin);
    return line.substr(0, line.find_first_not_of(" \t")).contains('\t');
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) {
      throw Abort{at(mark), "a second YAML document begins here",
                  "keep one document a file; remove the --- or the text that does not belong to "
                  "the mapping above"};
    }
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(Node{.kind = Node::Kind::null, .mark = at(mark)}, anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      throw Abort{at(mark), "an alias inside what it stands for", "remove the alias"};
    }
    spend(count(found->second), at(mark));
    place(Node(found->second));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_tag(tag, at(mark));
    if (tag == "!") require_closed_quote(mark);
    add(Node{.kind = Node::Kind::scalar, .quoted = tag == "!", .mark = at(mark), .scalar = value},
        anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    start(Node{.kind = Node::Kind::list, .mark = at(mark)}, tag, anchor);
  }
  void OnSequenceEnd() override { end(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    start(Node{.kind = Node::Kind::map, .mark = at(mark)}, tag, anchor);
  }
  void OnMapEnd() override { end(); }

 private:
  struct Frame {
    Node node;
    YAML::anchor_t anchor = 0;
    bool has_key = false;
    bool skip_value = false;  // of a key given twice, or of one that is no text
    std::string key;
    Mark key_mark;
    std::unordered_map<std::string, Mark> keys;
  };

  static std::size_t count(const Node& node) {
    std::size_t total = 1;
    for (const Node& item : node.items) total += count(item);
    for (const Entry& entry : node.entries) total += count(entry.value);
    return total;
  }

  void spend(std::size_t nodes, const Mark& mark) {
    if (nodes > budget_) {
      throw Abort{mark, "the configuration holds too many values",
                  "aliases count as the copies they stand for; use fewer of them"};
    }
    budget_ -= nodes;
  }

  static void refuse_tag(const std::string& tag, const Mark& mark) {
    if (tag == "?" || tag == "!") return;
    throw Abort{mark, fmt::format("the YAML tag {} is not supported", quote(tag)),
                "remove it; put text that looks like a number between quotes"};
  }

  // The parser takes the end of the file for the end of a quoted text; that hides the mistake.
  void require_closed_quote(const YAML::Mark& mark) const {
    const auto begin = static_cast<std::size_t>(mark.pos);
    if (begin >= text_.size()) return;
    const char kind = text_[begin];
    if (kind != '"' && kind != '\'') return;  // a block scalar
    for (std::size_t i = begin + 1; i < text_.size(); ++i) {
      if (kind == '"' && text_[i] == '\\') {
        ++i;
      } else if (text_[i] == kind) {
        if (kind == '"' || i + 1 >= text_.size() || text_[i + 1] != '\'') return;
        ++i;
      }
    }
    throw Abort{at(mark), "a quote is opened here and never closed",
                fmt::format("close it with {}", kind)};
  }

  void start(Node&& node, const std::string& tag, YAML::anchor_t anchor) {
    refuse_tag(tag, node.mark);
    if (frames_.size() >= kYamlDepthMax) {
      throw Abort{node.mark, fmt::format("nested more than {} deep", kYamlDepthMax),
                  "no configuration needs that; check brackets and indentation"};
    }
    spend(1, node.mark);
    frames_.push_back({.node = std::move(node), .anchor = anchor});
  }

  void end() {
    ASSERT(!frames_.empty());
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    remember(frame.anchor, frame.node);
    place(std::move(frame.node));
  }

  void add(Node&& node, YAML::anchor_t anchor) {
    spend(1, node.mark);
    remember(anchor, node);
    place(std::move(node));
  }

  void remember(YAML::anchor_t anchor, const Node& node) {
    if (anchor == 0) return;
    spend(count(node), node.mark);
    anchors_[anchor] = node;
  }

  // A finished value goes into the list or mapping around it.
  void place(Node&& node) {
    if (frames_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = frames_.back();
    if (frame.node.kind == Node::Kind::list) {
      // The parser places an absent value at whatever comes next.
      if (node.kind == Node::Kind::null) node.mark = frame.node.mark;
      frame.node.items.push_back(std::move(node));
    } else if (!frame.has_key) {
      take_key(frame, std::move(node));
    } else {
      frame.has_key = false;
      if (frame.skip_value) return;
      if (node.kind == Node::Kind::null) node.mark = frame.key_mark;
      frame.node.entries.push_back({std::move(frame.key), frame.key_mark, std::move(node)});
    }
  }

  void take_key(Frame& frame, Node&& node) {
    frame.has_key = true;
    frame.skip_value = false;
    if (node.kind != Node::Kind::scalar) {
      findings_.error(node.mark, "", fmt::format("{} where a key must stand", kind_name(node)),
                      "keys are plain words, each followed by a colon and a space");
      frame.skip_value = true;
      return;
    }
    const auto [known, is_new] = frame.keys.try_emplace(node.scalar, node.mark);
    if (!is_new) {
      findings_.error(node.mark, "", fmt::format("{} is given twice", quote(node.scalar)),
                      fmt::format("keep one; the first is at {}", findings_.place(known->second)));
      frame.skip_value = true;
      return;
    }
    frame.key = std::move(node.scalar);
    frame.key_mark = node.mark;
  }

  std::string_view text_;
  std::uint16_t file_index_;
  std::size_t& budget_;
  Findings& findings_;
  std::size_t documents_ = 0;
  std::vector<Frame> frames_;
  std::unordered_map<YAML::anchor_t, Node> anchors_;
  std::optional<Node> root_;
};

struct Wording {
  std::string_view parser;  // what yaml-cpp says (its exceptions.h)
  std::string_view what;
  std::string_view remedy;
};
constexpr Wording kWordings[] = {
    {"illegal map value", "a colon where none can stand",
     "check the indentation; put text that holds \": \" between quotes"},
    {"illegal map key", "a key where none can stand", "check the indentation"},
    {"end of map not found", "this does not belong to the mapping above",
     "check the indentation, and that each key has a colon and a space behind it"},
    {"end of map flow not found", "a { is not closed", "close it with }, or add the comma"},
    {"end of sequence not found", "this does not belong to the list above",
     "check the indentation, and that each item begins with a dash and a space"},
    {"end of sequence flow not found", "a [ is not closed", "close it with ], or add the comma"},
    {"illegal tab when looking for indentation", "a tab in the indentation", "use spaces"},
    {"unknown token", "a value cannot begin with this character", "put the value between quotes"},
    {"illegal flow end", "a closing bracket that fits none that is open", "check the brackets"},
    {"illegal block entry", "a list item where none can stand", "check the indentation"},
    {"the referenced anchor is not defined", "no anchor of that name",
     "put text that begins with * between quotes"},
    {"alias not found after *", "a * without a name", "put text that begins with * between quotes"},
    {"anchor not found after &", "an & without a name",
     "put text that begins with & between quotes"},
};

void tell_syntax_error(const YAML::Exception& error, const TreeBuilder& builder,
                       Findings& findings) {
  std::string what = error.msg;
  std::string remedy = "see https://yaml.org/spec/1.2.2";
  for (const Wording& wording : kWordings) {
    if (wording.parser != error.msg) continue;
    what = wording.what;
    remedy = wording.remedy;
  }
  const Node* open = builder.open();
  if (open != nullptr && error.msg.contains("flow not found")) {
    what += fmt::format(" (opened at {})", findings.place(open->mark));
  }
  if (builder.is_indented_by_tab(error.mark)) {
    what = "a tab in the indentation";
    remedy = "use spaces";
  }
  findings.error(builder.at(error.mark), "", fmt::format("YAML syntax: {}", what), remedy);
}

}  // namespace

const Node* Node::find(std::string_view key) const {
  for (const Entry& entry : entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

std::string_view kind_name(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return "nothing";
    case Node::Kind::scalar:
      return "a single value";
    case Node::Kind::list:
      return "a list";
    case Node::Kind::map:
      return "a mapping";
  }
  return "nothing";
}

std::optional<Node> parse_yaml(const SourceFile& file, std::uint16_t file_index,
                               std::size_t& budget, Findings& findings) {
  const std::string_view text = without_bom(file.text);
  if (!guard_yaml(text, file_index, findings)) return std::nullopt;
  TreeBuilder builder(text, file_index, budget, findings);
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Abort& abort) {
    findings.error(abort.mark, "", abort.what, abort.remedy);
    return std::nullopt;
  } catch (const YAML::Exception& error) {
    tell_syntax_error(error, builder, findings);
    return std::nullopt;
  }
  std::optional<Node> root = builder.take_root();
  if (!root || root->kind == Node::Kind::null) {
    root = Node{.kind = Node::Kind::map, .mark = {.file = file_index, .line = 0}};
  }
  if (root->kind != Node::Kind::map) {
    findings.error(root->mark, "",
                   fmt::format("the file holds {} where a mapping must be", kind_name(*root)),
                   "begin with lines such as \"node: { name: eu-1, region: eu }\"");
    return std::nullopt;
  }
  return root;
}

void merge(Node& into, Node&& from, const std::string& path, Findings& findings) {
  std::unordered_map<std::string, std::size_t> known;
  for (std::size_t i = 0; i < into.entries.size(); ++i) known[into.entries[i].key] = i;
  for (Entry& entry : from.entries) {
    const std::string here = path.empty() ? entry.key : path + "." + entry.key;
    const auto found = known.find(entry.key);
    if (found == known.end()) {
      into.entries.push_back(std::move(entry));
      continue;
    }
    const Entry& first = into.entries[found->second];
    Node& value = into.entries[found->second].value;
    if (value.kind == Node::Kind::map && entry.value.kind == Node::Kind::map) {
      merge(value, std::move(entry.value), here, findings);
    } else if (value.kind == Node::Kind::list && entry.value.kind == Node::Kind::list) {
      for (Node& item : entry.value.items) value.items.push_back(std::move(item));
    } else {
      findings.error(entry.mark, here, fmt::format("{} is given twice", quote(entry.key)),
                     fmt::format("keep one; the first is at {}", findings.place(first.mark)));
    }
  }
}

}  // namespace trunkline::config
