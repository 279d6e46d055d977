// The one message id: 128 bits, time-ordered, with the shard in it.
//
//   bits 127..80  48  milliseconds since 1970 at acceptance
//   bits  79..64  16  shard
//   bits  63..48  16  low bits of the shard's epoch, raised at every start or takeover
//   bits  47..32  16  counter within the millisecond
//   bits  31..0   32  noise, so that one id does not give away its neighbours
//
// Unique without asking anyone: (shard, epoch) has one writer, which counts. Within an epoch ids
// strictly rise, so "newest first" is "largest first". REST shows it as
// msg_<32 hex>, Twilio as SM<32 hex>, SMPP as 32 hex.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace trunkline::base {

struct MessageId {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  friend constexpr auto operator<=>(const MessageId&, const MessageId&) = default;

  constexpr std::uint16_t shard() const { return static_cast<std::uint16_t>(high & 0xffff); }
  constexpr Wall created_ms() const {
    return wall_from_us(static_cast<std::int64_t>(high >> 16) * 1000);
  }
  constexpr bool is_null() const { return high == 0 && low == 0; }

  std::string hex() const;                             // 32 lower-case digits
  std::string rest() const { return "msg_" + hex(); }  // as REST shows it
  std::array<char, 16> big_endian() const;             // sorts as the id does
  static std::optional<MessageId> from_hex(std::string_view hex32);
  static std::optional<MessageId> from_rest(std::string_view text);  // with the msg_ prefix
  static std::optional<MessageId> from_big_endian(std::string_view bytes16);
};

struct MessageIdHash {
  std::size_t operator()(const MessageId& id) const noexcept {
    std::uint64_t x = id.low ^ (id.high * 0x9e3779b97f4a7c15ull);
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93ull;
    return x ^ (x >> 32);
  }
};

// Hands out the ids of one (shard, epoch). Pure: the same calls give the same ids.
class MessageIdSource {
 public:
  MessageIdSource(std::uint16_t shard, std::uint64_t epoch) : shard_(shard), epoch_(epoch) {}
  MessageId next(Wall now);
  // From now on only ids larger than `id`: one of an earlier epoch, whose clock may have run ahead.
  void continue_after(const MessageId& id);

 private:
  std::uint16_t shard_;
  std::uint64_t epoch_;
  std::uint64_t last_ms_ = 0;
  std::uint32_t in_ms_ = 0;
  std::uint64_t counter_ = 0;
};

}  // namespace trunkline::base
