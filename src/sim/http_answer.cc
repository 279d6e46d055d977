#include "sim/http_answer.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace trunkline::sim {
namespace {

constexpr std::size_t kHeadBytesMax = 16 * 1024;

bool same(std::string_view a, std::string_view lower) {
  return a.size() == lower.size() &&
         std::equal(a.begin(), a.end(), lower.begin(), [](char x, char y) {
           return (x >= 'A' && x <= 'Z' ? static_cast<char>(x - 'A' + 'a') : x) == y;
         });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

template <class T>
bool parse_number(std::string_view text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

HttpCut next_answer(std::string_view& input, HttpAnswer& out) {
  const std::size_t end = input.find("\r\n\r\n");
  if (end == std::string_view::npos) {
    return input.size() > kHeadBytesMax ? HttpCut::nonsense : HttpCut::incomplete;
  }
  std::string_view head = input.substr(0, end + 2);
  if (!head.starts_with("HTTP/1.") || head.size() < 14) return HttpCut::nonsense;
  out = {};
  if (!parse_number(head.substr(9, 3), out.status)) return HttpCut::nonsense;
  head.remove_prefix(head.find("\r\n") + 2);
  std::optional<std::size_t> length;
  while (!head.empty()) {
    const std::string_view line = head.substr(0, head.find("\r\n"));
    head.remove_prefix(line.size() + 2);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return HttpCut::nonsense;
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (same(name, "content-length")) {
      if (!parse_number(value, length.emplace())) return HttpCut::nonsense;
    } else if (same(name, "connection")) {
      out.close = same(value, "close");
    } else if (same(name, "idempotent-replayed")) {
      out.replayed = value == "true";
    }
  }
  if (!length) return HttpCut::nonsense;
  if (input.size() - end - 4 < *length) return HttpCut::incomplete;
  out.body = input.substr(end + 4, *length);
  input.remove_prefix(end + 4 + *length);
  return HttpCut::answer;
}

}  // namespace trunkline::sim
