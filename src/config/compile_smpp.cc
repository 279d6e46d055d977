#include "config/compile_smpp.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "config/text.h"
#include "smpp/tlv.h"

namespace trunkline::config {
namespace {

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return text;
}

smpp::MessageIdRule id_rule(const Value& value) {
  smpp::MessageIdRule rule;
  const std::string base = value.at("base").text();
  rule.base = base == "hex"       ? smpp::MessageIdRule::Base::hex
              : base == "decimal" ? smpp::MessageIdRule::Base::decimal
                                  : smpp::MessageIdRule::Base::text;
  rule.strip_zeros = value.at("strip_zeros").boolean();
  rule.fold_case = value.at("fold_case").boolean();
  return rule;
}

message::ReceiptState meaning(const std::string& word) {
  return word == "delivered"      ? message::ReceiptState::delivered
         : word == "undelivered"  ? message::ReceiptState::undelivered
         : word == "intermediate" ? message::ReceiptState::intermediate
                                  : message::ReceiptState::unknown;
}

constexpr std::size_t kAddressMax = 20;  // octets of an address in submit_sm (3.4 section 4.4.1)
constexpr std::size_t kNumberMax = 16;   // "+" and the 15 digits of E.164

// Those we set ourselves.
constexpr std::uint16_t kOwnTlvs[] = {smpp::tag::kMessagePayload, smpp::tag::kSarMsgRefNum,
                                      smpp::tag::kSarTotalSegments, smpp::tag::kSarSegmentSeqnum};

struct Placeholder {
  std::string_view name;
  SmppTlv::Piece::From from;
};
constexpr Placeholder kPlaceholders[] = {
    {"sender", SmppTlv::Piece::From::sender},
    {"to", SmppTlv::Piece::From::to},
    {"class", SmppTlv::Piece::From::traffic_class},
    {"tenant", SmppTlv::Piece::From::tenant},
    {"id", SmppTlv::Piece::From::id},
};
constexpr std::string_view kMetadata = "metadata.";

bool all_of(std::string_view text, std::string_view allowed) {
  return text.find_first_not_of(allowed) == std::string_view::npos;
}

TonNpi ton_npi(const Value& value, TonNpi usual) {
  return {static_cast<std::uint8_t>(value.at("ton").integer(usual.ton)),
          static_cast<std::uint8_t>(value.at("npi").integer(usual.npi))};
}

class OptionsCompiler {
 public:
  OptionsCompiler(std::vector<std::string_view> classes, Findings& findings)
      : classes_(std::move(classes)), findings_(findings) {}

  SmppOptions compile(const Value& value) {
    SmppOptions options;
    receipts(value.at("receipts"), options.receipts);
    statuses(value.at("statuses"), options.statuses);
    source(value.at("source"), options.source);
    destination(value.at("destination"), options.destination);
    options.service_type = value.at("service_type").text();
    options.protocol_id = static_cast<std::uint8_t>(value.at("protocol_id").integer());
    for (const Value& item : value.at("priority_flag").items) {
      options.priority_flag.push_back({item.name, static_cast<std::uint8_t>(item.integer())});
      if (std::ranges::find(classes_, item.name) != classes_.end()) continue;
      error(item, fmt::format("class {} is not defined", quote(item.name)),
            fmt::format("defined are: {}", join(classes_)));
    }
    const std::string wanted = value.at("registered_delivery").text();
    options.registered_delivery = wanted == "none"      ? smpp::registered_delivery::kNone
                                  : wanted == "failure" ? smpp::registered_delivery::kOnFailure
                                                        : smpp::registered_delivery::kFinal;
    const std::string validity = value.at("validity").text();
    options.validity = validity == "none"       ? SmppOptions::Validity::none
                       : validity == "absolute" ? SmppOptions::Validity::absolute
                                                : SmppOptions::Validity::relative;
    tlvs(value, options.tlvs);
    text(value, options.text);
    data_coding(value.at("text"), options);
    return options;
  }

 private:
  void error(const Value& at, std::string what, std::string remedy) {
    findings_.error(at.mark, at.path, std::move(what), std::move(remedy));
  }

  void receipts(const Value& value, SmppReceipts& out) {
    out.id_in_response = id_rule(value.at("id_in_response"));
    out.id_in_text = id_rule(value.at("id_in_text"));
    out.id_in_tlv = value.at("id_in_tlv").given ? id_rule(value.at("id_in_tlv")) : out.id_in_text;
    out.without_esm_class = value.at("without_esm_class").boolean();
    out.deadline = value.at("deadline").duration(out.deadline);
    const auto is_number = [](const smpp::MessageIdRule& rule) {
      return rule.base != smpp::MessageIdRule::Base::text;
    };
    if (is_number(out.id_in_text) != is_number(out.id_in_response)) {
      error(value.at(is_number(out.id_in_text) ? "id_in_text" : "id_in_response"),
            "a number here and text in the other place: ids would not be found the same",
            "give both id_in_response and id_in_text a base: hex or decimal");
    }
    std::map<std::string, const Value*> seen;
    for (const Value& item : value.at("words").items) {
      std::string word = upper(item.at("is").text());
      if (word.empty()) continue;
      if (const auto [first, is_new] = seen.try_emplace(word, &item); !is_new) {
        error(item.at("is"), fmt::format("{} is given twice", quote(item.at("is").text())),
              fmt::format("the first is at {}", findings_.place(first->second->mark)));
      }
      out.words.push_back({std::move(word), meaning(item.at("means").text())});
    }
  }

  void statuses(const Value& value, smpp::StatusProfile& out) {
    std::map<std::uint32_t, const Value*> seen;
    for (const Value& item : value.items) {
      const auto code = smpp::status_from_name(item.name);
      const auto action = smpp::status_action_from_name(item.text());
      if (!code || !action) continue;
      if (*code == smpp::kEsmeRok) {
        error(item, "ESME_ROK means that the message was accepted", "remove it");
        continue;
      }
      if (const auto [first, is_new] = seen.try_emplace(*code, &item); !is_new) {
        error(item, fmt::format("{} is given twice", quote(item.name)),
              fmt::format("the first is {} at {}", quote(first->second->name),
                          findings_.place(first->second->mark)));
        continue;
      }
      out.set(*code, *action);
    }
  }

  void source(const Value& value, SmppSource& out) {
    out.international = ton_npi(value.at("international"), out.international);
    out.number = ton_npi(value.at("number"), out.number);
    out.short_code = ton_npi(value.at("short_code"), out.short_code);
    out.alphanumeric = ton_npi(value.at("alphanumeric"), out.alphanumeric);
    rewrites(value.at("rewrite"), out.rewrite);
  }

  void destination(const Value& value, SmppDestination& out) {
    out.international = ton_npi(value, out.international);
    rewrites(value.at("rewrite"), out.rewrite);
    for (const Value& item : value.at("rewrite").items) {
      const std::string match = item.at("match").text();
      const std::string to = item.at("to").text();
      if (match.empty()) continue;
      if (match[0] != '+' || !all_of(match.substr(1), "0123456789")) {
        error(item.at("match"), fmt::format("no recipient begins with {}", quote(match)),
              "begin with + and the country code");
      }
      if (!all_of(to, "0123456789+*#")) {
        error(item.at("to"), fmt::format("{} is no part of a number", quote(to)),
              "use digits, +, * and #");
      }
      if (kNumberMax + to.size() > kAddressMax + match.size()) {
        error(item.at("to"),
              fmt::format("a number of 15 digits would become longer than {} octets", kAddressMax),
              "make it shorter");
      }
    }
  }

  void rewrites(const Value& value, std::vector<SmppRewrite>& out) {
    for (const Value& item : value.items) {
      SmppRewrite rule{.match = item.at("match").text(),
                       .to = item.at("to").text(),
                       .ton = static_cast<int>(item.at("ton").integer(-1)),
                       .npi = static_cast<int>(item.at("npi").integer(-1))};
      if (rule.match.empty()) continue;
      const auto before = std::ranges::find_if(
          out, [&](const SmppRewrite& r) { return rule.match.starts_with(r.match); });
      if (before != out.end()) {
        error(item.at("match"),
              fmt::format("what begins with {} also begins with {}, whose rule comes first",
                          quote(rule.match), quote(before->match)),
              "put the longer one first");
        continue;
      }
      out.push_back(std::move(rule));
    }
  }

  void tlvs(const Value& smpp, std::vector<SmppTlv>& out) {
    const Value& list = smpp.at("tlvs");
    if (!list.items.empty() && smpp.at("interface_version").text() == "3.3") {
      error(list, "SMPP 3.3 knows no TLVs", "remove them, or raise interface_version");
    }
    for (const Value& item : list.items) {
      const auto tag = smpp::tlv_from_name(item.at("tag").text());
      if (!tag) continue;
      SmppTlv tlv{.tag = *tag, .required = item.at("required").boolean()};
      if (std::ranges::find(kOwnTlvs, *tag) != std::end(kOwnTlvs)) {
        error(item.at("tag"), fmt::format("{} is set by the gateway itself", smpp::tlv_name(*tag)),
              "remove it");
      }
      if (std::ranges::find(out, *tag, &SmppTlv::tag) != out.end()) {
        error(item.at("tag"), fmt::format("{} is given twice", smpp::tlv_name(*tag)), "keep one");
      }
      tlv.type = tlv_type(item.at("type").text());
      if (item.at("value").has_value()) tlv.value = pieces(item.at("value"));
      literal(item.at("value"), tlv);
      out.push_back(std::move(tlv));
    }
  }

  void text(const Value& smpp, gsm::TextOptions& out) {
    const Value& value = smpp.at("text");
    out.default_alphabet = default_alphabet(value.at("alphabet").text());
    const bool is_gsm = out.default_alphabet == gsm::DefaultAlphabet::gsm;
    out.latin1 = out.default_alphabet == gsm::DefaultAlphabet::latin1;
    if (value.at("alphabets").given) {
      out.gsm7 = out.latin1 = out.ucs2 = false;
      for (const Value& item : value.at("alphabets").items) {
        out.gsm7 |= item.text() == "gsm7";
        out.latin1 |= item.text() == "latin1";
        out.ucs2 |= item.text() == "ucs2";
      }
    }
    out.single_shift = languages(value.at("single_shift"), /*locking=*/false);
    out.locking_shift = languages(value.at("locking_shift"), /*locking=*/true);
    const std::string how = value.at("transliterate").text();
    out.transliteration = how == "lookalikes"   ? gsm::Transliteration::lookalikes
                          : how == "diacritics" ? gsm::Transliteration::diacritics
                                                : gsm::Transliteration::none;
    const std::string parts = value.at("parts").text();
    out.carriage = parts == "udh16"     ? gsm::Carriage::udh16
                   : parts == "sar"     ? gsm::Carriage::sar
                   : parts == "payload" ? gsm::Carriage::payload
                                        : gsm::Carriage::udh8;
    out.packed = value.at("packed").boolean();
    const bool national = !out.single_shift.empty() || !out.locking_shift.empty();
    const bool payload = out.carriage == gsm::Carriage::payload;
    if (national && !out.gsm7) {
      error(value.at("alphabets"),
            "national tables are part of the GSM alphabet, which is left out",
            "add gsm7 to alphabets, or remove the tables");
    }
    if (!is_gsm && (national || out.packed)) {
      error(value.at("alphabet"),
            "national tables and packing are of GSM septets, which the carrier is not written",
            "remove these, or set alphabet: gsm");
    }
    if (payload && (national || out.packed)) {
      error(value.at("parts"),
            "message_payload has no header, which packed texts and national tables need",
            "remove these, or set parts: udh");
    }
    const bool tlvs = payload || out.carriage == gsm::Carriage::sar;
    if (tlvs && smpp.at("interface_version").text() == "3.3") {
      error(value.at("parts"), fmt::format("parts: {} needs TLVs, and SMPP 3.3 knows none", parts),
            "set parts: udh, or raise interface_version");
    }
  }

  // With Latin-1 as the default alphabet, what goes in it is all under one value.
  void data_coding(const Value& text, SmppOptions& options) {
    const Value& value = text.at("data_coding");
    const auto read = [&](std::string_view key, std::uint8_t usual) {
      return static_cast<std::uint8_t>(value.at(key).integer(usual));
    };
    gsm::DataCodings& out = options.data_coding;
    const bool latin1 = options.text.default_alphabet == gsm::DefaultAlphabet::latin1;
    out.gsm7 = read("gsm7", out.gsm7);
    out.latin1 = read("latin1", latin1 ? out.gsm7 : out.latin1);
    out.ucs2 = read("ucs2", out.ucs2);
    if (value.at("binary").given) out.binary = read("binary", 0);
    struct Row {
      std::string_view key;
      std::uint8_t value;
      bool counts = true;
    };
    const Row rows[] = {{"gsm7", out.gsm7},
                        {"ucs2", out.ucs2},
                        {"binary", out.of(gsm::Encoding::binary)},
                        {"latin1", out.latin1, options.text.latin1}};
    for (const Row& a : rows) {
      for (const Row* b = rows; b != &a; ++b) {
        if (a.value != b->value || !a.counts) continue;
        if (latin1 && a.key == "latin1" && b->key == "gsm7") continue;
        error(value.at(value.at(a.key).given ? a.key : b->key),
              fmt::format("{} and {} would both be sent under data_coding {}", b->key, a.key,
                          a.value),
              "give them values that differ");
      }
    }
  }

  gsm::Languages languages(const Value& value, bool locking) {
    gsm::Languages out;
    for (const Value& item : value.items) {
      const auto language = gsm::parse_language(item.text());
      if (!language) continue;
      if (locking && !gsm::has_locking_table(*language)) {
        error(item, fmt::format("{} has no locking shift table", item.text()),
              "name it in single_shift");
      }
      out.add(*language);
    }
    return out;
  }

  static SmppTlv::Type tlv_type(std::string_view word) {
    using Type = SmppTlv::Type;
    return word == "text"    ? Type::text
           : word == "hex"   ? Type::hex
           : word == "int8"  ? Type::int8
           : word == "int16" ? Type::int16
           : word == "int32" ? Type::int32
                             : Type::cstring;
  }

  // Nothing of it comes from the message: it must be right as it stands.
  void literal(const Value& at, const SmppTlv& tlv) {
    if (tlv.value.size() != 1 || tlv.value[0].from != SmppTlv::Piece::From::literal) return;
    const std::string& text = tlv.value[0].text;
    if (!tlv_octets(tlv.type, text)) {
      error(at, fmt::format("{} is no value of this type", quote(text)),
            tlv.type == SmppTlv::Type::hex
                ? "write two hexadecimal digits for each octet"
                : "write a whole number that fits, in decimal digits, or change the type");
    }
  }

  std::vector<SmppTlv::Piece> pieces(const Value& at) {
    using From = SmppTlv::Piece::From;
    std::vector<SmppTlv::Piece> out;
    std::string open;  // literal text so far
    const auto close = [&] {
      if (!open.empty()) out.push_back({From::literal, std::move(open)});
      open.clear();
    };
    std::string_view rest;
    const std::string text = at.text();
    for (rest = text; !rest.empty();) {
      if (rest.starts_with("{{")) {
        open.push_back('{');
        rest.remove_prefix(2);
        continue;
      }
      if (rest[0] != '{') {
        open.push_back(rest[0]);
        rest.remove_prefix(1);
        continue;
      }
      const std::size_t end = rest.find('}');
      const std::string_view name = rest.substr(1, end == std::string_view::npos ? end : end - 1);
      const auto* known = std::ranges::find(kPlaceholders, name, &Placeholder::name);
      close();
      if (end == std::string_view::npos) {
        error(at, "a brace is opened and never closed", "close it, or write {{ for {");
        break;
      }
      if (name.starts_with(kMetadata) && name.size() > kMetadata.size()) {
        out.push_back({From::metadata, std::string(name.substr(kMetadata.size()))});
      } else if (known != std::end(kPlaceholders)) {
        out.push_back({known->from, {}});
      } else {
        error(at, fmt::format("{} is not known", quote(rest.substr(0, end + 1))),
              "use {metadata.KEY}, {sender}, {to}, {class}, {tenant} or {id}, and {{ for {");
      }
      rest.remove_prefix(end + 1);
    }
    close();
    return out;
  }

  std::vector<std::string_view> classes_;
  Findings& findings_;
};

}  // namespace

std::optional<std::string> tlv_octets(SmppTlv::Type type, std::string_view text) {
  switch (type) {
    case SmppTlv::Type::cstring: {
      if (text.contains('\0')) return std::nullopt;
      std::string out(text);
      out.push_back('\0');
      return out;
    }
    case SmppTlv::Type::text:
      return std::string(text);
    case SmppTlv::Type::hex: {
      if (text.size() % 2 != 0) return std::nullopt;
      std::string out;
      for (std::size_t i = 0; i < text.size(); i += 2) {
        unsigned octet = 0;
        const char* end = text.data() + i + 2;
        const auto [stop, failed] = std::from_chars(text.data() + i, end, octet, 16);
        if (failed != std::errc{} || stop != end) return std::nullopt;
        out.push_back(static_cast<char>(octet));
      }
      return out;
    }
    case SmppTlv::Type::int8:
    case SmppTlv::Type::int16:
    case SmppTlv::Type::int32:
      break;
  }
  const unsigned octets = type == SmppTlv::Type::int8 ? 1 : type == SmppTlv::Type::int16 ? 2 : 4;
  std::uint32_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, failed] = std::from_chars(text.data(), end, number);
  if (failed != std::errc{} || stop != end) return std::nullopt;
  if (octets < 4 && number >> (8 * octets) != 0) return std::nullopt;
  std::string out;
  for (unsigned i = octets; i-- > 0;) out.push_back(static_cast<char>(number >> (8 * i)));
  return out;
}

SmppOptions compile_smpp_options(const Value& value, std::vector<std::string_view> classes,
                                 Findings& findings) {
  return OptionsCompiler(std::move(classes), findings).compile(value);
}

gsm::DefaultAlphabet default_alphabet(std::string_view text) {
  return text == "latin1"  ? gsm::DefaultAlphabet::latin1
         : text == "ascii" ? gsm::DefaultAlphabet::ascii
                           : gsm::DefaultAlphabet::gsm;
}

std::uint8_t interface_version(std::string_view text) {
  return text == "3.3" ? 0x33 : text == "5.0" ? 0x50 : 0x34;
}

}  // namespace trunkline::config
