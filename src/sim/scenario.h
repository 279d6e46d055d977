// The simulated world's configuration: YAML (or JSON, which is YAML) in, a checked scenario out.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/fault.h"

namespace trunkline::sim {

struct Listen {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;  // 0: the system picks one
};

struct CarrierSpec {
  std::string name;
  std::string region;
  Listen listen;
  std::string system_id;
  std::string password;
  std::vector<Fault> faults;
};

struct Scenario {
  std::optional<std::uint64_t> seed;
  Listen admin;
  std::vector<CarrierSpec> carriers;  // at least one, names unique
};

// seed: 1
// admin: 127.0.0.1:0
// carriers:
//   - { name: alpha, region: eu, address: 127.0.0.1:12775, system_id: tl, password: secret,
//       faults: [ { after: 10s, for: 30s, refuse: { status: ESME_RSYSERR, ratio: 10% } } ] }
//
// Unknown keys are errors. The error names the place: "FILE:LINE:COLUMN: what; remedy".
std::expected<Scenario, std::string> parse_scenario(const std::string& file_name,
                                                    const std::string& text);

// One fault, or a list of them, as in a scenario's `faults`:
//   after, for       durations ("30s"); a fault without `for` stays
//   latency          duration, or { p50, p99 }: of the submit_sm_resp
//   refuse           status (name or number), or { status, ratio }
//   rate             messages a second (200 or 200/s), or { limit, burst }
//   silence          true, accept, drop, a ratio, or { mode, ratio }
//   reset            true, a ratio, or { ratio | every, when: any|before_accept|after_accept|
//                    after_response }
//   garbage          true, a ratio, or { ratio }
//   receipts         { delay: as latency; lost, early, duplicate, reorder, false: ratios;
//                      late: a ratio, a duration, or { ratio, by }; ratio: of delivered;
//                      stat, err: of the others; id_format: hex|upper|dec|zeros|dec_zeros of the
//                      receipt, or { response, receipt }; form: both|text|tlv }
// A ratio is 0 to 1, or 30%, or true.
std::expected<std::vector<Fault>, std::string> parse_faults(const std::string& source_name,
                                                            const std::string& text);

}  // namespace trunkline::sim
