#include "gsm/recode.h"

#include <algorithm>
#include <utility>

#include "gsm/alphabet.h"
#include "gsm/latin1.h"
#include "gsm/unicode.h"

namespace trunkline::gsm {
namespace {

constexpr std::uint8_t kFirstOfAir = 0x10;  // values of TS 23.038, behind those of SMPP

std::uint8_t standard_coding(Charset charset) {
  switch (charset) {
    case Charset::gsm7:
      return 0;
    case Charset::ascii:
      return 1;
    case Charset::latin1:
      return 3;
    case Charset::cyrillic:
      return 6;
    case Charset::hebrew:
      return 7;
    case Charset::ucs2:
      return 8;
    case Charset::binary:
      break;
  }
  return 4;
}

// A data_coding of TS 23.038 that says the same of a text in another alphabet. None: there is no
// such value.
std::optional<std::uint8_t> class_in(Encoding encoding, std::uint8_t data_coding) {
  const unsigned group = data_coding >> 4;
  const unsigned low = data_coding & 0x0fu;
  const auto value = [](unsigned v) { return std::optional(static_cast<std::uint8_t>(v)); };
  if (encoding == Encoding::ucs2) {
    if (group == 0x1 || group == 0xf) return value(0x18 | (low & 3));
    if (group == 0xd) return value(0xe0 | low);
  } else if (encoding == Encoding::gsm7) {
    if (group == 0x1) return value(0x10 | (low & 3));
    if (group == 0xe) return value(0xd0 | low);
  }
  return std::nullopt;
}

bool all_of(std::string_view utf8, auto&& is) {
  for (std::size_t at = 0; at < utf8.size();) {
    if (!is(next_valid(utf8, at))) return false;
  }
  return true;
}

// Tries alphabets of a peer for one text.
class Recoder {
 public:
  Recoder(const TextOptions& text, const DataCodings& codings, const UserData& read,
          std::uint8_t data_coding)
      : text_(text), codings_(codings), charset_(read.format.charset), data_coding_(data_coding) {}

  std::string header;

  bool is_air() const { return data_coding_ >= kFirstOfAir; }
  DefaultAlphabet default_alphabet() const {
    return is_air() ? DefaultAlphabet::gsm : text_.default_alphabet;
  }

  // Septets that are what the peer takes, but perhaps for packing.
  bool septets(std::string_view octets) {
    if (!text_.packed) return put(Encoding::gsm7, octets, octets.size());
    const auto is_septet = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
    return std::ranges::all_of(octets, is_septet) &&
           put(Encoding::gsm7, pack_counted_in_octets(octets, header.size()), octets.size());
  }

  bool gsm7(std::string_view utf8) {
    const auto has = [alphabet = default_alphabet()](char32_t c) {
      return gsm7_septets(c) != 0 && is_written_in(alphabet, c);
    };
    if (!text_.gsm7 || !all_of(utf8, has)) return false;
    std::string out;
    append_gsm7(out, utf8);
    if (default_alphabet() == DefaultAlphabet::gsm) return septets(out);
    const std::size_t units = out.size();
    out.clear();
    append_latin1(out, utf8);  // which begins with ASCII
    return put(Encoding::gsm7, out, units);
  }

  bool latin1(std::string_view utf8) {
    if (!text_.latin1 || !all_of(utf8, is_latin1)) return false;
    std::string out;
    append_latin1(out, utf8);
    return put(Encoding::latin1, out, out.size());
  }

  bool ucs2(std::string_view utf8) {
    if (!text_.ucs2) return false;
    std::string out;
    append_utf16be(out, utf8);
    return put_ucs2(out);
  }
  bool put_ucs2(std::string_view octets) { return put(Encoding::ucs2, octets, octets.size() / 2); }

  // Under the data_coding that they came with.
  bool put_as_they_are(std::string_view octets) {
    std::uint8_t coding = data_coding_;
    if (codings_.binary && (coding == 2 || coding == 4)) coding = *codings_.binary;
    return finish(octets, coding);
  }

  std::expected<ShortMessage, RecodeError> take(bool done) {
    if (done) return std::move(out_);
    return std::unexpected(too_long_ ? RecodeError::too_long : RecodeError::not_in_alphabet);
  }

 private:
  bool put(Encoding encoding, std::string_view octets, std::size_t units) {
    std::optional<std::uint8_t> coding = codings_.of(encoding);
    if (is_air()) {
      const bool same = (charset_ == Charset::gsm7 && encoding == Encoding::gsm7) ||
                        (charset_ == Charset::ucs2 && encoding == Encoding::ucs2);
      coding = same ? data_coding_ : class_in(encoding, data_coding_);
    }
    if (header.size() >= kUserDataOctetsMax || units > units_behind(encoding, header.size())) {
      too_long_ = true;
      return false;
    }
    return coding && finish(octets, *coding);
  }

  bool finish(std::string_view octets, std::uint8_t coding) {
    // A value that the specification gives a meaning, and the peer another.
    const bool is_kept = coding == data_coding_ && coding >= kFirstOfAir;
    const PeerText peer{.default_alphabet = text_.default_alphabet, .data_coding = codings_};
    if (is_kept && charset_of(coding, peer) != charset_) return false;
    out_.has_header = !header.empty();
    out_.user_data = header + std::string(octets);
    out_.data_coding = coding;
    return true;
  }

  const TextOptions& text_;
  const DataCodings& codings_;
  const Charset charset_;
  const std::uint8_t data_coding_;
  ShortMessage out_;
  bool too_long_ = false;
};

}  // namespace

ShortMessage to_standard(std::string_view user_data, std::uint8_t data_coding,
                         const UserData& read) {
  const bool same = charset_of(data_coding) == read.format.charset;
  return {.user_data = std::string(user_data.substr(0, read.header.octets)) + read.octets,
          .data_coding = same ? data_coding : standard_coding(read.format.charset),
          .has_header = read.header.octets != 0};
}

std::expected<ShortMessage, RecodeError> to_peer(ShortMessage sm, const TextOptions& text,
                                                 const DataCodings& data_coding) {
  if (text == TextOptions{} && data_coding == DataCodings{}) return sm;
  const UserData read = read_user_data(sm.user_data, sm.has_header, sm.data_coding);
  const Charset charset = read.format.charset;
  UserDataHeader header = read.header;
  std::optional<Concatenation> outside;
  if (text.carriage == Carriage::sar && header.concatenation && header.concatenation->total > 1) {
    outside = std::exchange(header.concatenation, std::nullopt);
  }

  Recoder recoder(text, data_coding, read, sm.data_coding);
  const bool keeps_septets =
      charset == Charset::gsm7 && text.gsm7 && recoder.default_alphabet() == DefaultAlphabet::gsm;
  // The header's tables are those of the septets: without them they say nothing.
  if (!keeps_septets && charset != Charset::binary) header.shift = {};
  if (header == read.header) {
    recoder.header = sm.user_data.substr(0, read.header.octets);
  } else {
    auto built = build_udh(header);
    if (!built) return std::unexpected(RecodeError::too_long);
    recoder.header = std::move(*built);
  }

  const auto done = [&] {
    if (charset == Charset::binary) return recoder.put_as_they_are(read.octets);
    if (keeps_septets) return recoder.septets(read.octets);
    if (charset == Charset::ucs2 && text.ucs2) return recoder.put_ucs2(read.octets);
    const DecodedText decoded = decode_text(read.octets, read.format);
    return decoded.replaced == 0 && (recoder.gsm7(decoded.utf8) || recoder.latin1(decoded.utf8) ||
                                     recoder.ucs2(decoded.utf8));
  };
  auto out = recoder.take(done());
  if (out) out->outside = outside;
  return out;
}

}  // namespace trunkline::gsm
