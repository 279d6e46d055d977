#include "admin/access.h"

#include <boost/beast/core/string.hpp>

#include "seal/digest.h"

namespace trunkline::admin {
namespace {

std::string_view bearer_token(std::string_view authorization) {
  constexpr std::string_view kScheme = "Bearer ";
  if (!boost::beast::iequals(authorization.substr(0, kScheme.size()), kScheme)) return {};
  authorization.remove_prefix(kScheme.size());
  while (authorization.starts_with(' ')) authorization.remove_prefix(1);
  return authorization;
}

bool may(std::string_view role, Need need) {
  return role == "operator" || (role == "viewer" && need != Need::operate);
}

const config::AdminToken* find_token(const config::Config& config, std::string_view token) {
  const std::string digest = seal::sha256_hex(token);
  const config::AdminToken* found = nullptr;
  for (const config::AdminToken& known : config.admin_tokens) {
    if (seal::equal_secret(known.sha256_hex, digest)) found = &known;
  }
  return found;
}

}  // namespace

std::string token_id(const config::Config& config, std::string_view authorization) {
  const std::string_view token = bearer_token(authorization);
  const config::AdminToken* found = token.empty() ? nullptr : find_token(config, token);
  return found != nullptr ? found->id : "";
}

Access access_of(const config::Config& config, Need need, std::string_view authorization) {
  if (need == Need::nothing || (need == Need::metrics && config.metrics_open))
    return Access::allowed;
  const std::string_view token = bearer_token(authorization);
  if (token.empty()) return Access::no_token;
  const config::AdminToken* found = find_token(config, token);
  if (found == nullptr) return Access::no_token;
  return may(found->role, need) ? Access::allowed : Access::role_too_low;
}

}  // namespace trunkline::admin
