// What a carrier itself takes, beyond what countries allow: facts of a contract, all of them from
// the configuration.
//
// Built when the configuration is compiled; constant afterwards.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "message/index.h"
#include "numbering/country.h"
#include "policy/country_facts.h"

namespace trunkline::policy {

// What it takes, in one country or in general.
struct CarrierTerms {
  std::uint32_t classes = 0;                       // bit set of ClassIndex; 0: all
  std::array<SenderRule, kSenderKinds> senders{};  // `unknown`: nothing is said, all are taken
  bool unicode = true;
  std::uint8_t max_segments = 255;
  Links links = Links::allowed;
  bool no_phone_numbers = false;  // in texts
  bool opt_out = false;           // marketing must say how to stop it
  bool two_way = true;            // brings answers

  bool asks_for_content(bool is_marketing) const {
    return links != Links::allowed || no_phone_numbers || (is_marketing && opt_out);
  }
  friend bool operator==(const CarrierTerms&, const CarrierTerms&) = default;
};

struct CarrierRules {
  std::string name;
  std::vector<numbering::Country> countries{};      // ascending; the only ones; empty: any
  std::vector<numbering::Country> not_countries{};  // ascending; none of these
  CarrierTerms terms{};
  // Instead of `terms`; ascending by country.
  std::vector<std::pair<numbering::Country, CarrierTerms>> by_country{};

  const CarrierTerms& terms_in(numbering::Country country) const;
  bool goes_to(numbering::Country country) const;
};

// By carrier, constant time.
class CarrierTable {
 public:
  void put(message::CarrierIndex carrier, CarrierRules rules);
  bool empty() const { return rules_.empty(); }
  const CarrierRules* find(message::CarrierIndex carrier) const;  // null: it takes anything
  const std::vector<CarrierRules>& all() const { return rules_; }

 private:
  std::vector<CarrierRules> rules_;
  std::vector<std::uint16_t> at_;  // by CarrierIndex; 0: none
};

}  // namespace trunkline::policy
