// CRC-32C (Castagnoli, RFC 3720 appendix B.4): the checksum of every journal record.
#pragma once

#include <cstdint>
#include <string_view>

namespace trunkline::base {

// crc32c("123456789") == 0xe3069283. `seed` continues an earlier value over more bytes.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed = 0);

}  // namespace trunkline::base
