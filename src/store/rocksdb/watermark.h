// How far the store had come, beside the database: what tells a torn tail from damage.
//
//   file := "TLWM" | version u8 | shard u16 | epoch u64 | seq u64 | manifest u64 | manifest octets
//   u64 |
//           crc32c u32 of everything before
//
// Written after every commit with one pwrite, synced once a second: it survives the death of the
// process exactly, and after a power failure it is a lower bound, because a commit is on disk
// before its watermark is written. A database whose head lies below has lost something it had
// acknowledged.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace trunkline::store {

struct Watermark {
  std::uint16_t shard = 0;
  std::uint64_t epoch = 0;
  std::uint64_t seq = 0;  // of the last commit that returned
  // The database's list of files is append-only and synced: a shorter one has lost files.
  std::uint64_t manifest = 0;        // number in its name; 0: not known
  std::uint64_t manifest_bytes = 0;  // at least this long

  friend bool operator==(const Watermark&, const Watermark&) = default;
};

std::string encode_watermark(const Watermark& watermark);
std::expected<Watermark, std::string> decode_watermark(std::string_view bytes);

class WatermarkFile {
 public:
  // What the file says: nothing if there is none, an error if it cannot be read or understood.
  static std::expected<std::optional<Watermark>, std::string> read(const std::string& path);
  // For writing; makes it if need be.
  static std::expected<WatermarkFile, std::string> open(const std::string& path);

  WatermarkFile() = default;
  WatermarkFile(WatermarkFile&& other) noexcept;
  WatermarkFile& operator=(WatermarkFile&& other) noexcept;
  ~WatermarkFile();

  std::expected<void, std::string> write(const Watermark& watermark);
  std::expected<void, std::string> sync();

 private:
  explicit WatermarkFile(int fd) : fd_(fd) {}
  int fd_ = -1;
};

}  // namespace trunkline::store
