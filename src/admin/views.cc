#include "admin/views.h"

#include <fmt/format.h>

#include <algorithm>

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
    json.key("orders").begin_array();
    for (const message::CarrierOrder& order :
         stats != nullptr ? stats->orders : std::vector<message::CarrierOrder>{}) {
      if (order.carrier == carrier.name) json.raw(order_json(order));
    }
    json.end_array();
    json.end_object();
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
