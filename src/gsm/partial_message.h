// Joining the parts of one message that came in several.
//
// Pure values, safe from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gsm/alphabet.h"
#include "gsm/decode.h"
#include "gsm/udh.h"

namespace trunkline::gsm {

// The parts of one message, in whatever order they come. Which parts belong together and how long
// to wait for the rest is the owner's affair (Reassembler). Holds at most 255 parts of at most
// kPartOctetsMax, and no more memory than the parts that came need.
class PartialMessage {
 public:
  // The septets in the longest message_payload; longer cannot come.
  static constexpr std::size_t kPartOctetsMax = unpacked_septets_max(0xffff);

  enum class Added : std::uint8_t {
    stored,
    completed,    // stored, and it was the last one missing
    duplicate,    // the same part again
    conflicting,  // the same index with other octets: the first is kept
    refused,      // no part of this message, or too long to be one
  };

  explicit PartialMessage(const Concatenation& any_part);

  // `text_octets`: what comes behind the header. `tag` is the owner's: whatever it knows the part
  // by.
  Added add(const Concatenation& part, std::string_view text_octets, const TextFormat& format,
            std::uint64_t tag = 0);
  Added add(const Concatenation& part, std::string_view text_octets, std::uint8_t data_coding);

  bool complete() const { return parts_.size() == total_; }
  std::size_t received() const { return parts_.size(); }
  std::size_t total() const { return total_; }
  bool has(std::uint8_t index) const;
  std::vector<std::uint8_t> missing() const;      // indexes, ascending
  std::vector<std::uint64_t> tags() const;        // in the order of the parts
  std::size_t octets() const { return octets_; }  // of all texts

  // Calls with (index, octets, format) of each part, in order.
  template <typename Call>
  void for_each(Call call) const {
    for (const Part& part : parts_) call(part.index, std::string_view(part.octets), part.format);
  }

  // The parts that came, in order. Neighbours of one format are decoded as one, so that a pair that
  // a careless sender cut in two is whole again. `gap` stands where one or more are missing.
  DecodedText text(std::string_view gap = {}) const;

 private:
  struct Part {
    std::uint8_t index;
    TextFormat format;
    std::uint64_t tag;
    std::string octets;
  };

  std::uint16_t reference_;
  std::uint8_t total_;
  bool wide_;
  std::size_t octets_ = 0;
  std::vector<Part> parts_;  // by index, ascending
};

}  // namespace trunkline::gsm
