// A byte stream cut into SMPP frames, before anything is known about what is in them.
//
// Holds at most one incomplete frame, and that only after its length was checked: a peer cannot
// make us allocate more than `limit` bytes by announcing a length.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/limits.h"

namespace trunkline::smpp {

// There is no way to find the next frame after this: nack, then close.
struct FramingError {
  enum class Kind : std::uint8_t { too_short, too_long };  // < 16 octets, > limit
  Kind kind = Kind::too_short;
  std::uint32_t command_length = 0;
  std::uint32_t sequence = 0;  // for the nack; 0 where there is no header to read it from
  friend bool operator==(const FramingError&, const FramingError&) = default;
};

class Framer {
 public:
  explicit Framer(std::size_t limit = base::limits::kPduBytesMax) : limit_(limit) {}

  // Applies to frames whose length has not been looked at yet.
  void set_limit(std::size_t bytes) { limit_ = bytes; }

  // Takes bytes off the front of `input`. A frame if one is complete; nullopt if `input` is used up
  // first. The frame is valid until the next call and as long as what `input` points to: it is a
  // part of `input` when it lies there whole. After an error every call gives the same error.
  std::expected<std::optional<std::string_view>, FramingError> next(std::string_view& input);

  std::size_t buffered_bytes() const { return held_.size(); }

 private:
  // Octets of the frame that starts with `start`: 0 if too little of it is here to say.
  std::expected<std::size_t, FramingError> frame_size(std::string_view start) const;

  std::size_t limit_;
  std::string held_;         // the beginning of a frame
  bool handed_out_ = false;  // held_ is a whole frame, given away by the last call
  std::optional<FramingError> failed_;
};

}  // namespace trunkline::smpp
