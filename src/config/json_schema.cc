#include <charconv>

#include "base/json_writer.h"
#include "config/config.h"
#include "config/scalar.h"
#include "config/schema.h"

namespace trunkline::config {
namespace {

// Documentation is Markdown for people; a schema's description is shown as it is.
std::string plain(std::string_view doc) {
  std::string out(doc);
  std::erase(out, '`');
  return out;
}

class SchemaWriter {
 public:
  explicit SchemaWriter(base::JsonWriter& json) : json_(json) {}

  // The members of an object's schema, into a JSON object that is open.
  void object(const Shape& shape) {
    json_.key("type").string("object").key("additionalProperties").boolean(false);
    json_.key("properties").begin_object();
    for (const Field& field : shape.fields) {
      json_.key(field.key).begin_object();
      this->field(field);
      json_.end_object();
    }
    json_.end_object();
    json_.key("required").begin_array();
    for (const Field& field : shape.fields) {
      if (field.required) json_.string(field.key);
    }
    json_.end_array();
  }

 private:
  void field(const Field& field) {
    json_.key("description").string(plain(field.doc));
    switch (field.many) {
      case Many::one:
        one(field);
        if (!field.fallback.empty()) fallback(field);
        return;
      case Many::list:
        list(field);
        return;
      case Many::one_or_list:
        json_.key("anyOf").begin_array().begin_object();
        one(field);
        json_.end_object().begin_object();
        list(field);
        json_.end_object().end_array();
        return;
      case Many::map:
        json_.key("type").string("object").key("propertyNames").begin_object();
        json_.key("pattern").raw(fmt::format("\"{}\"", info(field.keys).pattern));
        json_.end_object().key("additionalProperties").begin_object();
        if (field.kind != Kind::object) {
          one(field);
          json_.end_object();
          return;
        }
        json_.key("anyOf").begin_array().begin_object();
        one(field);
        json_.end_object().begin_object().key("type").string("null").end_object().end_array();
        json_.end_object();
        return;
    }
  }

  void list(const Field& field) {
    json_.key("type").string("array").key("items").begin_object();
    one(field);
    json_.end_object();
    if (field.kind != Kind::object) json_.key("uniqueItems").boolean(true);
    if (field.required || field.many == Many::one_or_list) json_.key("minItems").integer(1);
  }

  void one(const Field& field) {
    if (field.kind == Kind::object) {
      object(*field.shape);
      return;
    }
    const KindInfo& kind = info(field.kind);
    json_.key("type").raw(kind.json_type);
    if (!kind.pattern.empty()) json_.key("pattern").raw(fmt::format("\"{}\"", kind.pattern));
    if (field.kind == Kind::choice) {
      json_.key("enum").begin_array();
      for (const std::string_view choice : field.choices) json_.string(choice);
      json_.end_array();
    }
    // Bounds of durations and rates are beyond JSON Schema; of secrets, the reference is no value.
    const bool number = field.kind == Kind::integer || field.kind == Kind::number;
    if (number && !field.min.empty()) json_.key("minimum").raw(field.min);
    if (number && !field.max.empty()) json_.key("maximum").raw(field.max);
    if (field.kind == Kind::text && !field.max.empty()) json_.key("maxLength").raw(field.max);
  }

  void fallback(const Field& field) {
    json_.key("default");
    if (field.kind == Kind::boolean || field.kind == Kind::integer || field.kind == Kind::number) {
      json_.raw(field.fallback);
    } else {
      json_.string(field.fallback);
    }
  }

  base::JsonWriter& json_;
};

}  // namespace

std::string json_schema() {
  std::string out;
  base::JsonWriter json(out);
  json.begin_object();
  json.key("$schema").string("https://json-schema.org/draft/2020-12/schema");
  json.key("title").string("Trunkline configuration");
  SchemaWriter(json).object(root_shape());
  json.end_object();
  return out;
}

}  // namespace trunkline::config
