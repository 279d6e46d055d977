// How long a registration of a sender takes, as those tell who file them: facts with their sources,
// from tools/policy/registration_times.csv. An estimate to plan with; what a carrier says goes
// before.
//
// Constant memory of the program; safe from any thread.
#pragma once

#include <span>
#include <string_view>

#include "numbering/country.h"
#include "policy/country_facts.h"

namespace trunkline::policy {

struct RegistrationTime {
  std::string_view country;
  SenderKind kind = SenderKind::alphanumeric;
  int days = 0;             // of the calendar, the longest that the source tells
  std::string_view source;  // a URL
  Day verified;
};

std::span<const RegistrationTime> registration_times();  // by country and kind
// Null: not known.
const RegistrationTime* registration_time(numbering::Country country, SenderKind kind);

}  // namespace trunkline::policy
