// Which registrations of senders are needed where messages may go, which of them the tenants have,
// and how long the others take: what a team starts with weeks before the first message.
//
// Pure.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "config/config.h"
#include "config/coverage.h"
#include "policy/registration_times.h"

namespace trunkline::config {

struct RegistrationNeed {
  // Who asks for it: the country, some of its networks, the country for marketing only, or carriers
  // of the routes there.
  enum class Asks : std::uint8_t { country, some_networks, marketing, carriers };
  enum class State : std::uint8_t { missing, pending, suspended, rejected, expired, active };

  numbering::Country country;
  message::TenantIndex tenant;
  policy::SenderKind kind = policy::SenderKind::alphanumeric;
  Asks asks = Asks::country;
  State state = State::missing;
  std::string id;                  // of the registration; empty: missing
  std::string expires;             // its day; empty: never, or missing
  std::uint32_t classes = 0;       // bit set of ClassIndex
  std::set<std::string> senders;   // of the tenant's
  std::set<std::string> carriers;  // that ask, if they do
  std::string_view registry;       // where it is done, if it has a name. The configuration's
  const policy::RegistrationTime* time = nullptr;  // null: not known
};
std::string_view name(RegistrationNeed::Asks asks);
std::string_view name(RegistrationNeed::State state);

// By country and tenant. `only`: those countries' ("GB"); empty: all that are reached.
std::vector<RegistrationNeed> registrations(const Config& config, const Coverage& coverage,
                                            base::Wall now, const std::set<std::string>& only);

std::string registrations_json(const Config& config, const std::vector<RegistrationNeed>& needs);
std::string registrations_text(const Config& config, const std::vector<RegistrationNeed>& needs);

}  // namespace trunkline::config
