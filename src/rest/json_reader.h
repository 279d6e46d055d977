// Reads JSON (RFC 8259) value by value, straight into what the caller wants: no tree. Strict: no
// comments, no trailing commas, UTF-8 checked, lone surrogates and depth bombs refused. After the
// first error every call answers as if the document were over, so a caller looks at ok() once.
//
// Pure; views point into the document and live as long as it does.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace trunkline::rest {

inline constexpr int kJsonDepthMax = 32;

class JsonReader {
 public:
  enum class Type : std::uint8_t { object, array, string, number, boolean, null, none };

  explicit JsonReader(std::string_view text) : text_(text) {}

  bool ok() const { return error_ == nullptr; }
  // "expected a value at line 1, column 17"
  std::string error_text() const;

  // Of the value that comes next; none after an error or at the end.
  Type peek();

  // if (in.begin_object()) while (in.next_member(name)) { ...read one value... }
  // `name` lives until the next call.
  bool begin_object();
  bool next_member(std::string_view& name);
  bool begin_array();
  bool next_element();

  // Each reads one value of that type; on another type it is an error, so peek() first.
  std::string_view string(std::string& storage);  // decoded; in `storage` if it had escapes
  std::string_view number();                      // as written
  bool boolean();
  void null();
  // Reads a value of any type and forgets it; its text as written.
  std::string_view skip();

  // Nothing but white space may follow.
  bool finish();

 private:
  void fail(const char* what);
  void white_space();
  bool literal(std::string_view word);
  bool descend();
  void escape(std::string& out);
  int hex4();

  std::string_view text_;
  std::size_t at_ = 0;
  const char* error_ = nullptr;
  std::size_t error_at_ = 0;
  int depth_ = 0;
  std::uint32_t fresh_ = 0;  // bit d: the container at depth d has had no value yet
  std::string name_;
};

static_assert(kJsonDepthMax <= 32, "fresh_ has a bit for each level");

}  // namespace trunkline::rest
