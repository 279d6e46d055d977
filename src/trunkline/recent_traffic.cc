#include "trunkline/recent_traffic.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <optional>

#include "base/json_writer.h"
#include "io/clock.h"
#include "trunkline/commands.h"

namespace trunkline::cli {
namespace {

std::string_view text_at(const boost::json::object& object, std::string_view key) {
  const boost::json::value* v = object.if_contains(key);
  return v != nullptr && v->is_string() ? std::string_view(v->get_string()) : std::string_view();
}

std::optional<base::Wall> time_at(const boost::json::object& object, std::string_view key) {
  const auto time = base::parse_rfc3339(std::string(text_at(object, key)));
  return time ? std::optional(*time) : std::nullopt;
}

// Empty if the message's number is gone.
std::string row(const boost::json::object& message, const std::string& tenant) {
  std::string out;
  if (text_at(message, "to").empty()) return out;
  const boost::json::value* segments = message.if_contains("segments");
  base::JsonWriter json(out);
  json.begin_object().key("to").string(text_at(message, "to"));
  json.key("from").string_or_null(text_at(message, "from"));
  json.key("class").string(text_at(message, "class"));
  json.key("tenant").string_or_null(tenant);
  json.key("at").string(text_at(message, "created_at"));
  json.key("segments")
      .integer(segments != nullptr && segments->is_int64() ? segments->get_int64() : 1);
  json.key("unicode").boolean(text_at(message, "encoding") == "ucs2");
  json.key("carrier").string_or_null(text_at(message, "carrier"));
  json.key("status").string_or_null(text_at(message, "status"));
  const auto submitted = time_at(message, "submitted_at");
  const auto final = time_at(message, "final_at");
  json.key("seconds");
  if (submitted && final && *final >= *submitted) {
    json.number(static_cast<double>((*final - *submitted).count()) / 1e6);
  } else {
    json.null();
  }
  json.end_object();
  return out + "\n";
}

}  // namespace

std::expected<void, TrafficError> recent_traffic(
    const ApiTarget& target, base::Duration last, const std::string& tenant,
    const std::function<std::expected<void, TrafficError>(std::string_view)>& lines) {
  const auto failed = [](int code, std::string text) {
    return std::unexpected(TrafficError{code, std::move(text)});
  };
  const std::string first = fmt::format("/v1/messages?limit=500&from_time={}",
                                        base::format_rfc3339(io::now().wall - last));
  std::string cursor;
  do {
    auto reply = call_api(target, {.method = "GET",
                                   .path = cursor.empty() ? first : first + "&cursor=" + cursor,
                                   .headers = {},
                                   .body = {}});
    if (!reply) return failed(kUnreachable, reply.error().text);
    if (reply->status != 200) {
      return failed(kNegative, fmt::format("the gateway answers {}", reply->status));
    }
    boost::system::error_code error;
    const boost::json::value page = boost::json::parse(reply->body, error);
    const boost::json::object* object = page.if_object();
    const boost::json::value* data = object == nullptr ? nullptr : object->if_contains("data");
    if (error || data == nullptr || !data->is_array()) {
      return failed(kUnreachable, "what answers there is not Trunkline");
    }
    std::string out;
    for (const boost::json::value& message : data->get_array()) {
      if (message.is_object()) out += row(message.get_object(), tenant);
    }
    if (auto taken = lines(out); !taken) return taken;
    cursor = text_at(*object, "next_cursor");
  } while (!cursor.empty());
  return {};
}

}  // namespace trunkline::cli
