// What operators want of traffic: nothing new, or nothing at all, until a given moment. Unlike
// health it is law: what has no other carrier waits.
#include "engine/impl.h"

namespace trunkline::engine {

using message::OrderKind;

// None: the configuration does not know the names.
std::optional<Traffic> Engine::Impl::find_traffic(const message::TrafficFilter& names) const {
  Traffic found;
  if (!names.carrier.empty()) {
    const auto carrier = find_carrier(names.carrier);
    if (!carrier) return std::nullopt;
    found.carrier = *carrier;
  }
  if (!names.traffic_class.empty()) {
    const auto& classes = tables_->classes;
    const auto at = std::ranges::find(classes, names.traffic_class, &message::TrafficClass::name);
    if (at == classes.end()) return std::nullopt;
    found.traffic_class = {static_cast<std::uint8_t>(at - classes.begin())};
  }
  if (!names.tenant.empty()) {
    const auto& tenants = tables_->policy.tenants;
    const auto at = std::ranges::find(tenants, names.tenant, &policy::Tenant::name);
    if (at == tenants.end()) return std::nullopt;
    found.tenant = {static_cast<std::uint16_t>(at - tenants.begin())};
  }
  if (!names.country.empty()) {
    const auto country = numbering::Country::parse(names.country);
    if (!country) return std::nullopt;
    found.country = *country;
  }
  return found;
}

// Of those that cover it, the strictest.
const Engine::Impl::Standing* Engine::Impl::order_for(const Traffic& traffic) const {
  const Standing* found = nullptr;
  for (const Standing& o : orders_) {
    if (!o.of.covers(traffic)) continue;
    if (found == nullptr || o.order.kind > found->order.kind) found = &o;
  }
  return found;
}

// May the message not be given to it? One whose other parts it has may, while it drains.
bool Engine::Impl::is_closed(const Hot& h, CarrierIndex carrier) const {
  if (orders_.empty()) return false;
  const Standing* o = order_for(traffic_of(h, carrier));
  return o != nullptr && (o->order.kind == OrderKind::suspend || !h.pinned);
}

// False: too many. Of what the configuration no longer names there is nothing to keep.
bool Engine::Impl::take_order(const message::TrafficOrder& order, Mono until, std::uint64_t seq) {
  const auto of = find_traffic(order.of);
  if (!of) return true;
  const bool resumes = order.kind == OrderKind::resume;
  const bool whole_carrier = order.of == message::TrafficFilter{.carrier = order.of.carrier};
  std::erase_if(orders_, [&](const Standing& o) {
    return o.order.of == order.of || (resumes && whole_carrier && o.of.carrier == of->carrier);
  });
  if (resumes) return true;
  if (orders_.size() >= limits::kOrdersMax) return false;
  orders_.push_back({order, *of, until, seq});
  return true;
}

void Engine::Impl::on(Order&& event, Step& s) {
  const auto of = find_traffic(event.order.of);
  const bool done =
      of && take_order(event.order, s.now.to_mono(event.order.until), s.out.commit.seq);
  if (done) {
    message::append_order(s.out.commit, event.order);
    if (event.order.kind == OrderKind::suspend) leave_lanes(*of);
    if (event.order.kind == OrderKind::resume) look_again();
  }
  s.out.after_commit.emplace_back(OrderAnswer{event.token, done});
}

// What waits there looks for another carrier; what finds none strands.
void Engine::Impl::leave_lanes(const Traffic& traffic) {
  for (std::uint16_t i = 0; i < carriers_.size(); ++i) {
    if (traffic.carrier.is_none() || traffic.carrier.at() == i) {
      leave_lanes({i}, traffic.traffic_class);
    }
  }
}

void Engine::Impl::end_orders(Step& s) {
  const auto ended =
      std::erase_if(orders_, [&](const Standing& o) { return o.until <= s.now.mono; });
  if (ended != 0) look_again();
}

// Those in the way of trimming are recorded again.
void Engine::Impl::trim_orders(std::uint64_t keep_from, Step& s) {
  for (Standing& o : orders_) {
    if (o.seq >= keep_from) continue;
    message::append_order(s.out.commit, o.order);
    o.seq = s.out.commit.seq;
  }
}

}  // namespace trunkline::engine
