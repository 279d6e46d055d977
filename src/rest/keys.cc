#include "rest/keys.h"

#include <boost/beast/core/string.hpp>

#include "seal/digest.h"

namespace trunkline::rest {
namespace {

constexpr std::size_t kBeginning = 12;  // hexadecimal digits; collisions are only slower

}  // namespace

KeyIndex::KeyIndex(const config::Config& config) {
  for (const config::ApiKey& key : config.keys) {
    by_beginning_.emplace(key.sha256_hex.substr(0, kBeginning), Entry{key.sha256_hex, key.tenant});
  }
}

std::optional<message::TenantIndex> KeyIndex::find(std::string_view key) const {
  const std::string digest = seal::sha256_hex(key);
  const auto [begin, end] = by_beginning_.equal_range(digest.substr(0, kBeginning));
  for (auto it = begin; it != end; ++it) {
    if (seal::equal_secret(it->second.sha256_hex, digest)) return it->second.tenant;
  }
  return std::nullopt;
}

std::optional<message::TenantIndex> KeyIndex::find_bearer(std::string_view authorization) const {
  constexpr std::string_view kScheme = "Bearer ";
  if (authorization.size() <= kScheme.size() ||
      !boost::beast::iequals(authorization.substr(0, kScheme.size()), kScheme)) {
    return std::nullopt;
  }
  authorization.remove_prefix(kScheme.size());
  while (authorization.starts_with(' ')) authorization.remove_prefix(1);
  return find(authorization);
}

}  // namespace trunkline::rest
