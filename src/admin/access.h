// Who may ask the operator API for what. Pure over the configuration in force, so that a token
// taken out of it stops working with the reload.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace trunkline::admin {

enum class Access : std::uint8_t {
  allowed,
  no_token,      // none given, or none we know: 401
  role_too_low,  // known, but its role may not do this: 403
};

// What a path asks for.
enum class Need : std::uint8_t {
  nothing,  // anybody may
  metrics,  // nothing if the configuration opens metrics, else to read
  read,     // role viewer or operator
  operate,  // role operator
};

// `authorization`: the value of the header field, "Bearer TOKEN"; empty if absent. Every token is
// compared, each in constant time, whichever matches.
Access access_of(const config::Config& config, Need need, std::string_view authorization);

// The id of the token, for the log; empty if it is none of ours.
std::string token_id(const config::Config& config, std::string_view authorization);

}  // namespace trunkline::admin
