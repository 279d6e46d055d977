// Bounded reading and appending of bytes: the only way a record or a PDU is taken apart.
//
// ByteReader never reads past its end. A read that would runs dry: it returns zero or an empty view
// and ok() turns false for good, so a decoder checks once at the end instead of after each field.
// Views point into the input and live as long as it does.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace trunkline::base {

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  std::size_t remaining() const { return bytes_.size() - at_; }
  std::size_t offset() const { return at_; }
  bool at_end() const { return at_ == bytes_.size(); }

  std::uint8_t u8() { return static_cast<std::uint8_t>(big_endian(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(big_endian(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(big_endian(4)); }
  std::uint64_t u64() { return big_endian(8); }

  // LEB128, at most 10 bytes.
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
      const std::uint8_t byte = u8();
      if (shift == 63 && byte > 1) break;
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return value;
    }
    ok_ = false;
    return 0;
  }
  // Zigzag over varint, for differences that may be negative.
  std::int64_t svarint() {
    const std::uint64_t z = varint();
    return static_cast<std::int64_t>(z >> 1) ^ -static_cast<std::int64_t>(z & 1);
  }
  std::string_view view(std::size_t length) {
    if (!ok_ || length > remaining()) {
      ok_ = false;
      return {};
    }
    const std::string_view out = bytes_.substr(at_, length);
    at_ += length;
    return out;
  }
  // Length as varint, then the bytes.
  std::string_view text() {
    const std::uint64_t length = varint();
    if (length > remaining()) {
      ok_ = false;
      return {};
    }
    return view(static_cast<std::size_t>(length));
  }
  void fail() { ok_ = false; }

 private:
  std::uint64_t big_endian(std::size_t width) {
    const std::string_view raw = view(width);
    std::uint64_t value = 0;
    for (const char c : raw) value = (value << 8) | static_cast<unsigned char>(c);
    return value;
  }

  std::string_view bytes_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

// Appends to a string the caller owns.
class ByteWriter {
 public:
  explicit ByteWriter(std::string& out) : out_(out) {}

  void u8(std::uint8_t v) { out_.push_back(static_cast<char>(v)); }
  void u16(std::uint16_t v) { big_endian(v, 2); }
  void u32(std::uint32_t v) { big_endian(v, 4); }
  void u64(std::uint64_t v) { big_endian(v, 8); }
  void varint(std::uint64_t v) {
    while (v >= 0x80) {
      u8(static_cast<std::uint8_t>(v | 0x80));
      v >>= 7;
    }
    u8(static_cast<std::uint8_t>(v));
  }
  void svarint(std::int64_t v) {
    varint((static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63));
  }
  void bytes(std::string_view v) { out_.append(v); }
  void text(std::string_view v) {
    varint(v.size());
    bytes(v);
  }

 private:
  void big_endian(std::uint64_t v, unsigned width) {
    for (unsigned i = width; i-- > 0;) out_.push_back(static_cast<char>(v >> (8 * i)));
  }

  std::string& out_;
};

}  // namespace trunkline::base
