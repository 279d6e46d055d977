#include "gsm/udh.h"

#include <algorithm>

#include "base/bytes.h"

namespace trunkline::gsm {
namespace {

constexpr std::uint8_t kConcatenation8 = 0x00;
constexpr std::uint8_t kConcatenation16 = 0x08;

std::optional<Concatenation> read_concatenation(std::uint8_t id, std::string_view data) {
  const bool wide = id == kConcatenation16;
  if (id != kConcatenation8 && !wide) return std::nullopt;
  base::ByteReader reader(data);
  Concatenation c;
  c.wide = wide;
  c.reference = wide ? reader.u16() : reader.u8();
  c.total = reader.u8();
  c.index = reader.u8();
  if (!reader.ok() || !reader.at_end()) return std::nullopt;
  if (c.index == 0 || c.index > c.total) return std::nullopt;
  return c;
}

}  // namespace

std::string_view name(UdhError error) {
  switch (error) {
    case UdhError::empty:
      return "empty";
    case UdhError::too_short:
      return "too_short";
    case UdhError::damaged:
      return "damaged";
  }
  return "damaged";
}

std::expected<UserDataHeader, UdhError> parse_udh(std::string_view user_data) {
  if (user_data.empty()) return std::unexpected(UdhError::empty);
  base::ByteReader whole(user_data);
  const std::size_t length = whole.u8();
  base::ByteReader elements(whole.view(length));
  if (!whole.ok()) return std::unexpected(UdhError::too_short);

  UserDataHeader header{.octets = 1 + length, .concatenation = {}};
  while (!elements.at_end()) {
    const std::uint8_t id = elements.u8();
    const std::string_view data = elements.view(elements.u8());
    if (!elements.ok()) return std::unexpected(UdhError::damaged);
    if (const auto concatenation = read_concatenation(id, data)) {
      header.concatenation = concatenation;
    }
  }
  return header;
}

void append_concatenation(std::string& out, std::uint8_t reference, std::uint8_t total,
                          std::uint8_t index) {
  base::ByteWriter writer(out);
  writer.u8(kConcatenationHeaderOctets - 1);
  writer.u8(kConcatenation8);
  writer.u8(3);
  writer.u8(reference);
  writer.u8(total);
  writer.u8(index);
}

PartialMessage::PartialMessage(const Concatenation& any_part)
    : reference_(any_part.reference), wide_(any_part.wide), parts_(any_part.total) {}

PartialMessage::Added PartialMessage::add(const Concatenation& part, std::string_view text_octets,
                                          std::uint8_t data_coding) {
  if (part.reference != reference_ || part.wide != wide_ || part.total != parts_.size() ||
      part.index == 0 || part.index > parts_.size() || text_octets.size() > kPartOctetsMax) {
    return Added::refused;
  }
  std::optional<Part>& slot = parts_[part.index - 1u];
  if (slot) {
    const bool same = slot->octets == text_octets && slot->data_coding == data_coding;
    return same ? Added::duplicate : Added::conflicting;
  }
  slot = Part{.octets = std::string(text_octets), .data_coding = data_coding};
  ++received_;
  return complete() ? Added::completed : Added::stored;
}

DecodedText PartialMessage::text() const {
  DecodedText out;
  bool first = true;
  for (std::size_t i = 0; i < parts_.size();) {
    if (!parts_[i]) {
      ++i;
      continue;
    }
    const std::uint8_t coding = parts_[i]->data_coding;
    std::string octets;
    for (; i < parts_.size() && parts_[i] && parts_[i]->data_coding == coding; ++i) {
      octets += parts_[i]->octets;
    }
    DecodedText piece = decode_text(octets, coding);
    out.utf8 += piece.utf8;
    out.replaced += piece.replaced;
    // One binary part makes the whole no text, one UCS-2 part makes it more than the alphabet.
    out.encoding = first ? piece.encoding : std::max(out.encoding, piece.encoding);
    first = false;
  }
  return out;
}

}  // namespace trunkline::gsm
