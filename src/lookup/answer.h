// What a provider of number look-ups (HLR, MNP) answered, read as the configuration says. Pure.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "config/config.h"
#include "numbering/number.h"
#include "numbering/ranges.h"

namespace trunkline::lookup {

// `text` with {number} as its digits and {e164} with a plus before them ("%2B" in a URL).
std::string fill(std::string_view text, numbering::Number number, bool in_url);

// Of an answer that says nothing (404, or without the fields), an empty one. The error is a
// sentence for the log: no answer at all, that is, and holds nothing of the number.
std::expected<numbering::LookedUp, std::string> read_answer(const config::Lookup& lookup,
                                                            int status, std::string_view body);

}  // namespace trunkline::lookup
