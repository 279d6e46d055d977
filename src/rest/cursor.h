// Where a list goes on: an opaque word that only works for the tenant and the filters it was made
// for.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/id.h"
#include "seal/vault.h"

namespace trunkline::rest {

// `scope`: tenant and filters. 32 characters of base64url: the id, and a keyed hash of both.
std::string make_cursor(const seal::Vault& vault, std::string_view scope,
                        const base::MessageId& before);
std::optional<base::MessageId> read_cursor(const seal::Vault& vault, std::string_view scope,
                                           std::string_view cursor);

}  // namespace trunkline::rest
