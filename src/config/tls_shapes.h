// The part of the table of fields that says how to speak TLS. For schema.cc.
#pragma once

#include "config/schema.h"

namespace trunkline::config {

extern const Shape kSmppTlsListener;  // listen.smpp_tls
extern const Shape kCarrierTls;       // carriers[].smpp.tls

}  // namespace trunkline::config
