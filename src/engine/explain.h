// What would become of a message, and why: the same policy and routing that decide about real ones,
// asked without sending anything.
//
// Pure. The engine adds what only it knows: who is up and fares well at the moment.
#pragma once

#include <optional>
#include <string>

#include "base/time.h"
#include "engine/tables.h"
#include "numbering/number.h"
#include "numbering/ranges.h"

namespace trunkline::engine {

struct Question {
  message::TenantIndex tenant;
  message::ClassIndex traffic_class;
  numbering::Number to;
  std::string from;
  std::string region;
  bool unicode = false;
  std::uint8_t segments = 1;
  base::Wall at{};
};

struct Explained {
  std::string version;  // of the configuration
  numbering::Destination to;
  std::uint8_t segments = 1;
  // With the rules that allowed as well as those that refused or hold. Without a route the refusal
  // is routing.no_route, as for a real message.
  policy::Verdict verdict;
  routing::Explanation routing;
};

Explained explain(const Tables& tables, const Question& question,
                  const routing::Measures* measures = nullptr);

// The facts that routing decides by, of a question or of a message.
routing::Facts routing_facts(const Question& question, const numbering::Destination& to,
                             std::uint64_t dice, std::uint64_t recipient);

}  // namespace trunkline::engine
