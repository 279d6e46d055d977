// trunkline encode: what a text becomes on the air.
#include "gsm/encode.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cstdio>
#include <iostream>
#include <iterator>

#include "gsm/text_options.h"
#include "trunkline/commands.h"
#include "trunkline/config_files.h"

namespace trunkline::cli {
namespace {

struct Arguments {
  std::string text;
  std::uint32_t reference = 0;
  std::vector<std::string> languages;
  std::vector<std::string> alphabets = {"gsm7", "ucs2"};
  std::string transliterate = "none";
  std::string shifts = "both";
  bool wide = false;
  bool packed = false;
  std::string config;
  std::string carrier;
  std::uint32_t segments_max = base::limits::kSegmentsMax;
  bool json = false;
};

std::string to_hex(std::string_view octets) {
  std::string out;
  for (const char octet : octets) {
    fmt::format_to(std::back_inserter(out), "{:02x}", static_cast<unsigned char>(octet));
  }
  return out;
}

std::string_view unit_name(gsm::Encoding encoding) {
  switch (encoding) {
    case gsm::Encoding::gsm7:
      return "septets";
    case gsm::Encoding::ucs2:
      return "16-bit units";
    default:
      return "octets";
  }
}

boost::json::value language_json(gsm::Language language) {
  if (language == gsm::Language::none) return nullptr;
  return boost::json::value(gsm::name(language));
}

std::size_t units_of(const gsm::EncodedText& text, std::size_t segment) {
  return gsm::count_units(text.plan.text_of(text.utf8, segment), text.encoding(), text.shift);
}

std::string_view name(gsm::Carriage carriage) {
  switch (carriage) {
    case gsm::Carriage::udh8:
      return "udh8";
    case gsm::Carriage::udh16:
      return "udh16";
    case gsm::Carriage::sar:
      return "sar";
    case gsm::Carriage::payload:
      return "payload";
  }
  return "";
}

void print_json(const gsm::EncodedText& text, gsm::Carriage carriage, std::uint8_t data_coding,
                std::uint16_t reference) {
  boost::json::array segments;
  for (std::size_t i = 0; i < text.segments(); ++i) {
    const gsm::EncodedPart part = gsm::encode_part(text, i, reference);
    segments.push_back({{"text", text.plan.text_of(text.utf8, i)},
                        {"units", units_of(text, i)},
                        {"header", to_hex(part.header)},
                        {"octets", to_hex(part.user_data())}});
  }
  const boost::json::object out{{"encoding", gsm::name(text.encoding())},
                                {"alphabet", text.alphabet()},
                                {"locking_shift", language_json(text.shift.locking)},
                                {"single_shift", language_json(text.shift.single)},
                                {"data_coding", data_coding},
                                {"esm_class", text.has_header() ? 0x40 : 0},
                                {"units", text.plan.units},
                                {"units_free", text.units_free()},
                                {"units_single", text.room.single},
                                {"units_multipart", text.room.multipart},
                                {"text", text.utf8},
                                {"transliterated", text.transliterated},
                                {"parts", name(carriage)},
                                {"segments", segments}};
  std::printf("%s\n", boost::json::serialize(out).c_str());
}

void print_text(const gsm::EncodedText& text, gsm::Carriage carriage, std::uint8_t data_coding,
                std::uint16_t reference) {
  fmt::print("encoding     {} (data_coding {})\n", gsm::name(text.encoding()), data_coding);
  if (text.shift.locking != gsm::Language::none) {
    fmt::print("locking      {} (information element 0x25)\n", gsm::name(text.shift.locking));
  }
  if (text.shift.single != gsm::Language::none) {
    fmt::print("single shift {} (information element 0x24)\n", gsm::name(text.shift.single));
  }
  fmt::print("units        {} {}, {} more fit into the last segment\n", text.plan.units,
             unit_name(text.encoding()), text.units_free());
  const std::size_t header = gsm::encode_part(text, 0, reference).header.size();
  const bool several = text.segments() > 1;
  fmt::print("segments     {}", text.segments());
  if (header != 0) {
    fmt::print(", {} a header of {} octets (esm_class 64)", several ? "each with" : "with", header);
  }
  fmt::print("\n");
  if (several && carriage == gsm::Carriage::sar) {
    fmt::print(
        "parts        joined by sar_msg_ref_num, sar_total_segments and sar_segment_seqnum\n");
  } else if (several && carriage == gsm::Carriage::payload) {
    fmt::print("parts        one PDU: the whole text in message_payload, cut by the carrier\n");
  }
  if (text.transliterated != 0) {
    fmt::print("replaced     {} character{} by look-alikes\n", text.transliterated,
               text.transliterated == 1 ? "" : "s");
  }
  for (std::size_t i = 0; i < text.segments(); ++i) {
    const std::string octets = gsm::encode_part(text, i, reference).user_data();
    fmt::print("\n{}: {} units, {} octets\n  {}\n  {}\n", i + 1, units_of(text, i), octets.size(),
               text.plan.text_of(text.utf8, i), to_hex(octets));
  }
}

// The sentence is for the user.
std::expected<gsm::EncodeOptions, std::string> options_of(const Arguments& a) {
  gsm::EncodeOptions options{.gsm7 = false, .ucs2 = false};
  for (const std::string& alphabet : a.alphabets) {
    options.gsm7 |= alphabet == "gsm7";
    options.latin1 |= alphabet == "latin1";
    options.ucs2 |= alphabet == "ucs2";
  }
  gsm::Languages languages;
  for (const std::string& text : a.languages) {
    const auto language = gsm::parse_language(text);
    if (text == "all") {
      languages = gsm::Languages::all();
    } else if (language) {
      languages.add(*language);
    } else {
      return std::unexpected(fmt::format(
          "--languages: no tables for '{}'; there are turkish, spanish, portuguese, bengali, "
          "gujarati, hindi, kannada, malayalam, oriya, punjabi, tamil, telugu, urdu, all",
          text));
    }
  }
  if (a.shifts != "locking") options.single_shift = languages;
  if (a.shifts != "single") options.locking_shift = languages;
  if (a.transliterate == "lookalikes") options.transliteration = gsm::Transliteration::lookalikes;
  if (a.transliterate == "diacritics") options.transliteration = gsm::Transliteration::diacritics;
  options.joining = a.wide ? gsm::Joining::udh16 : gsm::Joining::udh8;
  options.packed = a.packed;
  options.segments_max = a.segments_max;
  return options;
}

// By what a carrier's entry in the configuration says of texts.
std::expected<config::SmppOptions, std::string> carriers_options(const Arguments& a) {
  if (a.config.empty()) return std::unexpected("--carrier: say --config FILE, too");
  const auto config = load_config(a.config, nullptr);
  if (!config) return std::unexpected("");  // said already
  std::string names;
  for (const config::Carrier& carrier : config->carriers) {
    if (carrier.name == a.carrier) return carrier.smpp.options;
    names += (names.empty() ? "" : ", ") + carrier.name;
  }
  return std::unexpected(
      fmt::format("--carrier: there is no carrier {}; there are {}", a.carrier, names));
}

int encode(Arguments& a) {
  auto options = options_of(a);
  gsm::Carriage carriage = a.wide ? gsm::Carriage::udh16 : gsm::Carriage::udh8;
  gsm::DataCodings codings;
  if (!a.carrier.empty()) {
    const auto own = carriers_options(a);
    if (!own) {
      if (!own.error().empty()) std::fprintf(stderr, "trunkline encode: %s\n", own.error().c_str());
      return kUsage;
    }
    options = gsm::encode_options(own->text);
    options->segments_max = a.segments_max;
    carriage = own->text.carriage;
    codings = own->data_coding;
    a.wide = carriage == gsm::Carriage::udh16;
  }
  if (!options) {
    std::fprintf(stderr, "trunkline encode: %s\n", options.error().c_str());
    return kUsage;
  }
  if (!a.wide && a.reference > 255) {
    std::fprintf(stderr, "trunkline encode: --reference: above 255 only with --wide-reference\n");
    return kUsage;
  }
  if (a.text == "-") a.text.assign(std::istreambuf_iterator<char>(std::cin), {});
  const auto text = gsm::encode(a.text, *options);
  if (!text) {
    std::fprintf(stderr, "trunkline encode: %s\n", text.error().message().c_str());
    return kNegative;
  }
  const auto reference = static_cast<std::uint16_t>(a.reference);
  if (a.json) {
    print_json(*text, carriage, codings.of(text->encoding()), reference);
  } else {
    print_text(*text, carriage, codings.of(text->encoding()), reference);
  }
  return kOk;
}

}  // namespace

void add_encode(CLI::App& app, int& exit_code) {
  CLI::App* c = app.add_subcommand("encode", "Show a text's alphabet, segments and octets");
  auto a = std::make_shared<Arguments>();
  c->add_option("--text", a->text, "UTF-8; - reads standard input")->required();
  c->add_option("--reference", a->reference, "Of the parts, in their headers")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  CLI::Option* carrier = c->add_option(
      "--carrier", a->carrier, "As this carrier of the configuration takes texts (its `text`)");
  c->add_option("--config", a->config, "Configuration file or directory, for --carrier")
      ->needs(carrier);
  c->add_flag("--wide-reference", a->wide, "16-bit references")->excludes(carrier);
  c->add_option("--languages", a->languages,
                "National language tables the carrier supports (turkish,hindi,... or all)")
      ->delimiter(',')
      ->excludes(carrier);
  c->add_option("--shifts", a->shifts, "Which tables of these languages")
      ->check(CLI::IsMember({"single", "locking", "both"}))
      ->excludes(carrier)
      ->capture_default_str();
  c->add_option("--alphabets", a->alphabets, "Alphabets the carrier supports")
      ->delimiter(',')
      ->check(CLI::IsMember({"gsm7", "latin1", "ucs2"}))
      ->excludes(carrier)
      ->capture_default_str();
  c->add_option("--transliterate", a->transliterate,
                "Characters to write with others where that saves UCS-2 or a segment")
      ->check(CLI::IsMember({"none", "lookalikes", "diacritics"}))
      ->excludes(carrier)
      ->capture_default_str();
  c->add_flag("--packed", a->packed, "GSM 7-bit eight septets in seven octets")->excludes(carrier);
  c->add_option("--segments-max", a->segments_max, "More are refused")
      ->check(CLI::Range(std::size_t{1}, base::limits::kSegmentsMax))
      ->capture_default_str();
  c->add_flag("--json", a->json, "As JSON");
  c->callback([a, &exit_code] { exit_code = encode(*a); });
}

}  // namespace trunkline::cli
