#include "config/account_values.h"

#include <charconv>

namespace trunkline::config {
namespace {

// All of it, or nothing.
std::optional<unsigned> parse_number(std::string_view text, int base) {
  unsigned value = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value, base);
  return error == std::errc{} && end == last ? std::optional(value) : std::nullopt;
}

}  // namespace

std::optional<std::chrono::minutes> parse_utc_offset(std::string_view text) {
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  const auto hours = parse_number(text.substr(1, 2), 10);
  const auto minutes = parse_number(text.substr(4, 2), 10);
  if (!hours || !minutes || *minutes > 59) return std::nullopt;
  const auto all = static_cast<int>(*hours * 60 + *minutes);
  if (all > 14 * 60) return std::nullopt;
  return std::chrono::minutes(text[0] == '-' ? -all : all);
}

std::string digits_of(std::string number) {
  if (number.starts_with('+')) number.erase(0, 1);
  return number;
}

std::optional<std::string> parse_hex_octets(std::string_view text) {
  if (!text.starts_with("0x") || text.size() < 4 || text.size() % 2 != 0) return std::nullopt;
  std::string out;
  for (std::size_t at = 2; at < text.size(); at += 2) {
    const auto octet = parse_number(text.substr(at, 2), 16);
    if (!octet) return std::nullopt;
    out.push_back(static_cast<char>(*octet));
  }
  return out;
}

void read_inbound(const Value& value, SmppAccount& account) {
  account.inbound_joined = value.at("inbound").text() == "joined";
  account.inbound_wait = value.at("inbound_wait").duration(account.inbound_wait);
  const Value& outbind = value.at("outbind");
  if (!outbind.given) return;
  account.outbind = {.host = outbind.at("host").text(),
                     .port = static_cast<std::uint16_t>(outbind.at("port").integer()),
                     .system_id = outbind.at("system_id").text(),
                     .password = outbind.at("password").text()};
}

std::optional<std::uint16_t> parse_tag(std::string_view text) {
  const bool is_hex = text.starts_with("0x");
  const auto number = parse_number(text.substr(is_hex ? 2 : 0), is_hex ? 16 : 10);
  if (!number || *number == 0 || *number > 0xffff) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

std::uint16_t read_tag(const Value& value, Findings& findings) {
  const std::string text = value.text();
  if (value.bad || text.empty()) return 0;
  const auto number = parse_tag(text);
  if (!number) {
    findings.error(value.mark, value.path, fmt::format("{} is no tag of a parameter", quote(text)),
                   "write 0x and hexadecimal digits, such as \"0x1400\"");
  }
  return number.value_or(0);
}

SmppAccount::Receipts read_receipts(const Value& value, Findings& findings) {
  SmppAccount::Receipts r;
  r.window = static_cast<std::uint32_t>(value.at("window").integer(r.window));
  r.keep = value.at("keep").duration(r.keep);
  r.seconds = value.at("dates").text() == "seconds";
  r.text_size = static_cast<std::uint8_t>(value.at("text").integer(r.text_size));
  const std::string id = value.at("id").text();
  r.id = id == "upper"       ? SmppAccount::Receipts::Id::upper
         : id == "decimal"   ? SmppAccount::Receipts::Id::decimal
         : id == "decimal10" ? SmppAccount::Receipts::Id::decimal10
                             : SmppAccount::Receipts::Id::same;
  const Value& offset = value.at("utc_offset");
  if (offset.given && !offset.bad) {
    const auto minutes = parse_utc_offset(offset.text());
    if (!minutes) {
      findings.error(offset.mark, offset.path,
                     fmt::format("{} is no offset from UTC", quote(offset.text())),
                     "write a sign, hours and minutes, such as \"+05:30\"; 14 hours are the most");
    }
    r.utc_offset = minutes.value_or(std::chrono::minutes(0));
  }
  r.tlvs = value.at("tlvs").boolean();
  r.as_data_sm = value.at("as").text() == "data_sm";
  return r;
}

}  // namespace trunkline::config
