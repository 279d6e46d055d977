#include "config/findings.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "config/text.h"

namespace trunkline::config {
namespace {

constexpr std::size_t kQuoteBytesMax = 64;
constexpr std::size_t kNamesMax = 24;

}  // namespace

std::string quote(std::string_view text) {
  std::string out = "\"";
  std::size_t cut = std::min(text.size(), kQuoteBytesMax);
  while (cut < text.size() && cut > 0 && is_utf8_continuation(text[cut])) --cut;
  for (const char c : text.substr(0, cut)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out.push_back(c);
    }
  }
  return out + (cut < text.size() ? "…\"" : "\"");
}

std::string join(const std::vector<std::string_view>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size() && i < kNamesMax; ++i) {
    out += out.empty() ? "" : ", ";
    out += names[i];
  }
  if (names.size() > kNamesMax) out += fmt::format(" and {} more", names.size() - kNamesMax);
  return out;
}

Findings::Findings(const std::vector<SourceFile>& files)
    : files_(files), line_starts_(files.size()) {}

void Findings::error(const Mark& mark, std::string path, std::string what, std::string remedy) {
  if (++errors_ > kMax) return;
  add(Finding::Severity::error, mark, std::move(path), std::move(what), std::move(remedy));
}

void Findings::error_in(const Mark& mark, std::string file, std::size_t line, std::string what,
                        std::string remedy) {
  if (++errors_ > kMax) return;
  entries_.push_back({mark,
                      {.file = std::move(file),
                       .line = static_cast<int>(line),
                       .column = 1,
                       .what = std::move(what),
                       .remedy = std::move(remedy)}});
}

void Findings::warning(const Mark& mark, std::string path, std::string what, std::string remedy) {
  if (++warnings_ > kMax) return;
  add(Finding::Severity::warning, mark, std::move(path), std::move(what), std::move(remedy));
}

std::string Findings::place(const Mark& mark) const {
  if (mark.line < 0 || mark.file >= files_.size()) return "the defaults";
  return fmt::format("{}:{}", files_[mark.file].name, mark.line + 1);
}

Finding Findings::locate(const Mark& mark, std::string path) {
  Finding finding{.path = std::move(path)};
  if (mark.file < files_.size()) finding.file = files_[mark.file].name;
  if (mark.line >= 0) {
    finding.line = mark.line + 1;
    finding.column = column(mark);
  }
  return finding;
}

void Findings::add(Finding::Severity severity, const Mark& mark, std::string path, std::string what,
                   std::string remedy) {
  Finding finding = locate(mark, std::move(path));
  finding.severity = severity;
  finding.what = std::move(what);
  finding.remedy = std::move(remedy);
  entries_.push_back({mark, std::move(finding)});
}

int Findings::column(const Mark& mark) {
  if (mark.file >= files_.size()) return mark.column + 1;
  const std::string_view text = without_bom(files_[mark.file].text);
  std::vector<std::size_t>& starts = line_starts_[mark.file];
  if (starts.empty()) {
    starts.push_back(0);
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n') starts.push_back(i + 1);
    }
  }
  if (static_cast<std::size_t>(mark.line) >= starts.size()) return mark.column + 1;
  const std::string_view line = text.substr(starts[static_cast<std::size_t>(mark.line)],
                                            static_cast<std::size_t>(std::max(mark.column, 0)));
  return 1 + static_cast<int>(
                 std::ranges::count_if(line, [](char c) { return !is_utf8_continuation(c); }));
}

void Findings::tell_dropped(Finding::Severity severity, std::size_t count) {
  if (count <= kMax) return;
  const bool is_error = severity == Finding::Severity::error;
  entries_.push_back({{.file = 0xffff, .line = -1},
                      {.severity = severity,
                       .what = fmt::format("{} more {}s are not shown", count - kMax,
                                           is_error ? "error" : "warning"),
                       .remedy = "correct those above and check again"}});
}

std::vector<Finding> Findings::take() {
  tell_dropped(Finding::Severity::error, errors_);
  tell_dropped(Finding::Severity::warning, warnings_);
  // By place; what has the same place stays in the order found.
  std::map<std::tuple<std::uint16_t, int, int, std::size_t>, Finding*> sorted;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const Mark& mark = entries_[i].mark;
    sorted[{mark.file, mark.line, mark.column, i}] = &entries_[i].finding;
  }
  std::vector<Finding> out;
  out.reserve(entries_.size());
  for (const auto& [place, finding] : sorted) out.push_back(std::move(*finding));
  entries_.clear();
  errors_ = warnings_ = 0;
  return out;
}

std::string to_text(const Finding& finding) {
  std::string out = finding.file;
  if (finding.line > 0) out += fmt::format(":{}:{}", finding.line, finding.column);
  if (!out.empty()) out += ": ";
  out += finding.severity == Finding::Severity::error ? "error: " : "warning: ";
  out += finding.what;
  if (!finding.path.empty()) out += fmt::format(" ({})", finding.path);
  if (!finding.remedy.empty()) out += "; " + finding.remedy;
  return out;
}

}  // namespace trunkline::config
