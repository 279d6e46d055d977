// The codec: what decodes can be encoded, and decodes to the same again. Requests come back byte
// for byte, TLVs included.
#include <algorithm>

#include "base/assert.h"
#include "base/limits.h"
#include "smpp/pdu.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace trunkline::smpp;
  std::string frame(reinterpret_cast<const char*>(data), size);
  // The length is the framer's business: make it fit, so that the body gets read.
  if (size >= 4 && size <= trunkline::base::limits::kPduBytesMax) {
    for (std::size_t i = 0; i < 4; ++i) frame[i] = static_cast<char>(size >> (24 - 8 * i));
  }
  const Dialect dialect{.password_max = size % 2 == 0 ? kPasswordMax : kPasswordMaxEver};
  const auto first = decode(frame, dialect);
  if (!first) {
    ASSERT(first.error().offset <= size && !first.error().field.empty());
    ASSERT(first.error().status != 0 && !to_string(first.error()).empty());
    if (size >= kHeaderBytes) (void)decode_partially(frame, dialect);
    return 0;
  }
  ASSERT(command_id(first->pdu) == first->header.command_id);
  std::string again;
  const auto done =
      encode(first->pdu, first->header.sequence, first->header.command_status, again, dialect);
  if (!done) {  // a last NUL that was missing may be one octet too many
    ASSERT(done.error().kind == EncodeError::Kind::pdu_too_long);
    ASSERT(size >= trunkline::base::limits::kPduBytesMax);
    return 0;
  }
  if (!is_response(first->header.command_id)) ASSERT(again == frame);
  // 3.3 gets the same without TLVs, or an error that says why not.
  std::string old;
  if (const auto said = encode(first->pdu, 1, first->header.command_status, old,
                               {.version = 0x33, .password_max = dialect.password_max})) {
    ASSERT(old.size() <= again.size() && decode(old, dialect).has_value());
  } else {
    ASSERT(old.empty() && !to_string(said.error()).empty());
  }
  const auto second = decode(again, dialect);
  ASSERT(second.has_value() && second->pdu == first->pdu);
  return 0;
}
