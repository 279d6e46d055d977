#include "trunkline/message_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <optional>

#include "base/time.h"
#include "gsm/unicode.h"
#include "message/state.h"

namespace trunkline::cli {
namespace {

namespace json = boost::json;

std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto c = gsm::next_code_point(text, at);
    if (!c) {
      ++at;
      out.push_back('?');
    } else if (*c < 0x20 || (*c >= 0x7f && *c < 0xa0)) {
      out.push_back('?');
    } else {
      gsm::append_utf8(out, *c);
    }
  }
  return out;
}

std::optional<json::object> parse_object(std::string_view text) {
  boost::system::error_code ec;
  json::value value = json::parse(text, ec);
  if (ec || !value.is_object()) return std::nullopt;
  return std::move(value.as_object());
}

// The member as text to show: of a string its characters, of null or nothing the empty text, of
// anything else its JSON.
std::string text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || value->is_null()) return {};
  if (const json::string* s = value->if_string()) return printable(*s);
  return printable(json::serialize(*value));
}

bool is_true(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_bool() && value->as_bool();
}

const json::array* array_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr ? value->if_array() : nullptr;
}

std::expected<json::object, std::string> parse_metadata(const std::vector<std::string>& given) {
  if (given.size() == 1 && given[0].starts_with('{')) {
    auto object = parse_object(given[0]);
    if (!object) return std::unexpected("--metadata: this is not a JSON object");
    return std::move(*object);
  }
  json::object out;
  for (const std::string& pair : given) {
    const std::size_t equals = pair.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return std::unexpected(
          "--metadata: write NAME=VALUE, once for each, or one JSON object: "
          "--metadata order=42");
    }
    if (!out.emplace(pair.substr(0, equals), pair.substr(equals + 1)).second) {
      return std::unexpected(
          fmt::format("--metadata: {} is given twice", printable(pair.substr(0, equals))));
    }
  }
  return out;
}

bool is_digits(std::string_view text) {
  return !text.empty() && text.size() < 10 &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::expected<std::string, std::string> message_json(const MessageFields& fields) {
  json::object out;
  const std::pair<std::string_view, const std::string&> texts[] = {
      {"to", fields.to},
      {"body", fields.body},
      {"class", fields.traffic_class},
      {"from", fields.from},
      {"ttl", fields.ttl},
      {"send_at", fields.send_at},
      {"region", fields.region},
      {"callback_url", fields.callback_url}};
  for (const auto& [name, text] : texts) {
    if (text.empty() && name != "to" && name != "body") continue;
    if (!gsm::validate_utf8(text))
      return std::unexpected(fmt::format("--{}: this is not UTF-8", name));
    if (name == "ttl" && is_digits(text)) {
      out.emplace(name, std::stoi(text));
    } else {
      out.emplace(name, text);
    }
  }
  if (!fields.metadata.empty()) {
    for (const std::string& text : fields.metadata) {
      if (!gsm::validate_utf8(text)) return std::unexpected("--metadata: this is not UTF-8");
    }
    auto metadata = parse_metadata(fields.metadata);
    if (!metadata) return std::unexpected(metadata.error());
    out.emplace("metadata", std::move(*metadata));
  }
  return json::serialize(out);
}

std::string refusal_text(const io::HttpReply& reply) {
  const auto problem = parse_object(reply.body);
  if (!problem || text_of(*problem, "detail").empty()) {
    constexpr std::size_t kShown = 200;
    return fmt::format("answered {}: {}\n", reply.status, printable(reply.body.substr(0, kShown)));
  }
  std::string out = fmt::format("refused with {} {}: {}\n", reply.status, text_of(*problem, "code"),
                                text_of(*problem, "detail"));
  if (const json::array* errors = array_of(*problem, "errors")) {
    for (const json::value& error : *errors) {
      if (!error.is_object()) continue;
      const json::object& e = error.as_object();
      const std::string pointer = text_of(e, "pointer");
      out += fmt::format("  {}: {} ({})\n", pointer.empty() ? "the request" : pointer,
                         text_of(e, "detail"), text_of(e, "code"));
    }
  }
  if (const json::array* reasons = array_of(*problem, "reasons")) {
    for (const json::value& reason : *reasons) {
      if (!reason.is_object()) continue;
      const json::object& r = reason.as_object();
      out += fmt::format("  {}: {} (version {})\n", text_of(r, "rule"), text_of(r, "text"),
                         text_of(r, "version"));
    }
  }
  if (const std::string_view after = reply.header("retry-after"); !after.empty())
    out += fmt::format("  try again in {} s\n", printable(after));
  return out;
}

std::string sent_text(std::string_view message) {
  const auto object = parse_object(message);
  if (!object) return {};
  const std::string id = text_of(*object, "id");
  const std::string status = text_of(*object, "status");
  if (id.empty() || status.empty()) return {};
  return fmt::format("{} {}\n", id, status);
}

// --- the trace ----------------------------------------------------------------------------------

namespace {

struct Trace {
  json::object message;
  std::vector<json::object> events;
};

std::optional<Trace> parse_trace(std::string_view message, std::string_view events) {
  auto head = parse_object(message);
  auto list = parse_object(events);
  if (!head || !list || text_of(*head, "id").empty()) return std::nullopt;
  const json::array* data = array_of(*list, "data");
  if (data == nullptr) return std::nullopt;
  Trace out{.message = std::move(*head)};
  for (const json::value& event : *data) {
    if (!event.is_object()) return std::nullopt;
    out.events.push_back(event.as_object());
  }
  return out;
}

// 30 -> "+30 ms", 4321 -> "+4.321 s", 125000 -> "+2m 05s". Clocks may have been set back between
// two events: then it is negative.
std::string delta_text(base::Duration delta) {
  const char sign = delta.count() < 0 ? '-' : '+';
  const std::int64_t ms = std::abs(delta.count() / 1000);
  const std::int64_t s = ms / 1000;
  if (s == 0) return fmt::format("{}{} ms", sign, ms);
  if (s < 60) return fmt::format("{}{}.{:03} s", sign, s, ms % 1000);
  if (s < 3600) return fmt::format("{}{}m {:02}s", sign, s / 60, s % 60);
  return fmt::format("{}{}h {:02}m", sign, s / 3600, s / 60 % 60);
}

std::string with_region(const json::object& object) {
  const std::string carrier = text_of(object, "carrier");
  const std::string region = text_of(object, "region");
  return carrier.empty() || region.empty() ? carrier : fmt::format("{} ({})", carrier, region);
}

std::string head_text(const json::object& message) {
  std::string out = fmt::format("{} {}\n", text_of(message, "id"), text_of(message, "status"));
  const auto line = [&](std::string_view name, const std::string& text) {
    if (!text.empty()) out += fmt::format("  {:<10} {}\n", name, text);
  };
  line("to", text_of(message, "to"));
  line("from", text_of(message, "from"));
  line("class", text_of(message, "class"));
  const std::string segments = text_of(message, "segments");
  line("text", fmt::format("{} segment{}, {}", segments, segments == "1" ? "" : "s",
                           text_of(message, "encoding")));
  if (const std::string carrier = with_region(message); !carrier.empty()) {
    const std::string attempts = text_of(message, "attempts");
    line("carrier", fmt::format("{}, {} attempt{}", carrier, attempts, attempts == "1" ? "" : "s"));
  }
  line("held until", text_of(message, "held_until"));
  line("expires", text_of(message, "expires_at"));
  if (const json::value* error = message.if_contains("error");
      error != nullptr && error->is_object()) {
    const std::string raw = text_of(error->as_object(), "raw");
    line("error",
         text_of(error->as_object(), "code") + (raw.empty() ? "" : fmt::format(": {}", raw)));
  }
  if (is_true(message, "possible_duplicate"))
    line("warning", "the recipient may have got it twice");
  return out;
}

using Row = std::array<std::string, 7>;

std::string attempt_text(const json::object& event) {
  const std::string attempt = text_of(event, "attempt");
  const std::string segment = text_of(event, "segment");
  if (attempt.empty() || attempt == "0") return {};
  return segment.empty() || segment == "0" ? attempt : fmt::format("{}, part {}", attempt, segment);
}

// What follows a final state is told but changes nothing.
bool is_final(std::string_view state) {
  const auto known = message::state_from_name(state);
  return known && message::is_final(*known);
}

std::vector<Row> rows_of(const std::vector<json::object>& events) {
  std::vector<Row> rows{{"time", "since last", "state", "attempt", "carrier", "cause", "raw"}};
  std::optional<base::Wall> last;
  bool ended = false;
  bool doubled = false;
  for (const json::object& event : events) {
    const auto time = base::parse_rfc3339(text_of(event, "time"));
    const std::string state = text_of(event, "state");
    std::string cause = text_of(event, "cause");
    if (is_true(event, "possible_duplicate") && !doubled) {
      doubled = true;
      cause += cause.empty() ? "possible duplicate" : ", possible duplicate";
    }
    rows.push_back({text_of(event, "time"), time && last ? delta_text(*time - *last) : "",
                    ended ? "late: " + state : state, attempt_text(event), with_region(event),
                    cause, text_of(event, "raw")});
    if (time) last = *time;
    ended = ended || is_final(state);
  }
  return rows;
}

// Columns two blanks apart, those without any content left out; times since the last one end
// together. The first row is the heading.
std::string table_text(const std::vector<Row>& rows) {
  std::array<std::size_t, std::tuple_size_v<Row>> width{};
  for (std::size_t i = 0; i < width.size(); ++i) {
    for (std::size_t r = 1; r < rows.size(); ++r) width[i] = std::max(width[i], rows[r][i].size());
    if (width[i] > 0) width[i] = std::max(width[i], rows[0][i].size());
  }
  std::string out;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (width[i] == 0) continue;
      if (!line.empty()) line += "  ";
      line += i == 1 ? fmt::format("{:>{}}", row[i], width[i])
                     : fmt::format("{:<{}}", row[i], width[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

}  // namespace

std::string trace_text(std::string_view message, std::string_view events) {
  const auto trace = parse_trace(message, events);
  if (!trace) return {};
  return head_text(trace->message) + "\n" + table_text(rows_of(trace->events));
}

std::string trace_json(std::string_view message, std::string_view events) {
  const auto trace = parse_trace(message, events);
  if (!trace) return {};
  json::array list;
  for (const json::object& event : trace->events) list.emplace_back(event);
  return json::serialize(json::object{{"message", trace->message}, {"events", std::move(list)}});
}

std::string decision_text(std::string_view decision) {
  const auto d = parse_object(decision);
  const json::array* candidates = d ? array_of(*d, "candidates") : nullptr;
  if (candidates == nullptr) return {};
  const auto or_dash = [&](const json::object& object, std::string_view name) {
    const std::string text = text_of(object, name);
    return text.empty() ? std::string("-") : text;
  };
  std::string out =
      fmt::format("{}: class {}, country {}, network {}{}\nroute {} of configuration {}{}\n",
                  text_of(*d, "message_id"), or_dash(*d, "class"), or_dash(*d, "country"),
                  or_dash(*d, "network"),
                  !is_true(*d, "looked_up") ? ""
                  : is_true(*d, "ported")   ? " (looked up, ported)"
                                            : " (looked up)",
                  or_dash(*d, "route"), or_dash(*d, "config_version"),
                  is_true(*d, "config_is_current") ? "" : ", which is not the one that runs now");
  for (const json::value& value : *candidates) {
    if (!value.is_object()) continue;
    const json::object& c = value.as_object();
    const std::string price = text_of(c, "price");
    if (const std::string rule = text_of(c, "excluded"); !rule.empty()) {
      out += fmt::format("-. {} ({}): {}\n", text_of(c, "carrier"), or_dash(c, "region"), rule);
      continue;
    }
    out += fmt::format(
        "{}. {} ({}{})\n", text_of(c, "rank"), text_of(c, "carrier"), or_dash(c, "region"),
        price.empty() ? "" : fmt::format("; price {} {}", price, text_of(*d, "currency")));
    const json::array* attempts = array_of(c, "attempts");
    for (const json::value& one : attempts == nullptr ? json::array{} : *attempts) {
      if (!one.is_object()) continue;
      const json::object& attempt = one.as_object();
      out += fmt::format("   attempt {} at {}: {} {} {}\n", text_of(attempt, "attempt"),
                         text_of(attempt, "started_at"), text_of(attempt, "state"),
                         text_of(attempt, "cause"), text_of(attempt, "raw"));
    }
  }
  return out;
}

}  // namespace trunkline::cli
