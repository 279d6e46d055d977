#include "trunkline/config_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/limits.h"

namespace trunkline::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSecretBytesMax = 64 * 1024;
constexpr std::size_t kFilesMax = 1'000;

std::string system_error(int error) { return std::strerror(error); }

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ > STDERR_FILENO) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

// At most `max` + 1 bytes, so that the caller sees when there is more.
std::expected<std::string, std::string> read_file(const std::string& path, std::size_t max) {
  const Descriptor fd(path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) {
    return std::unexpected(fmt::format("{}: cannot be read: {}", path, system_error(errno)));
  }
  std::string out;
  char buffer[64 * 1024];
  while (out.size() <= max) {
    const ssize_t got = ::read(fd.get(), buffer, std::min(sizeof buffer, max + 1 - out.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      return std::unexpected(fmt::format("{}: cannot be read: {}", path, system_error(errno)));
    }
    if (got == 0) break;
    out.append(buffer, static_cast<std::size_t>(got));
  }
  return out;
}

std::expected<std::vector<std::string>, std::string> list_directory(const std::string& path) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    const fs::path& file = it->path();
    const std::string name = file.filename().string();
    if (name.starts_with('.')) continue;
    if (file.extension() == ".yaml" || file.extension() == ".yml") names.push_back(file.string());
  }
  if (error) return std::unexpected(fmt::format("{}: cannot be read: {}", path, error.message()));
  if (names.empty()) {
    return std::unexpected(fmt::format("{}: holds no file that ends in .yaml or .yml", path));
  }
  if (names.size() > kFilesMax) {
    return std::unexpected(
        fmt::format("{}: holds {} files; {} is the most", path, names.size(), kFilesMax));
  }
  std::ranges::sort(names);
  return names;
}

std::expected<std::string, std::string> read_variable(std::string_view reference) {
  const std::string name(reference.substr(2, reference.size() - 3));
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) {
    return std::unexpected(fmt::format("environment variable {} is not set", name));
  }
  return value;
}

std::expected<std::string, std::string> read_secret_file(std::string_view reference) {
  const std::string path(reference.substr(std::strlen("file:")));
  auto text = path == "-" ? std::unexpected(std::string("file:- names no file"))
                          : read_file(path, kSecretBytesMax);
  if (!text) return text;
  if (text->size() > kSecretBytesMax) {
    return std::unexpected(fmt::format("{}: more than {} bytes", path, kSecretBytesMax));
  }
  if (text->ends_with('\n')) text->pop_back();
  if (text->ends_with('\r')) text->pop_back();
  return text;
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = ::write(fd, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

}  // namespace

std::expected<std::vector<config::SourceFile>, std::string> read_config_files(
    const std::string& path) {
  std::error_code ignored;
  std::vector<std::string> names = {path};
  if (fs::is_directory(path, ignored)) {
    auto listed = list_directory(path);
    if (!listed) return std::unexpected(listed.error());
    names = std::move(*listed);
  }
  std::vector<config::SourceFile> files;
  for (const std::string& name : names) {
    auto text = read_file(name, base::limits::kConfigBytesMax);
    if (!text) return std::unexpected(text.error());
    files.push_back({name == "-" ? "<stdin>" : name, std::move(*text)});
  }
  return files;
}

std::expected<ConfigFiles, std::string> read_all_config_files(const std::string& path) {
  auto own = read_config_files(path);
  if (!own) return std::unexpected(own.error());
  ConfigFiles out{.files = std::move(*own)};
  out.following = config::following(out.files, system_secrets());
  if (!out.following) return out;
  const std::string& from = out.following->cells.takes_from;
  auto copy = cells::read_copy(cells::copy_path(out.following->store_path));
  if (!copy) {
    out.no_copy = copy.error();
  } else if (*copy && (*copy)->cell == from) {
    out.taken = std::move(*copy);
    out.files = config::with_taken(std::move(out.files), out.taken->shared.files, from);
  }
  return out;
}

config::SecretResolver system_secrets() {
  return [](std::string_view reference) -> std::expected<std::string, std::string> {
    return reference.starts_with("${") ? read_variable(reference) : read_secret_file(reference);
  };
}

config::FileReader system_files() {
  return [](const std::string& path) -> std::expected<std::string, std::string> {
    auto text = path == "-" ? std::unexpected(std::string("- names no file"))
                            : read_file(path, base::limits::kDataFileBytesMax);
    if (text && text->size() > base::limits::kDataFileBytesMax) {
      return std::unexpected(
          fmt::format("{}: more than {} MB", path, base::limits::kDataFileBytesMax >> 20));
    }
    return text;
  };
}

std::optional<config::Config> load_config(const std::string& path, const config::Config* previous) {
  const auto files = read_all_config_files(path);
  if (!files) {
    std::fprintf(stderr, "error: %s\n", files.error().c_str());
    return std::nullopt;
  }
  if (!files->no_copy.empty()) std::fprintf(stderr, "warning: %s\n", files->no_copy.c_str());
  config::Loaded loaded = config::load(files->files, system_secrets(), previous, system_files());
  for (const config::Finding& finding : loaded.findings) {
    std::fprintf(stderr, "%s\n", config::to_text(finding).c_str());
  }
  return std::move(loaded.config);
}

std::expected<void, std::string> replace_file(const std::string& path, const std::string& text) {
  std::error_code error;
  const std::string real = fs::canonical(path, error).string();
  if (error) return std::unexpected(fmt::format("{}: {}", path, error.message()));
  struct stat old{};
  const auto failed = [&](const char* doing) {
    return std::unexpected(fmt::format("{}: cannot {}: {}", real, doing, system_error(errno)));
  };
  if (::stat(real.c_str(), &old) != 0) return failed("look at the file");
  std::string temporary = real + ".XXXXXX";
  const Descriptor fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (fd.get() < 0) return failed("write beside it");
  const auto give_up = [&](const char* doing) {
    auto result = failed(doing);
    ::unlink(temporary.c_str());
    return result;
  };
  // Whoever may not give the file away keeps it: the owner is then this user.
  if (::fchown(fd.get(), old.st_uid, old.st_gid) != 0 && errno != EPERM) return give_up("own it");
  if (::fchmod(fd.get(), old.st_mode & 07777) != 0) return give_up("set its permissions");
  if (!write_all(fd.get(), text) || ::fsync(fd.get()) != 0) return give_up("write it");
  if (::rename(temporary.c_str(), real.c_str()) != 0) return give_up("replace it");
  return {};
}

}  // namespace trunkline::cli
