// What a configuration may say: one table of fields. The checker, the JSON Schema and the reference
// in docs/configuration.md are all made from it, so that they cannot differ.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace trunkline::config {

enum class Kind : std::uint8_t {
  boolean,
  integer,
  number,
  text,
  name,        // of a node, region, carrier, route, tenant, key
  class_name,  // lower case: it is a metric label and part of the API
  reference,   // to a name defined elsewhere in the configuration
  choice,
  duration,
  rate,
  percent,
  address,  // host:port to listen on
  host,
  url,
  path,
  secret,  // ${NAME} and file:PATH are resolved; never shown
  hash,
  key_hash,  // of a TLS key
  password_hash,
  network,  // an IP address, or one with the length of its prefix
  country,
  country_or_default,  // a country, or `default`
  window,              // of a day, 20:00-09:00, or `none`
  day,                 // 2026-11-23
  sender,
  phone,    // a number of ours, or a short code
  status,   // an SMPP command_status
  tlv_tag,  // of an SMPP TLV
  object,
};

enum class Many : std::uint8_t { one, list, one_or_list, map };

struct Shape;

struct Field {
  std::string_view key;
  Kind kind = Kind::text;
  Many many = Many::one;
  bool required = false;
  // As one would write it; empty: none, and `absent` says what its absence means.
  std::string_view fallback = {};
  std::string_view absent = {};
  // Bounds in the notation of the value; of the length in bytes for text and secrets.
  std::string_view min = {};
  std::string_view max = {};
  std::span<const std::string_view> choices = {};
  const Shape* shape = nullptr;  // Kind::object
  std::string_view doc = {};
  Kind keys = Kind::class_name;  // Many::map: what its keys are
};

struct Shape {
  std::string_view name;  // "carrier", for messages and as the title in the reference
  std::string_view path;  // "carriers[]"
  std::span<const Field> fields;
  std::string_view doc;

  const Field* find(std::string_view key) const;
};

// The whole configuration.
const Shape& root_shape();

// Markdown: the keys of the shape, and of those below it.
std::string reference_markdown(const Shape& shape);

// A key, or a value of a key, of the configuration's contract that this version does not implement
// yet. It is refused by name rather than as a slip of the pen; a version that implements it deletes
// the row.
struct Unsupported {
  std::string_view shape;  // Shape::name
  std::string_view key;
  std::string_view value;  // empty: the key itself
  std::string_view remedy;
};
std::span<const Unsupported> unsupported();
const Unsupported* find_unsupported(const Shape& shape, std::string_view key,
                                    std::string_view value = {});

// How values of a kind are written.
struct KindInfo {
  Kind kind;
  std::string_view title;      // "duration"
  std::string_view remedy;     // "write a whole number with ms, s, m, h or d, such as 5m"
  std::string_view json_type;  // JSON Schema's `type`, as JSON
  std::string_view pattern;    // JSON Schema's `pattern`, escaped for JSON; empty: none
};
std::span<const KindInfo> kinds();
const KindInfo& info(Kind kind);

}  // namespace trunkline::config
