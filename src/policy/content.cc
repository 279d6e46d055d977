#include "policy/content.h"

#include <algorithm>
#include <string>

namespace trunkline::policy {
namespace {

constexpr std::string_view kShorteners[] = {
    "bit.ly",  "tinyurl.com", "goo.gl",      "t.co",  "ow.ly",   "is.gd", "buff.ly",
    "cutt.ly", "rebrand.ly",  "shorturl.at", "rb.gy", "tiny.cc", "t.ly",  "s.id"};

// Endings without which a word with a dot in it is taken for a slip of the pen.
constexpr std::string_view kEndings[] = {
    "com", "net", "org", "info", "biz",    "io",    "co", "me", "app", "shop", "link", "ly",
    "gl",  "gd",  "at",  "ae",   "au",     "be",    "br", "ca", "ch",  "cn",   "cz",   "de",
    "dk",  "es",  "eu",  "fr",   "ie",     "in",    "it", "jp", "kr",  "mx",   "nl",   "no",
    "nz",  "ph",  "pl",  "pt",   "ru",     "sa",    "se", "sg", "tr",  "uk",   "us",   "vn",
    "za",  "id",  "xyz", "site", "online", "store", "gy", "cc"};

// What people are told to answer, or to do. Lower case.
constexpr std::string_view kOptOuts[] = {
    "stop",    "unsubscribe", "unsub",     "opt out",  "opt-out", "optout",   "arret", "arrêt",
    "arrÊt",   "désabonner",  "alto",      "baja",     "sair",    "parar",    "stopp", "abmelden",
    "annulla", "afmelden",    "rezygnuje", "afmeld",   "avmeld",  "iptal",    "ret",   "стоп",
    "СТОП",    "إيقاف",       "توقف",      "إلغاء",    "הסר",     "berhenti", "unreg", "ยกเลิก",
    "huy",     "hủy",         "停止",      "수신거부", "退订"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool is_word(char c) {
  return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') ||
         static_cast<unsigned char>(c) >= 128;
}
bool is_host(char c) {
  return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '-' || c == '.';
}

// Words of scripts without blanks between them stand anywhere; the others by themselves.
bool has_word(std::string_view text, std::string_view word) {
  const bool alone = static_cast<unsigned char>(word.front()) < 0xE0;
  for (std::size_t at = text.find(word); at != std::string_view::npos;
       at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    const bool free =
        (at == 0 || !is_word(text[at - 1])) && (end == text.size() || !is_word(text[end]));
    if (free || !alone) return true;
  }
  return false;
}

// `host` is a run of letters, digits, dots and dashes.
std::uint8_t judge_host(std::string_view host, bool has_scheme) {
  while (host.ends_with('.')) host.remove_suffix(1);
  const std::size_t dot = host.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return has_scheme ? Content::kLink : 0;
  for (const std::string_view shortener : kShorteners) {
    if (host == shortener ||
        (host.ends_with(shortener) && host[host.size() - shortener.size() - 1] == '.')) {
      return Content::kLink | Content::kShortLink;
    }
  }
  const bool known = std::ranges::find(kEndings, host.substr(dot + 1)) != std::end(kEndings);
  return has_scheme || known || host.starts_with("www.") ? Content::kLink : 0;
}

bool has_phone_number(std::string_view text) {
  constexpr std::size_t kDigitsMin = 7;
  std::size_t digits = 0;
  bool in_word = false;
  for (const char c : text) {
    if (is_digit(c) && !in_word) {
      if (++digits >= kDigitsMin) return true;
      continue;
    }
    in_word = is_word(c);
    const bool joins = digits > 0 && (c == ' ' || c == '-' || c == '(' || c == ')' || c == '/');
    if (!joins) digits = 0;
  }
  return false;
}

}  // namespace

Content read_content(std::string_view text) {
  Content out{Content::kRead};
  std::string low(text);
  std::ranges::transform(low, low.begin(), lower);
  for (std::size_t at = 0; at < low.size();) {
    if (!is_host(low[at])) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < low.size() && is_host(low[end])) ++end;
    const bool has_scheme = std::string_view(low).substr(0, at).ends_with("://");
    const bool is_mail = at > 0 && low[at - 1] == '@';
    const std::string_view host = std::string_view(low).substr(at, end - at);
    if (!is_mail && host.contains('.')) out.bits |= judge_host(host, has_scheme);
    if (has_scheme) out.bits |= Content::kLink;
    at = end;
  }
  if (has_phone_number(low)) out.bits |= Content::kPhoneNumber;
  if (std::ranges::any_of(kOptOuts, [&](std::string_view word) { return has_word(low, word); })) {
    out.bits |= Content::kOptOut;
  }
  return out;
}

bool matches_template(std::string_view form, std::string_view text) {
  // The fixed pieces in order, the first at the beginning and the last at the end: taking each as
  // early as possible is enough.
  bool first = true;
  while (true) {
    const std::size_t open = form.find("{#");
    const std::size_t close = open == std::string_view::npos ? open : form.find("#}", open + 2);
    if (close == std::string_view::npos) {  // the last piece
      return first ? form == text : text.ends_with(form);
    }
    const std::string_view piece = form.substr(0, open);
    const std::size_t at = text.find(piece);
    if (at == std::string_view::npos || (first && at != 0)) return false;
    text.remove_prefix(at + piece.size());
    form.remove_prefix(close + 2);
    first = false;
  }
}

}  // namespace trunkline::policy
