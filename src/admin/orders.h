// POST /v1/carriers/NAME/suspend | drain | resume: what an operator wants of a carrier. Pure: the
// request as an order, or what is wrong with it.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "config/config.h"
#include "io/problem.h"
#include "message/journal.h"

namespace trunkline::admin {

struct OrderPath {
  std::string carrier;
  message::OrderKind kind = message::OrderKind::resume;
};
// None: the path is another.
std::optional<OrderPath> order_path(std::string_view path);

// `body`: {"reason", "for", "country"}, see docs/operations.md. `by`: the id of the token.
std::expected<message::CarrierOrder, io::Problem> read_order(const config::Config& config,
                                                             const OrderPath& path,
                                                             std::string_view body,
                                                             const std::string& by, base::Wall now);

// {kind,carrier,country,since,until,reason,by}; `country` is null everywhere.
std::string order_json(const message::CarrierOrder& order);

}  // namespace trunkline::admin
