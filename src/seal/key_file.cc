#include "seal/key_file.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/bytes.h"

namespace trunkline::seal {
namespace {

constexpr std::string_view kMagic{"TLKEYS\0", 7};
constexpr std::size_t kHeaderBytes = 7 + 1 + 8 + kSecretBytes + 4;
constexpr std::size_t kEntryBytes = 1 + 4 + kSecretBytes;
constexpr std::size_t kChecksumBytes = 32;

std::string checksum(std::string_view bytes) {
  std::string out(kChecksumBytes, '\0');
  crypto_generichash(reinterpret_cast<unsigned char*>(out.data()), out.size(),
                     reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), nullptr,
                     0);
  return out;
}

class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  int fd() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

 private:
  int fd_;
};

std::string why() { return std::strerror(errno); }

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

bool sync_directory_of(const std::string& path) {
  const auto parent = std::filesystem::path(path).parent_path();
  const File dir(::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return dir.is_open() && ::fsync(dir.fd()) == 0;
}

// Zeros over what is there, on disk when this returns. True if there is nothing to overwrite.
bool overwrite(const std::string& path) {
  const File file(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.is_open()) return errno == ENOENT;
  struct stat about{};
  if (::fstat(file.fd(), &about) != 0) return false;
  const std::string zeros(static_cast<std::size_t>(about.st_size), '\0');
  return write_all(file.fd(), zeros) && ::fsync(file.fd()) == 0;
}

std::string temporary(const std::string& path) { return path + ".new"; }

// FILE.new is whole and on disk: makes it FILE.
std::expected<void, std::string> promote(const std::string& path) {
  if (!overwrite(path)) {
    return std::unexpected(fmt::format("cannot overwrite the old key file {}: {}", path, why()));
  }
  if (::rename(temporary(path).c_str(), path.c_str()) != 0 || !sync_directory_of(path)) {
    return std::unexpected(fmt::format("cannot rename {} to {}: {}", temporary(path), path, why()));
  }
  return {};
}

std::expected<Keyring, KeyFileError> read_key_file(const std::string& path) {
  const auto error = [&](const std::string& text) {
    return std::unexpected(KeyFileError{false, text});
  };
  const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) {
    if (errno == ENOENT) {
      return std::unexpected(KeyFileError{true, fmt::format("there is no key file {}", path)});
    }
    return error(fmt::format("cannot open key file {}: {}", path, why()));
  }
  struct stat about{};
  if (::fstat(file.fd(), &about) != 0) return error(fmt::format("key file {}: {}", path, why()));
  if (!S_ISREG(about.st_mode)) return error(fmt::format("key file {} is not a file", path));
  if ((about.st_mode & 077) != 0) {
    return error(
        fmt::format("key file {} is open to other users (mode {:04o}); if nobody can have read it, "
                    "run: chmod 600 {}",
                    path, about.st_mode & 07777, path));
  }
  if (static_cast<std::size_t>(about.st_size) > kKeyFileBytesMax) {
    return error(fmt::format("key file {} is damaged: {} octets", path, about.st_size));
  }
  ZeroedBytes bytes(static_cast<std::size_t>(about.st_size));
  for (std::size_t at = 0; at < bytes.size();) {
    const ssize_t n = ::read(file.fd(), bytes.data() + at, bytes.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return error(fmt::format("cannot read key file {}: {}", path, why()));
    at += static_cast<std::size_t>(n);
  }
  auto ring = decode_key_file(bytes.view());
  if (!ring) {
    return error(
        fmt::format("key file {}: {}; restore it from your backup: without it what the "
                    "store holds cannot be read",
                    path, ring.error()));
  }
  return std::move(*ring);
}

}  // namespace

ZeroedBytes encode_key_file(const Keyring& ring) {
  std::string out;
  // Reserved whole, so that no reallocation leaves secrets behind in freed memory.
  out.reserve(kHeaderBytes + ring.roots().size() * kEntryBytes + kChecksumBytes);
  base::ByteWriter writer(out);
  const auto raw = [&](std::span<const unsigned char, kSecretBytes> bytes) {
    writer.bytes({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  };
  writer.bytes(kMagic);
  writer.u8(kKeyFileVersion);
  writer.u64(ring.generation());
  raw(ring.installation());
  writer.u32(static_cast<std::uint32_t>(ring.roots().size()));
  for (const Root& root : ring.roots()) {
    writer.u8(static_cast<std::uint8_t>(root.kind));
    writer.u32(root.period);
    raw(root.key);
  }
  writer.bytes(checksum(out));
  return ZeroedBytes(std::move(out));
}

std::expected<Keyring, std::string> decode_key_file(std::string_view bytes) {
  base::ByteReader in(bytes);
  if (in.view(kMagic.size()) != kMagic) return std::unexpected("not a key file of ours");
  const std::uint8_t version = in.u8();
  if (in.ok() && version != kKeyFileVersion) {
    return std::unexpected(
        fmt::format("version {} (this build reads {})", version, kKeyFileVersion));
  }
  if (bytes.size() < kHeaderBytes + kChecksumBytes ||
      checksum(bytes.substr(0, bytes.size() - kChecksumBytes)) !=
          bytes.substr(bytes.size() - kChecksumBytes)) {
    return std::unexpected("damaged (checksum)");
  }
  const std::uint64_t generation = in.u64();
  std::array<unsigned char, kSecretBytes> installation;
  const auto raw = [&](std::array<unsigned char, kSecretBytes>& into) {
    const std::string_view from = in.view(kSecretBytes);
    if (in.ok()) std::memcpy(into.data(), from.data(), kSecretBytes);
  };
  raw(installation);
  const std::uint32_t count = in.u32();
  if (!in.ok() || in.remaining() != count * kEntryBytes + kChecksumBytes) {
    return std::unexpected("damaged (length)");
  }
  std::vector<Root> roots(count);
  bool sound = true;
  for (Root& root : roots) {
    const std::uint8_t kind = in.u8();
    sound &= kind == static_cast<std::uint8_t>(KeyKind::month) ||
             kind == static_cast<std::uint8_t>(KeyKind::hour);
    root.kind = static_cast<KeyKind>(kind);
    root.period = in.u32();
    raw(root.key);
  }
  for (std::size_t i = 1; i < roots.size(); ++i) sound &= roots[i - 1] < roots[i];
  std::expected<Keyring, std::string> out = std::unexpected("damaged (entries)");
  if (sound) out = Keyring(generation, installation, roots);
  sodium_memzero(installation.data(), installation.size());
  if (!roots.empty()) sodium_memzero(roots.data(), roots.size() * sizeof(Root));
  return out;
}

std::expected<Keyring, KeyFileError> load_key_file(const std::string& path) {
  auto current = read_key_file(path);
  auto next = read_key_file(temporary(path));
  if (next && (!current || next->generation() > current->generation())) {
    // Written whole before the crash; what it replaces may be half overwritten.
    if (auto done = promote(path); !done) return std::unexpected(KeyFileError{false, done.error()});
    return std::move(*next);
  }
  if ((next || !next.error().missing) && (current || current.error().missing)) {
    // Not finished, so nothing was ever sealed under it.
    if (!overwrite(temporary(path)) || ::unlink(temporary(path).c_str()) != 0) {
      return std::unexpected(
          KeyFileError{false, fmt::format("cannot remove {}: {}", temporary(path), why())});
    }
  }
  return current;
}

std::expected<void, std::string> save_key_file(const std::string& path, const Keyring& ring) {
  const std::string temp = temporary(path);
  const auto error = [&](std::string_view what) {
    const std::string reason = why();
    ::unlink(temp.c_str());
    return std::unexpected(fmt::format("cannot {} key file {}: {}", what, temp, reason));
  };
  {
    const ZeroedBytes bytes = encode_key_file(ring);
    ::unlink(temp.c_str());
    const File file(::open(temp.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file.is_open()) return error("create");
    // The umask may have taken bits away, and O_CREAT gives none back.
    if (::fchmod(file.fd(), 0600) != 0 || !write_all(file.fd(), bytes.view())) {
      return error("write");
    }
    if (::fsync(file.fd()) != 0 || !sync_directory_of(path)) return error("sync");
  }
  return promote(path);
}

}  // namespace trunkline::seal
