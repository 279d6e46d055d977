#include "message/traffic_class.h"

namespace trunkline::message {

using namespace std::chrono_literals;

std::vector<TrafficClass> default_traffic_classes() {
  return {
      {.name = "otp",
       .kind = ClassKind::otp,
       .priority = 1,
       .weight = 8,
       .ttl = 5min,
       .reserve = 0.30,
       .in_doubt = InDoubtRule::resend,
       .on_undelivered = UndeliveredRule::reroute,
       .retry =
           {.attempts = 6, .tries_per_carrier = 1, .refused = {1s, 20s}, .in_doubt = {1s, 20s}},
       .response_timeout = 5s,
       .patience = 3s,
       .tenant_rate_per_s = 100},
      {.name = "transactional",
       .kind = ClassKind::transactional,
       .priority = 2,
       .weight = 8,
       .ttl = 24h,
       .retry = {.attempts = 6, .refused = {2s, 5min}, .in_doubt = {2s, 5min}},
       .patience = 30s},
      {.name = "support",
       .kind = ClassKind::support,
       .priority = 3,
       .weight = 4,
       .ttl = 12h,
       .retry = {.attempts = 6, .refused = {5s, 10min}, .in_doubt = {5s, 10min}},
       .patience = 10min},
      {.name = "marketing",
       .kind = ClassKind::marketing,
       .quiet_hours = true,
       .priority = 4,
       .weight = 2,
       .ttl = 8h,
       .in_doubt = InDoubtRule::hold,
       .retry = {.attempts = 4, .refused = {30s, 30min}, .in_doubt = {30s, 30min}},
       .patience = 2h},
  };
}

std::string_view name(ClassKind kind) {
  switch (kind) {
    case ClassKind::otp:
      return "otp";
    case ClassKind::transactional:
      return "transactional";
    case ClassKind::support:
      return "support";
    case ClassKind::marketing:
      break;
  }
  return "marketing";
}

}  // namespace trunkline::message
