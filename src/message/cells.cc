#include "message/cells.h"

#include <algorithm>

namespace trunkline::message {
namespace {

constexpr std::size_t kNameMax = 64;

// Calls visit(name) for each; stops at the first that it does not like.
bool all_of_cells(std::string_view cells, auto&& visit) {
  while (!cells.empty()) {
    const std::size_t comma = std::min(cells.find(','), cells.size());
    if (!visit(cells.substr(0, comma))) return false;
    if (comma + 1 == cells.size()) return visit(std::string_view());  // nothing behind the comma
    cells.remove_prefix(std::min(comma + 1, cells.size()));
  }
  return true;
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kNameMax && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  });
}

}  // namespace

std::size_t count_cells(std::string_view cells) {
  return cells.empty() ? 0 : 1 + static_cast<std::size_t>(std::ranges::count(cells, ','));
}

bool are_cells(std::string_view cells) {
  return !cells.empty() && count_cells(cells) <= kCellsMax && all_of_cells(cells, is_name);
}

bool came_through(std::string_view cells, std::string_view cell) {
  return !all_of_cells(cells, [&](std::string_view name) { return name != cell; });
}

std::string through(std::string_view cells, std::string_view cell) {
  std::string out(cells);
  if (came_through(cells, cell)) return out;
  if (!out.empty()) out += ',';
  out += cell;
  return out;
}

}  // namespace trunkline::message
