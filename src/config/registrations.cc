#include "config/registrations.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "base/json_writer.h"
#include "policy/opinion.h"

namespace trunkline::config {
namespace {

using Asks = RegistrationNeed::Asks;
using State = RegistrationNeed::State;

State state_of(const policy::Registration& r) {
  switch (r.state) {
    case policy::Registration::State::pending:
      return State::pending;
    case policy::Registration::State::suspended:
      return State::suspended;
    case policy::Registration::State::rejected:
      return State::rejected;
    case policy::Registration::State::active:
      break;
  }
  return State::expired;  // it is asked for of those that are not in force
}

class Search {
 public:
  Search(const Config& config, base::Wall now) : config_(config), now_(now) {}

  // A class of a tenant, to a country, over these carriers.
  void look_at(message::TenantIndex tenant, message::ClassIndex traffic_class,
               numbering::Country country, const std::vector<message::CarrierIndex>& carriers) {
    const policy::Table& table = config_.tables.policy;
    const policy::Tenant& rules = table.tenants[tenant.at()];
    const auto lists = [&](const auto& list) { return std::ranges::binary_search(list, country); };
    if ((!rules.countries.empty() && !lists(rules.countries)) || lists(rules.not_countries)) return;
    const policy::CountryRules* const own = table.countries.find(country);
    const bool is_marketing =
        policy::rules_of(table, traffic_class).kind == message::ClassKind::marketing;
    for (const std::string& sender : rules.senders) {
      const policy::SenderKind kind = policy::sender_kind(sender);
      const auto ask = [&](Asks asks, message::CarrierIndex carrier = {}) {
        add(tenant, traffic_class, country, sender, kind, asks, carrier);
      };
      const policy::SenderRule rule = own == nullptr ? policy::SenderRule::unknown
                                                     : own->senders[static_cast<std::size_t>(kind)];
      if (rule == policy::SenderRule::refused) continue;  // no registration helps
      if (rule == policy::SenderRule::registered) {
        ask(Asks::country);
      } else if (is_marketing && own != nullptr &&
                 own->marketing == policy::Marketing::registered) {
        ask(Asks::marketing);
      } else if (rule == policy::SenderRule::some_networks) {
        ask(Asks::some_networks);
      }
      for (const message::CarrierIndex carrier : carriers) {
        const policy::CarrierRules* const theirs = table.carriers.find(carrier);
        if (theirs == nullptr) continue;
        const auto& senders = theirs->terms_in(country).senders;
        if (senders[static_cast<std::size_t>(kind)] == policy::SenderRule::registered) {
          ask(Asks::carriers, carrier);
        }
      }
    }
  }

  std::vector<RegistrationNeed> take() {
    std::vector<RegistrationNeed> out;
    for (auto& [key, need] : needs_) out.push_back(std::move(need));
    return out;
  }

 private:
  void add(message::TenantIndex tenant, message::ClassIndex traffic_class,
           numbering::Country country, const std::string& sender, policy::SenderKind kind,
           Asks asks, message::CarrierIndex carrier) {
    const policy::Table& table = config_.tables.policy;
    const policy::Covering found = policy::covering_registration(
        table.tenants[tenant.at()], traffic_class, country, sender, now_, carrier);
    const policy::Registration* const r = found.active != nullptr ? found.active : found.inactive;
    const State state = found.active != nullptr ? State::active
                        : r != nullptr          ? state_of(*r)
                                                : State::missing;
    const std::string id = r == nullptr ? "" : fmt::format("{} {}", r->kind, r->id);
    RegistrationNeed& need = needs_[{country, tenant.at(), kind, asks, state, id}];
    if (need.senders.empty()) {
      need = {.country = country,
              .tenant = tenant,
              .kind = kind,
              .asks = asks,
              .state = state,
              .id = id,
              .expires = r != nullptr && r->expires ? policy::to_string(*r->expires) : "",
              .classes = 0,
              .senders = {},
              .carriers = {},
              .registry = {},
              .time = policy::registration_time(country, kind)};
      if (const auto* const own = table.countries.find(country)) need.registry = own->registry;
    }
    need.classes |= 1u << traffic_class.at();
    need.senders.insert(sender);
    if (!carrier.is_none()) {
      need.carriers.insert(config_.tables.routing.carriers[carrier.at()].name);
    }
  }

  const Config& config_;
  const base::Wall now_;
  std::map<
      std::tuple<numbering::Country, std::size_t, policy::SenderKind, Asks, State, std::string>,
      RegistrationNeed>
      needs_;
};

std::string joined(const std::set<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

std::set<std::string> classes_of(const Config& config, const RegistrationNeed& need) {
  std::set<std::string> out;
  for (std::size_t c = 0; c < config.tables.classes.size(); ++c) {
    if ((need.classes >> c & 1) != 0) out.insert(config.tables.classes[c].name);
  }
  return out;
}

std::string asking(const RegistrationNeed& need) {
  switch (need.asks) {
    case Asks::country:
      break;
    case Asks::some_networks:
      return ", asked for by some networks";
    case Asks::marketing:
      return ", for marketing";
    case Asks::carriers:
      return ", asked for by " + joined(need.carriers);
  }
  return "";
}

}  // namespace

std::string_view name(RegistrationNeed::Asks asks) {
  static constexpr std::string_view kNames[] = {"country", "some_networks", "marketing",
                                                "carriers"};
  return kNames[static_cast<std::size_t>(asks)];
}
std::string_view name(RegistrationNeed::State state) {
  static constexpr std::string_view kNames[] = {"missing",  "pending", "suspended",
                                                "rejected", "expired", "active"};
  return kNames[static_cast<std::size_t>(state)];
}

std::vector<RegistrationNeed> registrations(const Config& config, const Coverage& coverage,
                                            base::Wall now, const std::set<std::string>& only) {
  Search search(config, now);
  for (const Coverage::Cell& cell : coverage.cells) {
    if (cell.reach == Reach::none || cell.reach == Reach::blocked) continue;
    for (const numbering::Country country : cell.countries) {
      if (!only.empty() && !only.contains(country.code())) continue;
      for (const message::TenantIndex tenant : coverage.kinds[cell.kind]) {
        search.look_at(tenant, cell.traffic_class, country, cell.carriers);
      }
    }
  }
  return search.take();
}

std::string registrations_json(const Config& config, const std::vector<RegistrationNeed>& needs) {
  std::string out;
  base::JsonWriter json(out);
  const auto list = [&](std::string_view key, const std::set<std::string>& words) {
    json.key(key).begin_array();
    for (const std::string& word : words) json.string(word);
    json.end_array();
  };
  json.begin_array();
  for (const RegistrationNeed& need : needs) {
    json.begin_object().key("country").string(need.country.code());
    json.key("tenant").string(config.tenants[need.tenant.at()].name);
    json.key("sender_kind").string(policy::name(need.kind));
    list("senders", need.senders);
    list("classes", classes_of(config, need));
    json.key("asked_by").string(name(need.asks));
    list("carriers", need.carriers);
    json.key("registry").string_or_null(need.registry);
    json.key("state").string(name(need.state));
    json.key("registration").string_or_null(need.id);
    json.key("expires").string_or_null(need.expires);
    json.key("days");
    need.time == nullptr ? json.null() : json.integer(need.time->days);
    json.key("source").string_or_null(need.time == nullptr ? "" : need.time->source);
    json.end_object();
  }
  json.end_array();
  return out;
}

std::string registrations_text(const Config& config, const std::vector<RegistrationNeed>& needs) {
  std::string out = "\nRegistrations\n";
  if (needs.empty()) return out + "  none is needed, as far as is known\n";
  for (const RegistrationNeed& need : needs) {
    std::string line =
        fmt::format("  {} {:<12} {:<16} {}", need.country.code(), policy::name(need.kind),
                    config.tenants[need.tenant.at()].name, name(need.state));
    if (!need.id.empty()) line += fmt::format(" ({})", need.id);
    if (!need.expires.empty()) {
      line += need.state == State::expired ? " on " : " until ";
      line += need.expires;
    }
    line += ": " + joined(need.senders);
    const bool some = need.classes != config.tables.policy.tenants[need.tenant.at()].classes;
    if (some && need.asks != Asks::marketing) {
      line += fmt::format(" in {}", joined(classes_of(config, need)));
    }
    line += asking(need);
    if (!need.registry.empty()) line += fmt::format("; in {}", need.registry);
    if (need.state != State::active) {
      line += need.time == nullptr ? "; ask your carrier how long it takes"
                                   : fmt::format("; takes up to {} days", need.time->days);
    }
    out += line + "\n";
  }
  return out;
}

}  // namespace trunkline::config
