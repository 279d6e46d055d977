#include "message/notice.h"

#include "base/bytes.h"

namespace trunkline::message {
namespace {

constexpr std::uint8_t kNoticeVersion = 1;
constexpr std::uint8_t kKinds = 3;

void write_id(base::ByteWriter& out, const base::MessageId& id) {
  out.u64(id.high);
  out.u64(id.low);
}

}  // namespace

std::string encode_notice(const Notice& notice) {
  std::string out;
  out.reserve(48 + notice.tenant.size() + notice.raw.size() + notice.sealed.size());
  base::ByteWriter writer(out);
  writer.u8(kNoticeVersion);
  writer.u64(static_cast<std::uint64_t>(base::to_us(notice.time)));
  writer.u8(static_cast<std::uint8_t>(notice.kind));
  write_id(writer, notice.id);
  writer.u8(static_cast<std::uint8_t>(notice.state));
  writer.u8(static_cast<std::uint8_t>(notice.cause));
  writer.u64(static_cast<std::uint64_t>(base::to_us(notice.accepted_at)));
  writer.text(notice.tenant);
  writer.text(notice.raw);
  writer.text(notice.sealed);
  return out;
}

std::expected<Notice, std::string> decode_notice(std::string_view bytes) {
  base::ByteReader in(bytes);
  const std::uint8_t version = in.u8();
  if (in.ok() && version != kNoticeVersion) {
    return std::unexpected(
        fmt::format("notice version {} (this build reads {})", version, kNoticeVersion));
  }
  Notice out;
  out.time = base::wall_from_us(static_cast<std::int64_t>(in.u64()));
  const std::uint8_t kind = in.u8();
  out.id.high = in.u64();
  out.id.low = in.u64();
  const std::uint8_t state = in.u8();
  const std::uint8_t cause = in.u8();
  out.accepted_at = base::wall_from_us(static_cast<std::int64_t>(in.u64()));
  out.tenant = in.text();
  out.raw = in.text();
  out.sealed = in.text();
  if (!in.ok() || !in.at_end() || kind >= kKinds || state >= kStateCount || cause >= kCauseCount) {
    return std::unexpected("damaged notice");
  }
  out.kind = static_cast<NoticeKind>(kind);
  out.state = static_cast<State>(state);
  out.cause = static_cast<Cause>(cause);
  return out;
}

std::optional<base::Wall> notice_time(std::string_view bytes) {
  base::ByteReader in(bytes);
  const std::uint8_t version = in.u8();
  const std::uint64_t time = in.u64();
  if (!in.ok() || version != kNoticeVersion) return std::nullopt;
  return base::wall_from_us(static_cast<std::int64_t>(time));
}

}  // namespace trunkline::message
