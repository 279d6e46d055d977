// The framer: however a stream is cut, the same frames and the same error come out, and no more
// than one frame is held.
#include <algorithm>
#include <vector>

#include "base/assert.h"
#include "smpp/framer.h"
#include "smpp/pdu.h"

namespace trunkline::smpp {
namespace {

constexpr std::size_t kLimit = 256;      // small, so that both sides of it are reached soon
constexpr std::size_t kStreamMax = 600;  // octet by octet is dear

struct Cut {
  std::vector<std::string> frames;
  std::optional<FramingError> error;
};

Cut cut(std::string_view stream, std::size_t piece) {
  Framer framer(kLimit);
  Cut out;
  for (std::size_t at = 0; at < stream.size() && !out.error; at += piece) {
    const std::string chunk(stream.substr(at, piece));
    std::string_view input = chunk;
    for (;;) {
      const auto frame = framer.next(input);
      ASSERT(framer.buffered_bytes() <= kLimit);
      if (!frame) {
        out.error = frame.error();
        break;
      }
      if (!*frame) break;
      ASSERT((*frame)->size() >= kHeaderBytes && (*frame)->size() <= kLimit);
      ASSERT(peek_header(**frame).command_length == (*frame)->size());
      out.frames.emplace_back(**frame);
    }
  }
  return out;
}

}  // namespace
}  // namespace trunkline::smpp

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace trunkline::smpp;
  if (size == 0) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1,
                                std::min(size - 1, kStreamMax));
  const Cut whole = cut(stream, stream.size() + 1);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{1} + data[0]}) {
    const Cut pieces = cut(stream, piece);
    ASSERT(pieces.frames == whole.frames && pieces.error == whole.error);
  }
  return 0;
}
