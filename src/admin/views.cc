#include "admin/views.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "admin/orders.h"
#include "base/json_writer.h"

namespace trunkline::admin {
namespace {

std::string host_and_port(const std::string& host, std::uint16_t port) {
  const bool v6 = host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", host, v6 ? "]" : "", port);
}

engine::CarrierStats stats_of(std::size_t carrier, const engine::Stats* stats) {
  if (stats != nullptr) {
    for (const engine::CarrierStats& s : stats->carriers) {
      if (!s.carrier.is_none() && s.carrier.at() == carrier) return s;
    }
  }
  return {};
}

using routing::Comparison;

// {"takes":{"candidate":{"of","share"},"control":{...}},"delivers":...,"in_time":...}; `share` is
// null of none.
void write_questions(base::JsonWriter& json, const auto& count) {
  constexpr std::pair<Comparison::Question, std::string_view> kQuestions[] = {
      {Comparison::Question::taken, "takes"},
      {Comparison::Question::delivered, "delivers"},
      {Comparison::Question::in_time, "in_time"}};
  for (const auto& [question, name] : kQuestions) {
    json.key(name).begin_object();
    for (const auto arm : {Comparison::Arm::candidate, Comparison::Arm::control}) {
      const Comparison::Count& n = count(arm, question);
      json.key(arm == Comparison::Arm::candidate ? "candidate" : "control").begin_object();
      json.key("of").integer(n.of).key("share");
      n.of == 0 ? json.null() : json.number(n.share());
      json.end_object();
    }
    json.end_object();
  }
}

void write_canary(base::JsonWriter& json, const engine::CanaryStats& c,
                  const config::Config& config) {
  json.begin_object().key("route").string(c.canary.route);
  json.key("state").string(message::name(c.canary.state));
  json.key("share").number(c.share);
  json.key("since").string(base::format_rfc3339(c.canary.since));
  json.key("until").string(base::format_rfc3339(c.until)).key("ended");
  const bool runs = c.canary.state == message::CanaryState::running;
  runs ? json.null() : json.string(base::format_rfc3339(c.canary.ended));
  json.key("reason").string_or_null(c.canary.reason);
  write_questions(json, [&](auto arm, auto question) { return c.seen.total(arm, question); });
  json.key("cells").begin_array();
  for (const Comparison::Cell& cell : c.seen.cells()) {
    if (cell.traffic_class.at() >= config.tables.classes.size()) continue;
    json.begin_object().key("country").string_or_null(cell.country.known() ? cell.country.code()
                                                                           : std::string());
    json.key("class").string(config.tables.classes[cell.traffic_class.at()].name);
    write_questions(json, [&](auto arm, auto question) { return cell.at(arm, question); });
    json.key("late_after_seconds");
    cell.late_after_us == 0 ? json.null()
                            : json.number(static_cast<double>(cell.late_after_us) / 1e6);
    json.end_object();
  }
  json.end_array().end_object();
}

base::JsonWriter& rate_or_null(base::JsonWriter& json, double per_s) {
  return per_s > 0 ? json.number(per_s) : json.null();
}

}  // namespace

std::string ready_json(std::span<const std::string> missing) {
  std::string out;
  base::JsonWriter json(out);
  json.begin_object().key("ready").boolean(missing.empty()).key("reasons").begin_array();
  for (const std::string& reason : missing) json.string(reason);
  json.end_array().end_object();
  return out;
}

std::string carriers_json(const config::Config& config, const engine::Stats* stats) {
  std::string out;
  base::JsonWriter json(out);
  json.begin_object().key("data").begin_array();
  for (std::size_t i = 0; i < config.carriers.size(); ++i) {
    const config::Carrier& carrier = config.carriers[i];
    if (carrier.smpp.host.empty()) continue;  // removed by a reload
    const engine::CarrierStats now = stats_of(i, stats);
    const double contracted =
        i < config.tables.carriers.size() ? config.tables.carriers[i].rate_per_s : 0;
    const bool two_kinds = carrier.smpp.bind == config::SmppCarrier::Bind::transmitter_receiver;
    json.begin_object();
    json.key("name").string(carrier.name);
    json.key("region").string(carrier.region);
    json.key("address").string(host_and_port(carrier.smpp.host, carrier.smpp.port));
    json.key("bind").string(two_kinds ? "transmitter_receiver" : "transceiver");
    json.key("up").boolean(now.links_up > 0);
    json.key("links").integer(carrier.smpp.binds);
    json.key("links_up").integer(now.links_up);
    json.key("outstanding").integer(now.outstanding);
    json.key("window").integer(carrier.smpp.window);
    rate_or_null(json.key("rate"), contracted);
    rate_or_null(json.key("rate_limit"), stats != nullptr ? now.rate_limit : contracted);
    json.key("receipts_awaited").integer(static_cast<std::int64_t>(now.awaited));
    json.key("receipts_awaited_since");
    now.awaited == 0 ? json.null() : json.string(base::format_rfc3339(now.awaited_since));
    json.key("orders").begin_array();
    for (const message::TrafficOrder& order :
         stats != nullptr ? stats->orders : std::vector<message::TrafficOrder>{}) {
      if (order.of.carrier == carrier.name) json.raw(order_json(order));
    }
    json.end_array().key("canaries").begin_array();
    for (const engine::CanaryStats& c :
         stats != nullptr ? stats->canaries : std::vector<engine::CanaryStats>{}) {
      if (c.canary.carrier == carrier.name) write_canary(json, c, config);
    }
    json.end_array();
    json.end_object();
  }
  json.end_array().end_object();
  return out;
}

std::string orders_json(const engine::Stats* stats) {
  std::string out;
  base::JsonWriter json(out);
  json.begin_object().key("data").begin_array();
  if (stats != nullptr) {
    for (const message::TrafficOrder& order : stats->orders) json.raw(order_json(order));
  }
  json.end_array().end_object();
  return out;
}

std::string queues_json(const config::Config& config, const engine::Stats* stats, base::Wall now) {
  std::string out;
  base::JsonWriter json(out);
  json.begin_object().key("data").begin_array();
  if (stats != nullptr) {
    for (const engine::LaneStats& lane : stats->lanes) {
      // A snapshot may be ahead of the configuration for the blink of a reload.
      const bool has_carrier = !lane.carrier.is_none();
      if (has_carrier && lane.carrier.at() >= config.carriers.size()) continue;
      if (lane.traffic_class.at() >= config.tables.classes.size()) continue;
      const auto age = std::max(base::Duration::zero(), now - lane.oldest);
      json.begin_object().key("carrier");
      if (has_carrier) {
        json.string(config.carriers[lane.carrier.at()].name);
      } else {
        json.null();
      }
      json.key("class").string(config.tables.classes[lane.traffic_class.at()].name);
      json.key("depth").integer(static_cast<std::int64_t>(lane.depth));
      json.key("oldest_seconds").number(static_cast<double>(age.count()) / 1e6);
      json.end_object();
    }
  }
  json.end_array().end_object();
  return out;
}

}  // namespace trunkline::admin
