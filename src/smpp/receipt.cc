#include "smpp/receipt.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace trunkline::smpp {
namespace {

constexpr std::size_t kWordBytesMax = 32;  // of stat, err and the dates

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
constexpr bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\0';
}
constexpr bool is_word(char c) {
  const char l = lower(c);
  return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

std::string_view trim(std::string_view s) {
  while (!s.empty() && is_space(s.front())) s.remove_prefix(1);
  while (!s.empty() && is_space(s.back())) s.remove_suffix(1);
  return s;
}

// --- the text -----------------------------------------------------------------------------------

enum class Key : std::uint8_t { id, sub, dlvrd, submit_date, done_date, stat, err, text, count };

struct KeyWord {
  std::string_view word;  // lower case; a blank also stands for '_' or nothing
  Key key;
};
constexpr KeyWord kKeyWords[] = {
    {"id", Key::id},
    {"message id", Key::id},
    {"msg id", Key::id},
    {"sub", Key::sub},
    {"dlvrd", Key::dlvrd},
    {"submit date", Key::submit_date},
    {"sub date", Key::submit_date},
    {"done date", Key::done_date},
    {"status", Key::stat},
    {"state", Key::stat},
    {"stat", Key::stat},
    {"error", Key::err},
    {"err", Key::err},
    {"text", Key::text},
};

// Octets of `text` that are `word`, 0 if it does not start with it.
std::size_t match_word(std::string_view text, std::string_view word) {
  std::size_t at = 0;
  for (const char c : word) {
    if (c == ' ') {
      while (at < text.size() && (text[at] == ' ' || text[at] == '_')) ++at;
    } else {
      if (at == text.size() || lower(text[at]) != c) return 0;
      ++at;
    }
  }
  return at;
}

struct FoundKey {
  Key key;
  std::size_t size;  // octets up to and with the colon
};

// The letters that keys begin with: most words of a text are told by their first one.
constexpr std::uint32_t letter_bit(char c) {
  const char small = lower(c);
  return small >= 'a' && small <= 'z' ? 1u << (small - 'a') : 0;
}
constexpr std::uint32_t kFirstLetters = [] {
  std::uint32_t all = 0;
  for (const KeyWord& k : kKeyWords) all |= letter_bit(k.word.front());
  return all;
}();

std::optional<FoundKey> match_key(std::string_view text) {
  const std::uint32_t first = text.empty() ? 0 : letter_bit(text.front());
  if ((first & kFirstLetters) == 0) return std::nullopt;
  for (const KeyWord& k : kKeyWords) {
    if (letter_bit(k.word.front()) != first) continue;
    std::size_t at = match_word(text, k.word);
    if (at == 0) continue;
    while (at < text.size() && text[at] == ' ') ++at;
    if (at < text.size() && (text[at] == ':' || text[at] == '=')) return FoundKey{k.key, at + 1};
  }
  return std::nullopt;
}

struct TextFields {
  std::array<std::string_view, static_cast<std::size_t>(Key::count)> values;

  std::string_view& operator[](Key k) { return values[static_cast<std::size_t>(k)]; }
  bool has(Key k) const { return !values[static_cast<std::size_t>(k)].empty(); }
};

// A key counts at the start of a word, whatever the order and case. Before "text:" the first of a
// kind wins. What follows "text:" is mostly the sender's own message and may say anything, "id:1
// stat:DELIVRD" too. It is looked into only for what is missing so far, because some write fields
// after the text; there the last of a kind wins, and an id counts only if nothing before the text
// identified the receipt.
TextFields split_fields(std::string_view text) {
  TextFields before;
  TextFields after;
  bool past_text = false;
  std::optional<Key> open;
  std::size_t value_at = 0;
  const auto close = [&](std::size_t end) {
    if (!open) return;
    const std::string_view value = trim(text.substr(value_at, end - value_at));
    std::string_view& slot = past_text ? after[*open] : before[*open];
    if (past_text ? !value.empty() : slot.empty()) slot = value;
  };
  for (std::size_t at = 0; at < text.size();) {
    const bool word_starts = at == 0 || !is_word(text[at - 1]);
    const auto found = word_starts ? match_key(text.substr(at)) : std::nullopt;
    if (!found) {
      ++at;
      continue;
    }
    close(at);
    open = found->key;
    at += found->size;
    value_at = at;
    if (found->key == Key::text) {
      if (before.has(Key::id) && before.has(Key::stat)) break;
      past_text = true;
    }
  }
  close(text.size());
  if (before.has(Key::id) || before.has(Key::stat)) after[Key::id] = {};
  for (std::size_t i = 0; i < before.values.size(); ++i) {
    if (before.values[i].empty()) before.values[i] = after.values[i];
  }
  return before;
}

constexpr bool is_separator(char c) {
  return c == ',' || c == ';' || c == '|' || c == '&' || c == '"' || c == '\'';
}

std::string_view without_separators(std::string_view s) {
  while (!s.empty() && is_separator(s.front())) s.remove_prefix(1);
  while (!s.empty() && is_separator(s.back())) s.remove_suffix(1);
  return s;
}

// The first word: what follows it up to the next key we know is somebody's extra field.
std::string first_word(std::string_view value, std::size_t max) {
  const auto* end = std::ranges::find_if(value, is_space);
  const auto word = value.substr(0, static_cast<std::size_t>(end - value.begin()));
  return std::string(without_separators(word).substr(0, max));
}

std::string date(std::string_view value) {
  return std::string(without_separators(value).substr(0, kWordBytesMax));
}

// Strict where a guess is all there is: an id first, then a stat and a date, all before the text.
bool looks_like_receipt(std::string_view text) {
  const auto first = match_key(trim(text));
  if (!first || first->key != Key::id) return false;
  for (std::size_t at = 1; at < text.size(); ++at) {
    if (is_word(text[at - 1])) continue;
    const auto found = match_key(text.substr(at));
    if (found && found->key == Key::text) {
      text = text.substr(0, at);
      break;
    }
  }
  TextFields fields = split_fields(text);
  return fields.has(Key::id) && fields.has(Key::stat) &&
         receipt_state_from_stat(first_word(fields[Key::stat], kWordBytesMax)).has_value() &&
         (fields.has(Key::done_date) || fields.has(Key::submit_date));
}

// What of deliver_sm and data_sm a receipt is in.
struct Carried {
  std::uint8_t esm_class;
  std::string_view user_data;
  const Tlvs& tlvs;
};

// UTF-16 in either order, whatever data_coding says, as one octet a character; nullopt: not that.
std::optional<std::string> from_utf16(std::string_view data) {
  if (data.size() < 4) return std::nullopt;
  const bool big = data.starts_with("\xfe\xff") || (data[0] == '\0' && data[2] == '\0');
  const bool little = data.starts_with("\xff\xfe") || (data[1] == '\0' && data[3] == '\0');
  if (big == little) return std::nullopt;
  std::string text;
  for (std::size_t i = 0; i + 1 < data.size(); i += 2) {
    const char high = data[big ? i : i + 1];
    const char low = data[big ? i + 1 : i];
    if (i == 0 && high == '\xfe') continue;  // the mark of the order
    text.push_back(high == '\0' ? low : '?');
  }
  return text;
}

// Septets packed as on the air (TS 23.038 6.1.2.1). Letters, digits and the colon are where ASCII
// has them, and nothing else is needed to find the fields.
std::string from_packed(std::string_view data) {
  std::string text;
  unsigned held = 0;
  unsigned bits = 0;
  for (const char c : data) {
    held |= static_cast<unsigned>(static_cast<unsigned char>(c)) << bits;
    bits += 8;
    for (; bits >= 7; bits -= 7, held >>= 7) text.push_back(static_cast<char>(held & 0x7f));
  }
  return text;
}

// The user data without UDH, one octet a character.
std::string receipt_text(const Carried& pdu) {
  std::string_view data = pdu.user_data;
  if ((pdu.esm_class & esm_class::kUdhi) != 0 && !data.empty()) {
    data.remove_prefix(
        std::min<std::size_t>(static_cast<unsigned char>(data[0]) + 1u, data.size()));
  }
  data = data.substr(0, 2 * kReceiptRawBytesMax);
  std::string text = from_utf16(data).value_or(std::string(data));
  text.resize(std::min(text.size(), kReceiptRawBytesMax));
  return text;
}

// --- the TLVs -----------------------------------------------------------------------------------

void apply_tlvs(const Tlvs& tlvs, Receipt& receipt) {
  if (const auto id = find_text(tlvs, tag::kReceiptedMessageId)) {
    const std::string_view trimmed = trim(*id);
    if (!trimmed.empty()) {
      receipt.id = trimmed.substr(0, kReceiptIdBytesMax);
      receipt.id_in_tlv = true;
    }
  }
  if (auto state = find_u8(tlvs, tag::kMessageState)) {
    if (*state >= '0' && *state <= '9') *state = static_cast<std::uint8_t>(*state - '0');
    if (*state <= static_cast<std::uint8_t>(ReceiptState::skipped)) {
      receipt.state = static_cast<ReceiptState>(*state);
      receipt.state_in_tlv = true;
    }
  }
  const Tlv* network = find(tlvs, tag::kNetworkErrorCode);
  if (network != nullptr && network->value.size() == 3) {
    const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(network->value[i]); };
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (std::ranges::all_of(network->value, is_digit)) {  // some write the err text here
      receipt.err = network->value;
      return;
    }
    receipt.network_err_type = octet(0);
    receipt.err = fmt::format("{:03}", octet(1) << 8 | octet(2));
  }
}

}  // namespace

ReceiptKind receipt_kind(std::uint8_t esm_class) {
  if ((esm_class & esm_class::kReceipt) != 0) return ReceiptKind::receipt;
  if ((esm_class & esm_class::kIntermediate) != 0) return ReceiptKind::intermediate;
  return ReceiptKind::none;
}

namespace {

constexpr std::uint8_t kMessageType = 0x3c;  // bits of esm_class
// Where the GSM alphabet has what ids and words have besides letters and digits (TS 23.038 6.2.1);
// nothing else writes it.
constexpr char kGsmUnderscore = 0x11;

std::optional<Receipt> parse(const Carried& pdu, const ReceiptOptions& options) {
  Receipt receipt;
  receipt.kind = receipt_kind(pdu.esm_class);
  const bool guess = receipt.kind == ReceiptKind::none && options.without_esm_class &&
                     (pdu.esm_class & kMessageType) == 0;
  if (receipt.kind == ReceiptKind::none && !guess) return std::nullopt;
  receipt.raw = receipt_text(pdu);
  TextFields fields = split_fields(receipt.raw);
  if (!fields.has(Key::id) && !fields.has(Key::stat)) {
    std::string unpacked = from_packed(receipt.raw);
    unpacked.resize(std::min(unpacked.size(), kReceiptRawBytesMax));
    TextFields again = split_fields(unpacked);
    if (again.has(Key::id) && again.has(Key::stat)) {
      receipt.raw = std::move(unpacked);
      fields = split_fields(receipt.raw);
    }
  }
  if (receipt.raw.contains(kGsmUnderscore)) {
    std::ranges::replace(receipt.raw, kGsmUnderscore, '_');
    fields = split_fields(receipt.raw);
  }
  if (guess) {
    const bool by_tlvs = find(pdu.tlvs, tag::kReceiptedMessageId) != nullptr &&
                         find(pdu.tlvs, tag::kMessageState) != nullptr;
    if (!by_tlvs && !looks_like_receipt(receipt.raw)) return std::nullopt;
    receipt.kind = ReceiptKind::receipt;
  }
  receipt.id = first_word(fields[Key::id], kReceiptIdBytesMax);
  const bool names_one = !receipt.id.empty() || find(pdu.tlvs, tag::kReceiptedMessageId) != nullptr;
  if (guess && !names_one) return std::nullopt;
  receipt.stat = first_word(fields[Key::stat], kWordBytesMax);
  receipt.err = first_word(fields[Key::err], kWordBytesMax);
  receipt.submit_date = date(fields[Key::submit_date]);
  receipt.done_date = date(fields[Key::done_date]);
  receipt.state = receipt_state_from_stat(receipt.stat).value_or(ReceiptState::unknown);
  apply_tlvs(pdu.tlvs, receipt);
  return receipt;
}

}  // namespace

std::optional<Receipt> parse_receipt(const DeliverSm& pdu, const ReceiptOptions& options) {
  return parse({pdu.esm_class, user_data(pdu), pdu.tlvs}, options);
}

std::optional<Receipt> parse_receipt(const DataSm& pdu, const ReceiptOptions& options) {
  return parse({pdu.esm_class, user_data(pdu), pdu.tlvs}, options);
}

}  // namespace trunkline::smpp
