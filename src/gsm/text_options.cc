#include "gsm/text_options.h"

namespace trunkline::gsm {
namespace {

// Bits of a code. PERSISTED: never another meaning for one that was used.
constexpr unsigned kNoGsm7 = 0, kLatin1 = 1, kNoUcs2 = 2, kTransliteration = 3, kCarriage = 5,
                   kPacked = 7, kSingle = 8, kLocking = 24, kDefaultAlphabet = 40;
constexpr std::uint32_t kLanguageBits = (1u << kLanguages) - 2;

Languages languages_of(std::uint64_t bits) {
  Languages out;
  for (std::uint8_t i = 1; i < kLanguages; ++i) {
    if ((bits >> i & 1) != 0) out.add(static_cast<Language>(i));
  }
  return out;
}

Joining joining_of(Carriage carriage) {
  return carriage == Carriage::udh16 ? Joining::udh16
         : carriage == Carriage::sar ? Joining::outside
                                     : Joining::udh8;
}

}  // namespace

TextCode text_code(const TextOptions& options) {
  const auto bit = [](bool set, unsigned at) { return TextCode{set} << at; };
  return bit(!options.gsm7, kNoGsm7) | bit(options.latin1, kLatin1) | bit(!options.ucs2, kNoUcs2) |
         static_cast<TextCode>(options.transliteration) << kTransliteration |
         static_cast<TextCode>(options.carriage) << kCarriage | bit(options.packed, kPacked) |
         static_cast<TextCode>(options.single_shift.bits() & kLanguageBits) << kSingle |
         static_cast<TextCode>(options.locking_shift.bits() & kLanguageBits) << kLocking |
         static_cast<TextCode>(options.default_alphabet) << kDefaultAlphabet;
}

TextOptions text_options(TextCode code) {
  const auto bit = [&](unsigned at) { return (code >> at & 1) != 0; };
  TextOptions options;
  options.gsm7 = !bit(kNoGsm7);
  options.latin1 = bit(kLatin1);
  options.ucs2 = !bit(kNoUcs2);
  const unsigned how = code >> kTransliteration & 3;
  options.transliteration = how == 1   ? Transliteration::lookalikes
                            : how == 2 ? Transliteration::diacritics
                                       : Transliteration::none;
  options.carriage = static_cast<Carriage>(code >> kCarriage & 3);
  options.packed = bit(kPacked);
  options.single_shift = languages_of(code >> kSingle);
  options.locking_shift = languages_of(code >> kLocking);
  const unsigned alphabet = code >> kDefaultAlphabet & 3;
  options.default_alphabet = alphabet == 1   ? DefaultAlphabet::latin1
                             : alphabet == 2 ? DefaultAlphabet::ascii
                                             : DefaultAlphabet::gsm;
  return options;
}

EncodeOptions encode_options(const TextOptions& options) {
  const bool payload = options.carriage == Carriage::payload;
  return {.gsm7 = options.gsm7,
          .latin1 = options.latin1,
          .ucs2 = options.ucs2,
          .single_shift = payload ? Languages{} : options.single_shift,
          .locking_shift = payload ? Languages{} : options.locking_shift,
          .transliteration = options.transliteration,
          .joining = joining_of(options.carriage),
          .packed = options.packed && !payload,
          .default_alphabet = options.default_alphabet};
}

std::expected<CarriedText, TextError> CarriedText::make(std::string_view utf8,
                                                        const TextOptions& options) {
  auto text = encode(utf8, encode_options(options));
  if (!text) return std::unexpected(text.error());
  CarriedText out;
  out.text_ = std::move(*text);
  out.carriage_ = options.carriage;
  return out;
}

std::uint8_t CarriedText::parts() const {
  return carriage_ == Carriage::payload ? std::uint8_t{1} : text_.segments();
}

std::string CarriedText::user_data(std::size_t index, std::uint16_t reference) const {
  if (carriage_ != Carriage::payload) return encode_part(text_, index, reference).user_data();
  std::string out;
  for (std::size_t i = 0; i < text_.segments(); ++i) out += encode_part(text_, i, reference).text;
  return out;
}

}  // namespace trunkline::gsm
