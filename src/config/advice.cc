// Warnings. Each names what will happen, not only what is odd.
#include <algorithm>
#include <map>
#include <set>

#include "config/compile.h"

namespace trunkline::config {
namespace {

using message::TrafficClass;
using routing::Match;

constexpr double kAnswerSeconds = 0.1;  // the slower end of what carriers take

class Adviser {
 public:
  Adviser(const Value& root, const Config& config, Findings& findings)
      : root_(root), config_(config), findings_(findings), sound_(findings.errors() == 0) {}

  void advise() {
    if (sound_) absences();
    classes();
    carriers();
    if (sound_) routes();
    if (sound_) lookups();
    if (sound_) tenants();
  }

 private:
  void warn(const Value& at, std::string what, std::string remedy) {
    findings_.warning(at.mark, at.path, std::move(what), std::move(remedy));
  }

  const std::string& class_name(std::size_t i) const { return config_.tables.classes[i].name; }

  static bool any_class(const Match& match, std::uint32_t classes) {
    return match.classes == 0 || (match.classes & classes) != 0;
  }
  static bool any_tenant(const Match& match, std::size_t tenant) {
    return match.tenants.empty() ||
           std::ranges::any_of(match.tenants, [&](auto t) { return t.at() == tenant; });
  }

  void absences() {
    if (root_.at("carriers").items.empty()) {
      warn(root_.at("carriers"), "there is no carrier, so nothing can be sent", "add carriers:");
    }
    if (root_.at("routes").items.empty()) {
      warn(root_.at("routes"), "there is no route, so nothing can be sent", "add routes:");
    }
    if (root_.at("tenants").items.empty()) {
      warn(root_.at("tenants"), "there is no tenant, so nobody can send", "add tenants:");
    }
    const Value& tokens = root_.at("admin").at("tokens");
    if (config_.admin && tokens.items.empty()) {
      warn(root_.at("listen").at("admin"), "no token opens the operator API",
           "add one to admin.tokens; trunkline keys new --role operator makes it");
    }
    if (!config_.admin && !tokens.items.empty()) {
      warn(tokens, "the tokens are of no use: there is no admin listener", "add listen.admin");
    }
    const bool at_home = std::ranges::any_of(root_.at("carriers").items, [&](const Value& c) {
      return c.at("region").text() == config_.node_region;
    });
    if (!root_.at("carriers").items.empty() && !at_home) {
      warn(root_.at("node").at("region"),
           fmt::format("no carrier is in region {}, so none is preferred",
                       quote(config_.node_region)),
           "use the same words for regions everywhere");
    }
  }

  void classes() {
    std::uint32_t used = 0;
    for (const auto& tenant : config_.tables.policy.tenants) used |= tenant.classes;
    for (const Value& value : root_.at("classes").items) {
      const message::ClassIndex index = config_.find_class(value.name);
      if (index.is_none()) continue;
      if (sound_ && (used >> index.at() & 1) == 0) {
        warn(value, fmt::format("no tenant may send class {}", quote(value.name)),
             "add it to a tenant's classes");
      }
      const TrafficClass& c = config_.tables.classes[index.at()];
      if (c.response_timeout >= c.ttl) {
        warn(value,
             fmt::format("a submit may wait {} for its answer, but messages expire after {}",
                         base::format_duration(c.response_timeout), base::format_duration(c.ttl)),
             "lower response_timeout, so that another carrier can be tried in time");
      }
      if (c.retry.attempts > 1 && c.retry.refused.first >= c.ttl) {
        warn(
            value,
            fmt::format("the first retry comes after {}, when messages have expired ({})",
                        base::format_duration(c.retry.refused.first), base::format_duration(c.ttl)),
            "lower retry.first");
      }
    }
  }

  void lookups() {
    const auto& tables = config_.tables;
    if (!config_.lookup || tables.routing.wants_networks || tables.refuses_invalid) return;
    warn(root_.at("numbering").at("lookup"),
         "numbers are looked up, but no route and no price asks for a network",
         "match mccmnc or network in a route, give prices by mccmnc, set invalid: refuse, or save "
         "the money");
  }

  void carriers() {
    std::set<std::size_t> used;
    for (const routing::Route& route : config_.tables.routing.routes) {
      for (const routing::Via& via : route.via) used.insert(via.carrier.at());
      if (route.canary) used.insert(route.canary->carrier.at());
    }
    std::map<std::string, const Value*> accounts;
    for (const Value& value : root_.at("carriers").items) {
      const std::string name = value.at("name").text();
      const auto found = std::ranges::find(config_.carriers, name, &Carrier::name);
      if (found == config_.carriers.end()) continue;
      const auto index = static_cast<std::size_t>(found - config_.carriers.begin());
      if (sound_ && !used.contains(index)) {
        warn(value, fmt::format("no route uses carrier {}", quote(name)),
             "name it in a route's via, or remove it");
      }
      reach(value, *found, config_.tables.carriers[index].rate_per_s);
      const SmppCarrier& smpp = found->smpp;
      if (smpp.host.empty() || smpp.system_id.empty()) continue;
      dialect(value.at("smpp"), smpp);
      const auto [first, is_new] = accounts.try_emplace(
          fmt::format("{} {} {}", smpp.host, smpp.port, smpp.system_id), &value);
      if (!is_new) {
        warn(value.at("smpp"),
             fmt::format("the same account as carrier {}: the SMSC counts their binds and rates "
                         "together",
                         quote(first->second->at("name").text())),
             "make them one carrier, with more binds if need be");
      }
    }
  }

  void dialect(const Value& value, const SmppCarrier& smpp) {
    constexpr std::size_t kPasswordOfTheBook = 8;
    if (smpp.password.size() > kPasswordOfTheBook) {
      warn(value.at("password"),
           fmt::format("the password has {} characters; SMPP allows 8, and many carriers cut or "
                       "refuse longer ones",
                       smpp.password.size()),
           "ask the carrier for a shorter one, unless it gave you this one");
    }
    if (smpp.interface_version < 0x34 && smpp.bind == SmppCarrier::Bind::transceiver) {
      warn(value.at("interface_version"), "SMPP 3.3 knows no transceiver binds",
           "set bind: transmitter_receiver, or interface_version: \"3.4\"");
    }
    const SmppOptions& options = smpp.options;
    const Value& deadline = value.at("receipts").at("deadline");
    if (options.registered_delivery == smpp::registered_delivery::kNone && deadline.given) {
      warn(deadline, "no receipt is asked for, so none is waited for",
           "remove it, or set registered_delivery: final");
    }
  }

  void reach(const Value& value, const Carrier& carrier, double rate) {
    const double outstanding = static_cast<double>(carrier.smpp.window) * carrier.smpp.binds;
    const double reached = outstanding / kAnswerSeconds;
    if (rate <= reached) return;
    const Value& window = value.at("smpp").at("window");
    warn(window.given ? window : value.at("smpp"),
         fmt::format("window {} x {} binds carries {:g}/s where the carrier answers in 100 ms; "
                     "its rate is {:g}/s",
                     carrier.smpp.window, carrier.smpp.binds, reached, rate),
         fmt::format("raise the window to {:.0f}, or the binds",
                     std::ceil(rate * kAnswerSeconds / carrier.smpp.binds)));
  }

  // Does `wide` match all that `narrow` does?
  static bool covers(const Match& wide, const Match& narrow) {
    const auto set_covers = [](const auto& all, const auto& some) {
      return all.empty() || (!some.empty() && std::ranges::all_of(some, [&](const auto& one) {
               return std::ranges::find(all, one) != all.end();
             }));
    };
    const bool classes =
        wide.classes == 0 || (narrow.classes != 0 && (narrow.classes & ~wide.classes) == 0);
    const bool types = wide.types == 0 || (narrow.types != 0 && (narrow.types & ~wide.types) == 0);
    const bool unicode = !wide.unicode || wide.unicode == narrow.unicode;
    const bool segments =
        wide.segments_min <= narrow.segments_min && wide.segments_max >= narrow.segments_max;
    return classes && types && unicode && segments && (!wide.when || wide.when == narrow.when) &&
           set_covers(wide.countries, narrow.countries) &&
           set_covers(wide.networks, narrow.networks) && set_covers(wide.tenants, narrow.tenants) &&
           set_covers(wide.senders, narrow.senders);
  }

  void routes() {
    const auto& routes = config_.tables.routing.routes;
    const auto& values = root_.at("routes").items;
    // Pairs are compared; beyond this many routes only a catch-all is looked for.
    constexpr std::size_t kPairsMax = 2000;
    for (std::size_t i = 0; i < routes.size() && i < values.size(); ++i)
      texts(values[i], routes[i]);
    const routing::Route* catch_all = nullptr;
    for (std::size_t i = 0; i < routes.size() && i < values.size(); ++i) {
      const routing::Route* before = catch_all;
      for (std::size_t j = 0; j < i && i < kPairsMax && before == nullptr; ++j) {
        if (covers(routes[j].match, routes[i].match)) before = &routes[j];
      }
      if (before != nullptr) {
        warn(values[i],
             fmt::format("route {} is never reached: {} before it matches all that it does",
                         quote(routes[i].name), quote(before->name)),
             "move it up, or remove it");
      } else {
        usable(values[i], routes[i]);
      }
      if (catch_all == nullptr && covers(routes[i].match, Match{})) catch_all = &routes[i];
    }
  }

  void texts(const Value& value, const routing::Route& route) {
    const auto text = [&](const routing::Via& via) {
      return config_.tables.carriers[via.carrier.at()].text;
    };
    const auto other = std::ranges::find_if(
        route.via, [&](const routing::Via& via) { return text(via) != text(route.via.front()); });
    if (other == route.via.end()) return;
    const auto name = [&](const routing::Via& via) {
      return config_.carriers[via.carrier.at()].name;
    };
    warn(value,
         fmt::format("carriers {} and {} take texts differently: those of several segments are "
                     "cut as for a carrier without smpp.text",
                     quote(name(route.via.front())), quote(name(*other))),
         "give them the same smpp.text, or a route each");
  }

  // Can any tenant send something that the route matches?
  void usable(const Value& value, const routing::Route& route) {
    const auto& tenants = config_.tables.policy.tenants;
    if (route.match.classes == 0 || tenants.empty()) return;
    for (std::size_t t = 0; t < tenants.size(); ++t) {
      if (any_tenant(route.match, t) && any_class(route.match, tenants[t].classes)) return;
    }
    warn(value,
         fmt::format("route {} matches nothing: its tenants may not send its classes",
                     quote(route.name)),
         "add the class to a tenant's classes, or change the match");
  }

  void tenants() {
    std::set<std::size_t> with_keys;
    for (const ApiKey& key : config_.keys) with_keys.insert(key.tenant.at());
    const auto& tenants = config_.tables.policy.tenants;
    std::map<std::string, std::size_t> index;
    for (std::size_t i = 0; i < tenants.size(); ++i) index[tenants[i].name] = i;
    for (const Value& value : root_.at("tenants").items) {
      const auto found = index.find(value.at("name").text());
      if (found == index.end()) continue;
      if (!with_keys.contains(found->second)) {
        warn(value, fmt::format("tenant {} has no key, so it cannot send", quote(found->first)),
             "add one to keys; trunkline keys new makes it");
      }
      no_template(value, tenants[found->second]);
      unrouted(value, found->second);
    }
  }

  void no_template(const Value& value, const policy::Tenant& tenant) {
    if (!tenant.otp_templates) return;
    const auto is_otp = [&](std::size_t c) {
      return config_.tables.classes[c].kind == message::ClassKind::otp;
    };
    bool sends = false;
    for (std::size_t c = 0; c < config_.tables.classes.size(); ++c) {
      sends |= (tenant.classes >> c & 1) != 0 && is_otp(c);
    }
    const bool any = std::ranges::any_of(tenant.templates, [&](const policy::TextTemplate& t) {
      return t.has(policy::TextTemplate::FieldKind::code) &&
             (t.traffic_class.is_none() || is_otp(t.traffic_class.at()));
    });
    if (!sends || any) return;
    warn(value,
         fmt::format("tenant {} may send one-time passwords and has no template with a code: each "
                     "{}",
                     quote(tenant.name),
                     tenant.otp_otherwise.is_none()
                         ? "is refused"
                         : "goes as class " + class_name(tenant.otp_otherwise.at())),
         "add their text to templates, or write otp: { templates: not_required }");
  }

  void unrouted(const Value& value, std::size_t tenant) {
    const auto& routes = config_.tables.routing.routes;
    if (routes.empty()) return;
    std::string names;
    for (std::size_t c = 0; c < config_.tables.classes.size(); ++c) {
      if ((config_.tables.policy.tenants[tenant].classes >> c & 1) == 0) continue;
      const bool routed = std::ranges::any_of(routes, [&](const routing::Route& route) {
        return any_tenant(route.match, tenant) && any_class(route.match, 1u << c);
      });
      if (!routed) names += fmt::format("{}{}", names.empty() ? "" : ", ", class_name(c));
    }
    if (names.empty()) return;
    warn(value,
         fmt::format("no route takes what tenant {} sends as {}",
                     quote(config_.tenants[tenant].name), names),
         "add a route, at best one that matches everything as the last");
  }

  const Value& root_;
  const Config& config_;
  Findings& findings_;
  // With errors, names lead nowhere: what follows from "no route names it" would be noise.
  bool sound_;
};

}  // namespace

void advise(const Value& root, const Config& config, Findings& findings) {
  Adviser(root, config, findings).advise();
}

}  // namespace trunkline::config
