// One value out of a message's metadata: the compact JSON object of strings, numbers, booleans and
// nulls that the APIs make of what a client gave. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace trunkline::carrier {

// Strings as text, numbers and booleans as written. nullopt: no such key, null, or not such an
// object.
std::optional<std::string> metadata_value(std::string_view json, std::string_view key);

}  // namespace trunkline::carrier
