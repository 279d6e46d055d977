#include "lookup/answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <optional>

#include "numbering/networks.h"

namespace trunkline::lookup {
namespace {

namespace json = boost::json;

// As text, whatever kind of scalar it is; none if it is not there.
std::optional<std::string> scalar_at(const json::value& root, const std::string& pointer) {
  if (pointer.empty()) return std::nullopt;
  boost::system::error_code error;
  const json::value* const found = root.find_pointer(pointer, error);
  if (found == nullptr || error) return std::nullopt;
  if (found->is_string()) return std::string(found->get_string());
  if (found->is_bool()) return found->get_bool() ? "true" : "false";
  if (found->is_int64()) return std::to_string(found->get_int64());
  if (found->is_uint64()) return std::to_string(found->get_uint64());
  return std::nullopt;
}

bool same(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

}  // namespace

std::string fill(std::string_view text, numbering::Number number, bool in_url) {
  std::string out;
  while (!text.empty()) {
    const std::size_t brace = std::min(text.find('{'), text.size());
    out += text.substr(0, brace);
    text.remove_prefix(brace);
    if (text.starts_with("{number}")) {
      out += std::to_string(number.digits());
      text.remove_prefix(8);
    } else if (text.starts_with("{e164}")) {
      out += fmt::format("{}{}", in_url ? "%2B" : "+", number.digits());
      text.remove_prefix(6);
    } else if (!text.empty()) {
      out += '{';
      text.remove_prefix(1);
    }
  }
  return out;
}

namespace {

// As a number, a network code has lost its zeros: 4 may be 04 or 004. The shortest that is
// somebody's, then the shortest that is possible.
std::string code_of(const std::string& mcc, std::string mnc) {
  if (mnc.size() < 2) mnc.insert(0, 2 - mnc.size(), '0');
  const auto known = [&](const std::string& digits) {
    const auto code = numbering::NetworkCode::parse(mcc + digits);
    return code && numbering::network_of(*code) != 0;
  };
  if (mnc.size() == 2 && !known(mnc) && known("0" + mnc)) mnc.insert(0, 1, '0');
  return mcc + mnc;
}

}  // namespace

std::expected<numbering::LookedUp, std::string> read_answer(const config::Lookup& lookup,
                                                            int status, std::string_view body) {
  numbering::LookedUp out;
  // About this number it has nothing to say; else it is about us, or the provider fails.
  const bool about_us =
      status == 401 || status == 403 || status == 407 || status == 408 || status == 429;
  if (status >= 400 && status <= 499 && !about_us) return out;
  if (status < 200 || status > 299) return std::unexpected(fmt::format("it answers {}", status));
  if (status == 204) return out;
  boost::system::error_code error;
  json::parse_options options;
  options.max_depth = 16;
  const json::value root =
      json::parse(json::string_view(body.data(), body.size()), error, {}, options);
  if (error) return std::unexpected("what it answers is not JSON");
  const config::Lookup::Answer& at = lookup.answer;
  auto code = scalar_at(root, at.mccmnc);
  if (!code) {
    const auto mcc = scalar_at(root, at.mcc);
    const auto mnc = scalar_at(root, at.mnc);
    if (mcc && mnc) code = code_of(*mcc, *mnc);
  }
  if (code) out.network = numbering::NetworkCode::parse(*code).value_or(numbering::NetworkCode{});
  const auto ported = scalar_at(root, at.ported);
  out.ported = ported && (same(*ported, "true") || same(*ported, "yes") || *ported == "1");
  const auto state = scalar_at(root, at.status);
  out.invalid = state && std::ranges::any_of(at.invalid, [&](const std::string& word) {
                  return same(*state, word);
                });
  return out;
}

}  // namespace trunkline::lookup
