#include "admin/audit.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/json_writer.h"
#include "base/limits.h"

namespace trunkline::admin {
namespace {

namespace limits = base::limits;

constexpr mode_t kMode = 0600;

int open_file(const std::string& path) {
  return ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, kMode);
}

std::string tail_of(int file, std::size_t bytes) {
  const off_t size = ::lseek(file, 0, SEEK_END);
  if (size <= 0) return {};
  const off_t from = std::max<off_t>(0, size - static_cast<off_t>(bytes));
  std::string out(static_cast<std::size_t>(size - from), '\0');
  std::size_t got = 0;
  while (got < out.size()) {
    const ssize_t n =
        ::pread(file, out.data() + got, out.size() - got, from + static_cast<off_t>(got));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    got += static_cast<std::size_t>(n);
  }
  out.resize(got);
  // What came before the first whole line is not shown.
  return from == 0 ? out : out.substr(std::min(out.size(), out.find('\n') + 1));
}

}  // namespace

Audit::Audit(std::string path, int file, std::size_t size)
    : path_(std::move(path)), file_(file), size_(size) {}

Audit::Audit(Audit&& other) noexcept
    : path_(std::move(other.path_)), file_(std::exchange(other.file_, -1)), size_(other.size_) {}

Audit::~Audit() {
  if (file_ >= 0) ::close(file_);
}

std::expected<Audit, std::string> Audit::open(const std::string& path) {
  const int file = open_file(path);
  if (file < 0) {
    return std::unexpected(
        fmt::format("{}: {}; the audit log cannot be kept there, mend the path "
                    "or its permissions",
                    path, std::strerror(errno)));
  }
  const off_t size = ::lseek(file, 0, SEEK_END);
  return Audit(path, file, static_cast<std::size_t>(std::max<off_t>(0, size)));
}

bool Audit::make_room(std::size_t bytes) {
  if (size_ + bytes <= limits::kAuditBytesMax) return true;
  if (std::rename(path_.c_str(), (path_ + ".1").c_str()) != 0) return false;
  const int file = open_file(path_);
  if (file < 0) return false;
  ::close(file_);
  file_ = file;
  size_ = 0;
  return true;
}

bool Audit::write(base::Wall time, std::string_view by, std::string_view action,
                  std::string_view stage, std::string_view detail) {
  std::string line;
  base::JsonWriter json(line);
  json.begin_object();
  json.key("time").string(base::format_rfc3339(time));
  json.key("by").string(by);
  json.key("action").string(action);
  json.key("stage").string(stage);
  json.key("detail").raw(detail);
  json.end_object();
  line += '\n';
  if (!make_room(line.size())) return false;
  std::size_t done = 0;
  while (done < line.size()) {
    const ssize_t n = ::write(file_, line.data() + done, line.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    done += static_cast<std::size_t>(n);
    size_ += static_cast<std::size_t>(n);
  }
  return ::fdatasync(file_) == 0;
}

std::vector<std::string> Audit::latest(std::size_t count) const {
  std::vector<std::string> out;
  std::string text = tail_of(file_, limits::kAuditShownBytesMax);
  while (!text.empty() && out.size() < count) {
    if (text.back() == '\n') text.pop_back();
    const std::size_t before = text.rfind('\n');
    const std::size_t begin = before == std::string::npos ? 0 : before + 1;
    if (begin < text.size()) out.push_back(text.substr(begin));
    text.resize(begin);
  }
  return out;
}

}  // namespace trunkline::admin
