// One value as written in the file to what it means, kind by kind.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/time.h"
#include "config/config.h"
#include "config/schema.h"

namespace trunkline::config {

// What a field of each kind holds: text for all kinds not named here.
//   boolean bool · integer int64 · number, rate (a second), percent (0 to 1) double
//   duration Duration · address Endpoint
using Scalar =
    std::variant<std::monostate, bool, std::int64_t, double, std::string, base::Duration, Endpoint>;

// `quoted`: the text stood between quotes in YAML, so it is text and neither number nor boolean.
// None if it is not written as the kind asks. Bounds are not looked at.
std::optional<Scalar> parse_scalar(Kind kind, std::string_view text, bool quoted);

// Why `value` breaks the field's bounds, such as "the least is 1"; none if it does not.
std::optional<std::string> out_of_bounds(const Field& field, const Scalar& value);

// What plain text means in YAML 1.2's core schema (10.3.2).
bool is_yaml_null(std::string_view text);
bool is_yaml_bool(std::string_view text);

// Is the host one of this machine's own: 127.0.0.0/8, ::1, localhost?
bool is_loopback(std::string_view host);

// "host:port", the host in brackets if it is an IPv6 address.
std::string to_string(const Endpoint& endpoint);

// Replaces each ${NAME} and a leading file:PATH by what the resolver says; $${ stands for ${.
std::expected<std::string, std::string> expand_secret(std::string_view text,
                                                      const SecretResolver& resolver);

// May hold a reference that expand_secret would replace.
bool has_reference(std::string_view text);

}  // namespace trunkline::config
