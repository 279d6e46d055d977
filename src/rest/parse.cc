#include "rest/parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/url/parse.hpp>
#include <charconv>

#include "base/bytes.h"
#include "base/json_writer.h"
#include "base/limits.h"
#include "gsm/segment.h"
#include "numbering/country.h"
#include "rest/json_reader.h"

namespace trunkline::rest {

namespace limits = base::limits;
using namespace error_code;
using Type = JsonReader::Type;

namespace {

std::string_view name_of(Type type) {
  switch (type) {
    case Type::object:
      return "an object";
    case Type::array:
      return "an array";
    case Type::string:
      return "a string";
    case Type::number:
      return "a number";
    case Type::boolean:
      return "a boolean";
    case Type::null:
      return "null";
    case Type::none:
      break;
  }
  return "nothing";
}

// RFC 6901: ~ and / inside a name.
void append_pointer(std::string& out, std::string_view name) {
  out.push_back('/');
  // A name is the client's: long ones are cut, they are only there to be recognised.
  for (const char c : name.substr(0, 64)) {
    if (c == '~') {
      out.append("~0");
    } else if (c == '/') {
      out.append("~1");
    } else {
      out.push_back(c);
    }
  }
}

// Mistakes told of one message; whoever makes more has one mistake.
constexpr std::size_t kErrorsMax = 25;
constexpr base::Duration kClocksApart = std::chrono::minutes(5);  // a client's and ours

void add(Errors& errors, std::string pointer, std::string_view code, std::string detail) {
  if (errors.size() < kErrorsMax) errors.push_back({std::move(pointer), code, std::move(detail)});
}

enum class Field : std::uint8_t {
  to,
  body,
  traffic_class,
  from,
  ttl,
  send_at,
  metadata,
  callback_url,
  consent,
  region,
  idempotency_key,
};
constexpr std::string_view kFieldNames[] = {"to",      "body",    "class",          "from",
                                            "ttl",     "send_at", "metadata",       "callback_url",
                                            "consent", "region",  "idempotency_key"};
constexpr std::string_view kFieldList =
    "to, body, class, from, ttl, send_at, metadata, callback_url, consent, region";

// Reads one message object.
class MessageParser {
 public:
  MessageParser(JsonReader& in, const ParseContext& context, std::string prefix, bool in_batch,
                MessageRequest& out)
      : in_(in), context_(context), prefix_(std::move(prefix)), in_batch_(in_batch), out_(out) {}

  void parse() {
    if (in_.peek() != Type::object) {
      if (in_.ok()) wrong_type("", "an object");
      in_.skip();
      return;
    }
    std::uint32_t seen = 0;
    std::string_view name;
    in_.begin_object();
    while (in_.next_member(name)) {
      const std::size_t field = std::ranges::find(kFieldNames, name) - std::begin(kFieldNames);
      const std::size_t known = std::size(kFieldNames) - (in_batch_ ? 0 : 1);
      if (field >= known) {
        unknown(name);
        in_.skip();
        continue;
      }
      if ((seen >> field & 1) != 0) {
        error(kFieldNames[field], kDuplicateField, "the field is given twice; leave one");
        in_.skip();
        continue;
      }
      seen |= 1u << field;
      read(static_cast<Field>(field));
    }
    if (!in_.ok()) return;
    if ((seen & 1) == 0) error("to", kMissing, "the recipient is missing, as in +447700900123");
    if ((seen & 2) == 0 && context_.needs_body)
      error("body", kMissing, "the text of the message is missing");
    if (out_.class_given.empty()) {
      out_.traffic_class = context_.config.tenants[context_.tenant.at()].default_class;
    }
  }

 private:
  void error(std::string_view field, std::string_view code, std::string detail) {
    std::string pointer = prefix_;
    if (!field.empty()) append_pointer(pointer, field);
    add(out_.errors, std::move(pointer), code, std::move(detail));
  }

  void wrong_type(std::string_view field, std::string_view wanted) {
    error(field, kWrongType, fmt::format("must be {}, is {}", wanted, name_of(in_.peek())));
  }

  void unknown(std::string_view name) {
    if (name == kFieldNames[static_cast<std::size_t>(Field::idempotency_key)]) {
      error(name, kUnknownField, "send the key in the header Idempotency-Key");
    } else {
      error(name, kUnknownField, fmt::format("there is no such field; there are {}", kFieldList));
    }
  }

  // The string of a field; nullopt after an error or for a null where that means "not given".
  std::optional<std::string_view> text(Field field, bool optional) {
    const std::string_view name = kFieldNames[static_cast<std::size_t>(field)];
    const Type type = in_.peek();
    if (type == Type::string) {
      const std::string_view value = in_.string(storage_);
      if (!in_.ok()) return std::nullopt;
      if (value.empty()) {
        error(name, kEmpty, optional ? "is empty; leave the field out instead" : "is empty");
        return std::nullopt;
      }
      return value;
    }
    if (type != Type::null || !optional) wrong_type(name, "a string");
    in_.skip();
    return std::nullopt;
  }

  void read(Field field) {
    switch (field) {
      case Field::to:
        return read_to();
      case Field::body:
        return read_body();
      case Field::traffic_class:
        return read_class();
      case Field::from:
        return read_from();
      case Field::ttl:
        return read_ttl();
      case Field::send_at:
        return read_send_at();
      case Field::metadata:
        return read_metadata();
      case Field::callback_url:
        return read_callback_url();
      case Field::consent:
        return read_consent();
      case Field::region:
        return read_region();
      case Field::idempotency_key:
        return read_key();
    }
  }

  void read_to() {
    const auto value = text(Field::to, false);
    if (!value) return;
    const auto number = numbering::parse_e164(*value);
    if (!number) return error("to", kInvalidNumber, number.error().message());
    const numbering::NumberInfo info = numbering::look_up(*number);
    const bool short_number = info.check == numbering::NumberCheck::too_short;
    if (!numbering::is_fictional(*number) &&
        (short_number || info.check == numbering::NumberCheck::too_long)) {
      return error("to", kInvalidNumber,
                   fmt::format("the number is too {} for its country code +{}",
                               short_number ? "short" : "long", info.calling_code));
    }
    out_.to = *number;
    out_.payload.to = *value;
  }

  void read_body() {
    const auto value = text(Field::body, false);
    if (!value) return;
    if (value->size() > limits::kBodyBytesMax) {
      return error("body", kTextTooLong,
                   fmt::format("the text is longer than {} bytes", limits::kBodyBytesMax));
    }
    const auto plan = gsm::plan_segments(*value);
    if (!plan) {
      const bool too_long = plan.error().code == gsm::TextError::Code::too_long;
      return error("body", too_long ? kTextTooLong : kInvalidText, plan.error().message());
    }
    out_.encoding = plan->encoding;
    out_.segments = plan->segments;
    out_.payload.body = *value;
  }

  void read_class() {
    const auto value = text(Field::traffic_class, true);
    if (!value) return;
    out_.traffic_class = context_.config.find_class(*value);
    if (out_.traffic_class.is_none()) {
      std::string classes;
      for (const message::TrafficClass& c : context_.config.tables.classes) {
        if (!c.removed) classes += (classes.empty() ? "" : ", ") + c.name;
      }
      return error("class", kUnknownClass,
                   fmt::format("there is no such class; there are {}", classes));
    }
    out_.class_given = *value;
  }

  void read_from() {
    const auto value = text(Field::from, true);
    if (!value) return;
    if (value->size() > limits::kSenderBytesMax) {
      return error("from", kTooLong,
                   fmt::format("a sender has at most {} bytes", limits::kSenderBytesMax));
    }
    if (std::ranges::any_of(
            *value, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; })) {
      return error("from", kInvalidText, "a sender has no control characters");
    }
    out_.payload.from = *value;
  }

  void read_ttl() {
    const Type type = in_.peek();
    if (type == Type::null) return in_.null();
    std::optional<base::Duration> ttl;
    if (type == Type::number) {
      const std::string_view token = in_.number();
      std::int64_t seconds = 0;
      const auto [end, ec] = std::from_chars(token.data(), token.data() + token.size(), seconds);
      if (ec == std::errc::result_out_of_range) {
        seconds = -1;
      } else if (end != token.data() + token.size()) {
        return error("ttl", kInvalidDuration, "write whole seconds, or a duration such as \"5m\"");
      }
      // Far outside is outside; nearer the product cannot overflow.
      ttl = std::chrono::seconds(std::clamp<std::int64_t>(seconds, -1, 1'000'000'000));
    } else if (type == Type::string) {
      const auto parsed = base::parse_duration(in_.string(storage_));
      if (!in_.ok()) return;
      if (!parsed) return error("ttl", kInvalidDuration, parsed.error());
      ttl = *parsed;
    } else {
      wrong_type("ttl", "a number of seconds or a duration such as \"5m\"");
      in_.skip();
      return;
    }
    if (*ttl < limits::kTtlMin || *ttl > limits::kTtlMax) {
      return error("ttl", kOutOfRange,
                   fmt::format("must be from {} to {}", base::format_duration(limits::kTtlMin),
                               base::format_duration(limits::kTtlMax)));
    }
    out_.ttl = *ttl;
  }

  void read_send_at() {
    const auto value = text(Field::send_at, true);
    if (!value) return;
    const auto at = base::parse_rfc3339(*value);
    if (!at) return error("send_at", kInvalidTime, at.error());
    if (*at > context_.now + limits::kScheduleMax) {
      return error(
          "send_at", kOutOfRange,
          fmt::format("must be at most {} from now", base::format_duration(limits::kScheduleMax)));
    }
    out_.send_at = *at;
  }

  void read_metadata() {
    if (in_.peek() == Type::null) return in_.null();
    if (in_.peek() != Type::object) {
      wrong_type("metadata", "an object");
      in_.skip();
      return;
    }
    std::string compact;
    base::JsonWriter json(compact);
    json.begin_object();
    std::string_view name;
    const std::size_t errors_before = out_.errors.size();
    in_.begin_object();
    while (in_.next_member(name)) {
      std::string value;
      switch (in_.peek()) {
        case Type::string:
          base::append_json_string(value, in_.string(storage_));
          break;
        case Type::number:
          value = in_.number();
          break;
        case Type::boolean:
          value = in_.boolean() ? "true" : "false";
          break;
        case Type::null:
          in_.null();
          value = "null";
          break;
        case Type::object:
        case Type::array:
          metadata_error(
              name, kWrongType,
              fmt::format("must be a string, number, boolean or null, is {}", name_of(in_.peek())));
          in_.skip();
          continue;
        case Type::none:
          return;
      }
      if (!in_.ok()) return;
      // Checked first: it bounds the search for duplicates.
      if (compact.size() > limits::kMetadataBytesMax) continue;
      const auto same = [&](const auto& member) { return member.first == name; };
      if (std::ranges::any_of(out_.metadata, same)) {
        metadata_error(name, kDuplicateField, "the field is given twice; leave one");
        continue;
      }
      std::string key;
      base::append_json_string(key, name);
      json.raw(key + ":" + value);
      out_.metadata.emplace_back(std::string(name), std::move(value));
    }
    if (!in_.ok()) return;
    json.end_object();
    if (compact.size() > limits::kMetadataBytesMax) {
      return error("metadata", kTooLong,
                   fmt::format("as compact JSON it may have {} bytes", limits::kMetadataBytesMax));
    }
    if (out_.errors.size() == errors_before && !out_.metadata.empty()) {
      out_.payload.metadata = std::move(compact);
    }
  }

  void metadata_error(std::string_view name, std::string_view code, std::string detail) {
    std::string pointer = prefix_ + "/metadata";
    append_pointer(pointer, name);
    add(out_.errors, std::move(pointer), code, std::move(detail));
  }

  void read_callback_url() {
    const auto value = text(Field::callback_url, true);
    if (!value) return;
    if (value->size() > limits::kCallbackUrlBytesMax) {
      return error("callback_url", kTooLong,
                   fmt::format("may have {} bytes", limits::kCallbackUrlBytesMax));
    }
    const auto url = boost::urls::parse_uri(*value);
    if (!url || (url->scheme_id() != boost::urls::scheme::http &&
                 url->scheme_id() != boost::urls::scheme::https)) {
      return error("callback_url", kInvalidUrl,
                   "must be an absolute http or https URL, as in https://example.com/receipts");
    }
    if (url->encoded_host().empty() || url->has_userinfo() || url->has_fragment()) {
      return error("callback_url", kInvalidUrl,
                   "must have a host, and neither a user nor a fragment");
    }
    out_.payload.callback_url = *value;
  }

  // Where the recipient's consent comes from: kept with the message, as it is here.
  void read_consent() {
    if (in_.peek() == Type::null) return in_.null();
    if (in_.peek() != Type::object) {
      wrong_type("consent", "an object");
      in_.skip();
      return;
    }
    const std::size_t errors_before = out_.errors.size();
    std::optional<std::string> given_at;
    std::optional<std::string> source;
    std::string_view name;
    in_.begin_object();
    while (in_.next_member(name)) {
      std::optional<std::string>* const value = name == "given_at" ? &given_at
                                                : name == "source" ? &source
                                                                   : nullptr;
      const std::string field(name);
      if (value == nullptr) {
        consent_error(field, kUnknownField, "there is no such field; there are given_at, source");
      } else if (*value) {
        consent_error(field, kDuplicateField, "the field is given twice; leave one");
      } else if (in_.peek() != Type::string) {
        consent_error(field, kWrongType,
                      fmt::format("must be a string, is {}", name_of(in_.peek())));
        *value = std::string();
      } else {
        *value = std::string(in_.string(storage_));
        if (!in_.ok()) return;
        continue;
      }
      in_.skip();
    }
    if (!in_.ok()) return;
    if (!given_at) consent_error("given_at", kMissing, "say when the recipient consented");
    if (!source) consent_error("source", kMissing, "say where the consent is on record");
    if (out_.errors.size() != errors_before) return;
    const auto at = base::parse_rfc3339(*given_at);
    if (!at) return consent_error("given_at", kInvalidTime, at.error());
    if (*at > context_.now + kClocksApart) {
      return consent_error("given_at", kOutOfRange, "must not be in the future");
    }
    if (source->empty()) return consent_error("source", kEmpty, "say where it is on record");
    if (source->size() > message::kConsentSourceBytesMax) {
      return consent_error("source", kTooLong,
                           fmt::format("may have {} bytes", message::kConsentSourceBytesMax));
    }
    base::JsonWriter json(out_.payload.consent);
    json.begin_object().key("given_at").string(base::format_rfc3339(*at));
    json.key("source").string(*source).end_object();
  }

  void consent_error(std::string_view name, std::string_view code, std::string detail) {
    std::string pointer = prefix_ + "/consent";
    append_pointer(pointer, name);
    add(out_.errors, std::move(pointer), code, std::move(detail));
  }

  void read_region() {
    const auto value = text(Field::region, true);
    if (!value) return;
    std::vector<std::string_view> regions{context_.config.node_region};
    for (const routing::Carrier& carrier : context_.config.tables.routing.carriers) {
      if (!carrier.removed) regions.push_back(carrier.region);
    }
    if (std::ranges::find(regions, *value) == regions.end()) {
      std::ranges::sort(regions);
      const auto repeated = std::ranges::unique(regions);
      regions.erase(repeated.begin(), repeated.end());
      return error("region", kUnknownRegion,
                   fmt::format("there is no such region; there are {}", fmt::join(regions, ", ")));
    }
    out_.region = *value;
  }

  void read_key() {
    const auto value = text(Field::idempotency_key, true);
    if (!value) return;
    if (auto wrong = check_idempotency_key(*value, prefix_ + "/idempotency_key")) {
      out_.errors.push_back(std::move(*wrong));
      return;
    }
    out_.idempotency_key = *value;
  }

  JsonReader& in_;
  const ParseContext& context_;
  const std::string prefix_;
  const bool in_batch_;
  MessageRequest& out_;
  std::string storage_;
};

io::ProblemError json_error(const JsonReader& in) {
  return {"", kInvalidJson, "the body is not valid JSON: " + in.error_text()};
}

}  // namespace

MessageRequest parse_message(std::string_view body, const ParseContext& context) {
  MessageRequest out;
  JsonReader in(body);
  MessageParser(in, context, "", false, out).parse();
  in.finish();
  if (!in.ok()) out.errors = {json_error(in)};
  return out;
}

BatchRequest parse_batch(std::string_view body, const ParseContext& context) {
  BatchRequest out;
  JsonReader in(body);
  bool seen = false;
  if (in.peek() == Type::object) {
    std::string_view name;
    in.begin_object();
    while (in.next_member(name)) {
      if (name != "messages") {
        std::string pointer;
        append_pointer(pointer, name);
        add(out.errors, std::move(pointer), kUnknownField,
            "there is no such field; there is messages");
        in.skip();
        continue;
      }
      if (seen || in.peek() != Type::array) {
        if (in.ok()) {
          out.errors.push_back({"/messages", seen ? kDuplicateField : kWrongType,
                                seen ? "the field is given twice; leave one"
                                     : fmt::format("must be an array, is {}", name_of(in.peek()))});
        }
        seen = true;
        in.skip();
        continue;
      }
      seen = true;
      in.begin_array();
      std::size_t count = 0;
      while (in.next_element()) {
        if (++count > limits::kBatchItemsMax) {
          in.skip();
          continue;
        }
        MessageParser(in, context, fmt::format("/messages/{}", count - 1), true,
                      out.items.emplace_back())
            .parse();
      }
      if (count == 0 && in.ok()) {
        out.errors.push_back({"/messages", kEmpty, "there is no message in it"});
      }
      if (count > limits::kBatchItemsMax) {
        out.errors.push_back({"/messages", kTooMany,
                              fmt::format("has {} messages; at most {} go into one request", count,
                                          limits::kBatchItemsMax)});
      }
    }
    if (!seen && in.ok()) out.errors.push_back({"/messages", kMissing, "the messages are missing"});
  } else {
    if (in.ok()) {
      out.errors.push_back(
          {"", kWrongType, fmt::format("must be an object, is {}", name_of(in.peek()))});
    }
    in.skip();
  }
  in.finish();
  if (!in.ok()) out.errors = {json_error(in)};
  if (!out.errors.empty()) out.items.clear();
  return out;
}

Errors parse_empty(std::string_view body) {
  if (body.empty()) return {};
  Errors errors;
  JsonReader in(body);
  if (in.peek() == Type::object) {
    std::string_view name;
    in.begin_object();
    while (in.next_member(name)) {
      std::string pointer;
      append_pointer(pointer, name);
      add(errors, std::move(pointer), kUnknownField, "this request takes no fields");
      in.skip();
    }
  } else {
    if (in.ok()) {
      errors.push_back(
          {"", kWrongType, fmt::format("must be an object, is {}", name_of(in.peek()))});
    }
    in.skip();
  }
  in.finish();
  if (!in.ok()) errors = {json_error(in)};
  return errors;
}

std::optional<io::ProblemError> check_idempotency_key(std::string_view key,
                                                      std::string_view pointer) {
  const bool visible = std::ranges::all_of(key, [](char c) { return c > 0x20 && c < 0x7f; });
  if (!key.empty() && key.size() <= limits::kIdempotencyKeyBytesMax && visible) return std::nullopt;
  return io::ProblemError{std::string(pointer), kInvalidKey,
                          fmt::format("a key is 1 to {} visible ASCII characters, as in a UUID",
                                      limits::kIdempotencyKeyBytesMax)};
}

void MessageRequest::append_fingerprint(std::string& out) const {
  base::ByteWriter writer(out);
  writer.u8(1);  // of this layout
  writer.text(payload.to);
  writer.text(payload.from);
  writer.text(payload.body);
  writer.text(class_given);
  writer.svarint(ttl ? ttl->count() : -1);
  writer.u8(send_at ? 1 : 0);
  writer.svarint(send_at ? base::to_us(*send_at) : 0);
  auto sorted = metadata;
  std::ranges::sort(sorted);
  writer.varint(sorted.size());
  for (const auto& [name, value] : sorted) {
    writer.text(name);
    writer.text(value);
  }
  writer.text(payload.callback_url);
  writer.text(region);
  writer.text(idempotency_key);
  writer.varint(errors.size());
  // Nothing without it: the same as in earlier versions.
  if (!payload.consent.empty()) writer.text(payload.consent);
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    unsigned value = 0;
    const char* first = text.data() + i + 1;
    if (i + 2 >= text.size()) return std::nullopt;
    const auto [end, ec] = std::from_chars(first, first + 2, value, 16);
    if (ec != std::errc{} || end != first + 2) return std::nullopt;
    out.push_back(static_cast<char>(value));
    i += 2;
  }
  return out;
}

namespace {

class ListParser {
 public:
  ListParser(const config::Config& config, ListRequest& out) : config_(config), out_(out) {}

  void parse(std::string_view query) {
    std::uint32_t seen = 0;
    while (!query.empty()) {
      const std::size_t end = std::min(query.find('&'), query.size());
      const std::string_view pair = query.substr(0, end);
      query.remove_prefix(std::min(end + 1, query.size()));
      if (pair.empty()) continue;
      const std::size_t equals = pair.find('=');
      const auto name = percent_decode(pair.substr(0, equals));
      const auto value =
          percent_decode(equals == std::string_view::npos ? "" : pair.substr(equals + 1));
      if (!name || !value) {
        error(name ? *name : "", kInvalidEncoding, "a % needs two hexadecimal digits behind it");
        continue;
      }
      const std::size_t which = std::ranges::find(kNames, *name) - std::begin(kNames);
      if (which == std::size(kNames)) {
        error(*name, kUnknownParameter,
              fmt::format("there is no such parameter; there are {}", fmt::join(kNames, ", ")));
      } else if ((seen >> which & 1) != 0) {
        error(*name, kDuplicateField, "the parameter is given twice; leave one");
      } else if (value->empty()) {
        error(*name, kEmpty, "is empty; leave the parameter out instead");
      } else {
        read(which, *value);
      }
      seen |= 1u << which;
    }
  }

 private:
  static constexpr std::string_view kNames[] = {"to",      "status", "class", "from_time",
                                                "to_time", "cursor", "limit"};

  void error(std::string_view name, std::string_view code, std::string detail) {
    std::string pointer = "/query";
    append_pointer(pointer, name);
    add(out_.errors, std::move(pointer), code, std::move(detail));
  }

  std::optional<base::Wall> time(std::string_view name, std::string_view value) {
    const auto t = base::parse_rfc3339(value);
    if (!t) error(name, kInvalidTime, t.error());
    return t ? std::optional(*t) : std::nullopt;
  }

  void read(std::size_t which, const std::string& value) {
    switch (which) {
      case 0:
        if (const auto number = numbering::parse_e164(value)) {
          out_.to = *number;
        } else {
          error("to", kInvalidNumber, number.error().message());
        }
        return;
      case 1:
        out_.status = message::state_from_name(value);
        if (!out_.status) error("status", kInvalidValue, "there is no such status");
        return;
      case 2:
        out_.traffic_class = config_.find_class(value);
        out_.class_name = value;
        if (out_.traffic_class.is_none()) error("class", kUnknownClass, "there is no such class");
        return;
      case 3:
        out_.from_time = time("from_time", value);
        return;
      case 4:
        out_.to_time = time("to_time", value);
        return;
      case 5:
        out_.cursor = value;
        return;
      case 6: {
        const auto [end, ec] =
            std::from_chars(value.data(), value.data() + value.size(), out_.limit);
        if (ec != std::errc{} || end != value.data() + value.size() || out_.limit == 0 ||
            out_.limit > limits::kListLimitMax) {
          error("limit", kOutOfRange,
                fmt::format("must be a whole number from 1 to {}", limits::kListLimitMax));
        }
        return;
      }
      default:
        return;
    }
  }

  const config::Config& config_;
  ListRequest& out_;
};

}  // namespace

ListRequest parse_list(std::string_view query, const config::Config& config) {
  ListRequest out;
  ListParser(config, out).parse(query);
  return out;
}

void ListRequest::append_filters(std::string& out) const {
  base::ByteWriter writer(out);
  writer.u64(to ? to->digits() : 0);
  writer.u8(status ? static_cast<std::uint8_t>(*status) : 255);
  writer.text(class_name);
  writer.svarint(from_time ? base::to_us(*from_time) : -1);
  writer.svarint(to_time ? base::to_us(*to_time) : -1);
}

}  // namespace trunkline::rest
