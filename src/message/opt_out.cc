#include "message/opt_out.h"

#include "base/bytes.h"

namespace trunkline::message {
namespace {

constexpr std::uint8_t kVersion = 1;

}  // namespace

std::string encode_opt_out(const OptOut& entry) {
  std::string bytes;
  base::ByteWriter out(bytes);
  out.u8(kVersion);
  out.u8(entry.out ? 1 : 0);
  out.u64(static_cast<std::uint64_t>(base::to_us(entry.at)));
  out.u64(entry.to_hash);
  out.text(entry.tenant);
  out.text(entry.sender);
  out.text(entry.cell);
  out.text(entry.by);
  out.text(entry.sealed);
  return bytes;
}

std::expected<OptOut, std::string> decode_opt_out(std::string_view bytes) {
  base::ByteReader in(bytes);
  if (in.u8() != kVersion) return std::unexpected("an opt-out of another version");
  OptOut entry;
  const std::uint8_t out = in.u8();
  entry.out = out != 0;
  const std::uint64_t at = in.u64();
  entry.to_hash = in.u64();
  entry.tenant = in.text();
  entry.sender = in.text();
  entry.cell = in.text();
  entry.by = in.text();
  entry.sealed = in.text();
  if (!in.ok() || !in.at_end() || out > 1 || at >= static_cast<std::uint64_t>(kOptOutTimeMax)) {
    return std::unexpected("a damaged opt-out");
  }
  entry.at = base::wall_from_us(static_cast<std::int64_t>(at));
  return entry;
}

}  // namespace trunkline::message
