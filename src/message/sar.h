// The three parameters that say which part of a text a message is (SMPP 3.4 sections 5.3.2.22 to
// 24), as the header that says the same to a phone.
//
// Pure; safe from any thread.
#pragma once

#include <expected>
#include <string>

#include "smpp/tlv.h"

namespace trunkline::message {

// One of them is missing, or the index is none of the total.
struct SarDamaged {};

// Empty: there is none of them, or it is the only part.
std::expected<std::string, SarDamaged> sar_header(const smpp::Tlvs& tlvs);

}  // namespace trunkline::message
