#include "smpp/receipt.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace trunkline::smpp {
namespace {

struct StatWord {
  std::string_view word;
  ReceiptState state;
};
// The specification's words first, in the order of ReceiptState; then what vendors write instead.
constexpr auto kStatWords = std::to_array<StatWord>({
    {"SCHEDULED", ReceiptState::scheduled},
    {"ENROUTE", ReceiptState::enroute},
    {"DELIVRD", ReceiptState::delivered},
    {"EXPIRED", ReceiptState::expired},
    {"DELETED", ReceiptState::deleted},
    {"UNDELIV", ReceiptState::undeliverable},
    {"ACCEPTD", ReceiptState::accepted},
    {"UNKNOWN", ReceiptState::unknown},
    {"REJECTD", ReceiptState::rejected},
    {"SKIPPED", ReceiptState::skipped},
    {"DELIVERED", ReceiptState::delivered},
    {"UNDELIVERED", ReceiptState::undeliverable},
    {"UNDELIVERABLE", ReceiptState::undeliverable},
    {"UNDELIVRD", ReceiptState::undeliverable},
    {"FAILED", ReceiptState::undeliverable},
    {"SYSERR", ReceiptState::undeliverable},
    {"ACCEPTED", ReceiptState::accepted},
    {"ACKED", ReceiptState::accepted},
    {"REJECTED", ReceiptState::rejected},
    {"NOCRED", ReceiptState::rejected},
    {"DND_REJECTED", ReceiptState::rejected},
    {"BLIST", ReceiptState::rejected},
    {"NOROUTE", ReceiptState::rejected},
    {"BUFFRED", ReceiptState::enroute},
    {"BUFFERED", ReceiptState::enroute},
    {"SUBMITD", ReceiptState::enroute},
    {"STAGED", ReceiptState::scheduled},
    {"CANCELED", ReceiptState::deleted},
    {"CANCELLED", ReceiptState::deleted},
    {"BADSTAT", ReceiptState::unknown},
});
constexpr std::size_t kStandardWords = 10;
static_assert([] {
  for (std::size_t i = 0; i < kStandardWords; ++i) {
    if (static_cast<std::size_t>(kStatWords[i].state) != i) return false;
  }
  return true;
}());

constexpr std::size_t kWordBytesMax = 32;  // of stat, err and the dates

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
constexpr bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\0';
}
constexpr bool is_word(char c) {
  const char l = lower(c);
  return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

bool same_letters(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
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
    {"sub", Key::sub},
    {"dlvrd", Key::dlvrd},
    {"submit date", Key::submit_date},
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

std::optional<FoundKey> match_key(std::string_view text) {
  for (const KeyWord& k : kKeyWords) {
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

// The first word: what follows it up to the next key we know is somebody's extra field.
std::string first_word(std::string_view value, std::size_t max) {
  const auto* end = std::ranges::find_if(value, is_space);
  std::string_view word = value.substr(0, static_cast<std::size_t>(end - value.begin()));
  while (!word.empty() && (word.back() == ',' || word.back() == ';')) word.remove_suffix(1);
  return std::string(word.substr(0, max));
}

std::string date(std::string_view value) {
  while (!value.empty() && (value.back() == ',' || value.back() == ';')) value.remove_suffix(1);
  return std::string(value.substr(0, kWordBytesMax));
}

// The user data without UDH, and one octet a character even if it came as UCS-2.
std::string receipt_text(const DeliverSm& pdu) {
  std::string_view data = user_data(pdu);
  if ((pdu.esm_class & esm_class::kUdhi) != 0 && !data.empty()) {
    data.remove_prefix(
        std::min<std::size_t>(static_cast<unsigned char>(data[0]) + 1u, data.size()));
  }
  data = data.substr(0, 2 * kReceiptRawBytesMax);
  std::string text;
  if (pdu.data_coding == data_coding::kUcs2 && data.size() >= 2 && data[0] == '\0') {
    for (std::size_t i = 0; i + 1 < data.size(); i += 2) {
      text.push_back(data[i] == '\0' ? data[i + 1] : '?');
    }
  } else {
    text = data;
  }
  text.resize(std::min(text.size(), kReceiptRawBytesMax));
  return text;
}

// --- the TLVs -----------------------------------------------------------------------------------

void apply_tlvs(const Tlvs& tlvs, Receipt& receipt) {
  if (const auto id = find_text(tlvs, tag::kReceiptedMessageId)) {
    const std::string_view trimmed = trim(*id);
    if (!trimmed.empty()) receipt.id = trimmed.substr(0, kReceiptIdBytesMax);
  }
  if (const auto state = find_u8(tlvs, tag::kMessageState);
      state && *state <= static_cast<std::uint8_t>(ReceiptState::skipped)) {
    receipt.state = static_cast<ReceiptState>(*state);
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

std::string receipt_date(base::Wall t) {
  using namespace std::chrono;
  const auto day = floor<days>(t.time_since_epoch());
  const year_month_day date{sys_days{day}};
  const hh_mm_ss clock{floor<minutes>(t.time_since_epoch() - day)};
  return fmt::format("{:02}{:02}{:02}{:02}{:02}", static_cast<int>(date.year()) % 100,
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count());
}

}  // namespace

std::string_view to_string(ReceiptState s) {
  switch (s) {
    case ReceiptState::scheduled:
      return "scheduled";
    case ReceiptState::enroute:
      return "enroute";
    case ReceiptState::delivered:
      return "delivered";
    case ReceiptState::expired:
      return "expired";
    case ReceiptState::deleted:
      return "deleted";
    case ReceiptState::undeliverable:
      return "undeliverable";
    case ReceiptState::accepted:
      return "accepted";
    case ReceiptState::unknown:
      return "unknown";
    case ReceiptState::rejected:
      return "rejected";
    case ReceiptState::skipped:
      break;
  }
  return "skipped";
}

std::string_view receipt_stat(ReceiptState s) {
  return kStatWords[static_cast<std::size_t>(s)].word;
}

std::optional<ReceiptState> receipt_state_from_stat(std::string_view stat) {
  for (const StatWord& row : kStatWords) {
    if (same_letters(stat, row.word)) return row.state;
  }
  return std::nullopt;
}

ReceiptKind receipt_kind(std::uint8_t esm_class) {
  if ((esm_class & esm_class::kReceipt) != 0) return ReceiptKind::receipt;
  if ((esm_class & esm_class::kIntermediate) != 0) return ReceiptKind::intermediate;
  return ReceiptKind::none;
}

std::optional<Receipt> parse_receipt(const DeliverSm& pdu) {
  Receipt receipt;
  receipt.kind = receipt_kind(pdu.esm_class);
  if (receipt.kind == ReceiptKind::none) return std::nullopt;
  receipt.raw = receipt_text(pdu);
  TextFields fields = split_fields(receipt.raw);
  receipt.id = first_word(fields[Key::id], kReceiptIdBytesMax);
  receipt.stat = first_word(fields[Key::stat], kWordBytesMax);
  receipt.err = first_word(fields[Key::err], kWordBytesMax);
  receipt.submit_date = date(fields[Key::submit_date]);
  receipt.done_date = date(fields[Key::done_date]);
  receipt.state = receipt_state_from_stat(receipt.stat).value_or(ReceiptState::unknown);
  apply_tlvs(pdu.tlvs, receipt);
  return receipt;
}

std::string format_receipt(const ReceiptFields& fields) {
  return fmt::format(
      "id:{} sub:{:03} dlvrd:{:03} submit date:{} done date:{} stat:{} err:{:03} text:{}",
      fields.id, fields.submitted, fields.delivered, receipt_date(fields.submit_date),
      receipt_date(fields.done_date), receipt_stat(fields.state), fields.err,
      fields.text.substr(0, 20));
}

void add_receipt_tlvs(Tlvs& tlvs, const ReceiptFields& fields) {
  add_text(tlvs, tag::kReceiptedMessageId, fields.id);
  add_u8(tlvs, tag::kMessageState, static_cast<std::uint8_t>(fields.state));
  if (fields.err == 0) return;
  constexpr char kGsm = 3;
  tlvs.push_back(
      {tag::kNetworkErrorCode,
       {kGsm, static_cast<char>(fields.err >> 8 & 0xff), static_cast<char>(fields.err & 0xff)}});
}

}  // namespace trunkline::smpp
