// trunkline carrier: what an operator wants of a carrier, and how the carriers are.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <cstdio>
#include <memory>

#include "base/json_writer.h"
#include "trunkline/api_client.h"
#include "trunkline/commands.h"
#include "trunkline/message_text.h"
#include "trunkline/operator_api.h"

namespace trunkline::cli {
namespace {

namespace json = boost::json;

struct Arguments {
  std::string name;
  std::string length;
  std::string country;
  std::string reason;
  OperatorAccess access{.program = "trunkline carrier"};
  bool json = false;
};

int usage(const std::string& what) {
  std::fprintf(stderr, "trunkline carrier: %s\n", what.c_str());
  return kUsage;
}

int give(const Arguments& a, const std::string& order) {
  if (!is_peer_name(a.name)) return usage("NAME: a carrier's name");
  std::string body;
  base::JsonWriter writer(body);
  writer.begin_object();
  if (!a.reason.empty()) writer.key("reason").string(a.reason);
  if (!a.length.empty()) writer.key("for").string(a.length);
  if (!a.country.empty()) writer.key("country").string(a.country);
  writer.end_object();
  const auto reply =
      ask_operator_api(a.access, "POST", fmt::format("/v1/carriers/{}/{}", a.name, order), body);
  if (!reply) return reply.error();
  std::printf("%s\n", reply->c_str());
  return kOk;
}

std::string text_of(const json::object& carrier) {
  const auto text = [](const json::value& value) {
    return value.is_string() ? std::string(value.get_string()) : json::serialize(value);
  };
  std::string out = fmt::format(
      "{:<16} {:<8} {:<4} links {}/{}  outstanding {}  limit {}\n", text(carrier.at("name")),
      text(carrier.at("region")), carrier.at("up").as_bool() ? "up" : "down",
      text(carrier.at("links_up")), text(carrier.at("links")), text(carrier.at("outstanding")),
      carrier.at("rate_limit").is_null() ? "none" : text(carrier.at("rate_limit")) + "/s");
  if (const json::value* awaited = carrier.if_contains("receipts_awaited");
      awaited != nullptr && text(*awaited) != "0") {
    out += fmt::format("  holds {} whose receipts are outstanding, the oldest since {}\n",
                       text(*awaited), text(carrier.at("receipts_awaited_since")));
  }
  for (const json::value& order : carrier.at("orders").as_array()) {
    const json::object& o = order.as_object();
    out += fmt::format("  {}{} until {} by {}: {}\n", text(o.at("kind")),
                       o.at("country").is_null() ? "" : " in " + text(o.at("country")),
                       text(o.at("until")), text(o.at("by")), text(o.at("reason")));
  }
  const auto number = [](const json::value& value) {
    return value.is_null() ? 0.0 : value.to_number<double>();
  };
  for (const json::value& canary : carrier.at("canaries").as_array()) {
    const json::object& c = canary.as_object();
    const std::string state = text(c.at("state"));
    out += fmt::format(
        "  canary of {}: {} {}, {:g}% of its messages{}\n", text(c.at("route")), state,
        state == "running" ? "until " + text(c.at("until")) : "at " + text(c.at("ended")),
        100 * number(c.at("share")), c.at("reason").is_null() ? "" : ": " + text(c.at("reason")));
    if (state != "running") continue;
    for (const char* question : {"takes", "delivers", "in_time"}) {
      const json::object& q = c.at(question).as_object();
      const auto side = [&](const char* name) {
        const json::object& s = q.at(name).as_object();
        return fmt::format("{:.1f}% of {}", 100 * number(s.at("share")), text(s.at("of")));
      };
      out +=
          fmt::format("    {:<8}  {}, control {}\n", question, side("candidate"), side("control"));
    }
  }
  return out;
}

int list(const Arguments& a) {
  const auto reply = ask_operator_api(a.access, "GET", "/v1/carriers");
  if (!reply) return reply.error();
  if (a.json) {
    std::printf("%s\n", reply->c_str());
    return kOk;
  }
  boost::system::error_code error;
  const json::value value = json::parse(*reply, error);
  try {
    std::string out;
    for (const json::value& carrier : value.as_object().at("data").as_array())
      out += text_of(carrier.as_object());
    std::fputs(out.c_str(), stdout);
    return kOk;
  } catch (const std::exception&) {
    std::fprintf(stderr, "trunkline carrier: this is no gateway's admin listener\n");
    return kUnreachable;
  }
}

}  // namespace

void add_carrier(CLI::App& app, int& exit_code) {
  CLI::App* c = app.add_subcommand(
      "carrier", "How the carriers are; suspend, drain or resume one, with a reason and an end");
  c->require_subcommand(1);
  auto a = std::make_shared<Arguments>();
  const auto add = [&](const char* name, const char* what) {
    CLI::App* sub = c->add_subcommand(name, what);
    add_operator_access(*sub, a->access);
    return sub;
  };
  CLI::App* shown = add("list", "All of them, with the orders in force");
  shown->add_flag("--json", a->json, "As the API answers");
  shown->callback([a, &exit_code] { exit_code = list(*a); });
  const std::pair<const char*, const char*> orders[] = {
      {"suspend", "Send nothing to it; what waits for it looks elsewhere"},
      {"drain", "Send what waits for it, and nothing new"},
      {"resume", "End its orders, or that in one country"}};
  for (const auto& [name, what] : orders) {
    CLI::App* sub = add(name, what);
    sub->add_option("NAME", a->name, "The carrier")->required();
    sub->add_option("--country", a->country, "Only there, such as GB");
    auto* reason = sub->add_option("--reason", a->reason, "Why, for whoever comes next");
    if (std::string_view(name) != "resume") {
      reason->required();
      sub->add_option("--for", a->length, "How long, 1m to 30d; 1h if not given");
    }
    sub->callback([a, order = std::string(name), &exit_code] { exit_code = give(*a, order); });
  }
}

}  // namespace trunkline::cli
