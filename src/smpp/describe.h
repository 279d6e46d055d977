// A PDU as JSON for people who look at a trace.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/json_writer.h"
#include "smpp/pdu.h"

namespace trunkline::smpp {

enum class Reveal : std::uint8_t {
  // Texts are told by their length, numbers are masked, and of TLVs only those whose values say
  // nothing of anybody are shown.
  nothing,
  bodies,  // all but passwords, which nobody is shown
};

// Adds to the open object: "command", "sequence", "status" (of responses and where it is not 0),
// "fields" and "tlvs" in the order of the wire; "malformed" with what is wrong where the body
// cannot be read. Any octets may be handed in that a framer gives.
void describe_pdu(std::string_view frame, Reveal reveal, const Dialect& dialect,
                  base::JsonWriter& json);

}  // namespace trunkline::smpp
