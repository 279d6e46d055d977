#include "config/scalar.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/assert.h"
#include "policy/country_facts.h"
#include "smpp/status.h"
#include "smpp/tlv.h"

namespace trunkline::config {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

template <class Predicate>
bool all(std::string_view text, Predicate predicate) {
  return std::ranges::all_of(text, predicate);
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Digits with an optional fraction: no exponent, no sign, nothing infinite.
std::optional<double> parse_decimal(std::string_view text) {
  const std::size_t dot = text.find('.');
  const std::string_view whole = text.substr(0, dot);
  const std::string_view fraction = dot == text.npos ? "0" : text.substr(dot + 1);
  if (whole.empty() || fraction.empty() || text.size() > 32 || !all(whole, is_digit) ||
      !all(fraction, is_digit)) {
    return std::nullopt;
  }
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::optional<double> parse_rate(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == text.npos) return std::nullopt;
  const auto count = parse_decimal(text.substr(0, slash));
  const std::string_view unit = text.substr(slash + 1);
  const double seconds = unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
  if (!count || seconds == 0) return std::nullopt;
  return *count / seconds;
}

bool is_ipv6(std::string_view text) {
  return std::ranges::count(text, ':') >= 2 &&
         all(text, [](char c) { return is_hex(c) || c == ':' || c == '.'; });
}

// RFC 1123: labels of letters, digits and dashes. An IPv4 address has the same shape.
bool is_host_name(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('.', begin), text.size());
    const std::string_view label = text.substr(begin, end - begin);
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-' ||
        !all(label, [](char c) { return is_letter(c) || is_digit(c) || c == '-'; })) {
      return false;
    }
    begin = end + 1;
  }
  return true;
}

bool is_ipv4(std::string_view text) {
  int parts = 0;
  for (std::size_t begin = 0; begin <= text.size(); ++parts) {
    const std::size_t end = std::min(text.find('.', begin), text.size());
    const std::string_view part = text.substr(begin, end - begin);
    const auto value = parse_integer(part);
    if (!value || part.size() > 3 || *value < 0 || *value > 255) return false;
    begin = end + 1;
  }
  return parts == 4;
}

bool is_host(std::string_view text) {
  if (is_ipv6(text)) return true;
  // All digits and dots must be an address: 127.0.0 or 300.1.1.1 is a slip, not a name.
  if (all(text, [](char c) { return is_digit(c) || c == '.'; })) return is_ipv4(text);
  return is_host_name(text);
}

// An address, or one with the length of its prefix.
bool is_network(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view host = text.substr(0, slash);
  const bool v6 = is_ipv6(host);
  if (!v6 && !is_ipv4(host)) return false;
  if (slash == text.npos) return true;
  const std::string_view length = text.substr(slash + 1);
  const auto bits = parse_integer(length);
  return bits && all(length, is_digit) && *bits <= (v6 ? 128 : 32);
}

bool is_phone(std::string_view text) {
  const bool plus = text.starts_with('+');
  if (plus) text.remove_prefix(1);
  return all(text, is_digit) && text.size() >= (plus ? 7 : 3) && text.size() <= 15;
}

// As libsodium writes it. What checking costs is bounded: whoever binds makes us pay it.
bool is_password_hash(std::string_view text) {
  constexpr std::int64_t kMemoryKibMax = 256 * 1024;
  constexpr std::int64_t kPassesMax = 10;
  constexpr std::size_t kTextMax = 127;
  const auto take = [&](std::string_view prefix) {
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
  };
  const auto number = [&] {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto value = parse_integer(text.substr(0, digits));
    text.remove_prefix(digits);
    return value.value_or(0);
  };
  const auto base64 = [](std::string_view part) {
    return !part.empty() &&
           all(part, [](char c) { return is_letter(c) || is_digit(c) || c == '+' || c == '/'; });
  };
  if (text.size() > kTextMax || !take("$argon2id$v=19$m=")) return false;
  const std::int64_t memory = number();
  if (!take(",t=")) return false;
  const std::int64_t passes = number();
  if (!take(",p=1$")) return false;
  const std::size_t dollar = text.find('$');
  return memory >= 8 && memory <= kMemoryKibMax && passes >= 1 && passes <= kPassesMax &&
         dollar != text.npos && base64(text.substr(0, dollar)) && base64(text.substr(dollar + 1));
}

std::optional<Endpoint> parse_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  const auto port = parse_integer(digits);
  if (!port || !all(digits, is_digit) || *port > 65535) return std::nullopt;
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    if (!is_ipv6(host)) return std::nullopt;
  } else if (is_ipv6(host) || !is_host(host)) {
    return std::nullopt;
  }
  return Endpoint{std::string(host), static_cast<std::uint16_t>(*port)};
}

bool is_url(std::string_view text) {
  const std::string_view scheme = text.starts_with("https://")  ? "https://"
                                  : text.starts_with("http://") ? "http://"
                                                                : "";
  if (scheme.empty() || text.size() > 1024) return false;
  const std::string_view rest = text.substr(scheme.size());
  const std::string_view authority = rest.substr(0, rest.find('/'));
  const std::string_view path = rest.substr(authority.size());
  const bool path_ok = all(path, [](char c) {
    return is_letter(c) || is_digit(c) || std::string_view("._~/-").contains(c);
  });
  if (!path_ok) return false;
  return is_host(authority) || parse_address(authority).has_value() ||
         parse_address(fmt::format("{}:80", authority)).has_value();
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && (is_letter(text[0]) || is_digit(text[0])) &&
         all(text, [](char c) {
           return is_letter(c) || is_digit(c) || c == '.' || c == '_' || c == '-';
         });
}

bool is_class_name(std::string_view text) {
  return !text.empty() && text.size() <= 32 && text[0] >= 'a' && text[0] <= 'z' &&
         all(text,
             [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '_' || c == '-'; });
}

// A number in international form, a short code, or an alphanumeric name (TS 23.040 9.1.2.5: 11
// characters of the default alphabet).
bool is_sender(std::string_view text) {
  if (text.starts_with('+')) {
    return text.size() >= 8 && text.size() <= 16 && all(text.substr(1), is_digit);
  }
  if (all(text, is_digit)) return text.size() >= 3 && text.size() <= 15;
  return text.size() <= 11 && std::ranges::any_of(text, is_letter) && all(text, [](char c) {
           return is_letter(c) || is_digit(c) || std::string_view(" ._&-").contains(c);
         });
}

std::optional<Scalar> text_if(bool ok, std::string_view text) {
  if (!ok) return std::nullopt;
  return Scalar(std::string(text));
}

std::optional<Scalar> parse_hash(std::string_view text) {
  constexpr std::string_view kPrefix = "sha256:";
  if (!text.starts_with(kPrefix)) return std::nullopt;
  std::string digits(text.substr(kPrefix.size()));
  if (digits.size() != 64 || !all(digits, is_hex)) return std::nullopt;
  for (char& c : digits) c = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  return Scalar(std::move(digits));
}

// Kinds that are numbers or booleans of YAML itself.
std::optional<Scalar> parse_plain(Kind kind, std::string_view text) {
  if (kind == Kind::boolean) {
    if (text == "true") return Scalar(true);
    if (text == "false") return Scalar(false);
  } else if (kind == Kind::integer) {
    if (const auto value = parse_integer(text)) return Scalar(*value);
  } else if (const auto value = parse_decimal(text)) {
    return Scalar(*value);
  }
  return std::nullopt;
}

template <class T>
std::optional<Scalar> scalar_if(std::optional<T> value) {
  if (!value) return std::nullopt;
  return Scalar(std::move(*value));
}

}  // namespace

bool is_yaml_null(std::string_view text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

bool is_yaml_bool(std::string_view text) {
  return text == "true" || text == "True" || text == "TRUE" || text == "false" || text == "False" ||
         text == "FALSE";
}

std::optional<Scalar> parse_scalar(Kind kind, std::string_view text, bool quoted) {
  if (kind == Kind::boolean || kind == Kind::integer || kind == Kind::number) {
    return quoted ? std::nullopt : parse_plain(kind, text);
  }
  if (!quoted && is_yaml_bool(text)) return std::nullopt;
  switch (kind) {
    case Kind::duration:
      if (text.empty() || !is_digit(text[0])) return std::nullopt;
      if (const auto value = base::parse_duration(text)) return Scalar(*value);
      return std::nullopt;
    case Kind::rate:
      return scalar_if(parse_rate(text));
    case Kind::percent:
      if (!text.ends_with('%')) return std::nullopt;
      if (const auto value = parse_decimal(text.substr(0, text.size() - 1))) {
        return Scalar(*value / 100);
      }
      return std::nullopt;
    case Kind::address:
      return scalar_if(parse_address(text));
    case Kind::hash:
    case Kind::key_hash:
      return parse_hash(text);
    case Kind::name:
      return text_if(is_name(text), text);
    case Kind::class_name:
      return text_if(is_class_name(text), text);
    case Kind::host:
      return text_if(is_host(text), text);
    case Kind::url:
      return text_if(is_url(text), text);
    case Kind::path:
      return text_if(!text.empty(), text);
    case Kind::country:
      return text_if(text.size() == 2 && all(text, [](char c) { return c >= 'A' && c <= 'Z'; }),
                     text);
    case Kind::country_or_default:
      return text == "default" ? text_if(true, text) : parse_scalar(Kind::country, text, quoted);
    case Kind::window:
      return text_if(text == "none" || policy::parse_window(text).has_value(), text);
    case Kind::day:
      return text_if(policy::parse_day(text).has_value(), text);
    case Kind::password_hash:
      return text_if(is_password_hash(text), text);
    case Kind::network:
      return text_if(is_network(text), text);
    case Kind::status:
      return text_if(smpp::status_from_name(text).has_value(), text);
    case Kind::tlv_tag:
      return text_if(smpp::tlv_from_name(text).has_value(), text);
    case Kind::phone:
      return text_if(is_phone(text), text);
    case Kind::sender:
      return text_if(!text.empty() && is_sender(text), text);
    default:
      return text_if(true, text);
  }
}

std::optional<std::string> out_of_bounds(const Field& field, const Scalar& value) {
  if (field.min.empty() && field.max.empty()) return std::nullopt;
  const auto number = [&](const Scalar& scalar) -> double {
    if (const auto* i = std::get_if<std::int64_t>(&scalar)) return static_cast<double>(*i);
    if (const auto* d = std::get_if<double>(&scalar)) return *d;
    if (const auto* t = std::get_if<base::Duration>(&scalar))
      return static_cast<double>(t->count());
    if (const auto* s = std::get_if<std::string>(&scalar)) return static_cast<double>(s->size());
    return 0;
  };
  const bool is_text = std::holds_alternative<std::string>(value);
  const Kind bound_kind = is_text ? Kind::integer : field.kind;
  const auto bound = [&](std::string_view text) {
    const auto parsed = parse_scalar(bound_kind, text, false);
    ASSERT(parsed.has_value());
    return number(*parsed);
  };
  const std::string_view unit = is_text ? " characters" : "";
  if (!field.min.empty() && number(value) < bound(field.min)) {
    return fmt::format("the least is {}{}", field.min, unit);
  }
  if (!field.max.empty() && number(value) > bound(field.max)) {
    return fmt::format("the most is {}{}", field.max, unit);
  }
  return std::nullopt;
}

bool is_loopback(std::string_view host) {
  if (host == "localhost" || host == "::1") return true;
  return is_ipv4(host) && host.starts_with("127.");
}

std::string to_string(const Endpoint& endpoint) {
  const bool v6 = endpoint.host.contains(':');
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", endpoint.host, v6 ? "]" : "", endpoint.port);
}

}  // namespace trunkline::config
