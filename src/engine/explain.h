// What would become of a message, and why: the same policy and routing that decide about real ones,
// asked without sending anything.
//
// Pure. The engine adds what only it knows: who is up and fares well at the moment.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/time.h"
#include "engine/tables.h"
#include "gsm/encoding.h"
#include "message/submission.h"
#include "numbering/number.h"
#include "numbering/ranges.h"

namespace trunkline::engine {

struct Question {
  message::TenantIndex tenant;
  message::ClassIndex traffic_class;
  message::ClassIndex asked{};  // as Submission::asked
  numbering::Number to;
  std::uint64_t to_hash = 0;  // of `to`; 0: whether it has opted out is not asked
  std::string from;
  std::string region;
  bool unicode = false;
  std::uint8_t segments = 1;
  base::Wall at{};
  // The text as carriers with other options than the default ones would have it.
  std::vector<message::TextPlan> plans{};
  std::uint8_t content = 0;  // policy::Content of the text; 0: not given
  bool consent = false;
  std::optional<numbering::LookedUp> looked_up{};
};

struct Explained {
  std::string version;  // of the configuration
  numbering::Destination to;
  // As the message would be counted: by what all carriers of its plan take, else by the default.
  gsm::Encoding encoding = gsm::Encoding::gsm7;
  std::uint8_t segments = 1;
  // With the rules that allowed as well as those that refused or hold. Without a route the refusal
  // is routing.no_route, as for a real message.
  policy::Verdict verdict;
  routing::Explanation routing;
};

// Those under way and those that come before all others, as routing::Facts has them.
struct Canaries {
  std::uint64_t running = ~std::uint64_t{0};
  std::uint64_t promoted = 0;
};

// The number was looked up and is nobody's, and the configuration refuses such.
bool is_refused(const Tables& tables, const std::optional<numbering::LookedUp>& looked_up);
inline constexpr std::string_view kInvalidText = "the look-up says that nobody has the number";

Explained explain(const Tables& tables, const Question& question,
                  const routing::Measures* measures = nullptr, Canaries canaries = {});

// How all carriers of the plan (those that are none aside) would have the text, if that is one way
// and not the default one. Null: the default.
const message::TextPlan* common_text(const Tables& tables,
                                     std::span<const message::CarrierIndex> plan,
                                     const std::vector<message::TextPlan>& texts);

// The facts that routing decides by, of a question or of a message.
routing::Facts routing_facts(const Question& question, const numbering::Destination& to,
                             std::uint64_t dice, std::uint64_t recipient);

}  // namespace trunkline::engine
