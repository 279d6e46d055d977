// Collects what is wrong: places in files turned into line and column, text made safe to print, and
// a bound on how much is said.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/config.h"

namespace trunkline::config {

// A place as the YAML parser counts: from 0, columns in bytes.
struct Mark {
  std::uint16_t file = 0;  // index into the source files
  int line = -1;           // negative: no place
  int column = 0;
};

// `text` between double quotes for a message: control characters escaped, cut when long.
std::string quote(std::string_view text);

// "alpha, beta, gamma"; long lists are cut.
std::string join(const std::vector<std::string_view>& names);

class Findings {
 public:
  // Beyond this many errors, and this many warnings, only their number is told.
  static constexpr std::size_t kMax = 500;

  // `files` must outlive this.
  explicit Findings(const std::vector<SourceFile>& files);

  void error(const Mark& mark, std::string path, std::string what, std::string remedy);
  void warning(const Mark& mark, std::string path, std::string what, std::string remedy);
  // An error in another file that `mark` names, at a line of it from 1.
  void error_in(const Mark& mark, std::string file, std::size_t line, std::string what,
                std::string remedy);
  std::size_t errors() const { return errors_; }

  // Without `what` and `remedy`: for what is found out later.
  Finding locate(const Mark& mark, std::string path);

  // "FILE:LINE", to point at a second place within a message.
  std::string place(const Mark& mark) const;

  // In order of file, line and column. Leaves this empty.
  std::vector<Finding> take();

 private:
  void add(Finding::Severity severity, const Mark& mark, std::string path, std::string what,
           std::string remedy);
  // Column from 1 in characters, as editors count.
  int column(const Mark& mark);
  void tell_dropped(Finding::Severity severity, std::size_t count);

  struct Entry {
    Mark mark;
    Finding finding;
  };

  const std::vector<SourceFile>& files_;
  std::vector<std::vector<std::size_t>> line_starts_;  // by file, filled when first needed
  std::vector<Entry> entries_;
  std::size_t errors_ = 0;
  std::size_t warnings_ = 0;
};

}  // namespace trunkline::config
