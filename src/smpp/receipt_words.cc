// The words of receipts, and receipts as the SMSC side writes them.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "smpp/message_id.h"
#include "smpp/receipt.h"

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

constexpr std::size_t kCutWordMin = 4;  // "DELI" and "DELE" differ, shorter ones do not

constexpr char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

std::string receipt_date(base::Wall t, const ReceiptStyle& style) {
  using namespace std::chrono;
  const auto local = t.time_since_epoch() + style.utc_offset;
  const auto day = floor<days>(local);
  const year_month_day date{sys_days{day}};
  const hh_mm_ss clock{floor<seconds>(local - day)};
  std::string out =
      fmt::format("{:02}{:02}{:02}{:02}{:02}", static_cast<int>(date.year()) % 100,
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  clock.hours().count(), clock.minutes().count());
  if (style.date == ReceiptStyle::Date::seconds) {
    out += fmt::format("{:02}", clock.seconds().count());
  }
  return out;
}

std::string receipt_id(std::string_view id, ReceiptStyle::Id style) {
  std::string out(id);
  switch (style) {
    case ReceiptStyle::Id::same:
      break;
    case ReceiptStyle::Id::upper_case:
      std::ranges::transform(out, out.begin(), upper);
      break;
    case ReceiptStyle::Id::decimal:
    case ReceiptStyle::Id::decimal10:
      if (const auto decimal = hex_to_decimal(id)) out = *decimal;
      if (style == ReceiptStyle::Id::decimal10 && out.size() < 10)
        out.insert(0, 10 - out.size(), '0');
      break;
  }
  return out;
}

// One character for each of the text's, so that a parser finds nothing but text in it.
std::string printable(std::string_view utf8, std::size_t max) {
  std::string out;
  for (const char c : utf8) {
    if ((c & 0xc0) == 0x80) continue;  // the rest of a character
    if (out.size() == max) break;
    out.push_back(c >= 0x20 && c < 0x7f ? c : '?');
  }
  return out;
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
  std::string word(stat);
  std::ranges::transform(word, word.begin(), upper);
  while (!word.empty() && (word.back() == '.' || word.back() == '!')) word.pop_back();
  std::optional<ReceiptState> cut;
  bool doubt = word.size() < kCutWordMin;
  for (const StatWord& row : kStatWords) {
    if (row.word == word) return row.state;
    if (!row.word.starts_with(word)) continue;
    doubt = doubt || (cut && *cut != row.state);
    cut = row.state;
  }
  return doubt ? std::nullopt : cut;
}

std::string format_receipt(const ReceiptStyle& style, const ReceiptFields& fields) {
  return fmt::format(
      "id:{} sub:{:03} dlvrd:{:03} submit date:{} done date:{} stat:{} err:{:03} text:{}",
      receipt_id(fields.id, style.id), std::min(fields.submitted, 999u),
      std::min(fields.delivered, 999u), receipt_date(fields.submit_date, style),
      receipt_date(fields.done_date, style), receipt_stat(fields.state), std::min(fields.err, 999u),
      printable(fields.text, std::min<std::size_t>(style.text_max, 20)));
}

std::string format_receipt(const ReceiptFields& fields) { return format_receipt({}, fields); }

void add_receipt_tlvs(Tlvs& tlvs, const ReceiptFields& fields) {
  add_text(tlvs, tag::kReceiptedMessageId, fields.id);
  add_u8(tlvs, tag::kMessageState, static_cast<std::uint8_t>(fields.state));
  if (fields.err == 0) return;
  tlvs.push_back(
      {tag::kNetworkErrorCode,
       {static_cast<char>(fields.network_type), static_cast<char>(fields.err >> 8 & 0xff),
        static_cast<char>(fields.err & 0xff)}});
}

}  // namespace trunkline::smpp
