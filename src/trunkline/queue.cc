// trunkline queue: what waits, and for whom; stopping it, taking it out, sending it another way.
// trunkline audit: who did.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <cstdio>
#include <memory>

#include "base/json_writer.h"
#include "trunkline/commands.h"
#include "trunkline/operator_api.h"

namespace trunkline::cli {
namespace {

namespace json = boost::json;

struct Arguments {
  OperatorAccess access{.program = "trunkline queue"};
  std::string carrier;
  std::string country;
  std::string traffic_class;
  std::string tenant;
  std::string older_than;
  std::string to;
  std::string reason;
  std::string length;
  std::string by = "carrier,class";
  unsigned limit = 50;
  bool json = false;
};

int give(const Arguments& a, const std::string& verb) {
  std::string body;
  base::JsonWriter writer(body);
  writer.begin_object();
  const std::pair<const char*, const std::string&> fields[] = {
      {"carrier", a.carrier},       {"country", a.country}, {"class", a.traffic_class},
      {"tenant", a.tenant},         {"to", a.to},           {"reason", a.reason},
      {"older_than", a.older_than}, {"for", a.length}};
  for (const auto& [key, value] : fields) {
    if (!value.empty()) writer.key(key).string(value);
  }
  writer.end_object();
  const auto reply = ask_operator_api(a.access, "POST", "/v1/queues/" + verb, body);
  if (!reply) return reply.error();
  std::printf("%s\n", reply->c_str());
  return kOk;
}

std::string text_of(const json::value& value) {
  if (value.is_null()) return "-";
  return value.is_string() ? std::string(value.get_string()) : json::serialize(value);
}

// Rows under their keys; nothing if it is no such list.
std::optional<std::string> table_of(const std::string& body) {
  boost::system::error_code error;
  const json::value value = json::parse(body, error);
  const json::object* object = value.if_object();
  const json::value* data = object != nullptr ? object->if_contains("data") : nullptr;
  if (error || data == nullptr || !data->is_array()) return std::nullopt;
  std::string out;
  for (const json::value& row : data->get_array()) {
    if (!row.is_object()) return std::nullopt;
    if (out.empty()) {
      for (const auto& [key, unused] : row.get_object())
        out += fmt::format("{:<16}", std::string_view(key));
      out += '\n';
    }
    for (const auto& [key, field] : row.get_object()) out += fmt::format("{:<16}", text_of(field));
    out += '\n';
  }
  return out.empty() ? "nothing\n" : out;
}

int show(const Arguments& a, const std::string& path, bool as_table) {
  const auto reply = ask_operator_api(a.access, "GET", path);
  if (!reply) return reply.error();
  const auto table = as_table && !a.json ? table_of(*reply) : *reply + "\n";
  if (table) {
    std::fputs(table->c_str(), stdout);
    return kOk;
  }
  std::fprintf(stderr, "%s: this is no gateway's admin listener\n", a.access.program.c_str());
  return kUnreachable;
}

int list(const Arguments& a) {
  std::string path = "/v1/queues?by=" + a.by;
  const std::pair<const char*, const std::string&> filter[] = {{"carrier", a.carrier},
                                                               {"country", a.country},
                                                               {"class", a.traffic_class},
                                                               {"tenant", a.tenant}};
  for (const auto& [key, value] : filter) {
    if (!value.empty()) path += fmt::format("&{}={}", key, value);
  }
  return show(a, path, true);
}

void add_filter(CLI::App& sub, Arguments& a) {
  sub.add_option("--carrier", a.carrier, "In whose line it waits");
  sub.add_option("--country", a.country, "To where, such as GB");
  sub.add_option("--class", a.traffic_class, "Of this class");
  sub.add_option("--tenant", a.tenant, "Of this tenant");
}

}  // namespace

void add_queue(CLI::App& app, int& exit_code) {
  CLI::App* c = app.add_subcommand(
      "queue", "What waits, by carrier, class, tenant, country; stop it, take it out, move it");
  c->require_subcommand(1);
  auto a = std::make_shared<Arguments>();
  const auto add = [&](const char* name, const char* what) {
    CLI::App* sub = c->add_subcommand(name, what);
    add_operator_access(*sub, a->access);
    add_filter(*sub, *a);
    return sub;
  };
  CLI::App* shown = add("list", "How many wait, and how long the oldest has");
  shown->add_option("--by", a->by, "What has a row of its own: carrier, class, tenant, country")
      ->capture_default_str();
  shown->add_flag("--json", a->json, "As the API answers");
  shown->callback([a, &exit_code] { exit_code = list(*a); });

  CLI::App* orders = c->add_subcommand("orders", "What is suspended or drains");
  add_operator_access(*orders, a->access);
  orders->add_flag("--json", a->json, "As the API answers");
  orders->callback([a, &exit_code] { exit_code = show(*a, "/v1/orders", true); });

  struct Verb {
    const char* name;
    const char* what;
    bool is_order;
  };
  constexpr Verb verbs[] = {
      {"suspend", "Send nothing of it", true},
      {"drain", "Send what waits, and nothing new", true},
      {"resume", "End the order about it", true},
      {"purge", "Take it out: it ends canceled", false},
      {"bounce", "Have it fail: whoever sent it is told", false},
      {"move", "Send it by another carrier of its route", false},
  };
  for (const Verb& verb : verbs) {
    CLI::App* sub = add(verb.name, verb.what);
    const std::string name = verb.name;
    auto* reason = sub->add_option("--reason", a->reason, "Why, for whoever comes next");
    if (name != "resume") reason->required();
    if (verb.is_order && name != "resume")
      sub->add_option("--for", a->length, "How long, 1m to 30d; 1h if not given");
    if (!verb.is_order)
      sub->add_option("--older-than", a->older_than, "Accepted so long ago, such as 10m");
    if (name == "move") sub->add_option("--to", a->to, "By which carrier")->required();
    sub->callback([a, name, &exit_code] { exit_code = give(*a, name); });
  }
}

void add_audit(CLI::App& app, int& exit_code) {
  CLI::App* c = app.add_subcommand("audit", "What operators did, the latest first");
  auto a = std::make_shared<Arguments>();
  a->access.program = "trunkline audit";
  add_operator_access(*c, a->access);
  c->add_option("--limit", a->limit, "How many lines")->capture_default_str();
  c->callback([a, &exit_code] {
    exit_code = show(*a, fmt::format("/v1/audit?limit={}", a->limit), false);
  });
}

}  // namespace trunkline::cli
