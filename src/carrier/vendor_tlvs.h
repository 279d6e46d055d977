// The TLVs that a carrier's configuration adds to every submit_sm. Pure.
#pragma once

#include <expected>
#include <string>

#include "config/smpp_options.h"
#include "engine/event.h"
#include "message/record.h"
#include "smpp/tlv.h"

namespace trunkline::carrier {

// Adds them. The error says which required one has no value, without telling anything of the
// message: "tlv 0x1400: the message has no metadata.pe_id".
std::expected<void, std::string> add_vendor_tlvs(const std::vector<config::SmppTlv>& wanted,
                                                 const message::Payload& payload,
                                                 const engine::Submit& submit,
                                                 std::string_view sender, smpp::Tlvs& out);

}  // namespace trunkline::carrier
