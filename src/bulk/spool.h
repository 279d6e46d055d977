// The recipients of a bulk upload on disk: lines in sealed blocks, in the order they came.
//
//   file  := block *
//   block := size u32 | lines u32 | seal::Vault blob of (number varint | text) *
//
// `number` is the line's in what was uploaded, from 1: empty lines are not kept, but counted.
// Nothing of it is readable without the keys, and a block that was changed, cut or moved to another
// file does not open. One thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/hash.h"
#include "base/time.h"
#include "seal/vault.h"

namespace trunkline::bulk {

// An open file, closed when it goes.
class File {
 public:
  File() = default;
  explicit File(int fd) : fd_(fd) {}
  File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  File& operator=(File&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~File();

  static File create(const std::string& path);  // for writing, 0600; empty or made so
  static File append(const std::string& path);  // the same, at the end of what is there
  static File read(const std::string& path);
  bool is_open() const { return fd_ >= 0; }
  bool write(std::string_view bytes);
  bool sync();
  // Up to `size` octets from `offset` on; fewer at the end. Nothing: the disk fails.
  std::optional<std::string> read_at(std::uint64_t offset, std::size_t size) const;
  std::uint64_t size() const;
  bool cut(std::uint64_t size);

 private:
  int fd_ = -1;
};
// A whole small file in the place of what was there, durable. False: the disk fails.
bool replace_file(const std::string& path, std::string_view bytes);
bool sync_directory(const std::string& path);

// By whom a file is sealed: the same to write and to read.
struct Seal {
  const seal::Vault* vault = nullptr;
  std::string tenant;
  std::uint64_t scope = 0;  // of the keys
  std::string context;      // of the blobs
};

class SpoolWriter {
 public:
  static constexpr std::size_t kBlockBytes = 32 * 1024;

  SpoolWriter(File file, Seal seal, base::Wall now);
  // False: the disk fails.
  bool add(std::uint64_t number, std::string_view line);
  bool finish();  // durable
  std::uint64_t lines() const { return lines_; }
  std::uint64_t bytes() const { return bytes_; }  // on disk
  // Of all that was added: keyed, the same for the same lines.
  const base::Hash128& fingerprint() const { return fingerprint_; }

 private:
  bool flush();

  File file_;
  const Seal seal_;
  const base::Wall now_;
  std::string block_;
  std::uint32_t in_block_ = 0;
  std::uint64_t blocks_ = 0;
  std::uint64_t lines_ = 0;
  std::uint64_t bytes_ = 0;
  base::Hash128 fingerprint_{};
};

class SpoolReader {
 public:
  SpoolReader(File file, Seal seal) : file_(std::move(file)), seal_(std::move(seal)) {}
  enum class Got : std::uint8_t { line, end, damaged };
  struct Line {
    std::uint64_t number = 0;
    std::string_view text;  // until the next call
  };
  Got next(Line& line);
  // Passes by so many lines, blocks unopened where possible.
  bool skip(std::uint64_t lines);

 private:
  bool open_block();  // false: none, or damaged_

  File file_;
  Seal seal_;
  std::uint64_t offset_ = 0;
  std::uint64_t number_ = 0;  // of the block
  bool damaged_ = false;
  std::string block_;
  std::size_t at_ = 0;
  std::uint32_t left_ = 0;  // lines of the block
};

}  // namespace trunkline::bulk
