#include "base/id.h"

#include <algorithm>

namespace trunkline::base {
namespace {

constexpr std::uint32_t kIdsPerMs = 1u << 16;

// Spreads a counter over 32 bits. Not cryptography: access to a message is by tenant, never by
// knowing its id.
std::uint32_t noise32(std::uint64_t x) {
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccdull;
  x ^= x >> 33;
  x *= 0xc4ceb9fe1a85ec53ull;
  return static_cast<std::uint32_t>(x >> 32);
}

void append_hex(std::string& out, std::uint64_t value) {
  static constexpr char kDigits[] = "0123456789abcdef";
  for (int shift = 60; shift >= 0; shift -= 4) out.push_back(kDigits[(value >> shift) & 15]);
}

std::optional<std::uint64_t> parse_hex16(std::string_view text) {
  std::uint64_t value = 0;
  for (const char c : text) {
    std::uint64_t digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<std::uint64_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<std::uint64_t>(c - 'a' + 10);
    } else {
      return std::nullopt;
    }
    value = (value << 4) | digit;
  }
  return value;
}

}  // namespace

std::string MessageId::hex() const {
  std::string out;
  out.reserve(32);
  append_hex(out, high);
  append_hex(out, low);
  return out;
}

std::array<char, 16> MessageId::big_endian() const {
  std::array<char, 16> out;
  for (int i = 0; i < 8; ++i) {
    out[static_cast<std::size_t>(i)] = static_cast<char>(high >> (56 - 8 * i));
    out[static_cast<std::size_t>(i + 8)] = static_cast<char>(low >> (56 - 8 * i));
  }
  return out;
}

std::optional<MessageId> MessageId::from_hex(std::string_view text) {
  if (text.size() != 32) return std::nullopt;
  const auto high = parse_hex16(text.substr(0, 16));
  const auto low = parse_hex16(text.substr(16));
  if (!high || !low) return std::nullopt;
  return MessageId{*high, *low};
}

std::optional<MessageId> MessageId::from_rest(std::string_view text) {
  if (!text.starts_with("msg_")) return std::nullopt;
  return from_hex(text.substr(4));
}

std::optional<MessageId> MessageId::from_big_endian(std::string_view bytes) {
  if (bytes.size() != 16) return std::nullopt;
  MessageId id;
  for (std::size_t i = 0; i < 8; ++i) {
    id.high = (id.high << 8) | static_cast<unsigned char>(bytes[i]);
    id.low = (id.low << 8) | static_cast<unsigned char>(bytes[i + 8]);
  }
  return id;
}

void MessageIdSource::continue_after(const MessageId& id) {
  if (const std::uint64_t ms = id.high >> 16; ms >= last_ms_) {
    last_ms_ = ms;
    in_ms_ = kIdsPerMs - 1;  // that millisecond is used up
  }
}

MessageId MessageIdSource::next(Wall now) {
  // Ids never run backwards within an epoch, even if the wall clock does; a full millisecond
  // borrows from the next.
  const auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(0, to_us(now) / 1000));
  if (ms > last_ms_) {
    last_ms_ = ms;
    in_ms_ = 0;
  } else if (++in_ms_ == kIdsPerMs) {
    ++last_ms_;
    in_ms_ = 0;
  }
  MessageId id;
  id.high = (last_ms_ << 16) | shard_;
  id.low = ((epoch_ & 0xffff) << 48) | (static_cast<std::uint64_t>(in_ms_) << 32) |
           noise32((epoch_ << 16 | shard_) * 0x9e3779b97f4a7c15ull + counter_++);
  return id;
}

}  // namespace trunkline::base
