// Warnings about what time has overtaken, or soon will.
#include <algorithm>
#include <set>

#include "config/compile.h"
#include "config/text.h"

namespace trunkline::config {
namespace {

constexpr int kDataDays = 180;         // then what is known of a country should be verified again
constexpr int kRegistrationDays = 30;  // before it is over
constexpr std::size_t kNamesMax = 12;

std::string names(const std::set<std::string>& countries) {
  std::string out;
  std::size_t count = 0;
  for (const std::string& code : countries) {
    if (++count > kNamesMax) return out + fmt::format(" and {} more", countries.size() - kNamesMax);
    out += fmt::format("{}{}", out.empty() ? "" : ", ", code);
  }
  return out;
}

class DateAdviser {
 public:
  DateAdviser(const Value& root, const Config& config, base::Wall now, Findings& findings)
      : root_(root), config_(config), today_(policy::day_of(now)), findings_(findings) {}

  void advise() {
    // Nothing real comes out of a demonstration.
    if (!config_.demo && !config_.tables.routing.routes.empty()) countries();
    for (const Value& tenant : root_.at("tenants").items) registrations(tenant);
  }

 private:
  void warn(const Value& at, std::string what, std::string remedy) {
    findings_.warning(at.mark, at.path, std::move(what), std::move(remedy));
  }

  // Does a route lead there?
  bool is_reached(numbering::Country country) const {
    return std::ranges::any_of(config_.tables.routing.routes, [&](const routing::Route& route) {
      const auto& match = route.match.countries;
      return match.empty() || std::ranges::find(match, country) != match.end();
    });
  }

  void countries() {
    std::set<std::string> old;
    std::set<std::string> dayless;
    for (const policy::CountryRules& rules : config_.tables.policy.countries.all()) {
      if (!is_reached(rules.country)) continue;
      if (today_.since_1970 - rules.verified.since_1970 > kDataDays) {
        old.insert(rules.country.code());
      }
      const bool known =
          std::ranges::any_of(rules.days_off, [&](policy::Day d) { return d >= today_; });
      if (rules.quiet.holidays && !known) dayless.insert(rules.country.code());
    }
    const Value& at = root_.at("countries");
    if (!old.empty()) {
      warn(at,
           fmt::format("what is known of {} countries that routes lead to was verified more than "
                       "{} days ago: {}",
                       old.size(), kDataDays, names(old)),
           "verify it, and say so with countries.COUNTRY.verified");
    }
    const bool any_quiet = std::ranges::any_of(
        config_.tables.classes, [](const auto& c) { return c.quiet_hours && !c.removed; });
    if (!dayless.empty() && any_quiet && marketing_is_sent()) {
      warn(at,
           fmt::format("marketing is held on public holidays of {}, and none are known from now on",
                       names(dayless)),
           "list them in countries.COUNTRY.holidays, or set quiet_holidays: false");
    }
  }

  bool marketing_is_sent() const {
    std::uint32_t quiet = 0;
    for (std::size_t i = 0; i < config_.tables.classes.size(); ++i) {
      if (config_.tables.classes[i].quiet_hours) quiet |= 1u << i;
    }
    return std::ranges::any_of(config_.tables.policy.tenants,
                               [&](const policy::Tenant& t) { return (t.classes & quiet) != 0; });
  }

  void registrations(const Value& tenant) {
    for (const Value& item : tenant.at("registrations").items) {
      const Value& expires = item.at("expires");
      const auto day = policy::parse_day(expires.text());
      if (!day || day->since_1970 - today_.since_1970 > kRegistrationDays) continue;
      const bool over = *day <= today_;
      warn(expires,
           fmt::format("registration {} {} on {}", quote(item.at("id").text()),
                       over ? "expired" : "expires", policy::to_string(*day)),
           over ? "what it covered is refused; renew it, and write the new day"
                : "renew it in time, and write the new day");
    }
  }

  const Value& root_;
  const Config& config_;
  const policy::Day today_;
  Findings& findings_;
};

}  // namespace

void advise_on_dates(const Value& root, const Config& config, base::Wall now, Findings& findings) {
  DateAdviser(root, config, now, findings).advise();
}

}  // namespace trunkline::config
