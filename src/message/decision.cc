#include "message/decision.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string_view>

#include "base/bytes.h"
#include "base/hash.h"

namespace trunkline::message {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint64_t kSenderSeed = 0x6361702e66726f6d;  // "cap.from"; PERSISTED
constexpr std::size_t kVersionDigits = 12;
constexpr std::size_t kCurrencyLetters = 3;
constexpr double kUnit = 1e6;
constexpr std::size_t kPricesMax = 32;
// PERSISTED: what may follow, each a tag and a text. Others are a later version's, and skipped.
constexpr std::uint8_t kExcludedTag = 1;
constexpr std::uint8_t kSenderTag = 2;
constexpr std::uint8_t kQuietTag = 3;
constexpr std::uint8_t kFlagsTag = 4;  // one octet of these
constexpr std::uint8_t kSenderTailTag = 5;
constexpr std::uint8_t kAskedTag = 6;
constexpr std::uint8_t kResendTag = 7;
constexpr std::uint8_t kLookedUp = 1;
constexpr std::uint8_t kPorted = 2;
constexpr std::uint8_t kCanary = 4;
// PERSISTED: rules that are written as one octet, their place here and one; others as they are. To
// be added to at its end only.
constexpr std::string_view kShortRules[] = {
    "routing.removed",      "routing.residency", "routing.tenant_residency",
    "routing.no_spill",     "routing.plan_full", "routing.loop",
    "carrier.class",        "carrier.country",   "carrier.sender_kind",
    "carrier.registration", "carrier.text",      "carrier.content",
    "carrier.two_way",      "limits.carrier_cap"};
static_assert(std::size(kShortRules) < ' ');

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Half as many octets as digits, zeros for what is not hexadecimal.
void put_version(base::ByteWriter& out, std::string_view version) {
  for (std::size_t i = 0; i < kVersionDigits; i += 2) {
    const int high = i + 1 < version.size() ? digit_of(version[i]) : 0;
    const int low = i + 1 < version.size() ? digit_of(version[i + 1]) : 0;
    out.u8(high < 0 || low < 0 ? std::uint8_t{0} : static_cast<std::uint8_t>(high << 4 | low));
  }
}

QuietWindow read_window(base::ByteReader& in) {
  const base::Wall begin = base::wall_from_us(static_cast<std::int64_t>(in.u64()));
  const base::Wall end = base::wall_from_us(static_cast<std::int64_t>(in.u64()));
  return {begin, end};
}

void put_rule(base::ByteWriter& out, std::string_view rule) {
  const auto* const found = std::ranges::find(kShortRules, rule);
  if (found == std::end(kShortRules)) return out.text(rule);
  const char octet = static_cast<char>(found - std::begin(kShortRules) + 1);
  out.text({&octet, 1});
}
std::string_view long_rule(std::string_view written) {
  if (written.size() != 1) return written;
  const auto at = static_cast<unsigned char>(written[0]);
  return at >= 1 && at <= std::size(kShortRules) ? kShortRules[at - 1] : written;
}

// What may follow, without reading the rest: visit(tag, field).
void for_each_field(std::string_view decision, auto&& visit) {
  base::ByteReader in(decision);
  if (in.u8() != kVersion) return;
  in.view(kVersionDigits / 2);
  in.text();
  in.varint();
  in.view(kCurrencyLetters);
  const std::uint64_t known = in.varint();
  for (std::uint64_t i = 0; in.ok() && i < known; ++i) in.varint();
  while (in.ok() && !in.at_end()) {
    const std::uint8_t tag = in.u8();
    base::ByteReader field(in.text());
    visit(tag, field);
  }
}

}  // namespace

std::string encode_decision(const DecisionView& d) {
  std::string bytes;
  bytes.reserve(kVersionDigits / 2 + d.route.size() + d.prices.size() * 4 + 16);
  base::ByteWriter out(bytes);
  out.u8(kVersion);
  put_version(out, d.version);
  out.text(d.route);
  out.varint(d.network);
  out.bytes(d.currency.size() == kCurrencyLetters ? d.currency : std::string_view("\0\0\0", 3));
  std::size_t known = d.prices.size();
  while (known > 0 && d.prices[known - 1] < 0) --known;
  out.varint(known);
  for (const double price : d.prices.first(known)) {
    out.varint(price < 0 ? 0 : static_cast<std::uint64_t>(std::llround(price * kUnit)) + 1);
  }
  if (!d.excluded.empty()) {
    std::string list;
    base::ByteWriter field(list);
    for (const ExcludedCarrier& one : d.excluded) {
      field.text(one.carrier);
      put_rule(field, one.rule);
    }
    out.u8(kExcludedTag);
    out.text(list);
  }
  const int flags =
      (d.looked_up ? kLookedUp : 0) | (d.ported ? kPorted : 0) | (d.canary ? kCanary : 0);
  if (flags != 0) {
    out.u8(kFlagsTag);
    out.text(std::string(1, static_cast<char>(flags)));
  }
  if (d.sender != 0) {
    out.u8(kSenderTag);
    out.varint(sizeof d.sender);
    out.u64(d.sender);
  } else if (d.sender_tail != 0) {
    out.u8(kSenderTailTag);
    out.varint(sizeof d.sender_tail);
    out.u32(d.sender_tail);
  }
  if (!d.quiet.empty()) {
    std::string list;
    base::ByteWriter field(list);
    for (const QuietWindow& one : d.quiet) {
      field.u64(static_cast<std::uint64_t>(base::to_us(one.begin)));
      field.u64(static_cast<std::uint64_t>(base::to_us(one.end)));
    }
    out.u8(kQuietTag);
    out.text(list);
  }
  if (!d.asked.empty()) {
    out.u8(kAskedTag);
    out.text(d.asked);
  }
  if (!d.resend_of.is_null()) {
    out.u8(kResendTag);
    out.varint(16);
    out.u64(d.resend_of.high);
    out.u64(d.resend_of.low);
  }
  return bytes;
}

std::string_view route_of(std::string_view decision) {
  base::ByteReader in(decision);
  in.view(1 + kVersionDigits / 2);
  const std::string_view route = in.text();
  return in.ok() ? route : std::string_view();
}

std::expected<Decision, std::string> decode_decision(std::string_view bytes) {
  base::ByteReader in(bytes);
  const std::uint8_t version = in.u8();
  if (!in.ok() || version != kVersion) return std::unexpected("a decision of another version");
  Decision out;
  constexpr std::string_view kHex = "0123456789abcdef";
  for (const char c : in.view(kVersionDigits / 2)) {
    const auto octet = static_cast<unsigned char>(c);
    out.version += {kHex[octet >> 4], kHex[octet & 15]};
  }
  out.route = in.text();
  out.network = static_cast<std::uint32_t>(in.varint());
  out.currency = in.view(kCurrencyLetters);
  if (out.currency.starts_with('\0')) out.currency.clear();
  const std::uint64_t known = in.varint();
  if (known > kPricesMax) in.fail();
  for (std::uint64_t i = 0; in.ok() && i < known; ++i) {
    const std::uint64_t price = in.varint();
    out.prices.push_back(price == 0 ? -1 : static_cast<double>(price - 1) / kUnit);
  }
  while (in.ok() && !in.at_end()) {
    const std::uint8_t tag = in.u8();
    const std::string_view value = in.text();
    base::ByteReader field(value);
    if (tag == kAskedTag) out.asked = value;
    if (tag == kResendTag) {
      out.resend_of.high = field.u64();
      out.resend_of.low = field.u64();
    }
    while (tag == kExcludedTag && field.ok() && !field.at_end()) {
      const std::string_view carrier = field.text();
      const std::string_view rule = long_rule(field.text());
      out.excluded.push_back({std::string(carrier), std::string(rule)});
    }
    if (tag == kSenderTag) {
      out.sender = field.u64();
      out.sender_tail = static_cast<std::uint32_t>(out.sender);
    }
    if (tag == kSenderTailTag) out.sender_tail = field.u32();
    while (tag == kQuietTag && field.ok() && !field.at_end()) {
      const QuietWindow window = read_window(field);
      out.quiet.push_back(window);
    }
    if (tag == kFlagsTag) {
      const std::uint8_t flags = field.u8();
      out.looked_up = (flags & kLookedUp) != 0;
      out.ported = (flags & kPorted) != 0;
      out.canary = (flags & kCanary) != 0;
    }
    if (!field.ok()) in.fail();
  }
  if (!in.ok()) return std::unexpected("a damaged decision");
  return out;
}

std::optional<std::uint64_t> price_of(std::string_view decision, std::size_t place,
                                      std::string_view currency) {
  base::ByteReader in(decision);
  if (in.u8() != kVersion) return std::nullopt;
  in.view(kVersionDigits / 2);
  in.text();
  in.varint();
  if (in.view(kCurrencyLetters) != currency) return std::nullopt;
  if (place >= in.varint()) return std::nullopt;
  for (std::size_t i = 0; i < place; ++i) in.varint();
  const std::uint64_t price = in.varint();  // and one
  if (!in.ok() || price == 0) return std::nullopt;
  return price - 1;
}

std::string_view asked_of(std::string_view decision) {
  std::string_view out;
  for_each_field(decision, [&](std::uint8_t tag, base::ByteReader& field) {
    if (tag == kAskedTag) out = field.view(field.remaining());
  });
  return out;
}

base::MessageId resend_of(std::string_view decision) {
  base::MessageId out;
  for_each_field(decision, [&](std::uint8_t tag, base::ByteReader& field) {
    if (tag != kResendTag) return;
    out.high = field.u64();
    out.low = field.u64();
  });
  return out;
}

std::optional<QuietWindow> quiet_window(std::string_view decision, base::Wall now) {
  std::optional<QuietWindow> found;
  for_each_field(decision, [&](std::uint8_t tag, base::ByteReader& field) {
    while (!found && tag == kQuietTag && field.ok() && !field.at_end()) {
      const QuietWindow window = read_window(field);
      if (field.ok() && now >= window.begin && now < window.end) found = window;
    }
  });
  return found;
}

std::uint32_t sender_tail_of(std::string_view decision) {
  std::uint32_t tail = 0;
  for_each_field(decision, [&](std::uint8_t tag, base::ByteReader& field) {
    if (tag == kSenderTag) tail = static_cast<std::uint32_t>(field.u64());
    if (tag == kSenderTailTag) tail = field.u32();
  });
  return tail;
}

std::uint64_t sender_hash(std::string_view from) {
  return from.empty() ? 0 : base::hash128(from, kSenderSeed).low;
}

}  // namespace trunkline::message
