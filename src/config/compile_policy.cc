#include "config/compile_policy.h"

#include <algorithm>
#include <set>

#include "config/text.h"

namespace trunkline::config {
namespace {

using policy::CountryRules;

constexpr std::string_view kDefault = "default";

// The choice's place in a list of names made by name(E); `otherwise` if nothing is given.
template <class E>
E choice(const Value& value, E otherwise, std::initializer_list<E> all) {
  const std::string text = value.text();
  for (const E one : all) {
    if (name(one) == text) return one;
  }
  return otherwise;
}

policy::SenderRule sender_rule(const Value& value, policy::SenderRule otherwise) {
  using enum policy::SenderRule;
  return choice(value, otherwise,
                {unknown, allowed, registered, some_networks, route, replaced, refused});
}

policy::Action action(const Value& value, policy::Action otherwise) {
  const std::string text = value.text();
  if (text == "allow") return policy::Action::allow;
  if (text == "warn") return policy::Action::warn;
  return text == "refuse" ? policy::Action::refuse : otherwise;
}

policy::Text text_rule(const Value& value) {
  const std::string text = value.text();
  return text == "allowed" ? policy::Text::yes
         : text == "route" ? policy::Text::route
                           : policy::Text::no;
}

// What is given, over what `rules` says; which kinds that were, as bits.
std::uint32_t sender_rules(const Value& value,
                           std::array<policy::SenderRule, policy::kSenderKinds>& rules) {
  constexpr std::string_view kKeys[] = {"alphanumeric", "long_number", "short_code", "toll_free"};
  std::uint32_t given = 0;
  for (std::size_t i = 0; i < policy::kSenderKinds; ++i) {
    const Value& rule = value.at(kKeys[i]);
    if (!rule.given || rule.bad) continue;
    rules[i] = sender_rule(rule, rules[i]);
    given |= CountryRules::kSenders << i;
  }
  return given;
}

class CountryCompiler {
 public:
  CountryCompiler(const Value& countries, Findings& findings)
      : countries_(countries), findings_(findings) {}

  policy::CountryTable compile() {
    std::vector<std::pair<numbering::Country, const Value*>> own;
    for (const Value& item : countries_.items) {
      if (item.name == kDefault) {
        default_ = &item;
        continue;
      }
      const auto country = numbering::Country::parse(item.name);
      if (!country) continue;
      if (!numbering::has_numbers(*country)) {
        findings_.error(item.mark, item.path,
                        fmt::format("no number belongs to {}", quote(item.name)),
                        "write the country as ISO 3166 has it, such as GB");
        continue;
      }
      own.emplace_back(*country, &item);
    }
    for (const policy::CountryFacts& facts : policy::all_countries()) {
      put(*numbering::Country::parse(facts.code), nullptr);
    }
    for (const auto& [country, value] : own) put(country, value);
    CountryRules other = policy::built_in_rules({});
    if (default_ != nullptr) fill(*default_, other);
    table_.put_other(std::move(other));
    return std::move(table_);
  }

 private:
  void put(numbering::Country country, const Value* own) {
    CountryRules rules = policy::built_in_rules(country);
    if (default_ != nullptr) fill(*default_, rules);
    if (own != nullptr) fill(*own, rules);
    table_.put(std::move(rules));
  }

  void fill(const Value& value, CountryRules& rules) {
    if (value.fields.empty()) return;
    senders(value.at("senders"), rules);
    if (value.at("unregistered").given) {
      rules.unregistered = action(value.at("unregistered"), rules.unregistered);
    }
    unknown(value.at("unknown"), rules);
    const auto set = [&](std::string_view key, std::uint32_t field, const auto& apply) {
      const Value& v = value.at(key);
      if (!v.given || v.bad) return;
      rules.configured |= field;
      apply(v);
    };
    set("registry", 0, [&](const Value& v) { rules.registry = v.text(); });
    set("marketing", CountryRules::kMarketing, [&](const Value& v) {
      using enum policy::Marketing;
      rules.marketing = choice(v, rules.marketing, {unknown, allowed, registered, route, refused});
    });
    set("quiet_hours", CountryRules::kQuiet, [&](const Value& v) {
      if (v.text() == "none") {
        rules.quiet = {};
        return;
      }
      const auto window = policy::parse_window(v.text()).value_or(policy::QuietHours{});
      rules.quiet.begin = window.begin;
      rules.quiet.end = window.end;
    });
    set("quiet_days", CountryRules::kQuiet, [&](const Value& v) { quiet_days(v, rules); });
    set("quiet_holidays", CountryRules::kQuiet,
        [&](const Value& v) { rules.quiet.holidays = v.boolean(); });
    set("holidays", CountryRules::kQuiet, [&](const Value& v) {
      rules.days_off.clear();
      for (const Value& item : v.items) {
        if (const auto day = policy::parse_day(item.text())) rules.days_off.push_back(*day);
      }
      std::ranges::sort(rules.days_off);
    });
    set("unicode", CountryRules::kUnicode, [&](const Value& v) { rules.unicode = text_rule(v); });
    set("concatenation", CountryRules::kConcatenation,
        [&](const Value& v) { rules.concatenation = text_rule(v); });
    set("two_way", CountryRules::kTwoWay, [&](const Value& v) {
      rules.two_way = v.boolean() ? policy::Known::yes : policy::Known::no;
    });
    set("links", CountryRules::kLinks, [&](const Value& v) {
      using enum policy::Links;
      rules.links = choice(v, rules.links, {allowed, no_shorteners, registered, refused});
    });
    set("phone_numbers", CountryRules::kPhoneNumbers,
        [&](const Value& v) { rules.no_phone_numbers = !v.boolean(); });
    set("opt_out", CountryRules::kOptOut, [&](const Value& v) { rules.opt_out = v.boolean(); });
    set("consent", CountryRules::kConsent, [&](const Value& v) { rules.consent = v.boolean(); });
    set("sender_prefix", CountryRules::kSenderForm,
        [&](const Value& v) { rules.sender_prefix = v.text(); });
    set("sender_suffix", CountryRules::kSenderForm,
        [&](const Value& v) { rules.sender_suffix = v.text(); });
    set("body_prefix", CountryRules::kBodyPrefix,
        [&](const Value& v) { rules.body_prefix = v.text(); });
    set("verified", 0, [&](const Value& v) {
      rules.verified = policy::parse_day(v.text()).value_or(rules.verified);
    });
    everlasting(value, rules);
  }

  static void senders(const Value& value, CountryRules& rules) {
    if (value.given && !value.bad) rules.configured |= sender_rules(value, rules.senders);
  }

  static void unknown(const Value& value, CountryRules& rules) {
    if (!value.given || value.bad) return;
    constexpr std::string_view kKeys[] = {"otp", "transactional", "support", "marketing"};
    for (std::size_t i = 0; i < policy::kClassKinds; ++i) {
      const Value& what = value.at(kKeys[i]);
      if (what.given) rules.unknown[i] = action(what, rules.unknown[i]);
    }
  }

  static void quiet_days(const Value& value, CountryRules& rules) {
    constexpr std::string_view kDays[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
    rules.quiet.days = 0;
    for (const Value& item : value.items) {
      const auto* const day = std::ranges::find(kDays, item.text());
      if (day == std::end(kDays)) continue;
      rules.quiet.days |= static_cast<std::uint8_t>(1u << (day - std::begin(kDays)));
    }
  }

  void everlasting(const Value& value, const CountryRules& rules) {
    constexpr std::uint8_t kAllDays = 0x7f;
    const Value& days = value.at("quiet_days");
    if (!days.given || rules.quiet.days != kAllDays || !told_.insert(days.path).second) return;
    findings_.error(days.mark, days.path, "every day is quiet, so nothing would ever go out",
                    "leave a day out, or set marketing: refused");
  }

  const Value& countries_;
  Findings& findings_;
  const Value* default_ = nullptr;
  std::set<std::string> told_;
  policy::CountryTable table_;
};

std::vector<numbering::Country> countries_of(const Value& list, Findings& findings) {
  std::vector<numbering::Country> out;
  for (const Value& item : list.items) {
    const auto country = numbering::Country::parse(item.text());
    if (!country) continue;
    if (!numbering::has_numbers(*country)) {
      findings.error(item.mark, item.path,
                     fmt::format("no number belongs to {}", quote(item.text())),
                     "write the country as ISO 3166 has it, such as GB");
      continue;
    }
    out.push_back(*country);
  }
  std::ranges::sort(out);
  return out;
}

// countries and not_countries of a `whose`.
void reach(const Value& value, std::string_view whose, std::vector<numbering::Country>& countries,
           std::vector<numbering::Country>& not_countries, Findings& findings) {
  countries = countries_of(value.at("countries"), findings);
  not_countries = countries_of(value.at("not_countries"), findings);
  const Value& only = value.at("countries");
  if (only.given && !only.bad && only.items.empty()) {
    findings.error(only.mark, only.path, "an empty list allows no country at all",
                   "name the countries, or leave it out");
  }
  for (const Value& item : value.at("not_countries").items) {
    const auto country = numbering::Country::parse(item.text());
    if (!country || !std::ranges::binary_search(countries, *country)) continue;
    findings.error(item.mark, item.path,
                   fmt::format("{} is among the {}'s countries, too", item.text(), whose),
                   "take it out of one of the two lists");
  }
}

// What is given, over what `terms` says.
void carrier_terms(const Value& value, const References& refer, policy::CarrierTerms& terms,
                   Findings& findings) {
  const Value& classes = value.at("classes");
  if (classes.given && !classes.bad) terms.classes = 0;
  for (const Value& item : classes.items) {
    const message::ClassIndex index = refer.traffic_class(item);
    if (!index.is_none()) terms.classes |= 1u << index.at();
  }
  if (classes.given && !classes.bad && classes.items.empty()) {
    findings.error(classes.mark, classes.path, "an empty list allows no class at all",
                   "name the classes, or leave it out");
  }
  const auto set = [&](std::string_view key, const auto& apply) {
    const Value& v = value.at(key);
    if (v.given && !v.bad) apply(v);
  };
  set("senders", [&](const Value& v) { sender_rules(v, terms.senders); });
  set("unicode", [&](const Value& v) { terms.unicode = v.boolean(); });
  set("max_segments",
      [&](const Value& v) { terms.max_segments = static_cast<std::uint8_t>(v.integer()); });
  set("links", [&](const Value& v) {
    using enum policy::Links;
    terms.links = choice(v, terms.links, {allowed, no_shorteners, refused});
  });
  set("phone_numbers", [&](const Value& v) { terms.no_phone_numbers = !v.boolean(); });
  set("opt_out", [&](const Value& v) { terms.opt_out = v.boolean(); });
  set("two_way", [&](const Value& v) { terms.two_way = v.boolean(); });
}

policy::Registration::State state_of(const Value& value) {
  using enum policy::Registration::State;
  return choice(value, active, {active, pending, suspended, rejected});
}

}  // namespace

policy::CountryTable compile_countries(const Value& value, Findings& findings) {
  return CountryCompiler(value, findings).compile();
}

void compile_tenant_policy(const Value& value, const References& refer, policy::Tenant& rules,
                           Findings& findings) {
  reach(value, "tenant", rules.countries, rules.not_countries, findings);
  rules.consent = value.at("consent").text() == "attested";
  rules.keep_sender = value.at("keep_sender").boolean();
  for (const Value& item : value.at("registrations").items) {
    policy::Registration r{.kind = item.at("kind").text(), .id = item.at("id").text()};
    r.country = numbering::Country::parse(item.at("country").text()).value_or(r.country);
    for (const Value& sender : item.at("senders").items) {
      const std::string text = sender.text();
      if (!text.empty() && !value.at("senders").bad &&
          std::ranges::find(rules.senders, text) == rules.senders.end()) {
        findings.error(sender.mark, sender.path,
                       fmt::format("{} is not among the tenant's senders", quote(text)),
                       "add it to the tenant's senders");
      }
      r.senders.push_back(text);
    }
    for (const Value& c : item.at("classes").items) {
      const message::ClassIndex index = refer.traffic_class(c);
      if (!index.is_none()) r.classes |= 1u << index.at();
    }
    for (const Value& c : item.at("carriers").items) {
      const message::CarrierIndex index = refer.carrier(c);
      if (!index.is_none()) r.carriers.push_back(index);
    }
    r.state = state_of(item.at("state"));
    r.expires = policy::parse_day(item.at("expires").text());
    for (const Value& form : item.at("templates").items) r.templates.push_back(form.text());
    if (r.country.known()) rules.registrations.push_back(std::move(r));
  }
}

std::optional<policy::CarrierRules> compile_carrier_policy(const Value& value,
                                                           const References& refer,
                                                           Findings& findings) {
  const Value& given = value.at("policy");
  if (!given.given || given.bad) return std::nullopt;
  policy::CarrierRules rules{.name = value.at("name").text()};
  reach(given, "carrier", rules.countries, rules.not_countries, findings);
  carrier_terms(given, refer, rules.terms, findings);
  for (const Value& item : given.at("by_country").items) {
    const auto country = numbering::Country::parse(item.name);
    if (!country) continue;
    if (!numbering::has_numbers(*country) || !rules.goes_to(*country)) {
      findings.error(item.mark, item.path,
                     numbering::has_numbers(*country)
                         ? fmt::format("the carrier does not go to {}", item.name)
                         : fmt::format("no number belongs to {}", quote(item.name)),
                     numbering::has_numbers(*country)
                         ? "correct its countries or not_countries, or remove this"
                         : "write the country as ISO 3166 has it, such as GB");
      continue;
    }
    policy::CarrierTerms terms = rules.terms;
    carrier_terms(item, refer, terms, findings);
    rules.by_country.emplace_back(*country, terms);
  }
  return rules;
}

}  // namespace trunkline::config
