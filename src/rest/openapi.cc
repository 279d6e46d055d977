#include "rest/openapi.h"

#include <yaml-cpp/yaml.h>

#include <charconv>

#include "base/json_writer.h"

namespace trunkline::rest {
namespace {

// Plain scalars have the types of YAML's core schema; quoted ones are strings.
void write_scalar(base::JsonWriter& json, const YAML::Node& node) {
  const std::string& text = node.Scalar();
  if (node.Tag() != "!") {
    if (text == "true" || text == "false" || text == "null") {
      json.raw(text);
      return;
    }
    double number = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (ec == std::errc{} && end == text.data() + text.size()) {
      json.raw(text);
      return;
    }
  }
  json.string(text);
}

void write(base::JsonWriter& json, const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Map:
      json.begin_object();
      for (const auto& member : node) {
        json.key(member.first.Scalar());
        write(json, member.second);
      }
      json.end_object();
      return;
    case YAML::NodeType::Sequence:
      json.begin_array();
      for (const auto& element : node) write(json, element);
      json.end_array();
      return;
    case YAML::NodeType::Scalar:
      write_scalar(json, node);
      return;
    case YAML::NodeType::Null:
    case YAML::NodeType::Undefined:
      json.null();
      return;
  }
}

}  // namespace

const std::string& openapi_json() {
  static const std::string text = [] {
    std::string out;
    base::JsonWriter json(out);
    write(json, YAML::Load(std::string(openapi_yaml())));
    return out;
  }();
  return text;
}

}  // namespace trunkline::rest
