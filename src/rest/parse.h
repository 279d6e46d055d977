// From what a client sent to checked values. Every mistake of a request is found and told at once,
// each with a pointer, a code and what to do; nothing of a number or a body is ever repeated in
// them (promise P8).
//
// Pure: text in, values out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/id.h"
#include "base/time.h"
#include "config/config.h"
#include "gsm/encoding.h"
#include "io/problem.h"
#include "message/index.h"
#include "message/record.h"
#include "message/state.h"
#include "numbering/number.h"

namespace trunkline::rest {

// Codes of ProblemError, the closed list of docs/http_api.md.
namespace error_code {
inline constexpr std::string_view kInvalidJson = "invalid_json";
inline constexpr std::string_view kUnknownField = "unknown_field";
inline constexpr std::string_view kDuplicateField = "duplicate_field";
inline constexpr std::string_view kMissing = "missing";
inline constexpr std::string_view kWrongType = "wrong_type";
inline constexpr std::string_view kEmpty = "empty";
inline constexpr std::string_view kTooLong = "too_long";
inline constexpr std::string_view kTextTooLong = "text_too_long";
inline constexpr std::string_view kTooMany = "too_many";
inline constexpr std::string_view kInvalidNumber = "invalid_number";
inline constexpr std::string_view kInvalidDuration = "invalid_duration";
inline constexpr std::string_view kInvalidTime = "invalid_time";
inline constexpr std::string_view kInvalidUrl = "invalid_url";
inline constexpr std::string_view kInvalidText = "invalid_text";
inline constexpr std::string_view kInvalidKey = "invalid_key";
inline constexpr std::string_view kInvalidValue = "invalid_value";
inline constexpr std::string_view kInvalidCursor = "invalid_cursor";
inline constexpr std::string_view kInvalidEncoding = "invalid_encoding";
inline constexpr std::string_view kInvalidContentType = "invalid_content_type";
inline constexpr std::string_view kOutOfRange = "out_of_range";
inline constexpr std::string_view kUnknownClass = "unknown_class";
inline constexpr std::string_view kUnknownRegion = "unknown_region";
inline constexpr std::string_view kUnknownTemplate = "unknown_template";
inline constexpr std::string_view kConflict = "conflict";
inline constexpr std::string_view kUnknownParameter = "unknown_parameter";
}  // namespace error_code

inline constexpr std::string_view kErrorCodes[] = {
    error_code::kInvalidJson,
    error_code::kUnknownField,
    error_code::kDuplicateField,
    error_code::kMissing,
    error_code::kWrongType,
    error_code::kEmpty,
    error_code::kTooLong,
    error_code::kTextTooLong,
    error_code::kTooMany,
    error_code::kInvalidNumber,
    error_code::kInvalidDuration,
    error_code::kInvalidTime,
    error_code::kInvalidUrl,
    error_code::kInvalidText,
    error_code::kInvalidKey,
    error_code::kInvalidValue,
    error_code::kInvalidCursor,
    error_code::kInvalidEncoding,
    error_code::kInvalidContentType,
    error_code::kOutOfRange,
    error_code::kUnknownClass,
    error_code::kUnknownRegion,
    error_code::kUnknownParameter,
    error_code::kUnknownTemplate,
    error_code::kConflict,
};

using Errors = std::vector<io::ProblemError>;

struct ParseContext {
  const config::Config& config;
  message::TenantIndex tenant;
  base::Wall now;
  bool needs_body = true;  // of a message; a question may leave it out
};

struct MessageRequest {
  message::Payload payload;
  std::optional<numbering::Number> to;  // set if there are no errors
  message::ClassIndex traffic_class;
  std::string class_given;  // empty: the tenant's default was taken
  gsm::Encoding encoding = gsm::Encoding::gsm7;
  std::uint8_t segments = 1;
  std::optional<base::Duration> ttl;
  std::optional<base::Wall> send_at;
  std::string region;
  std::vector<std::pair<std::string, std::string>> metadata;  // name, value as JSON; as given
  std::string template_name;  // empty: none; the text is then payload.body all the same
  policy::TextTemplate::Variables variables;  // as given
  std::string idempotency_key;                // of an item of a batch
  Errors errors;

  // The same for every way of writing the same request, another for any other. `errors` count, so
  // that a batch whose items were judged differently is not taken for its first sending.
  void append_fingerprint(std::string& out) const;
};

MessageRequest parse_message(std::string_view body, const ParseContext& context);

struct BatchRequest {
  std::vector<MessageRequest> items;  // each with its own errors
  Errors errors;                      // of the whole: then `items` is empty
};
BatchRequest parse_batch(std::string_view body, const ParseContext& context);

// Where a POST takes no fields: nothing or {}.
Errors parse_empty(std::string_view body);
// A body whose only field is the boolean `name`, which stays as it is if there is none.
Errors parse_flag(std::string_view body, std::string_view name, bool& flag);

// limits::kIdempotencyKeyBytesMax octets of visible ASCII.
std::optional<io::ProblemError> check_idempotency_key(std::string_view key,
                                                      std::string_view pointer);

struct ListRequest {
  std::optional<numbering::Number> to;
  std::optional<message::State> status;
  message::ClassIndex traffic_class;  // none: any
  std::string class_name;
  std::optional<base::Wall> from_time;
  std::optional<base::Wall> to_time;
  std::string cursor;  // as given
  std::size_t limit = base::limits::kListLimitDefault;
  Errors errors;

  void append_filters(std::string& out) const;  // what a cursor belongs to
};
ListRequest parse_list(std::string_view query, const config::Config& config);
ListRequest parse_results(std::string_view query);  // limit and cursor only

// %41 -> A. Nothing if an escape is broken. "+" stays: this is a URI (RFC 3986), not a form, and
// numbers begin with one.
std::optional<std::string> percent_decode(std::string_view text);

}  // namespace trunkline::rest
