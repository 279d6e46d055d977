// What an operator may want of traffic. Pure: the request as an order or an operation, or what is
// wrong with it.
//
//   POST /v1/carriers/NAME/suspend | drain | resume
//   POST /v1/queues/suspend | drain | resume | purge | bounce | move
//   GET  /v1/queues?by=carrier,class,tenant,country
#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "config/config.h"
#include "engine/event.h"
#include "io/problem.h"
#include "message/journal.h"

namespace trunkline::admin {

struct OrderPath {
  std::string carrier;  // empty: the body says what traffic
  message::OrderKind kind = message::OrderKind::resume;
};
// None: the path is another.
std::optional<OrderPath> order_path(std::string_view path);
std::optional<engine::Surgery::Kind> surgery_path(std::string_view path);

// `body`: {"reason", "for", "carrier", "country", "class", "tenant"}, see docs/operations.md. `by`:
// the id of the token.
std::expected<message::TrafficOrder, io::Problem> read_order(const config::Config& config,
                                                             const OrderPath& path,
                                                             std::string_view body,
                                                             const std::string& by, base::Wall now);

// `body`: {"reason", "carrier", "country", "class", "tenant", "older_than", "to"}.
std::expected<engine::Surgery, io::Problem> read_surgery(const config::Config& config,
                                                         engine::Surgery::Kind kind,
                                                         std::string_view body);
// `query`: by=, and carrier=, country=, class=, tenant= to see only those.
std::expected<engine::Surgery, io::Problem> read_count(const config::Config& config,
                                                       std::string_view query);

// {kind,carrier,country,class,tenant,since,until,reason,by}; null where it may be any.
std::string order_json(const message::TrafficOrder& order);
std::string surgery_json(const config::Config& config, const engine::Surgery& surgery,
                         const engine::SurgeryAnswer& answer, base::Wall now);

}  // namespace trunkline::admin
