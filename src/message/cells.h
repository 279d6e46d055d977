// The cells a message has come through on its way here: gateways of their own, each of which is a
// carrier to the others. Written from the first to the latest, with commas between: "eu,us". What
// keeps a message from going round in circles.
//
// Between gateways it travels in a parameter of submit_sm that only those know who are configured
// as each other's cells.
//
// Pure; safe from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace trunkline::message {

// Of the vendors' range (SMPP 3.4 section 5.3.1), a text with its closing NUL.
inline constexpr std::uint16_t kCellsTlv = 0x3c01;
// A message that has come through so many goes to no other.
inline constexpr std::size_t kCellsMax = 4;

// One to kCellsMax names of at most 64 letters, digits, dots, dashes and underscores.
bool are_cells(std::string_view cells);
bool came_through(std::string_view cells, std::string_view cell);
std::size_t count_cells(std::string_view cells);
// `cells` with `cell` at the end, unless it is there already.
std::string through(std::string_view cells, std::string_view cell);

}  // namespace trunkline::message
