// What holds in each country: the facts that are known, and what the configuration says over them.
//
// Built when the configuration is compiled; constant afterwards.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "message/traffic_class.h"
#include "numbering/country.h"
#include "policy/country_facts.h"

namespace trunkline::policy {

// What becomes of a message where a fact is not known, or a registration not there.
enum class Action : std::uint8_t { allow, warn, refuse };

inline constexpr std::size_t kClassKinds = message::kClassKinds;
using ClassKind = message::ClassKind;

// The rules of one country. What the configuration says has its version, the rest that of the data.
struct CountryRules {
  numbering::Country country;
  const CountryFacts* facts = nullptr;  // null: nothing is known beyond what is configured
  std::array<SenderRule, kSenderKinds> senders{};
  Kept kept = Kept::unknown;
  Marketing marketing = Marketing::unknown;
  Text concatenation = Text::assumed;
  Text unicode = Text::assumed;
  Known two_way = Known::unknown;
  QuietHours quiet;
  std::vector<Day> days_off;  // ascending
  Links links = Links::allowed;
  bool no_phone_numbers = false;
  bool opt_out = false;
  bool consent = false;
  std::string sender_prefix;
  std::string sender_suffix;
  std::string body_prefix;
  std::string registry;
  Day verified;
  Action unregistered = Action::refuse;
  std::array<Action, kClassKinds> unknown{Action::warn, Action::warn, Action::warn,
                                          Action::refuse};  // by ClassKind
  // Which of these the configuration says: bits of Field.
  enum Field : std::uint32_t {
    kSenders = 1,  // and the next three bits: by SenderKind
    kMarketing = 1u << 4,
    kConcatenation = 1u << 5,
    kUnicode = 1u << 6,
    kQuiet = 1u << 7,
    kLinks = 1u << 8,
    kPhoneNumbers = 1u << 9,
    kOptOut = 1u << 10,
    kConsent = 1u << 11,
    kSenderForm = 1u << 12,
    kBodyPrefix = 1u << 13,
    kTwoWay = 1u << 14,
  };
  std::uint32_t configured = 0;
};

// The facts as they are, with the default actions; of an unknown country, nothing known.
CountryRules built_in_rules(numbering::Country country);

// By country, constant time.
class CountryTable {
 public:
  void put(CountryRules rules);
  // Of a country that was not put: `other` for those nothing is known of, if there is one.
  void put_other(CountryRules rules) { other_ = std::move(rules); }
  bool empty() const { return rules_.empty(); }
  const CountryRules* find(numbering::Country country) const;  // null: no rules at all
  const std::vector<CountryRules>& all() const { return rules_; }

 private:
  std::vector<CountryRules> rules_;
  std::vector<std::uint16_t> at_;  // by first and second letter; 0: none
  std::optional<CountryRules> other_;
};

}  // namespace trunkline::policy
