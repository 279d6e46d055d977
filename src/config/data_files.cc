#include "config/data_files.h"

#include <sodium.h>

namespace trunkline::config {

std::optional<std::string> DataFiles::read(const Value& path) {
  const std::string name = path.text();
  if (name.empty() || path.bad) return std::nullopt;
  auto text = read_ ? read_(name) : std::unexpected("no file is read here: " + name);
  if (!text) {
    findings_.error(
        path.mark, path.path, std::move(text.error()),
        "name a file that is there; what is relative begins where trunkline was started");
    return std::nullopt;
  }
  unsigned char digest[crypto_hash_sha256_BYTES];
  crypto_hash_sha256(digest, reinterpret_cast<const unsigned char*>(text->data()), text->size());
  digests_ += path.path + "=";
  for (const unsigned char byte : digest) digests_ += fmt::format("{:02x}", byte);
  digests_ += '\n';
  return std::move(*text);
}

routing::PriceList DataFiles::prices(const Value& path, const numbering::Ranges& ranges,
                                     std::string& currency) {
  const auto text = read(path);
  if (!text) return {};
  auto parsed = routing::PriceList::parse(*text, ranges, currency);
  if (parsed) return std::move(*parsed);
  for (routing::PriceList::Error& error : parsed.error()) {
    findings_.error_in(path.mark, path.text(), error.line, std::move(error.what),
                       std::move(error.remedy));
  }
  return {};
}

numbering::Ranges DataFiles::ranges(const Value& path) {
  const auto text = read(path);
  if (!text) return {};
  auto parsed = numbering::Ranges::parse(*text);
  if (parsed) return std::move(*parsed);
  for (numbering::Ranges::Error& error : parsed.error()) {
    findings_.error_in(path.mark, path.text(), error.line, std::move(error.what),
                       std::move(error.remedy));
  }
  return {};
}

}  // namespace trunkline::config
