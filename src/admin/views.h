// What the operator API shows, as JSON, from the configuration and the engine's latest snapshot.
// Nothing of a secret: no system id, no password, no token.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/time.h"
#include "config/config.h"
#include "engine/engine.h"

namespace trunkline::admin {

// {"ready":false,"reasons":["replaying"]}
std::string ready_json(std::span<const std::string> missing);

// {"data":[{name,region,address,up,links,links_up,outstanding,window,rate,rate_limit}]}, in the
// configuration's order. `address` is host:port; `links` those configured, `links_up` those bound;
// `window` outstanding submits a link may have; `rate` the contracted submits a second and
// `rate_limit` the one in force after throttling, both null if unlimited.
std::string carriers_json(const config::Config& config, const engine::Stats* stats);

// {"data":[{carrier,class,depth,oldest_seconds}]}: lanes in which something waits. `carrier` is
// null for messages that no carrier can take at present.
// {"data":[...]}: order_json() of those in force.
std::string orders_json(const engine::Stats* stats);
std::string queues_json(const config::Config& config, const engine::Stats* stats, base::Wall now);

}  // namespace trunkline::admin
