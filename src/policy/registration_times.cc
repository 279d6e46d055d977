#include "policy/registration_times.h"

#include <algorithm>
#include <iterator>
#include <string>

namespace trunkline::policy {
namespace {

#include "policy/registration_times.inc"

}  // namespace

std::span<const RegistrationTime> registration_times() { return kRegistrationTimes; }

const RegistrationTime* registration_time(numbering::Country country, SenderKind kind) {
  const std::string code = country.code();
  const auto* const found = std::ranges::find_if(
      kRegistrationTimes, [&](const auto& one) { return one.country == code && one.kind == kind; });
  return found == std::end(kRegistrationTimes) ? nullptr : found;
}

}  // namespace trunkline::policy
