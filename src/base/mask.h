// What may be shown of a phone number in a log line: +447*******23.
#pragma once

#include <string>
#include <string_view>

namespace trunkline::base {

// Keeps the first three digits and the last two of what has at least eight, nothing of shorter
// ones.
std::string mask_number(std::string_view number);

}  // namespace trunkline::base
