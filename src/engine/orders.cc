// What operators want of carriers: nothing new, or nothing at all, until a given moment. Unlike
// health it is law: what has no other carrier waits.
#include "engine/impl.h"

namespace trunkline::engine {

using message::OrderKind;

// In the order's country, or everywhere; the stricter of the two.
const Engine::Impl::Standing* Engine::Impl::order_for(CarrierIndex carrier,
                                                      numbering::Country country) const {
  const Standing* found = nullptr;
  for (const Standing& o : orders_) {
    if (o.carrier != carrier || (o.country.known() && o.country != country)) continue;
    if (found == nullptr || o.order.kind > found->order.kind) found = &o;
  }
  return found;
}

// May the message not be given to it? One whose other parts it has may, while it drains.
bool Engine::Impl::is_closed(const Hot& h, CarrierIndex carrier) const {
  if (orders_.empty()) return false;
  const Standing* o = order_for(carrier, h.country);
  return o != nullptr && (o->order.kind == OrderKind::suspend || !h.pinned);
}

// False: too many. Of a carrier that the configuration no longer names there is nothing to keep.
bool Engine::Impl::take_order(const message::CarrierOrder& order, Mono until, std::uint64_t seq) {
  const auto carrier = find_carrier(order.carrier);
  if (!carrier) return true;
  const auto country = numbering::Country::parse(order.country).value_or(numbering::Country{});
  const bool resumes = order.kind == OrderKind::resume;
  std::erase_if(orders_, [&](const Standing& o) {
    return o.carrier == *carrier && (o.country == country || (resumes && !country.known()));
  });
  if (resumes) return true;
  if (orders_.size() >= limits::kCarrierOrdersMax) return false;
  orders_.push_back({order, *carrier, country, until, seq});
  return true;
}

void Engine::Impl::on(Order&& event, Step& s) {
  const auto carrier = find_carrier(event.order.carrier);
  const bool done =
      carrier && take_order(event.order, s.now.to_mono(event.order.until), s.out.commit.seq);
  if (done) {
    message::append_carrier_order(s.out.commit, event.order);
    if (event.order.kind == OrderKind::suspend) leave_lanes(*carrier);
    if (event.order.kind == OrderKind::resume) look_again();
  }
  s.out.after_commit.emplace_back(OrderAnswer{event.token, done});
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
    message::append_carrier_order(s.out.commit, o.order);
    o.seq = s.out.commit.seq;
  }
}

}  // namespace trunkline::engine
