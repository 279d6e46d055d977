// One carrier spoken to in SMPP: its links, as many of each kind as the configuration says.
//
// Links that submit are numbered from 0; with separate binds the receivers follow, which the engine
// never hears of. One thread: that of the io_context.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "carrier/smpp_link.h"

namespace trunkline::carrier {

class SmppCarrier {
 public:
  // `on_stopped`: the last link has stopped; called once, maybe from within end() or stop().
  SmppCarrier(LinkContext& context, message::CarrierIndex index, const config::Carrier& config,
              std::function<void()> on_stopped);

  void start();
  SmppLink* find(std::uint16_t link);  // nullptr: there is no such link
  void end(base::Mono deadline);
  void stop();

  // Takes over what needs no new connection. False: something else has changed too.
  bool adopt(const config::Carrier& config);

  const std::string& name() const { return config_.name; }
  void trace(const std::shared_ptr<const wire::PeerTrace>& trace);

  void add_stats(base::Mono now, std::vector<LinkStats>& out) const;

 private:
  void on_link_stopped();

  config::Carrier config_;
  std::vector<std::shared_ptr<SmppLink>> links_;
  std::size_t running_ = 0;
  std::function<void()> on_stopped_;
};

}  // namespace trunkline::carrier
