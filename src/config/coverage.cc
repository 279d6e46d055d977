#include "config/coverage.h"

#include <algorithm>
#include <bit>
#include <map>
#include <set>
#include <tuple>

namespace trunkline::config {
namespace {

using message::CarrierIndex;
using message::ClassIndex;
using message::TenantIndex;
using numbering::Country;
using routing::Match;
using routing::Route;

constexpr std::size_t kNoRoute = ~std::size_t{0};
constexpr std::size_t kShadowsMax = 3;

// A set of routes.
class RouteSet {
 public:
  explicit RouteSet(std::size_t size, bool full = false) : words_((size + 63) / 64) {
    for (std::size_t i = 0; full && i < size; ++i) add(i);
  }
  void add(std::size_t i) { words_[i / 64] |= std::uint64_t{1} << i % 64; }
  RouteSet operator&(const RouteSet& other) const {
    RouteSet out(*this);
    for (std::size_t w = 0; w < words_.size(); ++w) out.words_[w] &= other.words_[w];
    return out;
  }
  std::size_t first() const {
    for (std::size_t w = 0; w < words_.size(); ++w) {
      if (words_[w] != 0) return w * 64 + static_cast<std::size_t>(std::countr_zero(words_[w]));
    }
    return kNoRoute;
  }
  template <class Visit>
  void each(const Visit& visit) const {
    for (std::size_t w = 0; w < words_.size(); ++w) {
      for (std::uint64_t left = words_[w]; left != 0; left &= left - 1) {
        visit(w * 64 + static_cast<std::size_t>(std::countr_zero(left)));
      }
    }
  }
  friend auto operator<=>(const RouteSet&, const RouteSet&) = default;

 private:
  std::vector<std::uint64_t> words_;
};

bool asks_for_more(const Match& m) {
  return !m.networks.empty() || m.types != 0 || !m.senders.empty() || m.unicode ||
         m.segments_min > 1 || m.segments_max < 255 || m.when;
}

class Surveyor {
 public:
  explicit Surveyor(const Config& config)
      : config_(config), table_(config.tables.routing), plain_(table_.routes.size()) {
    out_.routes.resize(table_.routes.size());
    for (std::size_t r = 0; r < table_.routes.size(); ++r) {
      if (!asks_for_more(table_.routes[r].match)) plain_.add(r);
    }
  }

  Coverage survey() {
    group_tenants();
    group_countries();
    for (std::size_t kind = 0; kind < kinds_.size(); ++kind) {
      for (std::size_t c = 0; c < config_.tables.classes.size() && c < 32; ++c) {
        if ((kinds_[kind].classes >> c & 1) == 0) continue;
        const ClassIndex traffic_class{static_cast<std::uint8_t>(c)};
        const RouteSet routes = kinds_[kind].routes & of_class(traffic_class);
        for (const auto& [set, countries] : countries_) {
          cell(kind, traffic_class, routes & set.first, countries);
        }
      }
    }
    // The few before the many.
    std::ranges::sort(out_.cells, {}, [](const Coverage::Cell& cell) {
      return std::tuple(cell.kind, cell.traffic_class.value, cell.countries.size(),
                        cell.countries.front());
    });
    for (std::size_t r = 0; r < shadows_.size(); ++r) {
      if (out_.routes[r].reached) continue;
      for (const std::size_t by : shadows_[r]) out_.routes[r].shadowed_by.push_back(by);
    }
    for (std::size_t r = 0; r < out_.routes.size(); ++r) {
      out_.routes[r].countries = countries_of_[r].size();
    }
    return std::move(out_);
  }

 private:
  struct Kind {
    std::uint32_t classes = 0;
    routing::Regions residency = 0;
    RouteSet routes;
  };

  void group_tenants() {
    const auto& tenants = config_.tables.policy.tenants;
    std::map<std::uint16_t, std::vector<std::size_t>> naming;
    RouteSet for_all(table_.routes.size());
    for (std::size_t r = 0; r < table_.routes.size(); ++r) {
      const Match& match = table_.routes[r].match;
      if (match.tenants.empty()) for_all.add(r);
      for (const TenantIndex t : match.tenants) naming[t.value].push_back(r);
    }
    std::map<std::tuple<std::uint32_t, routing::Regions, std::vector<std::size_t>>, std::size_t>
        known;
    for (std::size_t t = 0; t < tenants.size(); ++t) {
      if (tenants[t].removed) continue;
      const TenantIndex index{static_cast<std::uint16_t>(t)};
      const routing::Regions residency =
          t < table_.residency.size() ? table_.residency[t] : routing::Regions{0};
      const auto named = naming.find(index.value);
      const auto& routes = named == naming.end() ? kNone : named->second;
      const auto [found, is_new] =
          known.try_emplace({tenants[t].classes, residency, routes}, kinds_.size());
      if (is_new && kinds_.size() == Coverage::kKindsMax) {
        known.erase(found);
        out_.complete = false;
        continue;
      }
      if (is_new) {
        RouteSet set = for_all;
        for (const std::size_t r : routes) set.add(r);
        kinds_.push_back({tenants[t].classes, residency, std::move(set)});
        out_.kinds.emplace_back();
      }
      out_.kinds[found->second].push_back(index);
    }
  }

  void group_countries() {
    RouteSet for_all(table_.routes.size());
    std::map<std::uint16_t, std::vector<std::size_t>> naming;
    for (std::size_t r = 0; r < table_.routes.size(); ++r) {
      const Match& match = table_.routes[r].match;
      if (match.countries.empty()) for_all.add(r);
      for (const Country country : match.countries) naming[country.packed()].push_back(r);
    }
    for (char a = 'A'; a <= 'Z'; ++a) {
      for (char b = 'A'; b <= 'Z'; ++b) {
        const char letters[] = {a, b};
        const Country country = *Country::parse({letters, 2});
        if (!numbering::has_numbers(country)) continue;
        RouteSet set = for_all;
        if (const auto named = naming.find(country.packed()); named != naming.end()) {
          for (const std::size_t r : named->second) set.add(r);
        }
        countries_[{set, terms_of_carriers(country)}].push_back(country);
      }
    }
  }

  const RouteSet& of_class(ClassIndex traffic_class) {
    const auto [found, is_new] =
        by_class_.try_emplace(traffic_class.at(), RouteSet(table_.routes.size()));
    for (std::size_t r = 0; is_new && r < table_.routes.size(); ++r) {
      const std::uint32_t classes = table_.routes[r].match.classes;
      if (classes == 0 || (classes >> traffic_class.at() & 1) != 0) found->second.add(r);
    }
    return found->second;
  }

  void cell(std::size_t kind, ClassIndex traffic_class, const RouteSet& routes,
            const std::vector<Country>& countries) {
    const std::size_t taker = (routes & plain_).first();
    routes.each([&](std::size_t r) {
      if (r <= taker) {
        out_.routes[r].reached = true;
      } else if (shadows_[r].size() < kShadowsMax) {
        shadows_[r].insert(taker);
      }
    });
    Coverage::Cell cell{.traffic_class = traffic_class,
                        .kind = kind,
                        .countries = countries,
                        .route = taker,
                        .carriers = {}};
    if (taker == kNoRoute) {
      cell.reach = routes.first() == kNoRoute ? Reach::none : Reach::partial;
    } else {
      const Route& route = table_.routes[taker];
      countries_of_[taker].insert(countries.begin(), countries.end());
      for (const routing::Via& via : route.via) {
        if (may_use(route, via, kinds_[kind].residency) &&
            takes(via.carrier, traffic_class, countries.front())) {
          cell.carriers.push_back(via.carrier);
        }
      }
      cell.reach = reach_of(cell.carriers);
    }
    // Countries that other routes tell apart may be alike here.
    for (auto same = out_.cells.rbegin(); same != out_.cells.rend(); ++same) {
      if (same->kind != kind || same->traffic_class != traffic_class) break;
      if (same->reach != cell.reach || same->route != cell.route) continue;
      std::ranges::copy(cell.countries, std::back_inserter(same->countries));
      std::ranges::sort(same->countries);
      return;
    }
    out_.cells.push_back(std::move(cell));
  }

  bool may_use(const Route& route, const routing::Via& via, routing::Regions residency) const {
    const routing::Carrier& carrier = table_.carriers[via.carrier.at()];
    const routing::Regions bit = routing::Regions{1} << carrier.region_at;
    if (carrier.removed) return false;
    if (route.residency != 0 && (route.residency & bit) == 0) return false;
    if (residency != 0 && (residency & bit) == 0) return false;
    if (table_.home_region.empty() || carrier.region == table_.home_region) return true;
    return !route.spill_to ||
           std::ranges::find(*route.spill_to, carrier.region_at) != route.spill_to->end();
  }

  // By the carrier's own rules. What they say of senders and texts is there for a part of the
  // messages only.
  bool takes(CarrierIndex carrier, ClassIndex traffic_class, Country country) const {
    const policy::CarrierRules* rules = config_.tables.policy.carriers.find(carrier);
    if (rules == nullptr) return true;
    const std::uint32_t classes = rules->terms_in(country).classes;
    return rules->goes_to(country) && (classes == 0 || (classes >> traffic_class.at() & 1) != 0);
  }

  // Of each carrier with rules the classes it takes there; ~0: all, 0: it does not go there.
  std::vector<std::uint32_t> terms_of_carriers(Country country) const {
    std::vector<std::uint32_t> out;
    for (const policy::CarrierRules& rules : config_.tables.policy.carriers.all()) {
      const std::uint32_t classes = rules.terms_in(country).classes;
      out.push_back(!rules.goes_to(country) ? 0 : classes == 0 ? ~0u : classes);
    }
    return out;
  }

  Reach reach_of(const std::vector<CarrierIndex>& carriers) const {
    if (carriers.empty()) return Reach::blocked;
    if (carriers.size() == 1) return Reach::carrier;
    std::set<std::size_t> regions;
    for (const CarrierIndex c : carriers) regions.insert(table_.carriers[c.at()].region_at);
    return regions.size() == 1 && table_.regions.size() > 1 ? Reach::region : Reach::full;
  }

  const std::vector<std::size_t> kNone;
  const Config& config_;
  const routing::Table& table_;
  RouteSet plain_;
  std::vector<Kind> kinds_;
  std::map<std::pair<RouteSet, std::vector<std::uint32_t>>, std::vector<Country>> countries_;
  std::map<std::size_t, RouteSet> by_class_;
  std::vector<std::set<std::size_t>> shadows_ =
      std::vector<std::set<std::size_t>>(table_.routes.size());
  std::vector<std::set<Country>> countries_of_ =
      std::vector<std::set<Country>>(table_.routes.size());
  Coverage out_;
};

// "AF, AG, AI and 12 more"
template <class List, class Name>
std::string some(const List& list, const Name& name, std::size_t most = 8) {
  std::string out;
  std::size_t told = 0;
  for (const auto& one : list) {
    if (told == most && list.size() > most + 1) break;
    out += fmt::format("{}{}", told == 0 ? "" : ", ", name(one));
    ++told;
  }
  if (told < list.size()) out += fmt::format(" and {} more", list.size() - told);
  return out;
}

class Warner {
 public:
  Warner(const Config& config, const Coverage& coverage, const std::vector<Finding>& told)
      : config_(config), coverage_(coverage), told_(told) {}

  std::vector<Finding> warn() {
    if (config_.tables.routing.routes.empty()) return {};
    unreached();
    thin();
    shadowed();
    return std::move(out_);
  }

 private:
  using Classes = std::set<std::string_view>;

  Finding& add(std::size_t route, std::string what, std::string remedy) {
    Finding finding = config_.route_places[route];
    finding.severity = Finding::Severity::warning;
    finding.what = std::move(what);
    finding.remedy = std::move(remedy);
    return out_.emplace_back(std::move(finding));
  }

  std::string_view class_name(ClassIndex c) const { return config_.tables.classes[c.at()].name; }
  const std::string& route_name(std::size_t r) const {
    return config_.tables.routing.routes[r].name;
  }

  // One warning for all classes that lack the same countries in the same way. Of a class that gets
  // nowhere at all, the adviser has said so.
  void unreached() {
    std::map<std::pair<Reach, std::set<Country>>, Classes> by_countries;
    std::map<std::uint8_t, std::map<Reach, std::set<Country>>> by_class;
    std::set<std::pair<std::size_t, std::uint8_t>> somewhere;
    for (const auto& cell : coverage_.cells) {
      if (cell.reach != Reach::none) somewhere.insert({cell.kind, cell.traffic_class.value});
    }
    for (const auto& cell : coverage_.cells) {
      if (!somewhere.contains({cell.kind, cell.traffic_class.value})) continue;
      if (cell.reach > Reach::partial) continue;
      by_class[cell.traffic_class.value][cell.reach].insert(cell.countries.begin(),
                                                            cell.countries.end());
    }
    for (const auto& [traffic_class, reaches] : by_class) {
      for (const auto& [reach, countries] : reaches) {
        by_countries[{reach, countries}].insert(class_name({traffic_class}));
      }
    }
    for (const auto& [key, classes] : by_countries) {
      const auto& [reach, countries] = key;
      const std::string who = some(classes, [](std::string_view c) { return c; });
      const std::string where = some(countries, [](Country c) { return c.code(); });
      if (reach == Reach::none) {
        add(config_.tables.routing.routes.size() - 1,
            fmt::format("no route takes {} to {} countries: {}", who, countries.size(), where),
            "add a route, at best one that matches everything as the last");
      } else if (reach == Reach::partial) {
        add(config_.tables.routing.routes.size() - 1,
            fmt::format("only a part of {} to {} has a route: all there ask for more than country, "
                        "class and tenant",
                        who, where),
            "add a route for the rest");
      } else {
        blocked(who, where, countries);
      }
    }
  }

  void blocked(const std::string& who, const std::string& where,
               const std::set<Country>& countries) {
    for (const auto& cell : coverage_.cells) {
      if (cell.reach != Reach::blocked || !countries.contains(cell.countries.front())) continue;
      add(cell.route,
          fmt::format("{} to {} may use none of the carriers of route {}: residency, spill_to or "
                      "the carriers' own policy forbid all",
                      who, where, quoted(route_name(cell.route))),
          "add a carrier that is allowed");
      return;
    }
  }

  static std::string quoted(std::string_view name) { return fmt::format("\"{}\"", name); }

  // What hangs on one carrier, or on one region.
  void thin() {
    std::map<Reach, std::map<std::size_t, std::set<Country>>> routes;
    for (const auto& cell : coverage_.cells) {
      if (cell.reach != Reach::carrier && cell.reach != Reach::region) continue;
      routes[cell.reach][cell.route].insert(cell.countries.begin(), cell.countries.end());
    }
    for (const auto& [reach, by_route] : routes) {
      const bool one = by_route.size() == 1;
      const std::string names =
          some(by_route, [&](const auto& entry) { return quoted(route_name(entry.first)); });
      if (reach == Reach::carrier) {
        add(by_route.begin()->first,
            fmt::format("route{} {} {} one carrier only: when it is down, messages wait",
                        one ? "" : "s", names, one ? "has" : "have"),
            "add a second carrier to via");
      } else {
        add(by_route.begin()->first,
            fmt::format("the carriers of route{} {} are all in one region: its outage stops them",
                        one ? "" : "s", names),
            "add a carrier of another region, if the traffic may leave it");
      }
    }
  }

  void shadowed() {
    for (std::size_t r = 0; r < coverage_.routes.size(); ++r) {
      const auto& use = coverage_.routes[r];
      if (use.reached || use.shadowed_by.empty()) continue;
      const bool known = std::ranges::any_of(told_, [&](const Finding& finding) {
        return finding.path == config_.route_places[r].path &&
               (finding.what.contains("never reached") || finding.what.contains("matches nothing"));
      });
      if (known) continue;
      add(r,
          fmt::format(
              "route {} is never reached: together, routes before it match all that it "
              "does: {}",
              quoted(route_name(r)),
              some(use.shadowed_by, [&](std::size_t by) { return quoted(route_name(by)); })),
          "move it up, or remove it");
    }
  }

  const Config& config_;
  const Coverage& coverage_;
  const std::vector<Finding>& told_;
  std::vector<Finding> out_;
};

}  // namespace

std::string_view name(Reach reach) {
  constexpr std::string_view kNames[] = {"none", "blocked", "partial", "carrier", "region", "full"};
  return kNames[static_cast<std::size_t>(reach)];
}

Coverage coverage(const Config& config) { return Surveyor(config).survey(); }

std::vector<Finding> coverage_warnings(const Config& config, const Coverage& coverage,
                                       const std::vector<Finding>& told) {
  return Warner(config, coverage, told).warn();
}

}  // namespace trunkline::config
