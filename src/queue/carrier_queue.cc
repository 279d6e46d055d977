#include "queue/carrier_queue.h"

#include <algorithm>
#include <numeric>

#include "base/assert.h"

namespace trunkline::queue {

namespace {

// Of the latest answer's time among those before.
constexpr double kAnswerWeight = 1.0 / 32;

}  // namespace

ClassOrder ClassOrder::of(const std::vector<message::TrafficClass>& classes) {
  ClassOrder order;
  order.shares.resize(classes.size());
  for (std::size_t i = 0; i < classes.size(); ++i) {
    order.shares[i].priority = classes[i].priority;
    order.shares[i].weight = classes[i].weight;
    for (const message::TrafficClass& other : classes) {
      if (other.priority < classes[i].priority) order.shares[i].withheld += other.reserve;
    }
    order.shares[i].withheld = std::min(order.shares[i].withheld, 0.9);
    order.shares[i].most_urgent = std::ranges::none_of(
        classes, [&](const auto& other) { return other.priority < classes[i].priority; });
    order.by_priority.push_back({static_cast<std::uint8_t>(i)});
  }
  std::ranges::sort(order.by_priority, {}, [&](message::ClassIndex c) {
    return std::pair(order.shares[c.at()].priority, c.value);
  });
  return order;
}

CarrierQueue::CarrierQueue(double rate_per_s, double burst,
                           const std::vector<message::TrafficClass>& classes)
    : rate_(rate_per_s, burst) {
  set_classes(classes);
}

void CarrierQueue::set_classes(const std::vector<message::TrafficClass>& classes) {
  lanes_.resize(std::max(lanes_.size(), classes.size()));
  for (std::size_t i = 0; i < classes.size(); ++i) lanes_[i].set_ttl(classes[i].ttl);
  urgent_.grow(classes.size());
  others_.grow(classes.size());
}

// --- turns ---------------------------------------------------------------------------------------

double CarrierQueue::ahead(const ClassOrder& order, message::ClassIndex c,
                           message::TenantIndex tenant, base::Mono deadline) const {
  const ClassShare& own = order.shares[c.at()];
  const auto own_ahead = static_cast<double>(lanes_[c.at()].ahead_of(tenant, deadline));
  double sum = own_ahead;
  for (const message::ClassIndex other : order.by_priority) {
    const Lane& lane = lanes_[other.at()];
    const ClassShare& share = order.shares[other.at()];
    if (other == c || lane.empty() || (own.most_urgent && !share.most_urgent)) continue;
    const auto all = static_cast<double>(lane.size());
    const bool strict = share.most_urgent && !own.most_urgent;
    sum += strict ? all : std::min(all, (own_ahead + 1) * share.weight / own.weight);
  }
  return sum;
}

std::optional<CarrierQueue::Next> CarrierQueue::next(const ClassOrder& order,
                                                     const Classes& blocked,
                                                     message::ClassIndex first) const {
  std::optional<Next> best;
  double least = 0;
  for (const message::ClassIndex c : order.by_priority) {
    if (lanes_[c.at()].empty()) continue;
    const ClassShare& share = order.shares[c.at()];
    // Those that wait and are more urgent than all others come first, and what blocks them blocks
    // the others, too.
    if (best && order.shares[best->traffic_class.at()].most_urgent && !share.most_urgent) break;
    if (blocked[c.at()]) {
      if (share.most_urgent) return std::nullopt;
      continue;
    }
    const double at = turns(share).at(c);
    if (!first.is_none()) {
      const ClassShare& waits = order.shares[first.at()];
      const double lead = (at - turns(waits).at(first)) * share.weight;
      if (share.withheld >= waits.withheld || lead > kLead) continue;
    }
    if (best && at >= least) continue;
    best = Next{c, !first.is_none()};
    least = at;
  }
  return best;
}

bool CarrierQueue::others_first(const ClassOrder& order, message::ClassIndex c) const {
  const ClassShare& own = order.shares[c.at()];
  for (const message::ClassIndex other : order.by_priority) {
    const ClassShare& share = order.shares[other.at()];
    if (own.most_urgent && !share.most_urgent) break;
    if (other == c || lanes_[other.at()].empty()) continue;
    if (share.most_urgent != own.most_urgent) return true;
    if (turns(share).at(other) <= turns(own).at(c)) return true;
  }
  return false;
}

void CarrierQueue::charge(const ClassOrder& order, message::ClassIndex c, std::uint32_t segments,
                          bool passes) {
  const ClassShare& share = order.shares[c.at()];
  if (passes) {
    turns(share).pass(c, segments, share.weight);
  } else {
    turns(share).charge(c, segments, share.weight);
  }
}

base::Duration CarrierQueue::Link::patience() const {
  const auto slow = base::Duration(static_cast<std::int64_t>(p99_us)) * kPatienceTimes;
  return std::max<base::Duration>(kPatience, slow);
}

void CarrierQueue::total() {
  window_ = 0;
  outstanding_ = 0;
  for (const Link& link : links_) {
    if (!link.usable()) continue;
    window_ += link.usable_window();
    outstanding_ += link.outstanding;
  }
}

void CarrierQueue::link_up(std::uint16_t link, std::uint32_t window) {
  if (links_.size() <= link) links_.resize(link + 1u);
  Link& l = links_[link];
  if (!l.up) {
    l.up = true;
    ++l.binds;
  }
  l.window = window;
  total();
}

void CarrierQueue::link_down(std::uint16_t link) {
  if (links_.size() <= link || !links_[link].up) return;
  Link& l = links_[link];
  const bool suspect = l.silent || l.unproven;
  l = {.up = false, .binds = l.binds, .unproven = suspect, .p99_us = l.p99_us};
  total();
}

std::uint16_t CarrierQueue::links_up() const {
  return static_cast<std::uint16_t>(std::ranges::count_if(links_, &Link::up));
}

std::uint32_t CarrierQueue::outstanding() const {
  std::uint32_t sum = 0;
  for (const Link& link : links_) sum += link.up ? link.outstanding : 0;
  return sum;
}

// --- silence -------------------------------------------------------------------------------------

double CarrierQueue::capacity() const {
  const double rate = rate_.effective_rate();
  if (answer_us_ == 0) return rate;
  const double by_window = window_ * 1e6 / answer_us_;
  return rate == 0 ? by_window : std::min(rate, by_window);
}

bool CarrierQueue::silent() const {
  return std::ranges::any_of(links_, [](const Link& link) { return link.up && link.silent; });
}

void CarrierQueue::answered(std::uint16_t link, std::uint16_t bind_count, base::Duration took,
                            base::Mono now) {
  if (link >= links_.size() || !links_[link].up || links_[link].binds != bind_count) return;
  Link& l = links_[link];
  l.owes_since = now;
  // A step up outweighs 99 steps down: it settles where one in a hundred is above.
  const double us = std::max(static_cast<double>(took.count()), 1.0);
  const double step = l.p99_us * 0.05;
  answer_us_ += (us - answer_us_) * (answer_us_ == 0 ? 1 : kAnswerWeight);
  if (l.p99_us == 0) {
    l.p99_us = us;
  } else {
    l.p99_us = us > l.p99_us ? std::min(l.p99_us + step, us) : l.p99_us - step / 99;
  }
  if (!l.silent && !l.unproven) return;
  l.silent = false;
  l.unproven = false;
  silent_at_ = std::min(silent_at_, now + l.patience());
  total();
}

bool CarrierQueue::grow_silent(base::Mono now) {
  const bool was_alive = alive();
  bool any = false;
  silent_at_ = base::Mono::max();
  for (Link& link : links_) {
    if (!link.up || link.silent || link.outstanding == 0) continue;
    const base::Mono at = link.owes_since + link.patience();
    if (at > now) {
      silent_at_ = std::min(silent_at_, at);
      continue;
    }
    link.silent = true;
    link.probe_wait = kProbeFirst;
    link.probe_at = now + link.probe_wait;
    any = true;
  }
  if (any) total();
  return was_alive != alive();
}

const CarrierQueue::Link* CarrierQueue::probe_link(const ClassShare& share, base::Mono now) const {
  for (const Link& link : links_) {
    if (!link.up || !link.silent || link.window == 0 || link.outstanding != 0) continue;
    if (now >= link.probe_at + (share.most_urgent ? kProbeUrgentAfter : base::Duration{}))
      return &link;
  }
  return nullptr;
}

bool CarrierQueue::wants_probe(const ClassShare& share, base::Mono now) const {
  return !alive() && probe_link(share, now) != nullptr;
}

base::Mono CarrierQueue::probe_at() const {
  base::Mono at = base::Mono::max();
  for (const Link& link : links_) {
    if (link.up && link.silent && link.window > 0 && link.outstanding == 0) {
      at = std::min(at, link.probe_at);
    }
  }
  return at;
}

// --- admission -----------------------------------------------------------------------------------

CarrierQueue::Decision CarrierQueue::admit(const ClassShare& share, std::uint32_t segments,
                                           base::Mono now) {
  if (!alive()) {
    const Link* probe = probe_link(share, now);
    if (probe == nullptr) {
      return {std::nullopt, silent() ? message::Cause::silent : message::Cause::no_link};
    }
    return {static_cast<std::uint16_t>(probe - links_.data()), message::Cause::none};
  }
  // The emptiest link; a message with more segments than any window has goes to an idle one.
  std::optional<std::uint16_t> best;
  std::uint32_t best_free = 0;
  for (std::size_t i = 0; i < links_.size(); ++i) {
    const Link& link = links_[i];
    const std::uint32_t window = link.usable_window();
    if (window == 0) continue;
    const bool idle = link.outstanding == 0;
    const std::uint32_t free = window - std::min(window, link.outstanding);
    if ((free >= segments || idle) && (!best || free > best_free)) {
      best = static_cast<std::uint16_t>(i);
      best_free = free;
    }
  }
  if (!best) return {std::nullopt, message::Cause::no_window};
  const double allowed = static_cast<double>(window_) * (1.0 - share.withheld);
  if (outstanding_ != 0 && outstanding_ + segments > allowed) {
    return {std::nullopt, outstanding_ + segments > window_ ? message::Cause::no_window
                                                            : message::Cause::reserve};
  }
  if (!rate_.can_take(segments, share.withheld, now))
    return {std::nullopt, message::Cause::no_token};
  return {best, message::Cause::none};
}

void CarrierQueue::occupy(std::uint16_t link, std::uint32_t segments, base::Mono now) {
  ASSERT(link < links_.size() && links_[link].up);
  Link& l = links_[link];
  if (l.silent) {  // a try
    l.probe_wait = std::min<base::Duration>(l.probe_wait * 2, kProbeMax);
    l.probe_at = now + l.probe_wait;
  } else if (l.outstanding == 0) {
    l.owes_since = now;
    silent_at_ = std::min(silent_at_, now + l.patience());
  }
  l.outstanding += segments;
  if (l.usable()) outstanding_ += segments;
  rate_.take(segments, now);
}

void CarrierQueue::release(std::uint16_t link, std::uint16_t bind_count) {
  if (link >= links_.size() || !links_[link].up || links_[link].binds != bind_count) return;
  Link& l = links_[link];
  ASSERT(l.outstanding > 0);
  --l.outstanding;
  if (l.usable()) --outstanding_;
}

}  // namespace trunkline::queue
