// The user data header (TS 23.040 9.2.3.24) as far as concatenation needs it, and joining the parts
// of a message that came in several.
//
// Pure values, safe from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gsm/decode.h"

namespace trunkline::gsm {

inline constexpr std::size_t kConcatenationHeaderOctets = 6;

struct Concatenation {
  std::uint16_t reference = 0;  // the same in all parts of a message
  std::uint8_t total = 1;
  std::uint8_t index = 1;  // 1 to total
  bool wide = false;       // information element 0x08, 16-bit reference; else 0x00, 8-bit
  friend bool operator==(const Concatenation&, const Concatenation&) = default;
};

struct UserDataHeader {
  std::size_t octets = 0;  // where the text begins, the length octet included
  std::optional<Concatenation> concatenation;
  friend bool operator==(const UserDataHeader&, const UserDataHeader&) = default;
};

enum class UdhError : std::uint8_t {
  empty,      // no length octet
  too_short,  // the length octet promises more than there is
  damaged,    // an information element reaches over the header's end
};
std::string_view name(UdhError error);

// Reads the header of user data that is marked to have one (esm_class 0x40). A concatenation with
// a total or index of 0, an index above the total, or the wrong length is ignored, and of several
// the last counts, as the specification says. On error the specification has the whole header
// ignored: take everything for text.
std::expected<UserDataHeader, UdhError> parse_udh(std::string_view user_data);

// 05 00 03 reference total index.
void append_concatenation(std::string& out, std::uint8_t reference, std::uint8_t total,
                          std::uint8_t index);

// The parts of one message, in whatever order they come. Which parts belong together (same sender,
// destination, reference, total) and how long to wait for the rest is the owner's affair. Holds at
// most 255 parts of at most kPartOctetsMax.
class PartialMessage {
 public:
  static constexpr std::size_t kPartOctetsMax = 255;  // SMPP's sm_length is one octet

  enum class Added : std::uint8_t {
    stored,
    completed,    // stored, and it was the last one missing
    duplicate,    // the same part again
    conflicting,  // the same index with other octets: the first is kept
    refused,      // no part of this message, or too long to be one
  };

  explicit PartialMessage(const Concatenation& any_part);

  // `text_octets`: what comes behind the header.
  Added add(const Concatenation& part, std::string_view text_octets, std::uint8_t data_coding);

  bool complete() const { return received_ == parts_.size(); }
  std::size_t received() const { return received_; }
  std::size_t total() const { return parts_.size(); }

  // The parts that came, in order. Neighbours of one data_coding are decoded as one, so that a pair
  // that a careless sender cut in two is whole again.
  DecodedText text() const;

 private:
  struct Part {
    std::string octets;
    std::uint8_t data_coding = 0;
  };

  std::uint16_t reference_;
  bool wide_;
  std::size_t received_ = 0;
  std::vector<std::optional<Part>> parts_;
};

}  // namespace trunkline::gsm
