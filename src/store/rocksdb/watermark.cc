#include "store/rocksdb/watermark.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/bytes.h"
#include "base/crc32c.h"

namespace trunkline::store {
namespace {

constexpr std::string_view kMagic = "TLWM";
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kBytes = 4 + 1 + 2 + 4 * 8 + 4;

std::string why() { return std::strerror(errno); }

}  // namespace

std::string encode_watermark(const Watermark& watermark) {
  std::string out;
  base::ByteWriter writer(out);
  writer.bytes(kMagic);
  writer.u8(kVersion);
  writer.u16(watermark.shard);
  writer.u64(watermark.epoch);
  writer.u64(watermark.seq);
  writer.u64(watermark.manifest);
  writer.u64(watermark.manifest_bytes);
  writer.u32(base::crc32c(out));
  return out;
}

std::expected<Watermark, std::string> decode_watermark(std::string_view bytes) {
  if (bytes.size() != kBytes) return std::unexpected(fmt::format("{} octets", bytes.size()));
  base::ByteReader in(bytes);
  const bool magic = in.view(kMagic.size()) == kMagic;
  const std::uint8_t version = in.u8();
  Watermark watermark;
  watermark.shard = in.u16();
  watermark.epoch = in.u64();
  watermark.seq = in.u64();
  watermark.manifest = in.u64();
  watermark.manifest_bytes = in.u64();
  if (!magic || in.u32() != base::crc32c(bytes.substr(0, kBytes - 4))) {
    return std::unexpected("checksum mismatch");
  }
  if (version != kVersion) return std::unexpected(fmt::format("version {}", version));
  return watermark;
}

std::expected<std::optional<Watermark>, std::string> WatermarkFile::read(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    if (errno == ENOENT) return std::nullopt;
    return std::unexpected(why());
  }
  std::array<char, kBytes + 1> buffer;  // one more, to notice a longer file
  const ssize_t n = ::pread(fd, buffer.data(), buffer.size(), 0);
  const std::string reason = why();
  ::close(fd);
  if (n < 0) return std::unexpected(reason);
  auto watermark = decode_watermark({buffer.data(), static_cast<std::size_t>(n)});
  if (!watermark) return std::unexpected(watermark.error());
  return *watermark;
}

std::expected<WatermarkFile, std::string> WatermarkFile::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return std::unexpected(fmt::format("cannot open {}: {}", path, why()));
  return WatermarkFile(fd);
}

WatermarkFile::WatermarkFile(WatermarkFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

WatermarkFile& WatermarkFile::operator=(WatermarkFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

WatermarkFile::~WatermarkFile() {
  if (fd_ >= 0) ::close(fd_);
}

std::expected<void, std::string> WatermarkFile::write(const Watermark& watermark) {
  const std::string bytes = encode_watermark(watermark);
  // In one piece and within one page: a reader, also after a kill, sees the old or the new.
  for (;;) {
    const ssize_t n = ::pwrite(fd_, bytes.data(), bytes.size(), 0);
    if (n == static_cast<ssize_t>(bytes.size())) return {};
    if (n < 0 && errno == EINTR) continue;
    return std::unexpected(fmt::format("cannot write the watermark: {}", why()));
  }
}

std::expected<void, std::string> WatermarkFile::sync() {
  if (::fsync(fd_) != 0)
    return std::unexpected(fmt::format("cannot sync the watermark: {}", why()));
  return {};
}

}  // namespace trunkline::store
