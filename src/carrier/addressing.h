// Numbers and senders as a carrier wants them, and back. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "config/smpp_options.h"
#include "numbering/number.h"
#include "smpp/pdu.h"

namespace trunkline::carrier {

// SMPP 3.4 5.2.5 and 5.2.6, as carriers commonly want it; the options say otherwise:
//   +447700900123      1/1  447700900123   international, ISDN
//   60333 (1 to 8)     3/0  60333          network specific: a short code
//   447700900123       0/1  447700900123   a long number without "+": the carrier knows which
//   Acme               5/0  Acme           alphanumeric
//   (empty)            0/0                 the carrier puts its own
smpp::Address source_address(std::string_view sender, const config::SmppSource& options = {});
// `to` is E.164 with "+".
smpp::Address destination_address(std::string_view to, const config::SmppDestination& options = {});

// The number a receipt is about: its source address, if that is in international form (TON 1, or a
// "+" or "00" in front), or one that the carrier's rules make of a single number. Nothing else will
// do where there is an id to match by: a receipt whose number is not the message's is taken for
// another message's. Without an id, a number of unknown type is taken for an international one.
std::optional<numbering::Number> receipt_number(const smpp::Address& source, bool has_id,
                                                const config::SmppDestination& options = {});

}  // namespace trunkline::carrier
