// What each country asks for. A message that is allowed costs a look at a handful of bytes.
#include "numbering/time_zones.h"
#include "policy/checks.h"
#include "policy/quiet.h"

namespace trunkline::policy {
namespace {

class CountryChecks : private Checks {
 public:
  CountryChecks(const Table& table, const CountryRules& rules, const Tenant& tenant,
                const Facts& facts, Opinion& opinion)
      : Checks(kNames, table, tenant, facts, opinion), own_(rules) {}

  void run() {
    if (own_.facts == nullptr && own_.configured == 0) {
      unknown([&] { return code(); });
      return;
    }
    if (!facts_.from.empty()) senders();
    if (class_.kind == ClassKind::marketing) marketing();
    text();
    two_way();
    if (facts_.content.has(Content::kRead)) content();
    if (class_.quiet_hours) quiet_hours();
    rest_on(0);
  }

 private:
  static constexpr Rules kNames{"country.sender_kind", "country.registration", "country.text",
                                "country.content", "country.two_way"};

  std::string code() const { return facts_.country.code(); }
  std::string verified() const { return fmt::format("verified {}", to_string(own_.verified)); }

  std::string who() const override { return code(); }
  std::string basis() const override { return fmt::format(" ({})", verified()); }
  std::string correct(std::string_view key) const override {
    return fmt::format(", or correct countries.{}.{}", code(), key);
  }
  std::string_view registry() const override { return own_.registry; }

  // Reasons about a field say the version of whoever said so.
  void rest_on(std::uint32_t field) {
    const bool from_data = field != 0 && (own_.configured & field) == 0;
    opinion_.rest_on(from_data ? countries_version() : std::string_view());
  }

  // `what` is made only if somebody reads it.
  void unknown(const auto& what) {
    constexpr std::string_view kRule = "country.unknown";
    const Action action = own_.unknown[static_cast<std::size_t>(class_.kind)];
    if (is_brief(action, kRule)) return;
    opinion_.act(action, kRule,
                 "nothing is known of {}; say what holds under countries.{}, or what to do where "
                 "nothing is known under its `unknown`",
                 what(), code());
  }

  // --- senders ----------------------------------------------------------------------------------

  void senders() {
    const SenderKind kind = sender_kind(facts_.from);
    const auto at = static_cast<std::size_t>(kind);
    rest_on(CountryRules::kSenders << at);
    if (own_.senders[at] == SenderRule::unknown) {
      unknown([&] { return fmt::format("{} senders in {}", name(kind), code()); });
    } else {
      sender(kind, own_.senders[at], own_.unregistered);
    }
    if (kind == SenderKind::alphanumeric && class_.kind == ClassKind::marketing) sender_format();
  }

  // A view for texts that are only made with `explain`.
  std::string_view rules_code() const {
    return own_.facts != nullptr ? own_.facts->code : std::string_view("the country");
  }

  void sender_format() {
    rest_on(CountryRules::kSenderForm);
    constexpr std::string_view kRule = "country.sender_format";
    if (!own_.sender_prefix.empty() && !facts_.from.starts_with(own_.sender_prefix)) {
      opinion_.refuse(kRule, "senders of marketing to {} begin with {} ({})", code(),
                      own_.sender_prefix, verified());
    }
    if (!own_.sender_suffix.empty() && !facts_.from.ends_with(own_.sender_suffix)) {
      opinion_.refuse(kRule, "senders of marketing to {} end with {} ({})", code(),
                      own_.sender_suffix, verified());
    }
  }

  // --- marketing --------------------------------------------------------------------------------

  void marketing() {
    constexpr std::string_view kRule = "country.class";
    rest_on(CountryRules::kMarketing);
    switch (own_.marketing) {
      case Marketing::allowed:
        opinion_.allow(kRule, "{} takes marketing", rules_code());
        break;
      case Marketing::unknown:
        unknown([&] { return "marketing to " + code(); });
        break;
      case Marketing::refused:
        opinion_.refuse(kRule,
                        "{} takes no marketing ({}); correct countries.{}.marketing if you have "
                        "leave",
                        code(), verified(), code());
        break;
      case Marketing::registered:
        if (covering_registration(tenant_, facts_.traffic_class, facts_.country, facts_.from,
                                  facts_.now)
                .active != nullptr) {
          opinion_.allow(kRule, "{} takes marketing that is registered", rules_code());
        } else {
          opinion_.refuse(kRule,
                          "{} takes marketing only if it is registered ({}); add what you have to "
                          "the tenant's registrations",
                          code(), verified());
        }
        break;
      case Marketing::route:
        opinion_.warn(kRule, "whether {} takes marketing depends on the carrier", rules_code());
        break;
    }
    consent();
  }

  void consent() {
    if (!own_.consent) return;
    rest_on(CountryRules::kConsent);
    constexpr std::string_view kRule = "country.consent";
    if (facts_.consent) {
      opinion_.allow(kRule, "the message says where the recipient's consent comes from");
    } else if (tenant_.consent) {
      opinion_.allow(kRule, "tenant {} attests the recipient's consent", tenant_.name);
    } else {
      opinion_.refuse(kRule,
                      "marketing to {} needs the recipient's consent ({}); have it, and set the "
                      "tenant's consent: attested",
                      code(), verified());
    }
  }

  // --- texts ------------------------------------------------------------------------------------

  void text() {
    constexpr std::string_view kRule = "country.text";
    rest_on(CountryRules::kUnicode);
    unicode(own_.unicode);
    if (facts_.segments > 1 && own_.concatenation >= Text::route) {
      rest_on(CountryRules::kConcatenation);
      const bool refused =
          own_.concatenation == Text::no && (own_.configured & CountryRules::kConcatenation) != 0;
      if (refused) {
        opinion_.refuse(kRule, "{} takes no texts of several segments; write a shorter one",
                        code());
      } else {
        opinion_.warn(kRule, "phones in {} may show the segments as messages of their own",
                      rules_code());
      }
    }
  }

  void content() {
    constexpr std::string_view kRule = "country.content";
    const Content& c = facts_.content;
    rest_on(CountryRules::kLinks);
    links(own_.links);
    rest_on(CountryRules::kPhoneNumbers);
    if (own_.no_phone_numbers) phone_numbers();
    if (class_.kind == ClassKind::marketing) {
      rest_on(CountryRules::kOptOut);
      if (own_.opt_out) opt_out();
      if (!own_.body_prefix.empty() && !c.has(Content::kPrefix)) {
        rest_on(CountryRules::kBodyPrefix);
        opinion_.refuse(kRule, "marketing to {} begins with {} ({})", code(), own_.body_prefix,
                        verified());
      }
    }
    const Covering found = covering_registration(tenant_, facts_.traffic_class, facts_.country,
                                                 facts_.from, facts_.now);
    if (found.active != nullptr && !found.active->templates.empty() && !c.has(Content::kTemplate)) {
      rest_on(0);
      opinion_.refuse(kRule, "the text is none of the templates of registration {} of tenant {}",
                      found.active->id, tenant_.name);
    }
  }

  void two_way() {
    if (own_.two_way != Known::no) return;
    rest_on(CountryRules::kTwoWay);
    one_way(/*refuses=*/(own_.configured & CountryRules::kTwoWay) != 0);
  }

  // --- quiet hours ------------------------------------------------------------------------------

  void quiet_hours() {
    if (!own_.quiet.any()) return;
    constexpr std::string_view kRule = "country.quiet_hours";
    rest_on(CountryRules::kQuiet);
    const auto zones = numbering::time_zones(facts_.to);
    const auto opening = next_opening(own_.quiet, own_.days_off, zones, facts_.now);
    if (!opening) {
      opinion_.refuse(kRule,
                      "it is quiet in {} ({}) for more than 7 days on, in one or another of the "
                      "{} time zones the number may be in; narrow countries.{}.quiet_hours",
                      code(), to_string(own_.quiet), zones.size(), code());
    } else if (opening->at > facts_.now) {
      const std::string_view zone = opening->zone.empty() ? "UTC" : opening->zone;
      opinion_.hold(opening->at, kRule, "quiet in {} ({}); held until {}, when it is day in {}{}",
                    code(), to_string(own_.quiet), base::format_rfc3339(opening->at), zone,
                    zones.size() > 1
                        ? fmt::format(" and all {} zones the number may be in", zones.size())
                        : "");
    } else if (opinion_.explains()) {
      opinion_.allow(kRule, "quiet in {} is {}, not now", code(), to_string(own_.quiet));
    }
  }

  const CountryRules& own_;
};

bool covers(const Registration& r, message::ClassIndex traffic_class, numbering::Country country,
            std::string_view from, message::CarrierIndex carrier) {
  return r.country == country && (r.classes == 0 || (r.classes >> traffic_class.at() & 1) != 0) &&
         (r.senders.empty() || from.empty() ||
          std::ranges::find(r.senders, from) != r.senders.end()) &&
         (r.carriers.empty() || carrier.is_none() ||
          std::ranges::find(r.carriers, carrier) != r.carriers.end());
}

}  // namespace

Covering covering_registration(const Tenant& tenant, message::ClassIndex traffic_class,
                               numbering::Country country, std::string_view from, base::Wall now,
                               message::CarrierIndex carrier) {
  Covering found;
  for (const Registration& r : tenant.registrations) {
    if (!covers(r, traffic_class, country, from, carrier)) continue;
    const bool expired = r.expires && *r.expires <= day_of(now);
    if (r.state == Registration::State::active && !expired) {
      found.active = &r;
      return found;
    }
    found.inactive = &r;
  }
  return found;
}

namespace {

bool asks_for_template(const Table& table, message::TenantIndex tenant,
                       message::ClassIndex traffic_class) {
  return table.tenants[tenant.at()].otp_templates &&
         rules_of(table, traffic_class).kind == ClassKind::otp;
}

}  // namespace

void check_country(const Table& table, const Tenant& tenant, const Facts& facts, Opinion& opinion) {
  const CountryRules* rules = table.countries.find(facts.country);
  if (rules == nullptr) return;
  CountryChecks(table, *rules, tenant, facts, opinion).run();
}

std::vector<Quiet> quiet_times(const Table& table, const Facts& facts, base::Duration ttl) {
  const CountryRules* rules = table.countries.find(facts.country);
  std::vector<Quiet> out;
  if (rules == nullptr || !rules->quiet.any()) return out;
  if (!rules_of(table, facts.traffic_class).quiet_hours) return out;
  const auto zones = numbering::time_zones(facts.to);
  base::Wall open = facts.now;
  base::Duration left = ttl;
  while (out.size() < kQuietTimesMax) {
    const base::Wall begin = next_closing(rules->quiet, rules->days_off, zones, open);
    if (begin - open >= left) break;
    const auto opening = next_opening(rules->quiet, rules->days_off, zones, begin);
    out.push_back({begin, opening ? opening->at : begin + kHoldMax});
    if (!opening) break;
    left -= begin - open;
    open = opening->at;
  }
  return out;
}

bool asks_for_content(const Table& table, message::TenantIndex tenant,
                      message::ClassIndex traffic_class, numbering::Country country) {
  if (asks_for_template(table, tenant, traffic_class)) return true;
  const bool is_marketing = rules_of(table, traffic_class).kind == ClassKind::marketing;
  for (const CarrierRules& carrier : table.carriers.all()) {
    if (carrier.terms_in(country).asks_for_content(is_marketing)) return true;
  }
  const CountryRules* rules = table.countries.find(country);
  if (rules == nullptr) return false;
  if (rules->links != Links::allowed || rules->no_phone_numbers) return true;
  if (is_marketing && (rules->opt_out || !rules->body_prefix.empty())) return true;
  return std::ranges::any_of(table.tenants[tenant.at()].registrations, [&](const auto& r) {
    return r.country == country && !r.templates.empty();
  });
}

Content read_content(const Table& table, message::TenantIndex tenant,
                     message::ClassIndex traffic_class, numbering::Country country,
                     std::string_view from, std::string_view text) {
  Content out = read_content(text);
  const CountryRules* rules = table.countries.find(country);
  if (rules != nullptr && !rules->body_prefix.empty() && text.starts_with(rules->body_prefix)) {
    out.bits |= Content::kPrefix;
  }
  if (asks_for_template(table, tenant, traffic_class)) {
    const auto is_it = [&](const TextTemplate& t) {
      return (t.traffic_class.is_none() || t.traffic_class == traffic_class) &&
             t.has(TextTemplate::FieldKind::code) && !t.has(TextTemplate::FieldKind::link) &&
             t.matches(text);
    };
    if (std::ranges::any_of(table.tenants[tenant.at()].templates, is_it)) {
      out.bits |= Content::kOtp;
    }
  }
  for (const Registration& r : table.tenants[tenant.at()].registrations) {
    if (covers(r, traffic_class, country, from, {}) &&
        std::ranges::any_of(
            r.templates, [&](const std::string& form) { return matches_template(form, text); })) {
      out.bits |= Content::kTemplate;
    }
  }
  return out;
}

}  // namespace trunkline::policy
