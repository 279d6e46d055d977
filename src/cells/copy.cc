#include "cells/copy.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>

#include "base/limits.h"
#include "config/shared.h"

namespace trunkline::cells {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kHead = "trunkline configuration 1";
constexpr std::size_t kBytesMax = base::limits::kSharedBytesMax + 64 * 1024;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

std::unexpected<std::string> failed(const std::string& path, std::string_view doing) {
  return std::unexpected(fmt::format("{}: cannot {}: {}", path, doing, std::strerror(errno)));
}

// A line that begins with `word`; without it.
std::optional<std::string_view> take_line(std::string_view& text, std::string_view word) {
  const std::size_t end = text.find('\n');
  if (end == text.npos || !text.starts_with(word)) return std::nullopt;
  const std::string_view line = text.substr(word.size(), end - word.size());
  text.remove_prefix(end + 1);
  return line;
}

// "routes.yaml 123", and what follows.
std::optional<config::SourceFile> take_file(std::string_view line, std::string_view& text) {
  const std::size_t space = line.find(' ');
  if (space == line.npos) return std::nullopt;
  std::size_t size = 0;
  const char* const last = line.data() + line.size();
  if (std::from_chars(line.data() + space + 1, last, size).ptr != last) return std::nullopt;
  if (size >= text.size() || text[size] != '\n') return std::nullopt;
  config::SourceFile file{std::string(line.substr(0, space)), std::string(text.substr(0, size))};
  text.remove_prefix(size + 1);
  if (!config::is_shared_name(file.name)) return std::nullopt;
  return file;
}

}  // namespace

std::string copy_path(const std::string& store_path) { return store_path + ".shared"; }

std::string encode_copy(const Copy& copy) {
  std::string out = fmt::format("{}\ncell {}\nversion {}\ntaken {}\n", kHead, copy.cell,
                                copy.shared.version, base::format_rfc3339(copy.taken_at));
  for (const config::SourceFile& file : copy.shared.files) {
    out += fmt::format("file {} {}\n{}\n", file.name, file.text.size(), file.text);
  }
  return out;
}

std::expected<Copy, std::string> decode_copy(std::string_view text) {
  const auto damaged = std::unexpected<std::string>("it is damaged, or of another version");
  const auto head = take_line(text, kHead);
  const auto cell = take_line(text, "cell ");
  const auto version = take_line(text, "version ");
  const auto taken = take_line(text, "taken ");
  if (!head || !head->empty() || !cell || !version || !taken) return damaged;
  const auto at = base::parse_rfc3339(*taken);
  if (!at) return damaged;
  Copy copy{.cell = std::string(*cell), .taken_at = *at};
  copy.shared.version = *version;
  while (!text.empty()) {
    const auto line = take_line(text, "file ");
    auto file = line ? take_file(*line, text) : std::nullopt;
    if (!file || copy.shared.files.size() >= base::limits::kSharedFilesMax) return damaged;
    copy.shared.files.push_back(std::move(*file));
  }
  if (copy.shared.files.empty() || config::shared_version(copy.shared.files) != *version) {
    return damaged;
  }
  return copy;
}

std::expected<std::optional<Copy>, std::string> read_copy(const std::string& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0 && errno == ENOENT) return std::nullopt;
  if (fd.get() < 0) return failed(path, "be read");
  std::string text;
  char buffer[64 * 1024];
  while (text.size() <= kBytesMax) {
    const ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed(path, "be read");
    if (got == 0) break;
    text.append(buffer, static_cast<std::size_t>(got));
  }
  auto copy = decode_copy(text);
  if (!copy) return std::unexpected(fmt::format("{}: {}", path, copy.error()));
  return std::move(*copy);
}

std::expected<void, std::string> write_copy(const std::string& path, const Copy& copy) {
  const fs::path parent = fs::path(path).parent_path();
  const std::string directory = parent.empty() ? "." : parent.string();
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) return std::unexpected(fmt::format("{}: {}", directory, error.message()));
  const std::string temporary = path + ".tmp";
  {
    const Descriptor fd(
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (fd.get() < 0) return failed(temporary, "be written");
    const std::string text = encode_copy(copy);
    std::string_view left = text;
    while (!left.empty()) {
      const ssize_t put = ::write(fd.get(), left.data(), left.size());
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return failed(temporary, "be written");
      left.remove_prefix(static_cast<std::size_t>(put));
    }
    if (::fsync(fd.get()) != 0) return failed(temporary, "be synced");
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return failed(path, "be replaced");
  const Descriptor dir(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (dir.get() < 0 || ::fsync(dir.get()) != 0) return failed(directory, "be synced");
  return {};
}

}  // namespace trunkline::cells
