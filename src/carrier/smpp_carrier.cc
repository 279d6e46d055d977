#include "carrier/smpp_carrier.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"

namespace trunkline::carrier {

SmppCarrier::SmppCarrier(LinkContext& context, message::CarrierIndex index,
                         const config::Carrier& config, std::function<void()> on_stopped)
    : config_(config), on_stopped_(std::move(on_stopped)) {
  using Bind = config::SmppCarrier::Bind;
  const std::size_t binds = std::clamp<std::size_t>(config.smpp.binds, 1, base::limits::kBindsMax);
  const auto add = [&](smpp::BindKind kind) {
    for (std::size_t i = 0; i < binds; ++i) {
      links_.push_back(std::make_shared<SmppLink>(context, index,
                                                  static_cast<std::uint16_t>(links_.size()), kind,
                                                  config, [this] { on_link_stopped(); }));
    }
  };
  if (config.smpp.bind == Bind::transceiver) {
    add(smpp::BindKind::transceiver);
  } else {
    add(smpp::BindKind::transmitter);
    add(smpp::BindKind::receiver);
  }
  running_ = links_.size();
}

void SmppCarrier::start() {
  for (const auto& link : links_) link->start();
}

SmppLink* SmppCarrier::find(std::uint16_t link) {
  return link < links_.size() ? links_[link].get() : nullptr;
}

void SmppCarrier::end(base::Mono deadline) {
  for (const auto& link : links_) link->end(deadline);
}

void SmppCarrier::stop() {
  for (const auto& link : links_) link->stop();
}

void SmppCarrier::on_link_stopped() {
  if (--running_ == 0) on_stopped_();
}

bool SmppCarrier::adopt(const config::Carrier& config) {
  config::Carrier same = config;
  same.region = config_.region;
  same.smpp.default_sender = config_.smpp.default_sender;
  same.smpp.options = config_.smpp.options;
  if (same.name != config_.name || !(same.smpp == config_.smpp)) return false;
  config_ = config;
  for (const auto& link : links_) link->adopt(config);
  return true;
}

void SmppCarrier::trace(const std::shared_ptr<const wire::PeerTrace>& trace) {
  for (const auto& link : links_) link->trace(trace);
}

void SmppCarrier::add_stats(base::Mono now, std::vector<LinkStats>& out) const {
  for (const auto& link : links_) out.push_back(link->stats(now));
}

}  // namespace trunkline::carrier
