// A refusal as it is kept behind a key. The service seals it on the way to the store.
//
// Pure values.
#pragma once

#include <string>
#include <string_view>

#include "engine/event.h"

namespace trunkline::engine {

std::string encode_refusal(const Refusal& refusal);
// What cannot be read is a refusal without reasons.
Refusal decode_refusal(std::string_view bytes);

}  // namespace trunkline::engine
