// The session against its model: see session_model.h.
#include "smpp/session_model.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  trunkline::smpp::SessionModel({reinterpret_cast<const char*>(data), size}).run();
  return 0;
}
