// What another cell asks or tells, from anywhere: refused, or read and written again as it was.
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "cells/copy.h"
#include "cells/wire.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace trunkline;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto pull = cells::decode_pull(bytes)) {
    ASSERT(cells::decode_pull(cells::encode(*pull)).has_value());
  }
  if (const auto told = cells::decode_told(bytes)) {
    const auto again = cells::decode_told(cells::encode(*told));
    ASSERT(again && again->entries == told->entries && again->next == told->next);
  }
  if (const auto question = cells::decode_question(bytes)) {
    ASSERT(cells::decode_question(cells::encode(*question)).has_value());
  }
  if (const auto shared = cells::decode_shared(bytes)) {
    const auto again = cells::decode_shared(cells::encode(*shared));
    ASSERT(again && again->shared.version == shared->shared.version);
  }
  if (const auto copy = cells::decode_copy(bytes)) {
    const auto again = cells::decode_copy(cells::encode_copy(*copy));
    ASSERT(again && again->shared.version == copy->shared.version);
  }
  return 0;
}
