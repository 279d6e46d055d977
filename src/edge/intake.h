// The last step of every API on the way in: what only the adapters may see is sealed, what the
// engine decides by is put beside it.
#pragma once

#include <string_view>
#include <vector>

#include "base/time.h"
#include "config/config.h"
#include "engine/explain.h"
#include "message/record.h"
#include "message/submission.h"
#include "seal/vault.h"

namespace trunkline::edge {

// The token of a request begins with this octet, so that its answer finds the API.
inline constexpr std::uint8_t kRestTag = 1, kSmppTag = 2, kGatewayTag = 3, kBulkTag = 4;
constexpr std::uint64_t first_token(std::uint8_t tag) { return std::uint64_t{tag} << 56; }
constexpr std::uint8_t tag_of(std::uint64_t token) {
  return static_cast<std::uint8_t>(token >> 56);
}

// What the text comes to at carriers that do not have the default options. Where it has no place in
// their alphabets there is no plan.
std::vector<message::TextPlan> text_plans(std::string_view utf8, const config::Config& config);

// What the rules in force ask of the text (policy::Content); 0 if they ask for nothing.
std::uint8_t content_of(message::TenantIndex tenant, message::ClassIndex traffic_class,
                        numbering::Number to, std::string_view from, std::string_view text,
                        const config::Config& config);

// Before seal_payload(), where a message begins: its class becomes another where the tenant's rule
// on one-time passwords says so (Submission::asked then has the one asked for).
void settle_class(message::Submission& submission, std::string_view text,
                  const config::Config& config);

// The same of a question, and its `content`. Without a text nothing is known.
void settle_question(engine::Question& question, std::string_view text,
                     const config::Config& config);

// Fills `to_hash`, `plans`, `content`, `consent` and `sealed` of a submission whose tenant, class,
// recipient and times are set, and keeps its ttl to what the class allows. One-time passwords get
// keys that are destroyed within hours.
void seal_payload(message::Submission& submission, const message::Payload& payload,
                  const config::Config& config, const seal::Vault& vault, base::Wall now);

}  // namespace trunkline::edge
