// trunkline cost: what the same traffic costs by several price lists, or over several carriers,
// side by side.
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <tuple>

#include "base/json_writer.h"
#include "io/clock.h"
#include "numbering/ranges.h"
#include "routing/prices.h"
#include "trunkline/commands.h"
#include "trunkline/config_files.h"
#include "trunkline/controls.h"
#include "trunkline/outcomes.h"
#include "trunkline/traffic.h"

namespace trunkline::cli {
namespace {

struct Arguments {
  TrafficFrom traffic;
  std::vector<std::string> prices;
  std::string config;
  std::vector<std::string> carriers;
  std::string ranges;
  bool json = false;
};

constexpr std::size_t kListsMax = 8;
constexpr std::size_t kRowsMax = 60;  // of the table for people

int usage(const std::string& what) {
  std::fprintf(stderr, "trunkline cost: %s\n", what.c_str());
  return kUsage;
}

// What is compared: lists of prices, of which the last ones may be carriers'.
struct Lists {
  std::vector<std::string> names;
  std::vector<routing::PriceList> lists;
  std::vector<message::CarrierIndex> carriers;

  std::string letter(std::size_t i) const { return {static_cast<char>('A' + i)}; }
};

struct Sum {
  double cost = 0;
  std::uint64_t unpriced = 0;  // messages
};

struct Place {
  std::uint64_t messages = 0;
  std::uint64_t segments = 0;
  std::vector<Sum> sums;  // by list

  void add(const TrafficRow& row, const std::vector<double>& prices) {
    sums.resize(prices.size());
    ++messages;
    segments += row.segments;
    for (std::size_t i = 0; i < prices.size(); ++i) {
      if (prices[i] < 0) {
        ++sums[i].unpriced;
      } else {
        sums[i].cost += prices[i] * row.segments;
      }
    }
  }
  // The list that prices all and is the cheapest; none: -1.
  int cheapest() const {
    int best = -1;
    for (std::size_t i = 0; i < sums.size(); ++i) {
      if (sums[i].unpriced != 0) continue;
      if (best < 0 || sums[i].cost < sums[static_cast<std::size_t>(best)].cost) {
        best = static_cast<int>(i);
      }
    }
    return best;
  }
};

struct Comparison {
  std::string currency;
  Place all;
  std::map<std::string, Place> countries;
  // What is left to win: every message at the cheapest list that prices it.
  double best = 0;
  std::uint64_t unpriced = 0;  // by no list
  Outcomes outcomes;
  std::optional<Controls> controls;
};

std::string to_json(const Comparison& c, const Lists& lists) {
  std::string out;
  base::JsonWriter json(out);
  const auto place = [&](const Place& p) {
    json.key("messages").integer(static_cast<std::int64_t>(p.messages));
    json.key("segments").integer(static_cast<std::int64_t>(p.segments));
    json.key("costs").begin_array();
    for (const Sum& sum : p.sums) {
      json.begin_object().key("amount").string(fmt::format("{:.4f}", sum.cost));
      json.key("unpriced").integer(static_cast<std::int64_t>(sum.unpriced)).end_object();
    }
    json.end_array().key("cheapest");
    const int best = p.cheapest();
    best < 0 ? json.null() : json.string(lists.names[static_cast<std::size_t>(best)]);
  };
  json.begin_object().key("currency").string_or_null(c.currency).key("lists").begin_array();
  for (const std::string& name : lists.names) json.string(name);
  json.end_array();
  place(c.all);
  json.key("best").begin_object().key("amount").string(fmt::format("{:.4f}", c.best));
  json.key("unpriced").integer(static_cast<std::int64_t>(c.unpriced)).end_object();
  json.key("countries").begin_array();
  for (const auto& [country, p] : c.countries) {
    json.begin_object().key("country").string_or_null(country);
    place(p);
    json.end_object();
  }
  json.end_array().key("carriers");
  c.outcomes.append_json(json);
  if (c.controls) c.controls->append_json(json.key("controls"));
  json.end_object();
  return out + "\n";
}

std::string to_text(const Comparison& c, const Lists& lists) {
  const auto cell = [](const Sum& sum) {
    return sum.unpriced == 0 ? fmt::format("{:.4f}", sum.cost)
                             : fmt::format("{:.4f} +{}?", sum.cost, sum.unpriced);
  };
  std::string out;
  for (std::size_t i = 0; i < lists.names.size(); ++i) {
    out += fmt::format("{} = {}\n", lists.letter(i), lists.names[i]);
  }
  out += fmt::format("\n{:<8}{:>10}{:>10}", "country", "messages", "segments");
  for (std::size_t i = 0; i < lists.names.size(); ++i) {
    out += fmt::format("{:>20}", lists.letter(i));
  }
  out += "  cheapest\n";
  const auto line = [&](std::string_view name, const Place& p) {
    out += fmt::format("{:<8}{:>10}{:>10}", name, p.messages, p.segments);
    for (const Sum& sum : p.sums) out += fmt::format("{:>20}", cell(sum));
    const int best = p.cheapest();
    out += fmt::format("  {}\n", best < 0 ? "-" : lists.letter(static_cast<std::size_t>(best)));
  };
  std::vector<const decltype(c.countries)::value_type*> rows;
  for (const auto& row : c.countries) rows.push_back(&row);
  std::ranges::sort(rows, {}, [](const auto* row) {
    return std::tuple(~row->second.messages, std::string_view(row->first));
  });
  for (std::size_t i = 0; i < std::min(rows.size(), kRowsMax); ++i) {
    line(rows[i]->first.empty() ? "-" : rows[i]->first, rows[i]->second);
  }
  if (rows.size() > kRowsMax) out += fmt::format("and {} more\n", rows.size() - kRowsMax);
  line("all", c.all);
  out += fmt::format("\neach message by the cheapest list that prices it: {:.4f} {}{}\n", c.best,
                     c.currency,
                     c.unpriced == 0 ? "" : fmt::format("; {} that none prices", c.unpriced));
  bool any = false;
  for (const Sum& sum : c.all.sums) any = any || sum.unpriced != 0;
  if (any) out += "+N?: so many messages that the list has no price for\n";
  out += c.outcomes.text();
  if (!c.controls) return out;
  std::vector<std::string> columns;
  const std::size_t first = lists.names.size() - lists.carriers.size();
  for (std::size_t i = first; i < lists.names.size(); ++i) {
    columns.push_back(fmt::format("{} = {}", lists.letter(i), lists.names[i]));
  }
  return out + c.controls->text(columns);
}

// The carriers that are named, or all there are.
std::expected<void, std::string> add_carriers(const config::Config& config, const Arguments& a,
                                              Lists& lists) {
  const std::size_t count = a.carriers.empty() ? config.carriers.size() : a.carriers.size();
  if (lists.names.size() + count > kListsMax) {
    return std::unexpected(
        fmt::format("{} lists and {} carriers; {} can be compared at a time: "
                    "name some with --carrier",
                    lists.names.size(), count, kListsMax));
  }
  const auto add = [&](std::size_t i) {
    lists.names.push_back(config.carriers[i].name);
    lists.lists.push_back(config.tables.routing.carriers[i].prices);
    lists.carriers.push_back({static_cast<std::uint16_t>(i)});
  };
  if (a.carriers.empty()) {
    for (std::size_t i = 0; i < config.carriers.size(); ++i) add(i);
    return {};
  }
  for (const std::string& name : a.carriers) {
    const auto found = std::ranges::find(config.carriers, name, &config::Carrier::name);
    if (found == config.carriers.end()) {
      return std::unexpected(fmt::format("--carrier: {} has no carrier {}", a.config, name));
    }
    add(static_cast<std::size_t>(found - config.carriers.begin()));
  }
  return {};
}

int cost(const Arguments& a) {
  if (a.prices.size() > kListsMax) return usage(fmt::format("--prices: {} at most", kListsMax));
  if (a.prices.empty() && a.config.empty()) {
    return usage("name price lists with --prices, or carriers with --config");
  }
  if (!a.carriers.empty() && a.config.empty()) {
    return usage("--carrier: name the configuration that has it with --config");
  }
  if (!a.ranges.empty() && !a.config.empty()) {
    return usage("--ranges: the configuration of --config has its own");
  }
  std::optional<config::Config> config;
  numbering::Ranges ranges;
  Comparison comparison;
  if (!a.config.empty()) {
    config = load_config(a.config, nullptr);
    if (!config) return kUsage;
    ranges = config->tables.ranges;
    comparison.currency = config->tables.routing.currency;
  }
  if (!a.ranges.empty()) {
    const auto text = system_files()(a.ranges);
    if (!text) return usage(text.error());
    auto parsed = numbering::Ranges::parse(*text);
    if (!parsed) {
      for (const auto& e : parsed.error()) {
        std::fprintf(stderr, "%s:%zu: error: %s; %s\n", a.ranges.c_str(), e.line, e.what.c_str(),
                     e.remedy.c_str());
      }
      return kUsage;
    }
    ranges = std::move(*parsed);
  }
  Lists compared;
  std::vector<routing::PriceList>& lists = compared.lists;
  for (const std::string& name : a.prices) {
    const auto text = system_files()(name);
    if (!text) return usage(text.error());
    auto parsed = routing::PriceList::parse(*text, ranges, comparison.currency);
    if (!parsed) {
      for (const auto& e : parsed.error()) {
        std::fprintf(stderr, "%s:%zu: error: %s; %s\n", name.c_str(), e.line, e.what.c_str(),
                     e.remedy.c_str());
      }
      return kUsage;
    }
    compared.names.push_back(name);
    lists.push_back(std::move(*parsed));
  }
  const base::Wall now = io::now().wall;
  if (config) {
    if (const auto added = add_carriers(*config, a, compared); !added) return usage(added.error());
    comparison.controls.emplace(*config, compared.carriers, now);
  }
  comparison.all.sums.resize(lists.size());
  std::vector<double> prices(lists.size());
  const auto read =
      read_traffic(a.traffic, config ? &*config : nullptr, [&](const TrafficRow& row) {
        const numbering::Destination to = ranges.destination(row.to);
        double best = -1;
        for (std::size_t i = 0; i < lists.size(); ++i) {
          prices[i] = lists[i].at(to.number.country, to.network, row.at.value_or(now));
          if (prices[i] >= 0 && (best < 0 || prices[i] < best)) best = prices[i];
        }
        comparison.outcomes.add(row, to.number.country.code());
        if (comparison.controls) comparison.controls->add(row, to);
        comparison.all.add(row, prices);
        comparison.countries[to.number.country.code()].add(row, prices);
        comparison.unpriced += best < 0;
        if (best >= 0) comparison.best += best * row.segments;
      });
  if (!read) {
    usage(read.error().text);
    return read.error().code;
  }
  const std::string out = a.json ? to_json(comparison, compared) : to_text(comparison, compared);
  std::fwrite(out.data(), 1, out.size(), stdout);
  return kOk;
}

}  // namespace

void add_cost(CLI::App& app, int& exit_code) {
  CLI::App* c = app.add_subcommand("cost", "Compare price lists and carriers on the same traffic");
  auto a = std::make_shared<Arguments>();
  add_traffic_options(*c, a->traffic, /*required=*/true);
  c->add_option("--prices", a->prices, "A price list, as carriers[].prices; once for each");
  c->add_option("--config", a->config,
                "A configuration: its carriers by their own prices, and what they allow");
  c->add_option("--carrier", a->carriers, "Of these, only this one; once for each");
  c->add_option("--ranges", a->ranges, "Your number ranges, as numbering.ranges");
  c->add_flag("--json", a->json, "As JSON");
  c->callback([a, &exit_code] { exit_code = cost(*a); });
}

}  // namespace trunkline::cli
