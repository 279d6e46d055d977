// What carriers allow on the same traffic, side by side: facts of the configuration and of the
// policy data, and how much of the traffic each would take by its own rules.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_writer.h"
#include "base/time.h"
#include "config/config.h"
#include "config/registrations.h"
#include "numbering/ranges.h"
#include "trunkline/traffic.h"

namespace trunkline::cli {

class Controls {
 public:
  // `config` outlives this.
  Controls(const config::Config& config, std::vector<message::CarrierIndex> carriers,
           base::Wall now);

  void add(const TrafficRow& row, const numbering::Destination& to);
  // {"carriers":[],"countries":[],"registrations":[]}
  void append_json(base::JsonWriter& json) const;
  // One column a carrier, under these names.
  std::string text(const std::vector<std::string>& columns) const;

 private:
  struct Carrier {
    message::CarrierIndex index;
    std::uint64_t takes = 0;                           // messages
    std::map<std::string_view, std::uint64_t> leaves;  // by the first rule that speaks against it
  };
  struct Country {
    std::uint64_t messages = 0;
    std::array<std::uint64_t, policy::kSenderKinds> senders{};  // messages with such ones
  };
  std::vector<config::RegistrationNeed> needs() const;
  std::string text_of_country(numbering::Country country, const Country& seen) const;

  const config::Config& config_;
  const base::Wall now_;
  std::map<std::string, message::TenantIndex, std::less<>> tenants_;
  std::vector<Carrier> carriers_;
  std::map<numbering::Country, Country> countries_;
  std::uint64_t unjudged_ = 0;  // of a tenant or class that the configuration does not have
};

}  // namespace trunkline::cli
