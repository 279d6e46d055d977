#include "gsm/partial_message.h"

#include <algorithm>

namespace trunkline::gsm {

PartialMessage::PartialMessage(const Concatenation& any_part)
    : reference_(any_part.reference), total_(any_part.total), wide_(any_part.wide) {}

PartialMessage::Added PartialMessage::add(const Concatenation& part, std::string_view text_octets,
                                          const TextFormat& format, std::uint64_t tag) {
  if (part.reference != reference_ || part.wide != wide_ || part.total != total_ ||
      part.index == 0 || part.index > total_ || text_octets.size() > kPartOctetsMax) {
    return Added::refused;
  }
  const auto at = std::ranges::lower_bound(parts_, part.index, {}, &Part::index);
  if (at != parts_.end() && at->index == part.index) {
    const bool same = at->octets == text_octets && at->format == format;
    return same ? Added::duplicate : Added::conflicting;
  }
  parts_.insert(at, Part{part.index, format, tag, std::string(text_octets)});
  octets_ += text_octets.size();
  return complete() ? Added::completed : Added::stored;
}

PartialMessage::Added PartialMessage::add(const Concatenation& part, std::string_view text_octets,
                                          std::uint8_t data_coding) {
  return add(part, text_octets, TextFormat{.charset = charset_of(data_coding), .shift = {}});
}

bool PartialMessage::has(std::uint8_t index) const {
  return std::ranges::binary_search(parts_, index, {}, &Part::index);
}

std::vector<std::uint8_t> PartialMessage::missing() const {
  std::vector<std::uint8_t> out;
  for (unsigned index = 1; index <= total_; ++index) {
    if (!has(static_cast<std::uint8_t>(index))) out.push_back(static_cast<std::uint8_t>(index));
  }
  return out;
}

std::vector<std::uint64_t> PartialMessage::tags() const {
  std::vector<std::uint64_t> out;
  out.reserve(parts_.size());
  for (const Part& part : parts_) out.push_back(part.tag);
  return out;
}

DecodedText PartialMessage::text(std::string_view gap) const {
  DecodedText out;
  bool first = true;
  unsigned expected = 1;
  for (std::size_t i = 0; i < parts_.size();) {
    if (parts_[i].index != expected) out.utf8 += gap;
    const TextFormat format = parts_[i].format;
    expected = parts_[i].index;
    std::string octets;
    // Over a gap nothing is joined: half a pair before it must not swallow what comes after.
    for (; i < parts_.size() && parts_[i].index == expected && parts_[i].format == format; ++i) {
      octets += parts_[i].octets;
      ++expected;
    }
    DecodedText piece = decode_text(octets, format);
    out.utf8 += piece.utf8;
    out.replaced += piece.replaced;
    // One binary part makes the whole no text, one UCS-2 part makes it more than the alphabet.
    out.encoding = first ? piece.encoding : std::max(out.encoding, piece.encoding);
    first = false;
  }
  if (expected <= total_) out.utf8 += gap;
  return out;
}

}  // namespace trunkline::gsm
