// Which tenant an API key belongs to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "config/config.h"
#include "message/index.h"

namespace trunkline::rest {

// Built once for a configuration. Found by the beginning of the key's hash, then compared whole in
// constant time: how long a wrong key takes tells nothing of the right one.
class KeyIndex {
 public:
  explicit KeyIndex(const config::Config& config);

  std::optional<message::TenantIndex> find(std::string_view key) const;
  // The same for the value of an Authorization header: "Bearer KEY".
  std::optional<message::TenantIndex> find_bearer(std::string_view authorization) const;

 private:
  struct Entry {
    std::string sha256_hex;
    message::TenantIndex tenant;
  };
  std::unordered_multimap<std::string, Entry> by_beginning_;
};

}  // namespace trunkline::rest
