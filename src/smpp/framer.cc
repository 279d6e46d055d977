#include "smpp/framer.h"

#include <algorithm>

#include "smpp/pdu.h"

namespace trunkline::smpp {

std::expected<std::size_t, FramingError> Framer::frame_size(std::string_view start) const {
  if (start.size() < 4) return 0;
  std::uint32_t length = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    length = length << 8 | static_cast<unsigned char>(start[i]);
  }
  if (length < kHeaderBytes) {
    return std::unexpected(FramingError{FramingError::Kind::too_short, length, 0});
  }
  if (length <= limit_) return length;
  // A header is promised: wait for its sequence number, so that the nack says what it answers
  // however the bytes were cut.
  if (start.size() < kHeaderBytes) return 0;
  return std::unexpected(
      FramingError{FramingError::Kind::too_long, length, peek_header(start).sequence});
}

std::expected<std::optional<std::string_view>, FramingError> Framer::next(std::string_view& input) {
  if (failed_) return std::unexpected(*failed_);
  if (handed_out_) {
    held_.clear();
    handed_out_ = false;
  }
  for (;;) {
    const auto size = frame_size(held_.empty() ? input : std::string_view(held_));
    if (!size) {
      failed_ = size.error();
      return std::unexpected(*failed_);
    }
    if (held_.empty() && *size != 0 && input.size() >= *size) {
      const std::string_view frame = input.substr(0, *size);
      input.remove_prefix(*size);
      return frame;
    }
    if (*size != 0 && held_.size() == *size) {
      handed_out_ = true;
      return std::string_view(held_);
    }
    if (input.empty()) return std::nullopt;
    // Up to the end of the length, then of the header if that is all we need, then of the frame.
    const std::size_t goal = *size != 0 ? *size : held_.size() < 4 ? 4 : kHeaderBytes;
    const std::size_t take = std::min(goal - held_.size(), input.size());
    held_.append(input.substr(0, take));
    input.remove_prefix(take);
  }
}

}  // namespace trunkline::smpp
