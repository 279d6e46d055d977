#include "config/check.h"

#include <algorithm>
#include <map>

#include "base/assert.h"
#include "config/text.h"

namespace trunkline::config {
namespace {

std::string join_path(std::string_view path, std::string_view key) {
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

std::vector<std::string_view> keys_of(const Shape& shape) {
  std::vector<std::string_view> keys;
  for (const Field& field : shape.fields) keys.push_back(field.key);
  return keys;
}

// How to write what the field wants.
std::string how_to(const Field& field) {
  if (field.kind == Kind::choice) {
    return fmt::format("use {}", fmt::join(field.choices.begin(), field.choices.end(), " or "));
  }
  return std::string(info(field.kind).remedy);
}

bool is_secret(Kind kind) {
  return kind == Kind::secret || kind == Kind::hash || kind == Kind::password_hash;
}

// "a duration", "true or false"
std::string one_of(Kind kind) {
  const bool bare = kind == Kind::boolean || kind == Kind::text;
  return fmt::format("{}{}", bare ? "" : "a ", info(kind).title);
}

// A key of the file within a path: as it is if it looks like one.
std::string path_key(const std::string& key) {
  const bool plain = parse_scalar(Kind::name, key, true).has_value();
  return plain ? key : quote(key);
}

class Checker {
 public:
  Checker(const SecretResolver& secrets, Findings& findings)
      : secrets_(secrets), findings_(findings) {}

  // `node` null: absent, so that only defaults are filled in.
  Value object(const Shape& shape, const Node* node, std::string path, const Mark& outer) {
    Value value{.mark = node != nullptr ? node->mark : outer,
                .path = std::move(path),
                .given = node != nullptr,
                .shape = &shape};
    if (node != nullptr && node->kind != Node::Kind::map) {
      refuse_kind(*node, value, "a mapping", "write keys and values: { key: value }");
      node = nullptr;
    }
    if (node != nullptr) refuse_unknown(shape, *node, value.path);
    value.fields.reserve(shape.fields.size());
    for (const Field& field : shape.fields) {
      const Node* child = node != nullptr ? node->find(field.key) : nullptr;
      value.fields.push_back(any(field, child, value));
      Value& added = value.fields.back();
      if (child == nullptr) added.bad = value.bad;
      if (child != nullptr || !field.required || !value.given || value.bad) continue;
      findings_.error(value.mark, added.path, fmt::format("{} is missing", quote(field.key)),
                      field.kind == Kind::object
                          ? fmt::format("add {}:", field.key)
                          : fmt::format("add {}: ({})", field.key, how_to(field)));
      added.bad = true;
    }
    return value;
  }

 private:
  // The field of the object `outer`, whether it is one value, a list or a map.
  Value any(const Field& field, const Node* node, const Value& outer) {
    const std::string path = join_path(outer.path, field.key);
    const bool empty = node != nullptr && node->kind == Node::Kind::null;
    if (empty) {
      findings_.error(node->mark, path, fmt::format("{} has no value", quote(field.key)),
                      "give one, or remove the key");
    }
    owner_ = outer.shape;
    Value value = field.many == Many::one   ? one(field, empty ? nullptr : node, path, outer.mark)
                  : field.many == Many::map ? map(field, empty ? nullptr : node, path, outer.mark)
                                            : list(field, empty ? nullptr : node, path, outer.mark);
    if (empty) value.bad = true;
    return value;
  }

  Value one(const Field& field, const Node* node, const std::string& path, const Mark& outer) {
    if (field.kind == Kind::object) return object(*field.shape, node, path, outer);
    Value value{
        .mark = node != nullptr ? node->mark : outer, .path = path, .given = node != nullptr};
    if (node != nullptr) {
      scalar(field, *node, value);
    } else if (!field.fallback.empty()) {
      const auto parsed = parse_scalar(field.kind, field.fallback, false);
      ASSERT(parsed.has_value());
      value.scalar = *parsed;
    }
    return value;
  }

  Value list(const Field& field, const Node* node, const std::string& path, const Mark& outer) {
    Value value{
        .mark = node != nullptr ? node->mark : outer, .path = path, .given = node != nullptr};
    if (node == nullptr) return value;
    if (node->kind == Node::Kind::scalar && field.many == Many::one_or_list) {
      value.items.push_back(one(field, node, path, value.mark));
      return value;
    }
    if (node->kind != Node::Kind::list) {
      refuse_kind(
          *node, value,
          field.many == Many::list ? "a list" : fmt::format("{} or a list", one_of(field.kind)),
          "write [ a, b ], or a line with a dash for each");
      return value;
    }
    if (node->items.empty() && field.many == Many::one_or_list) {
      findings_.error(node->mark, path, "the list is empty, so nothing can match",
                      "name at least one, or remove the key to match all");
    }
    if (node->items.empty() && field.required) {
      findings_.error(node->mark, path, "the list is empty", "name at least one");
    }
    value.items.reserve(node->items.size());
    for (std::size_t i = 0; i < node->items.size(); ++i) {
      value.items.push_back(
          one(field, &node->items[i], fmt::format("{}[{}]", path, i), value.mark));
    }
    if (field.kind != Kind::object) refuse_twins(value);
    return value;
  }

  Value map(const Field& field, const Node* node, const std::string& path, const Mark& outer) {
    Value value{
        .mark = node != nullptr ? node->mark : outer, .path = path, .given = node != nullptr};
    if (node == nullptr) return value;
    if (node->kind != Node::Kind::map) {
      refuse_kind(*node, value, "a mapping", "write NAME: { … } for each");
      return value;
    }
    for (const Entry& entry : node->entries) {
      const std::string here = join_path(path, path_key(entry.key));
      if (!parse_scalar(field.keys, entry.key, true)) {
        findings_.error(entry.mark, path,
                        fmt::format("{} is not {}", quote(entry.key), one_of(field.keys)),
                        std::string(info(field.keys).remedy));
      }
      // NAME without anything behind it takes all defaults.
      const bool empty = entry.value.kind == Node::Kind::null;
      if (empty && field.kind != Kind::object) {
        findings_.error(entry.mark, here, fmt::format("{} has no value", quote(entry.key)),
                        how_to(field));
      }
      Value element = one(field, empty ? nullptr : &entry.value, here, entry.mark);
      element.name = entry.key;
      element.mark = entry.mark;
      element.given = true;
      value.items.push_back(std::move(element));
    }
    return value;
  }

  void refuse_twins(const Value& list) {
    std::map<std::string, const Value*> seen;
    for (const Value& item : list.items) {
      const std::string text = item.text();
      if (text.empty() || seen.try_emplace(text, &item).second) continue;
      findings_.error(item.mark, item.path, fmt::format("{} is given twice", quote(text)),
                      "keep one");
    }
  }

  void scalar(const Field& field, const Node& node, Value& value) {
    const std::string wanted = one_of(field.kind);
    if (node.kind != Node::Kind::scalar) {
      refuse_kind(node, value, wanted, how_to(field));
      return;
    }
    std::string text = node.scalar;
    if (field.kind == Kind::secret) {
      value.written = text;
      auto expanded = expand_secret(text, secrets_);
      if (!expanded) {
        findings_.error(node.mark, value.path, expanded.error(),
                        "set it in the environment of the process, or correct the reference");
        value.bad = true;
        return;
      }
      text = std::move(*expanded);
    } else if (has_reference(text)) {
      findings_.error(node.mark, value.path, "${NAME} and file:PATH are not resolved here",
                      "write the value itself; only secrets are resolved");
      value.bad = true;
      return;
    }
    if (field.kind == Kind::choice && !choose(field, node, value)) return;
    auto parsed = parse_scalar(field.kind, text, node.quoted || field.kind == Kind::secret);
    if (!parsed) {
      const std::string what = is_secret(field.kind)
                                   ? fmt::format("this is not {}", wanted)
                                   : fmt::format("{} is not {}", quote(text), wanted);
      findings_.error(node.mark, value.path, what, how_to(field));
      value.bad = true;
      return;
    }
    if (const auto why = out_of_bounds(field, *parsed)) {
      std::string what = fmt::format("{} is out of range", node.quoted ? quote(text) : text);
      if (text.empty()) {
        what = "the text is empty";
      } else if (is_secret(field.kind)) {
        what = fmt::format("{} characters are out of range", text.size());
      }
      findings_.error(node.mark, value.path, what, *why);
      value.bad = true;
      return;
    }
    value.scalar = std::move(*parsed);
  }

  // False, with a finding, if the text is none of the field's words.
  bool choose(const Field& field, const Node& node, Value& value) {
    if (std::ranges::find(field.choices, node.scalar) != field.choices.end()) return true;
    value.bad = true;
    if (const Unsupported* row = find_unsupported(*owner_, field.key, node.scalar)) {
      findings_.error(
          node.mark, value.path,
          fmt::format("{} {} is not supported by this version", field.key, quote(node.scalar)),
          std::string(row->remedy));
      return false;
    }
    const std::string_view near = nearest(
        node.scalar, std::vector<std::string_view>(field.choices.begin(), field.choices.end()));
    findings_.error(node.mark, value.path,
                    fmt::format("{} {} is not known", field.key, quote(node.scalar)),
                    near.empty() ? how_to(field)
                                 : fmt::format("did you mean {}? {}", quote(near), how_to(field)));
    return false;
  }

  void refuse_kind(const Node& node, Value& value, std::string_view wanted, std::string remedy) {
    findings_.error(node.mark, value.path,
                    fmt::format("{} where {} is expected", kind_name(node), wanted),
                    std::move(remedy));
    value.bad = true;
  }

  void refuse_unknown(const Shape& shape, const Node& node, const std::string& path) {
    for (const Entry& entry : node.entries) {
      if (shape.find(entry.key) != nullptr) continue;
      const std::string here = join_path(path, path_key(entry.key));
      if (const Unsupported* row = find_unsupported(shape, entry.key)) {
        findings_.error(entry.mark, here,
                        fmt::format("{} is not supported by this version", quote(entry.key)),
                        std::string(row->remedy));
        continue;
      }
      const auto known = keys_of(shape);
      const std::string_view near = nearest(entry.key, known);
      const std::string others =
          shape.path.empty() ? fmt::format("the keys are: {}", join(known))
                             : fmt::format("the keys of {} are: {}", shape.path, join(known));
      findings_.error(entry.mark, here, fmt::format("unknown key {}", quote(entry.key)),
                      entry.key == "<<" ? "YAML's merge keys are not supported; repeat the values"
                      : !near.empty()   ? fmt::format("did you mean {}?", quote(near))
                                        : others);
    }
  }

  const SecretResolver& secrets_;
  Findings& findings_;
  const Shape* owner_ = nullptr;  // of the field that is being looked at, where it is a scalar
};

void normalize(const Value& value, std::string& out) {
  if (value.shape != nullptr) {
    for (std::size_t i = 0; i < value.fields.size(); ++i) {
      const Value& field = value.fields[i];
      if (value.shape->fields[i].kind != Kind::secret) {
        normalize(field, out);
      } else if (has_reference(field.written)) {
        out += fmt::format("{}={}\n", field.path, field.written);
      }
    }
    return;
  }
  if (!value.items.empty()) {
    // Elements of a map come by name, those of a list (no names) as written.
    std::map<std::pair<std::string_view, std::size_t>, const Value*> sorted;
    for (std::size_t i = 0; i < value.items.size(); ++i) {
      sorted[{value.items[i].name, i}] = &value.items[i];
    }
    for (const auto& [place, item] : sorted) {
      out += fmt::format("{}\n", item->path);
      normalize(*item, out);
    }
    return;
  }
  const auto text = [](const auto& scalar) -> std::string {
    using T = std::decay_t<decltype(scalar)>;
    if constexpr (std::is_same_v<T, std::monostate>) {
      return {};
    } else if constexpr (std::is_same_v<T, base::Duration>) {
      return base::format_duration(scalar);
    } else if constexpr (std::is_same_v<T, Endpoint>) {
      return to_string(scalar);
    } else {
      return fmt::format("{}", scalar);
    }
  };
  if (value.has_value()) {
    out += fmt::format("{}={}\n", value.path, std::visit(text, value.scalar));
  }
}

}  // namespace

const Value& Value::at(std::string_view key) const {
  ASSERT(shape != nullptr);
  const Field* field = shape->find(key);
  ASSERT(field != nullptr);
  return fields[static_cast<std::size_t>(field - shape->fields.data())];
}

bool Value::boolean() const {
  const bool* value = std::get_if<bool>(&scalar);
  return value != nullptr && *value;
}

std::int64_t Value::integer(std::int64_t otherwise) const {
  const auto* value = std::get_if<std::int64_t>(&scalar);
  return value != nullptr ? *value : otherwise;
}

double Value::number(double otherwise) const {
  const auto* value = std::get_if<double>(&scalar);
  return value != nullptr ? *value : otherwise;
}

base::Duration Value::duration(base::Duration otherwise) const {
  const auto* value = std::get_if<base::Duration>(&scalar);
  return value != nullptr ? *value : otherwise;
}

std::string Value::text(std::string_view otherwise) const {
  const auto* value = std::get_if<std::string>(&scalar);
  return value != nullptr ? *value : std::string(otherwise);
}

Value check(const Node& root, const SecretResolver& secrets, Findings& findings) {
  return Checker(secrets, findings).object(root_shape(), &root, "", root.mark);
}

Value check(const Node& root, const Shape& shape, Findings& findings) {
  const SecretResolver none;
  return Checker(none, findings).object(shape, &root, "", root.mark);
}

std::string normalized(const Value& root) {
  std::string out;
  normalize(root, out);
  return out;
}

}  // namespace trunkline::config
