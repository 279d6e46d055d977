// How API keys and tokens are recognised: the configuration holds the SHA-256 of each. A plain hash
// is enough because the keys are 256 random bits (trunkline keys new); a password would need more.
//
// Pure functions, safe from any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace trunkline::seal {

using Sha256 = std::array<std::uint8_t, 32>;

Sha256 sha256(std::string_view text);
std::string sha256_hex(std::string_view text);  // lower case

// Takes the same time wherever the first difference is.
bool equal_secret(std::string_view a, std::string_view b);

}  // namespace trunkline::seal
