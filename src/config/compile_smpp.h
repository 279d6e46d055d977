// The options of carriers[].smpp, see smpp_options.h.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "config/check.h"
#include "config/findings.h"
#include "config/smpp_options.h"

namespace trunkline::config {

// `value` is carriers[].smpp; `classes` those that are defined.
SmppOptions compile_smpp_options(const Value& value, std::vector<std::string_view> classes,
                                 Findings& findings);

// The octet of "3.4".
std::uint8_t interface_version(std::string_view text);
gsm::DefaultAlphabet default_alphabet(std::string_view text);

}  // namespace trunkline::config
