// trunkline cost: what the same traffic costs by several price lists, side by side.
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
#include "trunkline/outcomes.h"
#include "trunkline/traffic.h"

namespace trunkline::cli {
namespace {

struct Arguments {
  TrafficFrom traffic;
  std::vector<std::string> prices;
  std::string ranges;
  bool json = false;
};

constexpr std::size_t kListsMax = 8;
constexpr std::size_t kRowsMax = 60;  // of the table for people

int usage(const std::string& what) {
  std::fprintf(stderr, "trunkline cost: %s\n", what.c_str());
  return kUsage;
}

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
};

std::string to_json(const Comparison& c, const Arguments& a) {
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
    best < 0 ? json.null() : json.string(a.prices[static_cast<std::size_t>(best)]);
  };
  json.begin_object().key("currency").string_or_null(c.currency).key("lists").begin_array();
  for (const std::string& name : a.prices) json.string(name);
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
  json.end_object();
  return out + "\n";
}

std::string to_text(const Comparison& c, const Arguments& a) {
  const auto cell = [](const Sum& sum) {
    return sum.unpriced == 0 ? fmt::format("{:.4f}", sum.cost)
                             : fmt::format("{:.4f} +{}?", sum.cost, sum.unpriced);
  };
  std::string out;
  for (std::size_t i = 0; i < a.prices.size(); ++i) {
    out += fmt::format("{} = {}\n", static_cast<char>('A' + i), a.prices[i]);
  }
  out += fmt::format("\n{:<8}{:>10}{:>10}", "country", "messages", "segments");
  for (std::size_t i = 0; i < a.prices.size(); ++i) {
    out += fmt::format("{:>20}", static_cast<char>('A' + i));
  }
  out += "  cheapest\n";
  const auto line = [&](std::string_view name, const Place& p) {
    out += fmt::format("{:<8}{:>10}{:>10}", name, p.messages, p.segments);
    for (const Sum& sum : p.sums) out += fmt::format("{:>20}", cell(sum));
    const int best = p.cheapest();
    out += fmt::format("  {}\n", best < 0 ? '-' : static_cast<char>('A' + best));
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
  return out + c.outcomes.text();
}

int cost(const Arguments& a) {
  if (a.prices.size() > kListsMax) return usage(fmt::format("--prices: {} at most", kListsMax));
  numbering::Ranges ranges;
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
  Comparison comparison;
  std::vector<routing::PriceList> lists;
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
    lists.push_back(std::move(*parsed));
  }
  const base::Wall now = io::now().wall;
  comparison.all.sums.resize(lists.size());
  std::vector<double> prices(lists.size());
  const auto read = read_traffic(a.traffic, nullptr, [&](const TrafficRow& row) {
    const numbering::Destination to = ranges.destination(row.to);
    double best = -1;
    for (std::size_t i = 0; i < lists.size(); ++i) {
      prices[i] = lists[i].at(to.number.country, to.network, row.at.value_or(now));
      if (prices[i] >= 0 && (best < 0 || prices[i] < best)) best = prices[i];
    }
    comparison.outcomes.add(row, to.number.country.code());
    comparison.all.add(row, prices);
    comparison.countries[to.number.country.code()].add(row, prices);
    comparison.unpriced += best < 0;
    if (best >= 0) comparison.best += best * row.segments;
  });
  if (!read) {
    usage(read.error().text);
    return read.error().code;
  }
  const std::string out = a.json ? to_json(comparison, a) : to_text(comparison, a);
  std::fwrite(out.data(), 1, out.size(), stdout);
  return kOk;
}

}  // namespace

void add_cost(CLI::App& app, int& exit_code) {
  CLI::App* c = app.add_subcommand("cost", "Compare price lists on the same traffic");
  auto a = std::make_shared<Arguments>();
  add_traffic_options(*c, a->traffic, /*required=*/true);
  c->add_option("--prices", a->prices, "A price list, as carriers[].prices; once for each")
      ->required();
  c->add_option("--ranges", a->ranges, "Your number ranges, as numbering.ranges");
  c->add_flag("--json", a->json, "As JSON");
  c->callback([a, &exit_code] { exit_code = cost(*a); });
}

}  // namespace trunkline::cli
