#include "rest/cursor.h"

#include "base/bytes.h"
#include "seal/digest.h"

namespace trunkline::rest {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::size_t kBytes = 24;  // a multiple of 3: no padding
constexpr std::size_t kCharacters = kBytes / 3 * 4;

std::string contents(const seal::Vault& vault, std::string_view scope, std::string_view id) {
  std::string input;
  base::ByteWriter(input).text(scope);
  input.append(id);
  std::string out(id);
  base::ByteWriter(out).u64(vault.hash("list-cursor", input).high);
  return out;
}

}  // namespace

std::string make_cursor(const seal::Vault& vault, std::string_view scope,
                        const base::MessageId& before) {
  const auto id = before.big_endian();
  const std::string bytes = contents(vault, scope, {id.data(), id.size()});
  std::string out;
  for (std::size_t i = 0; i < kBytes; i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j)
      group = group << 8 | static_cast<unsigned char>(bytes[i + j]);
    for (int shift = 18; shift >= 0; shift -= 6) out.push_back(kAlphabet[group >> shift & 63]);
  }
  return out;
}

std::optional<base::MessageId> read_cursor(const seal::Vault& vault, std::string_view scope,
                                           std::string_view cursor) {
  if (cursor.size() != kCharacters) return std::nullopt;
  std::string bytes;
  for (std::size_t i = 0; i < kCharacters; i += 4) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 4; ++j) {
      const std::size_t digit = kAlphabet.find(cursor[i + j]);
      if (digit == std::string_view::npos) return std::nullopt;
      group = group << 6 | static_cast<std::uint32_t>(digit);
    }
    for (int shift = 16; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(group >> shift));
  }
  const std::string_view id = std::string_view(bytes).substr(0, 16);
  if (!seal::equal_secret(contents(vault, scope, id), bytes)) return std::nullopt;
  return base::MessageId::from_big_endian(id);
}

}  // namespace trunkline::rest
