#include "bulk/spool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "base/bytes.h"

namespace trunkline::bulk {
namespace {

constexpr std::size_t kBlockHeader = 8;
constexpr std::size_t kBlockBytesMax = 1024 * 1024;

// Of the block in its file, so that none can stand in for another.
std::string context_of(const Seal& seal, std::uint64_t number, std::uint32_t lines) {
  return fmt::format("{}#{}#{}", seal.context, number, lines);
}

}  // namespace

File::~File() {
  if (fd_ >= 0) ::close(fd_);
}

File File::create(const std::string& path) {
  return File(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
}
File File::append(const std::string& path) {
  return File(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
}
File File::read(const std::string& path) {
  return File(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

bool File::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

bool File::sync() { return ::fdatasync(fd_) == 0; }

std::optional<std::string> File::read_at(std::uint64_t offset, std::size_t size) const {
  std::string out(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const ssize_t count =
        ::pread(fd_, out.data() + have, size - have, static_cast<off_t>(offset + have));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::nullopt;
    if (count == 0) break;
    have += static_cast<std::size_t>(count);
  }
  out.resize(have);
  return out;
}

std::uint64_t File::size() const {
  struct stat about{};
  return ::fstat(fd_, &about) == 0 ? static_cast<std::uint64_t>(about.st_size) : 0;
}

bool File::cut(std::uint64_t size) { return ::ftruncate(fd_, static_cast<off_t>(size)) == 0; }

bool sync_directory(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool done = ::fsync(fd) == 0;
  ::close(fd);
  return done;
}

bool replace_file(const std::string& path, std::string_view bytes) {
  const std::string fresh = path + ".new";
  {
    File file = File::create(fresh);
    if (!file.is_open() || !file.write(bytes) || !file.sync()) return false;
  }
  return ::rename(fresh.c_str(), path.c_str()) == 0 &&
         sync_directory(path.substr(0, path.rfind('/')));
}

SpoolWriter::SpoolWriter(File file, Seal seal, base::Wall now)
    : file_(std::move(file)), seal_(std::move(seal)), now_(now) {}

bool SpoolWriter::add(std::uint64_t number, std::string_view line) {
  base::ByteWriter writer(block_);
  writer.varint(number);
  writer.text(line);
  ++in_block_;
  ++lines_;
  return block_.size() < kBlockBytes || flush();
}

bool SpoolWriter::flush() {
  if (in_block_ == 0) return true;
  // The blocks begin where they begin for the same lines only.
  std::string chained;
  base::ByteWriter chain(chained);
  chain.u64(fingerprint_.high);
  chain.u64(fingerprint_.low);
  chain.bytes(block_);
  fingerprint_ = seal_.vault->hash("bulk-lines", chained);

  const std::uint64_t number = blocks_++;
  const std::string blob = seal_.vault->seal(seal::KeyKind::month, seal_.tenant, seal_.scope, now_,
                                             block_, context_of(seal_, number, in_block_));
  std::string out;
  base::ByteWriter writer(out);
  writer.u32(static_cast<std::uint32_t>(blob.size()));
  writer.u32(in_block_);
  writer.bytes(blob);
  bytes_ += out.size();
  block_.clear();
  in_block_ = 0;
  return file_.is_open() && file_.write(out);
}

bool SpoolWriter::finish() { return flush() && file_.is_open() && file_.sync(); }

bool SpoolReader::open_block() {
  const auto header = file_.is_open() ? file_.read_at(offset_, kBlockHeader) : std::nullopt;
  if (!header || header->size() < kBlockHeader) {
    damaged_ = !header || !header->empty();
    return false;
  }
  base::ByteReader in(*header);
  const std::uint32_t size = in.u32();
  const std::uint32_t lines = in.u32();
  const auto blob = size <= kBlockBytesMax ? file_.read_at(offset_ + kBlockHeader, size)
                                           : std::optional<std::string>();
  auto plain = blob && blob->size() == size
                   ? seal_.vault->open_blob(*blob, context_of(seal_, number_, lines))
                   : std::expected<std::string, seal::OpenError>(
                         std::unexpected(seal::OpenError::malformed));
  if (!plain) {
    damaged_ = true;
    return false;
  }
  // A block without lines is none that was ever written.
  if (lines == 0) {
    damaged_ = true;
    return false;
  }
  block_ = std::move(*plain);
  left_ = lines;
  at_ = 0;
  offset_ += kBlockHeader + size;
  ++number_;
  return true;
}

SpoolReader::Got SpoolReader::next(Line& line) {
  if (damaged_ || (left_ == 0 && !open_block())) return damaged_ ? Got::damaged : Got::end;
  base::ByteReader in(std::string_view(block_).substr(at_));
  line.number = in.varint();
  line.text = in.text();
  if (!in.ok()) {
    damaged_ = true;
    return Got::damaged;
  }
  at_ += in.offset();
  --left_;
  return Got::line;
}

bool SpoolReader::skip(std::uint64_t lines) {
  while (lines > 0) {
    if (left_ == 0) {
      const auto header = file_.is_open() ? file_.read_at(offset_, kBlockHeader) : std::nullopt;
      if (!header || header->size() < kBlockHeader) return false;
      base::ByteReader in(*header);
      const std::uint32_t size = in.u32();
      if (const std::uint32_t count = in.u32(); count <= lines) {
        lines -= count;
        offset_ += kBlockHeader + size;
        ++number_;
        continue;
      }
    }
    Line line;
    if (next(line) != Got::line) return false;
    --lines;
  }
  return true;
}

}  // namespace trunkline::bulk
