// trunkline export-traffic: what a tenant sent of late, for diff and cost: without texts.
#include <boost/json.hpp>
#include <cstdio>
#include <memory>

#include "base/json_writer.h"
#include "io/clock.h"
#include "trunkline/api_client.h"
#include "trunkline/commands.h"

namespace trunkline::cli {
namespace {

struct Arguments {
  std::string url = "http://127.0.0.1:8080";
  std::string key;
  std::string last = "24h";
  std::string tenant;
  std::string timeout = "35s";
};

int failed(int code, const std::string& what) {
  std::fprintf(stderr, "trunkline export-traffic: %s\n", what.c_str());
  return code;
}

std::string_view text_at(const boost::json::object& object, std::string_view key) {
  const boost::json::value* v = object.if_contains(key);
  return v != nullptr && v->is_string() ? std::string_view(v->get_string()) : std::string_view();
}

// Empty if the message's number is gone: its keys were destroyed.
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
  json.key("unicode").boolean(text_at(message, "encoding") == "ucs2").end_object();
  return out + "\n";
}

int export_traffic(const Arguments& a) {
  const auto url = io::HttpUrl::parse(a.url);
  if (!url) return failed(kUsage, "--url: " + url.error());
  const auto timeout = base::parse_duration(a.timeout);
  if (!timeout) return failed(kUsage, "--timeout: " + timeout.error());
  const auto last = base::parse_duration(a.last);
  if (!last) return failed(kUsage, "--last: " + last.error());
  if (a.key.empty() || !is_header_value(a.key)) {
    return failed(kUsage, "--key: this is no API key");
  }
  const ApiTarget target{.url = *url, .key = a.key, .timeout = *timeout};
  const std::string first = fmt::format("/v1/messages?limit=500&from_time={}",
                                        base::format_rfc3339(io::now().wall - *last));
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
      return failed(kUnreachable, fmt::format("what answers at {} is not Trunkline", a.url));
    }
    std::string out;
    for (const boost::json::value& message : data->get_array()) {
      if (message.is_object()) out += row(message.get_object(), a.tenant);
    }
    std::fwrite(out.data(), 1, out.size(), stdout);
    cursor = text_at(*object, "next_cursor");
  } while (!cursor.empty());
  return kOk;
}

}  // namespace

void add_export_traffic(CLI::App& app, int& exit_code) {
  CLI::App* c = app.add_subcommand("export-traffic",
                                   "Print what was sent of late, without texts: for diff and cost");
  auto a = std::make_shared<Arguments>();
  c->add_option("--url", a->url, "The gateway")->capture_default_str();
  c->add_option("--key", a->key, "API key; better in the environment, where ps does not show it")
      ->envname("TRUNKLINE_KEY")
      ->required();
  c->add_option("--last", a->last, "How far back")->capture_default_str();
  c->add_option("--tenant", a->tenant, "Name of the key's tenant, written into each row");
  c->add_option("--timeout", a->timeout, "Of one try")->capture_default_str();
  c->callback([a, &exit_code] { exit_code = export_traffic(*a); });
}

}  // namespace trunkline::cli
