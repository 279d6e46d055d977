// The session against its model: see session_model.h.
#include <algorithm>

#include "smpp/session_model.h"

// Longer is only slower: what needs more steps the model's own test finds, with a longer script.
constexpr std::size_t kStepsMax = 40;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::size_t used = std::min(size, kStepsMax);
  trunkline::smpp::SessionModel({reinterpret_cast<const char*>(data), used}).run();
  return 0;
}
