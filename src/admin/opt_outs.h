// Opt-outs by operators: of one tenant, or for all of them. docs/operations.md.
#pragma once

#include <expected>
#include <string>

#include "base/time.h"
#include "config/config.h"
#include "engine/event.h"
#include "io/http_server.h"
#include "io/problem.h"
#include "seal/vault.h"
#include "store/store.h"

namespace trunkline::admin {

inline constexpr std::string_view kOptOutsPath = "/v1/opt-outs";

// Of a POST or a DELETE; `by`: the token's id.
std::expected<engine::ChangeOptOuts, io::Problem> read_opt_outs(const config::Config& config,
                                                                const io::HttpRequest& request,
                                                                const std::string& by,
                                                                const seal::Vault& vault,
                                                                base::Wall now);
// Null: the store failed.
io::HttpResponse opt_outs_changed(const engine::ChangeOptOutsAnswer* answer, std::size_t count);

// Of a GET.
io::HttpResponse list_opt_outs(const io::HttpRequest& request, store::Store& store,
                               const seal::Vault& vault);

}  // namespace trunkline::admin
