#include "config/compile_limits.h"

namespace trunkline::config {
namespace {

policy::Allowed allowed(const Value& value) {
  policy::Allowed out{.messages_per_s = value.at("rate").number(),
                      .segments_per_s = value.at("segments_rate").number()};
  out.burst = value.at("burst").duration(out.burst);
  return out;
}

}  // namespace

void compile_limits(const Value& limits, const References& refer, policy::Tenant& rules) {
  if (limits.fields.empty()) return;
  rules.allowed = allowed(limits);
  for (const Value& item : limits.at("classes").items) {
    Value name = item;
    name.scalar = item.name;
    const message::ClassIndex c = refer.traffic_class(name);
    if (c.is_none() || item.fields.empty()) continue;
    rules.allowed_of_classes.emplace_back(c, allowed(item));
  }
}

}  // namespace trunkline::config
