// trunkline resend: messages that ended without being delivered, once more.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "trunkline/api_client.h"
#include "trunkline/commands.h"
#include "trunkline/message_text.h"

namespace trunkline::cli {
namespace {

struct Arguments {
  std::vector<std::string> ids;
  std::string url = "http://127.0.0.1:8080";
  std::string key;
  std::string status, traffic_class, from_time, to_time, to;
  bool even_if_uncertain = false;
  bool dry_run = false;
  bool json = false;
};

struct Tally {
  std::int64_t found = 0;
  std::int64_t resent = 0;
  std::int64_t before = 0;                       // by an earlier run
  std::map<std::string, std::int64_t> not_sent;  // by problem code
};

// What has gone wrong besides single messages; 0: nothing.
int unreachable(const std::string& what) {
  std::fprintf(stderr, "trunkline resend: %s; run it again, and nothing is sent twice\n",
               what.c_str());
  return kUnreachable;
}

std::string encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
                       (byte >= 'A' && byte <= 'Z') || c == '-' || c == '_' || c == '.';
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return out;
}

boost::json::object parsed(const std::string& body) {
  boost::system::error_code ec;
  const boost::json::value value = boost::json::parse(body, ec);
  return ec || !value.is_object() ? boost::json::object() : value.get_object();
}

std::string text_of(const boost::json::object& o, const char* name) {
  const auto* v = o.if_contains(name);
  return v != nullptr && v->is_string() ? std::string(v->get_string()) : std::string();
}

int resend_one(const ApiTarget& target, const Arguments& a, const std::string& id, Tally& tally) {
  while (true) {
    const auto reply =
        call_api(target, {.method = "POST",
                          .path = "/v1/messages/" + encoded(id) + "/resend",
                          .headers = {},
                          .body = a.even_if_uncertain ? R"({"even_if_uncertain":true})" : "{}"});
    if (!reply) return unreachable(reply.error().text);
    if (reply->status == 401) {
      std::fprintf(stderr, "trunkline resend: %s", refusal_text(*reply).c_str());
      return kNegative;
    }
    if (reply->status == 201) {
      const bool before = reply->header("Idempotent-Replayed") == "true";
      ++(before ? tally.before : tally.resent);
      return 0;
    }
    const std::string code = text_of(parsed(reply->body), "code");
    if (code != "rate_limited" && reply->status / 100 != 5) {
      ++tally.not_sent[code.empty() ? std::to_string(reply->status) : code];
      return 0;
    }
    std::this_thread::sleep_for(std::chrono::seconds(1));  // too fast is no failure
  }
}

// Those that the filters find, gathered first: what is resent must not come up in its own list.
int find_all(const ApiTarget& target, const Arguments& a, std::vector<std::string>& ids) {
  std::string query = "limit=500&status=" + encoded(a.status);
  const std::pair<const char*, const std::string*> more[] = {{"class", &a.traffic_class},
                                                             {"from_time", &a.from_time},
                                                             {"to_time", &a.to_time},
                                                             {"to", &a.to}};
  for (const auto& [name, value] : more) {
    if (!value->empty()) query += fmt::format("&{}={}", name, encoded(*value));
  }
  std::string cursor;
  while (true) {
    const auto reply = call_api(
        target, {.method = "GET",
                 .path = "/v1/messages?" + query + (cursor.empty() ? "" : "&cursor=" + cursor),
                 .headers = {},
                 .body = {}});
    if (!reply) return unreachable(reply.error().text);
    if (reply->status != 200) {
      std::fprintf(stderr, "trunkline resend: %s", refusal_text(*reply).c_str());
      return kNegative;
    }
    const boost::json::object page = parsed(reply->body);
    if (const auto* data = page.if_contains("data"); data != nullptr && data->is_array()) {
      for (const auto& message : data->get_array()) {
        if (message.is_object()) ids.push_back(text_of(message.get_object(), "id"));
      }
    }
    cursor = text_of(page, "next_cursor");
    if (cursor.empty()) return 0;
  }
}

int resend(Arguments& a) {
  const auto url = io::HttpUrl::parse(a.url);
  const auto usage = [](const std::string& what) {
    std::fprintf(stderr, "trunkline resend: %s\n", what.c_str());
    return kUsage;
  };
  if (!url) return usage("--url: " + url.error());
  if (a.key.empty() || !is_header_value(a.key)) return usage("--key: this is no API key");
  if (a.ids.empty() == a.status.empty()) return usage("give ids, or --status and further filters");
  const ApiTarget target{.url = *url, .key = a.key, .timeout = std::chrono::seconds(60)};
  std::vector<std::string> ids = a.ids;
  if (ids.empty()) {
    if (const int failed = find_all(target, a, ids)) return failed;
  }
  Tally tally{.found = static_cast<std::int64_t>(ids.size())};
  for (const std::string& id : ids) {
    if (a.dry_run) break;
    if (const int failed = resend_one(target, a, id, tally)) return failed;
  }
  boost::json::object not_sent;
  std::int64_t refused = 0;
  std::string why;
  for (const auto& [code, count] : tally.not_sent) {
    not_sent[code] = count;
    refused += count;
    why += fmt::format("{}{} {}", why.empty() ? ": " : ", ", count, code);
  }
  if (a.json) {
    const boost::json::object out{{"found", tally.found},
                                  {"resent", tally.resent},
                                  {"resent_before", tally.before},
                                  {"refused", not_sent}};
    std::printf("%s\n", boost::json::serialize(out).c_str());
  } else {
    std::printf("%s\n", fmt::format("{} found, {} sent once more, {} before, {} refused{}",
                                    tally.found, tally.resent, tally.before, refused, why)
                            .c_str());
  }
  return refused == 0 ? kOk : kNegative;
}

}  // namespace

void add_resend(CLI::App& app, int& exit_code) {
  CLI::App* c = app.add_subcommand("resend", "Send messages once more that were not delivered");
  auto a = std::make_shared<Arguments>();
  c->add_option("ID", a->ids, "Messages; or filters");
  c->add_option("--url", a->url, "The gateway")->capture_default_str();
  c->add_option("--key", a->key, "API key; better in the environment, where ps does not show it")
      ->envname("TRUNKLINE_KEY")
      ->required();
  c->add_option("--status", a->status,
                "failed, expired, rejected, undelivered, canceled, uncertain")
      ->check(
          CLI::IsMember({"failed", "expired", "rejected", "undelivered", "canceled", "uncertain"}));
  c->add_option("--class", a->traffic_class, "Only of this class");
  c->add_option("--to", a->to, "Only to this number");
  c->add_option("--from-time", a->from_time,
                "Only those accepted at this time (RFC 3339) or later");
  c->add_option("--to-time", a->to_time, "Only those accepted before");
  c->add_flag("--even-if-uncertain", a->even_if_uncertain,
              "Also what may have been delivered; its recipient may get it twice");
  c->add_flag("--dry-run", a->dry_run, "Only count those that are found");
  c->add_flag("--json", a->json, "Print the outcome as JSON");
  c->callback([a, &exit_code] { exit_code = resend(*a); });
}

}  // namespace trunkline::cli
