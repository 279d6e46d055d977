// The JSON Schema, the loader and the reference say the same: testdata/schema.txt.
#include "config/schema.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "config/config.h"
#include "config/scalar.h"
#include "config/yaml_tree.h"

namespace trunkline::config {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in.good()) << path;
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string testdata(const std::string& name) {
  return read_file(std::string(TRUNKLINE_TESTDATA) + "/" + name);
}

// JSON is YAML.
Node parse(const std::string& text) {
  const std::vector<SourceFile> files = {{"x", text}};
  Findings findings(files);
  std::size_t budget = 100'000;
  auto root = parse_yaml(files[0], 0, budget, findings);
  for (const Finding& finding : findings.take()) ADD_FAILURE() << to_text(finding);
  return root.value_or(Node{});
}

// As much of JSON Schema 2020-12 as the schema uses; a keyword not known here fails the test.
class Validator {
 public:
  bool valid(const Node& value, const Node& schema) {
    for (const Entry& entry : schema.entries) {
      if (!keyword(entry.key, entry.value, value, schema)) return false;
    }
    return true;
  }

 private:
  static std::string type_of(const Node& value) {
    switch (value.kind) {
      case Node::Kind::null:
        return "null";
      case Node::Kind::list:
        return "array";
      case Node::Kind::map:
        return "object";
      case Node::Kind::scalar:
        break;
    }
    static const std::regex integer("[-+]?[0-9]+");
    static const std::regex number(R"([-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?)");
    if (value.quoted) return "string";
    if (is_yaml_bool(value.scalar)) return "boolean";
    if (std::regex_match(value.scalar, integer)) return "integer";
    return std::regex_match(value.scalar, number) ? "number" : "string";
  }

  static bool is_type(const Node& value, const std::string& type) {
    const std::string actual = type_of(value);
    return actual == type || (actual == "integer" && type == "number");
  }

  static bool is_number(const Node& value) { return is_type(value, "number"); }

  bool keyword(const std::string& name, const Node& argument, const Node& value,
               const Node& schema) {
    static const std::set<std::string> silent = {"$schema", "title", "description", "default"};
    if (silent.contains(name)) return true;
    if (name == "type") {
      if (argument.kind == Node::Kind::scalar) return is_type(value, argument.scalar);
      return std::ranges::any_of(argument.items,
                                 [&](const Node& type) { return is_type(value, type.scalar); });
    }
    if (name == "anyOf") {
      return std::ranges::any_of(argument.items,
                                 [&](const Node& one) { return valid(value, one); });
    }
    if (name == "enum") {
      return std::ranges::any_of(argument.items,
                                 [&](const Node& one) { return value.scalar == one.scalar; });
    }
    if (name == "pattern") {
      return !is_type(value, "string") ||
             std::regex_search(value.scalar, std::regex(argument.scalar));
    }
    if (name == "maxLength") {
      return !is_type(value, "string") || value.scalar.size() <= std::stoul(argument.scalar);
    }
    if (name == "minimum") {
      return !is_number(value) || std::stod(value.scalar) >= std::stod(argument.scalar);
    }
    if (name == "maximum") {
      return !is_number(value) || std::stod(value.scalar) <= std::stod(argument.scalar);
    }
    return container(name, argument, value, schema);
  }

  bool container(const std::string& name, const Node& argument, const Node& value,
                 const Node& schema) {
    const bool list = value.kind == Node::Kind::list;
    const bool map = value.kind == Node::Kind::map;
    if (name == "items") {
      return !list || std::ranges::all_of(value.items,
                                          [&](const Node& item) { return valid(item, argument); });
    }
    if (name == "minItems") return !list || value.items.size() >= std::stoul(argument.scalar);
    if (name == "uniqueItems") {
      std::set<std::string> seen;
      return !list || std::ranges::all_of(value.items, [&](const Node& item) {
        return seen.insert(item.scalar).second;
      });
    }
    if (name == "required") {
      return !map || std::ranges::all_of(argument.items, [&](const Node& key) {
        return value.find(key.scalar) != nullptr;
      });
    }
    if (name == "properties") {
      return !map || std::ranges::all_of(value.entries, [&](const Entry& entry) {
        const Node* property = argument.find(entry.key);
        return property == nullptr || valid(entry.value, *property);
      });
    }
    if (name == "propertyNames") {
      return !map || std::ranges::all_of(value.entries, [&](const Entry& entry) {
        return valid(Node{.kind = Node::Kind::scalar, .quoted = true, .scalar = entry.key},
                     argument);
      });
    }
    if (name == "additionalProperties") {
      const Node* properties = schema.find("properties");
      return !map || std::ranges::all_of(value.entries, [&](const Entry& entry) {
        if (properties != nullptr && properties->find(entry.key) != nullptr) return true;
        if (argument.kind == Node::Kind::scalar) return argument.scalar == "true";
        return valid(entry.value, argument);
      });
    }
    ADD_FAILURE() << "the validator does not know " << name;
    return false;
  }
};

struct Document {
  std::string verdict;  // good, bad, meaning
  std::string name;
  std::string yaml;
};

std::vector<Document> documents() {
  std::vector<Document> out;
  std::istringstream in(testdata("schema.txt"));
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("=== ")) {
      const std::size_t colon = line.find(": ");
      out.push_back({.verdict = line.substr(4, colon - 4), .name = line.substr(colon + 2)});
    } else if (!out.empty()) {
      out.back().yaml += line + "\n";
    }
  }
  return out;
}

std::expected<std::string, std::string> no_secrets(std::string_view reference) {
  return std::unexpected(fmt::format("{} is not set", reference));
}

TEST(Schema, AgreesWithTheLoader) {
  const Node schema = parse(json_schema());
  ASSERT_EQ(schema.kind, Node::Kind::map);
  const auto all = documents();
  ASSERT_GT(all.size(), 50u);
  for (const Document& document : all) {
    SCOPED_TRACE(document.verdict + ": " + document.name);
    const std::string base = document.yaml.contains("node") ? "" : testdata("base.yaml");
    const std::string text = document.yaml.starts_with("{}") ? base : base + document.yaml;
    ASSERT_TRUE(document.verdict == "good" || document.verdict == "bad" ||
                document.verdict == "meaning");
    EXPECT_EQ(Validator().valid(parse(text), schema), document.verdict != "bad");
    const Loaded loaded = load({{"x", text}}, no_secrets);
    EXPECT_EQ(loaded.config.has_value(), document.verdict == "good");
    if (document.verdict == "good") {
      for (const Finding& finding : loaded.findings) {
        EXPECT_EQ(finding.severity, Finding::Severity::warning) << to_text(finding);
      }
    }
  }
}

TEST(Schema, AcceptsWhatIsShipped) {
  const Node schema = parse(json_schema());
  EXPECT_TRUE(Validator().valid(parse(testdata("full.yaml")), schema));
  EXPECT_TRUE(Validator().valid(
      parse(read_file(std::string(TRUNKLINE_TESTDATA) + "/../../../config/demo.yaml")), schema));
}

// Calls visit(shape) for each shape once.
void each_shape(const Shape& shape, std::set<std::string_view>& done,
                const std::function<void(const Shape&)>& visit) {
  if (!done.insert(shape.path).second) return;
  visit(shape);
  for (const Field& field : shape.fields) {
    if (field.shape != nullptr) each_shape(*field.shape, done, visit);
  }
}

TEST(Schema, FullNamesEveryKey) {
  // Whoever adds a key must show it in full.yaml, where the loader's test reads it.
  const std::string full = testdata("full.yaml");
  std::set<std::string_view> done;
  each_shape(root_shape(), done, [&](const Shape& shape) {
    for (const Field& field : shape.fields) {
      EXPECT_TRUE(full.contains(fmt::format("{}:", field.key))) << shape.path << " " << field.key;
    }
  });
}

TEST(Schema, TheTableIsSound) {
  std::set<std::string_view> names;
  std::set<std::string_view> done;
  each_shape(root_shape(), done, [&](const Shape& shape) {
    EXPECT_TRUE(names.insert(shape.name).second) << shape.name;
    std::set<std::string_view> keys;
    for (const Field& field : shape.fields) {
      SCOPED_TRACE(fmt::format("{}.{}", shape.path, field.key));
      EXPECT_TRUE(keys.insert(field.key).second);
      EXPECT_TRUE(field.doc.ends_with('.'));
      EXPECT_EQ(field.kind == Kind::object, field.shape != nullptr);
      EXPECT_EQ(field.kind == Kind::choice, !field.choices.empty());
      // Every default documented.
      const bool optional_scalar = !field.required && field.kind != Kind::object;
      if (optional_scalar) {
        EXPECT_TRUE(!field.fallback.empty() || !field.absent.empty());
      }
      if (!field.fallback.empty()) {
        const auto value = parse_scalar(field.kind, field.fallback, false);
        ASSERT_TRUE(value.has_value());
        EXPECT_EQ(out_of_bounds(field, *value), std::nullopt);
      }
    }
  });
  for (const Unsupported& row : unsupported()) {
    EXPECT_TRUE(names.contains(row.shape)) << row.shape << " " << row.key;
    EXPECT_FALSE(row.remedy.empty());
    each_shape(root_shape(), done = {}, [&](const Shape& shape) {
      if (shape.name != row.shape) return;
      EXPECT_EQ(shape.find(row.key) != nullptr, !row.value.empty())
          << row.key << " is supported now: delete its row";
    });
  }
}

TEST(Reference, IsWhatTheDocumentationSays) {
  const std::string path = std::string(TRUNKLINE_TESTDATA) + "/../../../docs/configuration.md";
  const std::string doc = read_file(path);
  const std::string begin = "<!-- trunkline check --reference: begin -->\n";
  const std::string end = "<!-- trunkline check --reference: end -->\n";
  const std::size_t from = doc.find(begin);
  const std::size_t to = doc.find(end);
  ASSERT_NE(from, std::string::npos);
  ASSERT_NE(to, std::string::npos);
  if (std::getenv("TRUNKLINE_GOLDEN") != nullptr) {
    std::ofstream(path) << doc.substr(0, from + begin.size()) << reference_markdown()
                        << doc.substr(to);
    return;
  }
  EXPECT_EQ(doc.substr(from + begin.size(), to - from - begin.size()), reference_markdown())
      << "TRUNKLINE_GOLDEN=write config_test rewrites it";
}

}  // namespace
}  // namespace trunkline::config
