#include "carrier/carriers.h"

#include <pthread.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <utility>

#include "carrier/event_batch.h"
#include "carrier/smpp_carrier.h"
#include "io/clock.h"
#include "io/mailbox.h"

namespace trunkline::carrier {

namespace asio = boost::asio;

class Carriers::Impl {
 public:
  Impl(const seal::Vault& vault, Deliver deliver, Log log, Options options)
      : options_(options),
        log_(std::move(log)),
        events_(io_, std::move(deliver)),
        context_{
            .io = io_,
            .vault = vault,
            .events = events_,
            .log = log_,
            .options = options_,
            .random = std::mt19937_64(options.seed != 0 ? options.seed : std::random_device{}()),
            .connections = {}},
        mailbox_(0) {
    mailbox_.on_wake([this] { asio::post(io_, [this] { on_mail(); }); });
  }

  void start() {
    const std::lock_guard lock(lifecycle_);
    if (stopped_ || thread_.joinable()) return;
    thread_ = std::thread([this] {
      pthread_setname_np(pthread_self(), "carriers");
      io_.run();
    });
  }

  void apply(std::vector<config::Carrier> carriers, std::vector<Inbox> numbers, Tls tls) {
    asio::post(io_, [this, carriers = std::move(carriers), numbers = std::move(numbers),
                     tls = std::move(tls)]() mutable {
      context_.tls = std::move(tls);
      context_.inboxes.clear();
      for (Inbox& inbox : numbers) {
        std::string digits = inbox.digits;
        context_.inboxes.emplace(std::move(digits), std::move(inbox));
      }
      apply_now(carriers);
    });
  }

  void send(std::vector<Command>& commands) {
    // What is sent after stop() is dropped: nobody is told any more.
    (void)mailbox_.send_all(commands);
  }

  void drain(base::Duration patience, std::function<void()> done) {
    asio::post(io_, [this, patience, done = std::move(done)]() mutable {
      drained_ = std::move(done);
      draining_ = true;
      const base::Mono deadline = io::mono_now() + patience;
      for (Slot& slot : slots_) {
        slot.next.reset();
        if (slot.carrier) slot.carrier->end(deadline);
      }
      tell_if_drained();
    });
  }

  void stop() {
    const std::lock_guard lock(lifecycle_);
    if (stopped_) return;
    stopped_ = true;
    if (!thread_.joinable()) return;
    asio::post(io_, [this] {
      on_mail();
      draining_ = true;
      for (Slot& slot : slots_) {
        slot.next.reset();
        if (slot.carrier) slot.carrier->stop();
      }
      mailbox_.close();
      on_mail();
      events_.flush();
      io_.stop();
    });
    thread_.join();
  }

  void trace(const std::string& carrier, std::shared_ptr<const wire::PeerTrace> trace) {
    asio::post(io_, [this, carrier, trace = std::move(trace)] {
      if (trace) {
        context_.traces[carrier] = trace;
      } else {
        context_.traces.erase(carrier);
      }
      for (Slot& slot : slots_) {
        if (slot.carrier && slot.carrier->name() == carrier) slot.carrier->trace(trace);
      }
    });
  }

  std::vector<LinkStats> stats() {
    const std::lock_guard lock(lifecycle_);
    if (!thread_.joinable()) return stats_now();
    std::promise<std::vector<LinkStats>> promise;
    auto future = promise.get_future();
    asio::post(io_, [&] { promise.set_value(stats_now()); });
    return future.get();
  }

 private:
  // What stands at one CarrierIndex. While a changed carrier ends, `next` waits for its place:
  // carriers limit the number of binds.
  struct Slot {
    std::unique_ptr<SmppCarrier> carrier;
    std::optional<config::Carrier> next;
    bool ending = false;
  };

  void apply_now(const std::vector<config::Carrier>& carriers) {
    if (draining_) return;
    while (slots_.size() < carriers.size()) slots_.emplace_back();
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      const bool wanted = i < carriers.size() && !carriers[i].smpp.host.empty();
      Slot& slot = slots_[i];
      slot.next.reset();
      if (slot.carrier && !slot.ending && wanted && slot.carrier->adopt(carriers[i])) continue;
      if (wanted) slot.next = carriers[i];
      if (!slot.carrier) {
        begin(i);
      } else if (!slot.ending) {
        slot.ending = true;
        slot.carrier->end(io::mono_now() + kReloadPatience);
      }
    }
  }

  void begin(std::size_t index) {
    Slot& slot = slots_[index];
    slot.ending = false;
    if (!slot.next) return;
    const auto carrier = message::CarrierIndex{static_cast<std::uint16_t>(index)};
    slot.carrier = std::make_unique<SmppCarrier>(context_, carrier, *slot.next,
                                                 [this, index] { on_carrier_stopped(index); });
    slot.next.reset();
    slot.carrier->start();
  }

  // Deferred: it is one of the carrier's own links that is calling.
  void on_carrier_stopped(std::size_t index) {
    asio::post(io_, [this, index] {
      slots_[index].carrier.reset();
      begin(index);
      tell_if_drained();
    });
  }

  void tell_if_drained() {
    if (!draining_ || !drained_) return;
    for (const Slot& slot : slots_) {
      if (slot.carrier) return;
    }
    events_.flush();
    std::exchange(drained_, nullptr)();
  }

  void on_mail() {
    mailbox_.drain(commands_);
    if (commands_.empty()) return;
    const base::Mono now = io::mono_now();
    for (const Command& command : commands_) {
      if (const auto* submit = std::get_if<engine::Submit>(&command)) {
        on_submit(*submit, now);
      } else if (const auto* ack = std::get_if<engine::ReceiptAck>(&command)) {
        on_ack(*ack, now);
      }
    }
    commands_.clear();
    for (SmppLink* link : touched_) {
      link->touched = false;
      link->flush(now);
    }
    touched_.clear();
  }

  void on_submit(const engine::Submit& submit, base::Mono now) {
    const std::size_t at = submit.carrier.at();
    SmppCarrier* carrier = at < slots_.size() ? slots_[at].carrier.get() : nullptr;
    SmppLink* link = carrier != nullptr ? carrier->find(submit.link) : nullptr;
    if (link == nullptr) return nowhere_to_go(submit);
    link->submit(submit, now);
    touch(link);
  }

  void nowhere_to_go(const engine::Submit& submit) {
    const std::size_t at = submit.carrier.at();
    const bool known = at < slots_.size() && (slots_[at].carrier || slots_[at].next);
    engine::SubmitResult result;
    result.ref = submit.ref;
    result.outcome.kind = message::OutcomeKind::not_sent;
    result.outcome.cause =
        known || draining_ ? message::Cause::link_lost_unsent : message::Cause::carrier_removed;
    for (unsigned segment = 1; segment <= submit.segments; ++segment) {
      if ((submit.segment_set >> (segment - 1) & 1) == 0) continue;
      result.segment = static_cast<std::uint8_t>(segment);
      events_.add(result);
    }
  }

  void on_ack(const engine::ReceiptAck& ack, base::Mono now) {
    const auto found = context_.connections.find(static_cast<std::uint32_t>(ack.token >> 32));
    if (found == context_.connections.end()) return;  // gone: the carrier sends it again
    found->second->acknowledge(static_cast<std::uint32_t>(ack.token), now);
    touch(found->second);
  }

  // Links live at least until the handler that is running returns.
  void touch(SmppLink* link) {
    if (!std::exchange(link->touched, true)) touched_.push_back(link);
  }

  std::vector<LinkStats> stats_now() const {
    std::vector<LinkStats> out;
    const base::Mono now = io::mono_now();
    for (const Slot& slot : slots_) {
      if (slot.carrier) slot.carrier->add_stats(now, out);
    }
    return out;
  }

  static constexpr base::Duration kReloadPatience = std::chrono::seconds(10);

  const Options options_;
  const Log log_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(io_);
  EventBatch events_;
  LinkContext context_;
  io::Mailbox<Command> mailbox_;
  std::vector<Command> commands_;
  std::vector<SmppLink*> touched_;  // to be flushed
  std::vector<Slot> slots_;
  bool draining_ = false;
  std::function<void()> drained_;

  std::mutex lifecycle_;
  std::thread thread_;
  bool stopped_ = false;
};

// --- the public face ----------------------------------------------------------------------------

Carriers::Carriers(const seal::Vault& vault, Deliver deliver, Log log, Options options)
    : impl_(std::make_unique<Impl>(vault, std::move(deliver), std::move(log), options)) {}
Carriers::~Carriers() { stop(); }

void Carriers::apply(std::vector<config::Carrier> carriers, std::vector<Inbox> numbers, Tls tls) {
  impl_->apply(std::move(carriers), std::move(numbers), std::move(tls));
}
void Carriers::trace(const std::string& carrier, std::shared_ptr<const wire::PeerTrace> trace) {
  impl_->trace(carrier, std::move(trace));
}
void Carriers::start() { impl_->start(); }
void Carriers::send(std::vector<Command>& commands) { impl_->send(commands); }
void Carriers::drain(base::Duration patience, std::function<void()> done) {
  impl_->drain(patience, std::move(done));
}
void Carriers::stop() { impl_->stop(); }
std::vector<LinkStats> Carriers::stats() const { return impl_->stats(); }

}  // namespace trunkline::carrier
