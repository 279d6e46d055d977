// What operators' orders are about, in numbers.
#pragma once

#include "message/index.h"
#include "numbering/country.h"

namespace trunkline::engine {

// Of a message, were it to go by `carrier`; of a filter: what is none may be any.
struct Traffic {
  message::CarrierIndex carrier;
  message::ClassIndex traffic_class;
  message::TenantIndex tenant;
  numbering::Country country;

  bool covers(const Traffic& one) const {
    return (carrier.is_none() || carrier == one.carrier) &&
           (traffic_class.is_none() || traffic_class == one.traffic_class) &&
           (tenant.is_none() || tenant == one.tenant) &&
           (!country.known() || country == one.country);
  }
};

}  // namespace trunkline::engine
