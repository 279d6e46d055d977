// What the configuration's TLS settings name, read: for `serve`, for a reload, and for `check`.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "config/config.h"
#include "wire/tls_context.h"

namespace trunkline::service {

struct TlsFiles {
  std::shared_ptr<const wire::TlsContext> smpp_listener;  // null: there is none
  // By CarrierIndex; null: without TLS.
  std::vector<std::shared_ptr<const wire::TlsContext>> carriers;
  std::shared_ptr<const wire::TlsContext> lookup;  // null: without TLS, or there is none
  std::vector<config::Finding> findings;  // with an error among them the rest is not to be used

  bool good() const;
  std::string errors() const;  // a line each
};

// Reads files; blocks as long as that takes.
TlsFiles read_tls_files(const config::Config& config, base::Wall now);

}  // namespace trunkline::service
