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
#include "rest/pointer.h"

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
  template_name,
  variables,
  idempotency_key,
};
constexpr std::string_view kFieldNames[] = {
    "to",           "body",    "class",  "from",     "ttl",       "send_at",        "metadata",
    "callback_url", "consent", "region", "template", "variables", "idempotency_key"};
constexpr std::string_view kFieldList =
    "to, body, class, from, ttl, send_at, metadata, callback_url, consent, region, template, "
    "variables";

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
    const bool has_template = read_template(seen);
    if ((seen & 2) == 0 && !has_template && context_.needs_body)
      error("body", kMissing, "the text of the message is missing; give body, or a template");
    if (out_.class_given.empty() && out_.traffic_class.is_none()) {
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
      case Field::template_name:
        if (const auto value = text(Field::template_name, true)) out_.template_name = *value;
        return;
      case Field::variables:
        return read_variables();
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
    // null is not given, beside a template.
    if (in_.peek() == Type::null) {
      in_.null();
      body_is_null_ = true;
      return;
    }
    if (const auto value = text(Field::body, false)) set_body("body", *value);
  }

  // `field`: what is to blame for it.
  void set_body(std::string_view field, std::string_view body) {
    if (body.size() > limits::kBodyBytesMax) {
      return error(field, kTextTooLong,
                   fmt::format("the text is longer than {} bytes", limits::kBodyBytesMax));
    }
    const auto plan = gsm::plan_segments(body);
    if (!plan) {
      const bool too_long = plan.error().code == gsm::TextError::Code::too_long;
      return error(field, too_long ? kTextTooLong : kInvalidText, plan.error().message());
    }
    out_.encoding = plan->encoding;
    out_.segments = plan->segments;
    out_.payload.body = body;
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

  void read_variables() {
    if (in_.peek() == Type::null) return in_.null();
    if (in_.peek() != Type::object) {
      wrong_type("variables", "an object");
      in_.skip();
      return;
    }
    std::string_view name;
    in_.begin_object();
    while (in_.next_member(name)) {
      std::string value;
      if (in_.peek() == Type::string) {
        value = in_.string(storage_);
      } else if (in_.peek() == Type::number) {
        value = in_.number();
      } else {
        if (!in_.ok()) return;
        variable_error(name, kWrongType,
                       fmt::format("must be a string or a number, is {}", name_of(in_.peek())));
        in_.skip();
        continue;
      }
      if (!in_.ok()) return;
      const auto same = [&](const auto& member) { return member.first == name; };
      if (std::ranges::any_of(out_.variables, same)) {
        variable_error(name, kDuplicateField, "the field is given twice; leave one");
      } else if (out_.variables.size() >= policy::TextTemplate::kFieldsMax) {
        if (out_.errors.empty() || out_.errors.back().code != kTooMany) {
          error("variables", kTooMany,
                fmt::format("a template has at most {} fields", policy::TextTemplate::kFieldsMax));
        }
      } else {
        out_.variables.emplace_back(std::string(name), std::move(value));
      }
    }
  }

  void variable_error(std::string_view name, std::string_view code, std::string detail) {
    std::string pointer = prefix_ + "/variables";
    append_pointer(pointer, name);
    add(out_.errors, std::move(pointer), code, std::move(detail));
  }

  // What was given in place of a body; false: nothing was.
  bool read_template(std::uint32_t seen) {
    const auto is_seen = [&](Field field) {
      return (seen >> static_cast<unsigned>(field) & 1) != 0;
    };
    if (body_is_null_ && out_.template_name.empty()) {
      error("body", kWrongType, "must be a string, is null");
      return true;
    }
    if (out_.template_name.empty()) {
      // Said to be there, and wrong: that is told.
      const bool told = std::ranges::any_of(out_.errors, [&](const io::ProblemError& e) {
        return e.pointer == prefix_ + "/template";
      });
      if (!out_.variables.empty() && !told) {
        error("variables", kConflict, "variables are of a template, and none is named");
      }
      return told;
    }
    if (is_seen(Field::body) && !body_is_null_) {
      error("template", kConflict, "give either body or template");
      return true;
    }
    const policy::Table& table = context_.config.tables.policy;
    const auto& templates = table.tenants[context_.tenant.at()].templates;
    const auto found =
        std::ranges::find(templates, out_.template_name, &policy::TextTemplate::name);
    if (found == templates.end()) {
      error("template", kUnknownTemplate,
            templates.empty() ? "the account has no templates"
                              : "the account has no template of this name");
      return true;
    }
    if (!found->traffic_class.is_none()) {
      if (!out_.class_given.empty() && out_.traffic_class != found->traffic_class) {
        error(
            "class", kConflict,
            fmt::format("the template is for class {}", table.classes[found->traffic_class.at()]));
      }
      out_.traffic_class = found->traffic_class;
    }
    const auto filled = found->fill(out_.variables);
    if (!filled) {
      using Mistake = policy::TextTemplate::Mistake;
      for (const Mistake& mistake : filled.error()) {
        variable_error(mistake.field,
                       mistake.kind == Mistake::Kind::missing   ? kMissing
                       : mistake.kind == Mistake::Kind::unknown ? kUnknownField
                                                                : kInvalidValue,
                       mistake.what);
      }
    } else if (!found->matches(*filled)) {
      error("variables", kInvalidValue, "the fields make a link together with what is around them");
    } else {
      set_body("template", *filled);
    }
    return true;
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
  bool body_is_null_ = false;
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
  bool none = false;
  return parse_flag(body, {}, none);
}

Errors parse_flag(std::string_view body, std::string_view flag_name, bool& flag) {
  if (body.empty()) return {};
  Errors errors;
  JsonReader in(body);
  if (in.peek() == Type::object) {
    std::string_view name;
    in.begin_object();
    while (in.next_member(name)) {
      std::string pointer;
      append_pointer(pointer, name);
      if (flag_name.empty()) {
        add(errors, std::move(pointer), kUnknownField, "this request takes no fields");
      } else if (name != flag_name) {
        add(errors, std::move(pointer), kUnknownField,
            fmt::format("there is no such field; there is {}", flag_name));
      } else if (in.peek() == Type::boolean) {
        flag = in.boolean();
        continue;
      } else {
        add(errors, std::move(pointer), kWrongType, "must be true or false");
      }
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
  writer.text(template_name.empty() ? payload.body : std::string());
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
  if (template_name.empty()) return;
  writer.u8(2);  // what a template was filled with
  writer.text(template_name);
  auto filled = variables;
  std::ranges::sort(filled);
  for (const auto& [name, value] : filled) {
    writer.text(name);
    writer.text(value);
  }
}

}  // namespace trunkline::rest
