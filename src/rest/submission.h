// From a checked request to what the engine takes: single messages, batches and bulk uploads alike.
#pragma once

#include "base/time.h"
#include "config/config.h"
#include "io/problem.h"
#include "message/submission.h"
#include "rest/parse.h"
#include "seal/vault.h"

namespace trunkline::rest {

// Sealed, without a key. The payload stays with the request, for the answer.
message::Submission make_submission(MessageRequest& request, message::TenantIndex tenant,
                                    const config::Config& config, const seal::Vault& vault,
                                    base::Wall now);

// 400, with all mistakes.
io::Problem invalid(Errors errors);

}  // namespace trunkline::rest
