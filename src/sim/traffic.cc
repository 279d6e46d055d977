#include "sim/traffic.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "sim/fault.h"
#include "sim/text.h"

namespace trunkline::sim {
namespace {

// Ofcom's drama numbers, and 555-01xx in area codes of the United States: nobody has them.
constexpr std::string_view kUkDrama = "+447700900";
constexpr std::string_view kUsAreas[] = {"201", "202", "203", "205", "206", "207", "208", "209",
                                         "210", "212", "213", "214", "215", "216", "217", "218",
                                         "219", "301", "302", "303", "304", "305", "307", "308",
                                         "309", "310", "312", "313", "314", "315", "316", "317"};

constexpr std::string_view kFiller =
    " Your parcel is on its way and will be with you between two and four this afternoon."
    " Nobody needs to be at home: we leave it where you told us to. Questions? Just answer.";

constexpr char kBase32[] = "0123456789abcdefghijklmnopqrstuv";

void append_base32(std::string& out, std::uint64_t value, unsigned digits) {
  for (unsigned i = digits; i-- > 0;) out.push_back(kBase32[(value >> (5 * i)) & 31]);
}

}  // namespace

std::expected<std::vector<Weighted>, std::string> parse_weights(std::string_view text) {
  std::vector<Weighted> out;
  while (!text.empty()) {
    std::string_view item = text.substr(0, text.find(','));
    text.remove_prefix(std::min(item.size() + 1, text.size()));
    Weighted w;
    const std::size_t colon = item.find(':');
    if (colon != std::string_view::npos) {
      const std::string_view digits = item.substr(colon + 1);
      const auto [end, error] =
          std::from_chars(digits.data(), digits.data() + digits.size(), w.weight);
      if (error != std::errc{} || end != digits.data() + digits.size() || w.weight > 1'000'000) {
        return std::unexpected(fmt::format("\"{}\": the weight must be a whole number", item));
      }
      item = item.substr(0, colon);
    }
    if (item.empty()) return std::unexpected("write NAME:WEIGHT,NAME:WEIGHT,...");
    w.name = item;
    if (w.weight > 0) out.push_back(std::move(w));
  }
  if (out.empty()) return std::unexpected("there is nothing with a weight above 0");
  return out;
}

void append_percent(std::string& out, std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (plain) {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(kHex[octet >> 4]);
      out.push_back(kHex[octet & 15]);
    }
  }
}

std::expected<Traffic, std::string> Traffic::make(const TrafficOptions& options) {
  Traffic out(options);
  for (const Weighted& w : options.segments) {
    std::size_t count = 0;
    std::from_chars(w.name.data(), w.name.data() + w.name.size(), count);
    if (count < 1 || count > 10) {
      return std::unexpected(fmt::format("segments: \"{}\" is not 1 to 10", w.name));
    }
  }
  for (const std::string& prefix : options.to_prefixes) {
    const std::string_view digits =
        std::string_view(prefix).substr(prefix.starts_with('+') ? 1 : 0);
    if (!prefix.starts_with('+') || digits.empty() || digits.size() > 15 ||
        digits.find_first_not_of("0123456789") != std::string_view::npos) {
      return std::unexpected(fmt::format("\"{}\" is no prefix; write +447700900", prefix));
    }
  }
  return out;
}

std::uint64_t Traffic::bits(std::uint64_t n, std::uint64_t purpose) const {
  return mix64(mix64(options_.run + purpose) ^ n);
}

const std::string& Traffic::pick(const std::vector<Weighted>& from, std::uint64_t random) const {
  std::uint64_t total = 0;
  for (const Weighted& w : from) total += w.weight;
  std::uint64_t at = random % total;
  for (const Weighted& w : from) {
    if (at < w.weight) return w.name;
    at -= w.weight;
  }
  return from.back().name;
}

void Traffic::append_token(std::string& out, std::uint64_t n) const {
  append_base32(out, mix64(options_.run), 11);
  append_base32(out, n, 9);
}

void Traffic::append_to(std::string& out, std::uint64_t n) const {
  const std::uint64_t random = bits(n, 1);
  const std::size_t start = out.size();
  if (!options_.to_prefixes.empty()) {
    out.append(options_.to_prefixes[random % options_.to_prefixes.size()]);
  } else if (random % 2 == 0) {
    out.append(kUkDrama);
  } else {
    out.append("+1").append(kUsAreas[(random >> 1) % std::size(kUsAreas)]).append("55501");
  }
  const std::size_t length = start + (out.compare(start, 2, "+1") == 0 ? 12 : 13);
  for (std::uint64_t digits = random >> 16; out.size() < length; digits /= 10) {
    out.push_back(static_cast<char>('0' + digits % 10));
  }
}

void Traffic::append_json(std::string& out, std::uint64_t n, bool with_key) const {
  out.append(R"({"to":")");
  append_to(out, n);
  if (!options_.classes.empty()) out.append(R"(","class":")").append(class_of(n));
  if (!options_.from.empty()) out.append(R"(","from":")").append(options_.from);
  if (with_key) {
    out.append(R"(","idempotency_key":")");
    append_token(out, n);
  }
  out.append(R"(","body":")");
  append_body(out, n);
  out.append("\"}");
}

void Traffic::append_query(std::string& out, std::uint64_t n) const {
  std::string part;
  append_to(part, n);
  out.append("&to=");
  append_percent(out, part);
  out.append("&from=").append(options_.from);
  part.clear();
  append_body(part, n);
  out.append("&text=");
  append_percent(out, part);
}

bool Traffic::append_body(std::string& out, std::uint64_t n) const {
  const std::size_t start = out.size();
  const std::uint64_t random = bits(n, 3);
  const bool unicode = static_cast<double>(random >> 40) < options_.unicode * 0x1.0p24;
  fmt::format_to(std::back_inserter(out), "Your code is {:06}. #tl:", random % 1'000'000);
  append_token(out, n);
  std::size_t octets = 0;  // characters
  if (unicode) {
    out.append(" \xe2\x9c\x93");  // a check mark
    octets = 2;                   // more than its characters
  }
  std::size_t segments = 1;
  if (!options_.segments.empty()) {
    const std::string& name = pick(options_.segments, bits(n, 4));
    std::from_chars(name.data(), name.data() + name.size(), segments);
  }
  // Into the middle of the last segment wanted; 40 characters where one is enough.
  const std::size_t one = unicode ? 67 : 153;
  const std::size_t wanted = segments == 1 ? 0 : one * (segments - 1) + one / 2;
  for (std::size_t have = out.size() - start - octets; have < wanted;) {
    const std::size_t piece = std::min(kFiller.size(), wanted - have);
    out.append(kFiller.substr(0, piece));
    have += piece;
  }
  return unicode;
}

bool Traffic::append_octets(std::string& out, std::uint64_t n) const {
  const std::size_t start = out.size();
  if (!append_body(out, n)) return false;  // letters, digits and marks that are ASCII's in GSM, too
  // Two- and four-octet sequences do not occur in these texts.
  const std::string text = out.substr(start);
  out.resize(start);
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned unit = static_cast<unsigned char>(text[i]);
    if (unit >= 0xe0) {
      unit = ((unit & 0x0f) << 12) | ((static_cast<unsigned char>(text[i + 1]) & 0x3fu) << 6) |
             (static_cast<unsigned char>(text[i + 2]) & 0x3fu);
      i += 2;
    }
    out.push_back(static_cast<char>(unit >> 8));
    out.push_back(static_cast<char>(unit & 0xff));
  }
  return true;
}

std::string_view Traffic::class_of(std::uint64_t n) const {
  if (options_.classes.empty()) return {};
  return pick(options_.classes, bits(n, 2));
}

void Traffic::append_line(std::string& out, std::string_view time, std::uint64_t n, bool with_key,
                          std::string_view id) const {
  out.append(R"({"t":")").append(time).append(R"(","key":)");
  if (with_key) {
    out.push_back('"');
    append_token(out, n);
    out.push_back('"');
  } else {
    out.append("null");
  }
  if (!id.empty()) {
    out.append(R"(,"id":)");
    sim::append_json(out, id);
  }
  out.append(R"(,"to":")");
  append_to(out, n);
  out.append(R"(","token":")");
  append_token(out, n);
  out.append("\"}\n");
}

}  // namespace trunkline::sim
