// Comma-separated values (RFC 4180) as spreadsheets and carriers write them: LF or CRLF, fields in
// quotes or bare, a byte order mark or none, blank lines and lines that begin with # skipped.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace trunkline::base {

class CsvReader {
 public:
  // `text` must outlive this.
  explicit CsvReader(std::string_view text);

  // The next row into `fields`, blanks around bare ones removed; false at the end, and for good
  // once error() says what is wrong.
  bool next(std::vector<std::string>& fields);

  std::size_t line() const { return row_line_; }  // where the row began, from 1
  const std::string& error() const { return error_; }

 private:
  bool field(std::string& out);
  bool quoted(std::string& out);

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t row_line_ = 0;
  std::string error_;
};

}  // namespace trunkline::base
