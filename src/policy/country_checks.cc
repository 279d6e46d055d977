// What each country asks for. A message that is allowed costs a look at a handful of bytes.
#include "numbering/time_zones.h"
#include "policy/opinion.h"
#include "policy/quiet.h"

namespace trunkline::policy {
namespace {

ClassRules rules_of(const Table& table, message::ClassIndex traffic_class) {
  const std::size_t at = traffic_class.at();
  return at < table.class_rules.size() ? table.class_rules[at] : ClassRules{};
}

class Checks {
 public:
  Checks(const Table& table, const CountryRules& rules, const Tenant& tenant, const Facts& facts,
         Opinion& opinion)
      : table_(table),
        rules_(rules),
        class_(rules_of(table, facts.traffic_class)),
        tenant_(tenant),
        facts_(facts),
        opinion_(opinion) {}

  void run() {
    if (rules_.facts == nullptr && rules_.configured == 0) {
      unknown([&] { return code(); });
      return;
    }
    if (!facts_.from.empty()) sender();
    if (class_.kind == ClassKind::marketing) marketing();
    text();
    if (facts_.content.has(Content::kRead)) content();
    if (class_.quiet_hours) quiet_hours();
    rest_on(0);
  }

 private:
  std::string code() const { return facts_.country.code(); }
  std::string verified() const { return fmt::format("verified {}", to_string(rules_.verified)); }

  // Reasons about a field say the version of whoever said so.
  void rest_on(std::uint32_t field) {
    const bool from_data = field != 0 && (rules_.configured & field) == 0;
    opinion_.rest_on(from_data ? countries_version() : std::string_view());
  }

  // Nobody reads the text of what is allowed: then it is not made.
  bool is_brief(Action action, std::string_view rule) {
    if (action == Action::refuse || opinion_.explains()) return false;
    if (action == Action::warn) opinion_.warn(rule, "");
    return true;
  }

  // `what` is made only if somebody reads it.
  void unknown(const auto& what) {
    constexpr std::string_view kRule = "country.unknown";
    const Action action = rules_.unknown[static_cast<std::size_t>(class_.kind)];
    if (is_brief(action, kRule)) return;
    opinion_.act(action, kRule,
                 "nothing is known of {}; say what holds under countries.{}, or what to do where "
                 "nothing is known under its `unknown`",
                 what(), code());
  }

  // --- senders ----------------------------------------------------------------------------------

  void sender() {
    const SenderKind kind = sender_kind(facts_.from);
    const auto at = static_cast<std::size_t>(kind);
    rest_on(CountryRules::kSenders << at);
    constexpr std::string_view kRule = "country.sender_kind";
    switch (rules_.senders[at]) {
      case SenderRule::allowed:
        opinion_.allow(kRule, "{} takes {} senders", rules_code(), name(kind));
        break;
      case SenderRule::unknown:
        unknown([&] { return fmt::format("{} senders in {}", name(kind), code()); });
        break;
      case SenderRule::refused:
        if (is_brief(softened(Action::refuse), kRule)) break;
        opinion_.act(softened(Action::refuse), kRule,
                     "{} takes no {} senders ({}); give another `from`, or none, or correct "
                     "countries.{}.senders",
                     code(), name(kind), verified(), code());
        break;
      case SenderRule::registered:
        registration(kind);
        break;
      case SenderRule::some_networks:
        opinion_.warn(kRule, "some networks of {} take {} senders only if they are registered",
                      rules_code(), name(kind));
        break;
      case SenderRule::route:
        opinion_.warn(kRule, "whether {} senders are taken in {} depends on the carrier",
                      name(kind), rules_code());
        break;
      case SenderRule::replaced:
        opinion_.warn(kRule, "{} senders are shown as others in {}", name(kind), rules_code());
        break;
    }
    if (kind == SenderKind::alphanumeric && class_.kind == ClassKind::marketing) sender_format();
  }

  // What is asked of senders, where nobody is there to ask.
  Action softened(Action action) const {
    const bool soft = action == Action::refuse && table_.demo && numbering::is_fictional(facts_.to);
    return soft ? Action::warn : action;
  }

  // A view for texts that are only made with `explain`.
  std::string_view rules_code() const {
    return rules_.facts != nullptr ? rules_.facts->code : std::string_view("the country");
  }

  void registration(SenderKind kind) {
    constexpr std::string_view kRule = "country.registration";
    const Covering found = covering_registration(tenant_, facts_.traffic_class, facts_.country,
                                                 facts_.from, facts_.now);
    if (found.active != nullptr) {
      opinion_.allow(kRule, "sender {} is registered in {}: {} {}", facts_.from, rules_code(),
                     found.active->kind, found.active->id);
      return;
    }
    const Action action = softened(rules_.unregistered);
    if (is_brief(action, kRule)) return;
    const std::string registry =
        rules_.registry.empty() ? "" : fmt::format(" ({})", rules_.registry);
    if (found.inactive == nullptr) {
      opinion_.act(action, kRule,
                   "{} takes {} senders only if they are registered{} ({}), and tenant {} has no "
                   "registration of {} there; add it to the tenant's registrations",
                   code(), name(kind), registry, verified(), tenant_.name, facts_.from);
      return;
    }
    const Registration& r = *found.inactive;
    const std::string why = r.state != Registration::State::active
                                ? fmt::format("is {}", name(r.state))
                                : fmt::format("expired on {}", to_string(*r.expires));
    opinion_.act(action, kRule,
                 "{} takes {} senders only if they are registered{} ({}), and registration {} of "
                 "tenant {} {}; renew it, and correct it in the tenant's registrations",
                 code(), name(kind), registry, verified(), r.id, tenant_.name, why);
  }

  void sender_format() {
    rest_on(CountryRules::kSenderForm);
    constexpr std::string_view kRule = "country.sender_format";
    if (!rules_.sender_prefix.empty() && !facts_.from.starts_with(rules_.sender_prefix)) {
      opinion_.refuse(kRule, "senders of marketing to {} begin with {} ({})", code(),
                      rules_.sender_prefix, verified());
    }
    if (!rules_.sender_suffix.empty() && !facts_.from.ends_with(rules_.sender_suffix)) {
      opinion_.refuse(kRule, "senders of marketing to {} end with {} ({})", code(),
                      rules_.sender_suffix, verified());
    }
  }

  // --- marketing --------------------------------------------------------------------------------

  void marketing() {
    constexpr std::string_view kRule = "country.class";
    rest_on(CountryRules::kMarketing);
    switch (rules_.marketing) {
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
    if (!rules_.consent) return;
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
    if (facts_.unicode && rules_.unicode >= Text::route) {
      rest_on(CountryRules::kUnicode);
      if (rules_.unicode == Text::no) {
        opinion_.refuse(kRule, "{} takes no texts in Unicode; write it in the GSM alphabet",
                        code());
      } else {
        opinion_.warn(kRule, "not every network of {} takes texts in Unicode", rules_code());
      }
    }
    if (facts_.segments > 1 && rules_.concatenation >= Text::route) {
      rest_on(CountryRules::kConcatenation);
      const bool refused = rules_.concatenation == Text::no &&
                           (rules_.configured & CountryRules::kConcatenation) != 0;
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
    if (rules_.links == Links::refused && c.has(Content::kLink)) {
      opinion_.refuse(kRule, "texts to {} may hold no links ({})", code(), verified());
    } else if (rules_.links == Links::no_shorteners && c.has(Content::kShortLink)) {
      opinion_.refuse(kRule,
                      "texts to {} may hold no links of public shorteners ({}); write your own "
                      "domain",
                      code(), verified());
    } else if (rules_.links == Links::registered && c.has(Content::kLink)) {
      opinion_.warn(kRule, "networks of {} drop links they do not know", rules_code());
    }
    if (rules_.no_phone_numbers && c.has(Content::kPhoneNumber)) {
      rest_on(CountryRules::kPhoneNumbers);
      opinion_.refuse(kRule, "texts to {} may hold no phone numbers ({})", code(), verified());
    }
    if (class_.kind == ClassKind::marketing) {
      if (rules_.opt_out && !c.has(Content::kOptOut)) {
        rest_on(CountryRules::kOptOut);
        opinion_.refuse(kRule,
                        "marketing to {} must say how to get no more of it, such as STOP ({})",
                        code(), verified());
      }
      if (!rules_.body_prefix.empty() && !c.has(Content::kPrefix)) {
        rest_on(CountryRules::kBodyPrefix);
        opinion_.refuse(kRule, "marketing to {} begins with {} ({})", code(), rules_.body_prefix,
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

  // --- quiet hours ------------------------------------------------------------------------------

  void quiet_hours() {
    if (!rules_.quiet.any()) return;
    constexpr std::string_view kRule = "country.quiet_hours";
    rest_on(CountryRules::kQuiet);
    const auto zones = numbering::time_zones(facts_.to);
    const auto opening = next_opening(rules_.quiet, rules_.days_off, zones, facts_.now);
    if (!opening) {
      opinion_.refuse(kRule,
                      "it is quiet in {} ({}) for more than 7 days on, in one or another of the "
                      "{} time zones the number may be in; narrow countries.{}.quiet_hours",
                      code(), to_string(rules_.quiet), zones.size(), code());
    } else if (opening->at > facts_.now) {
      const std::string_view zone = opening->zone.empty() ? "UTC" : opening->zone;
      opinion_.hold(opening->at, kRule, "quiet in {} ({}); held until {}, when it is day in {}{}",
                    code(), to_string(rules_.quiet), base::format_rfc3339(opening->at), zone,
                    zones.size() > 1
                        ? fmt::format(" and all {} zones the number may be in", zones.size())
                        : "");
    } else if (opinion_.explains()) {
      opinion_.allow(kRule, "quiet in {} is {}, not now", code(), to_string(rules_.quiet));
    }
  }

  const Table& table_;
  const CountryRules& rules_;
  const ClassRules class_;
  const Tenant& tenant_;
  const Facts& facts_;
  Opinion& opinion_;
};

bool covers(const Registration& r, message::ClassIndex traffic_class, numbering::Country country,
            std::string_view from) {
  return r.country == country && (r.classes == 0 || (r.classes >> traffic_class.at() & 1) != 0) &&
         (r.senders.empty() || from.empty() ||
          std::ranges::find(r.senders, from) != r.senders.end());
}

}  // namespace

Covering covering_registration(const Tenant& tenant, message::ClassIndex traffic_class,
                               numbering::Country country, std::string_view from, base::Wall now) {
  Covering found;
  for (const Registration& r : tenant.registrations) {
    if (!covers(r, traffic_class, country, from)) continue;
    const bool expired = r.expires && *r.expires <= day_of(now);
    if (r.state == Registration::State::active && !expired) {
      found.active = &r;
      return found;
    }
    found.inactive = &r;
  }
  return found;
}

void check_country(const Table& table, const Tenant& tenant, const Facts& facts, Opinion& opinion) {
  const CountryRules* rules = table.countries.find(facts.country);
  if (rules == nullptr) return;
  Checks(table, *rules, tenant, facts, opinion).run();
}

bool asks_for_content(const Table& table, message::TenantIndex tenant,
                      message::ClassIndex traffic_class, numbering::Country country) {
  const CountryRules* rules = table.countries.find(country);
  if (rules == nullptr) return false;
  if (rules->links != Links::allowed || rules->no_phone_numbers) return true;
  if (rules_of(table, traffic_class).kind == ClassKind::marketing &&
      (rules->opt_out || !rules->body_prefix.empty())) {
    return true;
  }
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
  for (const Registration& r : table.tenants[tenant.at()].registrations) {
    if (covers(r, traffic_class, country, from) &&
        std::ranges::any_of(
            r.templates, [&](const std::string& form) { return matches_template(form, text); })) {
      out.bits |= Content::kTemplate;
    }
  }
  return out;
}

}  // namespace trunkline::policy
