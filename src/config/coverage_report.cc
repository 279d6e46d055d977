// The long form of the coverage: what a team takes to its carriers.
#include <algorithm>
#include <map>
#include <set>

#include "base/json_writer.h"
#include "config/coverage.h"

namespace trunkline::config {
namespace {

using message::CarrierIndex;
using numbering::Country;

struct CarrierUse {
  std::set<std::size_t> routes;
  std::set<Country> countries;  // for which a route that takes all of some class may use it
  std::set<Country> alone;      // those where there is no other
};

std::vector<CarrierUse> uses(const Config& config, const Coverage& coverage) {
  std::vector<CarrierUse> out(config.tables.routing.carriers.size());
  const auto& routes = config.tables.routing.routes;
  for (std::size_t r = 0; r < routes.size(); ++r) {
    for (const routing::Via& via : routes[r].via) out[via.carrier.at()].routes.insert(r);
  }
  for (const auto& cell : coverage.cells) {
    for (const CarrierIndex c : cell.carriers) {
      auto& use = out[c.at()];
      use.countries.insert(cell.countries.begin(), cell.countries.end());
      if (cell.carriers.size() == 1) {
        use.alone.insert(cell.countries.begin(), cell.countries.end());
      }
    }
  }
  return out;
}

std::string place(const Finding& finding) {
  return fmt::format("{}:{}", finding.file, finding.line);
}

std::vector<std::string> regions(const Config& config, routing::Regions set) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < config.tables.routing.regions.size(); ++i) {
    if ((set >> i & 1) != 0) out.push_back(config.tables.routing.regions[i]);
  }
  return out;
}

template <class List, class Text>
void array(base::JsonWriter& json, std::string_view key, const List& list, const Text& text) {
  json.key(key).begin_array();
  for (const auto& one : list) json.string(text(one));
  json.end_array();
}

std::string words(const std::vector<std::string>& list) {
  std::string out;
  for (const std::string& one : list) out += (out.empty() ? "" : ", ") + one;
  return out.empty() ? "-" : out;
}

// "2: GB, IE" or, of most of the world, "all but 2: GB, IE".
std::string countries_text(const std::vector<Country>& countries, const std::set<Country>& all) {
  if (countries.size() == all.size()) return "everywhere";
  const bool most = countries.size() > all.size() / 2;
  std::vector<std::string> names;
  for (const Country country : all) {
    if (std::ranges::binary_search(countries, country) != most) names.push_back(country.code());
  }
  return fmt::format("{}{}: {}", most ? "all but " : "", names.size(), words(names));
}

}  // namespace

std::string coverage_json(const Config& config, const Coverage& coverage) {
  const auto& table = config.tables.routing;
  const auto carrier = [&](CarrierIndex c) { return table.carriers[c.at()].name; };
  const auto country = [](Country c) { return c.code(); };
  const auto route = [&](std::size_t r) { return table.routes[r].name; };
  std::string out;
  base::JsonWriter json(out);
  json.begin_object().key("version").string(config.tables.version);
  json.key("complete").boolean(coverage.complete);
  json.key("tenants").begin_array();
  for (const auto& kind : coverage.kinds) {
    json.begin_array();
    for (const auto t : kind) json.string(config.tenants[t.at()].name);
    json.end_array();
  }
  json.end_array().key("coverage").begin_array();
  for (const auto& cell : coverage.cells) {
    json.begin_object();
    json.key("class").string(config.tables.classes[cell.traffic_class.at()].name);
    json.key("tenants").integer(static_cast<std::int64_t>(cell.kind));
    json.key("reach").string(name(cell.reach));
    json.key("route").string_or_null(cell.route < table.routes.size() ? route(cell.route) : "");
    array(json, "carriers", cell.carriers, carrier);
    array(json, "countries", cell.countries, country);
    json.end_object();
  }
  json.end_array().key("routes").begin_array();
  for (std::size_t r = 0; r < table.routes.size(); ++r) {
    const auto& use = coverage.routes[r];
    json.begin_object().key("name").string(route(r));
    json.key("place").string(place(config.route_places[r]));
    json.key("reached").boolean(use.reached);
    array(json, "shadowed_by", use.shadowed_by, route);
    json.key("countries").integer(static_cast<std::int64_t>(use.countries));
    array(json, "carriers", table.routes[r].via,
          [&](const routing::Via& via) { return carrier(via.carrier); });
    array(json, "residency", regions(config, table.routes[r].residency),
          [](const std::string& region) { return region; });
    json.end_object();
  }
  json.end_array().key("carriers").begin_array();
  const auto all = uses(config, coverage);
  for (std::size_t c = 0; c < all.size(); ++c) {
    if (table.carriers[c].removed) continue;
    json.begin_object().key("name").string(table.carriers[c].name);
    json.key("region").string(table.carriers[c].region);
    array(json, "routes", all[c].routes, route);
    json.key("countries").integer(static_cast<std::int64_t>(all[c].countries.size()));
    array(json, "alone_for", all[c].alone, country);
    json.key("prices").integer(static_cast<std::int64_t>(table.carriers[c].prices.size()));
    json.end_object();
  }
  json.end_array().end_object();
  return out;
}

std::string coverage_text(const Config& config, const Coverage& coverage) {
  const auto& table = config.tables.routing;
  std::set<Country> world;
  for (const auto& cell : coverage.cells)
    world.insert(cell.countries.begin(), cell.countries.end());
  std::string out = fmt::format("Coverage of configuration {}\n", config.tables.version);
  if (!coverage.complete) {
    out += fmt::format("Only the first {} kinds of tenants were looked at.\n", Coverage::kKindsMax);
  }
  std::size_t last_kind = ~std::size_t{0};
  std::size_t last_class = ~std::size_t{0};
  for (const auto& cell : coverage.cells) {
    if (cell.kind != last_kind) {
      std::vector<std::string> names;
      for (const auto t : coverage.kinds[cell.kind]) names.push_back(config.tenants[t.at()].name);
      const std::size_t more = names.size() > 20 ? names.size() - 20 : 0;
      names.resize(names.size() - more);
      out += fmt::format("\nTenants {}{}\n", words(names),
                         more == 0 ? "" : fmt::format(" and {} more", more));
      last_class = ~std::size_t{0};
    }
    if (cell.traffic_class.at() != last_class) {
      out += fmt::format("  class {}\n", config.tables.classes[cell.traffic_class.at()].name);
    }
    last_kind = cell.kind;
    last_class = cell.traffic_class.at();
    std::vector<std::string> carriers;
    for (const CarrierIndex c : cell.carriers) carriers.push_back(table.carriers[c.at()].name);
    out += fmt::format("    {:<8} {:<20} {:<30} {}\n", name(cell.reach),
                       cell.route < table.routes.size() ? table.routes[cell.route].name : "-",
                       words(carriers), countries_text(cell.countries, world));
  }
  out += "\nRoutes\n";
  for (std::size_t r = 0; r < table.routes.size(); ++r) {
    const auto& use = coverage.routes[r];
    std::vector<std::string> by;
    for (const std::size_t s : use.shadowed_by) by.push_back(table.routes[s].name);
    const std::vector<std::string> stays = regions(config, table.routes[r].residency);
    out += fmt::format("  {:<20} {} carriers, takes all to {} countries{}{} ({})\n",
                       table.routes[r].name, table.routes[r].via.size(), use.countries,
                       stays.empty() ? "" : ", stays in " + words(stays),
                       use.reached ? "" : fmt::format(", never reached: behind {}", words(by)),
                       place(config.route_places[r]));
  }
  out += "\nCarriers\n";
  const auto all = uses(config, coverage);
  for (std::size_t c = 0; c < all.size(); ++c) {
    if (table.carriers[c].removed) continue;
    out +=
        fmt::format("  {:<20} {:<8} {} routes, {} countries, the only one for {}; {} prices\n",
                    table.carriers[c].name, table.carriers[c].region, all[c].routes.size(),
                    all[c].countries.size(), all[c].alone.size(), table.carriers[c].prices.size());
  }
  return out;
}

}  // namespace trunkline::config
