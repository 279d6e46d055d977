#include "trunkline/trace_peer_text.h"

#include <fmt/format.h>

#include <boost/json.hpp>

namespace trunkline::cli {
namespace {

namespace json = boost::json;

std::string_view text_of(const json::object& from, std::string_view key) {
  const json::value* value = from.if_contains(key);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : "";
}

// Of a field or a TLV; empty: not worth a word.
std::string value_text(const json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  if (value.is_int64()) return value.get_int64() == 0 ? "" : fmt::format("{}", value.get_int64());
  if (value.is_object()) {
    const json::object& object = value.get_object();
    if (object.contains("addr")) return std::string(text_of(object, "addr"));
    if (object.contains("text")) return fmt::format("\"{}\"", text_of(object, "text"));
    if (object.contains("hex")) return std::string(text_of(object, "hex"));
    if (const json::value* octets = object.if_contains("octets"); octets && octets->is_int64()) {
      return fmt::format("({} octets)", octets->get_int64());
    }
  }
  return json::serialize(value);
}

void append(std::string& out, std::string_view name, const std::string& text) {
  if (!text.empty()) out += fmt::format(" {}={}", name, text);
}

}  // namespace

std::string peer_line_text(std::string_view line) {
  boost::system::error_code bad;
  const json::value parsed = json::parse(line, bad);
  if (bad || !parsed.is_object()) return std::string(line);
  const json::object& object = parsed.get_object();
  if (const json::value* dropped = object.if_contains("dropped"); dropped && dropped->is_int64()) {
    return fmt::format("... {} lines dropped: they came faster than they were read",
                       dropped->get_int64());
  }
  std::string_view time = text_of(object, "time");
  if (time.empty()) return std::string(line);
  if (const std::size_t t = time.find('T'); t != time.npos) time.remove_prefix(t + 1);
  if (time.ends_with('Z')) time.remove_suffix(1);
  const std::string_view direction = text_of(object, "direction");
  std::string out =
      fmt::format("{} {}/{} {}", time, text_of(object, "peer"), text_of(object, "link"),
                  direction == "in"    ? "<-"
                  : direction == "out" ? "->"
                                       : "--");
  for (const std::string_view key : {"event", "text", "command"}) {
    if (const auto word = text_of(object, key); !word.empty()) out += fmt::format(" {}", word);
  }
  if (const json::value* sequence = object.if_contains("sequence");
      sequence && sequence->is_int64())
    out += fmt::format(" {}", sequence->get_int64());
  if (const auto status = text_of(object, "status"); !status.empty())
    out += fmt::format(" {}", status);
  if (const auto why = text_of(object, "malformed"); !why.empty())
    out += fmt::format(" malformed: {}", why);
  if (const json::value* fields = object.if_contains("fields"); fields && fields->is_object()) {
    for (const auto& field : fields->get_object())
      append(out, field.key(), value_text(field.value()));
  }
  if (const json::value* tlvs = object.if_contains("tlvs"); tlvs && tlvs->is_array()) {
    for (const json::value& tlv : tlvs->get_array()) {
      if (!tlv.is_object()) continue;
      const json::object& one = tlv.get_object();
      const json::value* value = one.if_contains("value");
      append(out, text_of(one, "tag"), value_text(value != nullptr ? *value : tlv));
    }
  }
  return out;
}

}  // namespace trunkline::cli
