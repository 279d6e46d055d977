// One bind to a carrier, kept up: connects, binds, submits, hands receipts on, and when it is lost
// tells the fate of every submit and connects again.
//
// One thread: that of the io_context. Held by shared_ptr; its timers hold weak ones.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/time.h"
#include "carrier/backoff.h"
#include "carrier/carriers.h"
#include "carrier/event_batch.h"
#include "carrier/flights.h"
#include "carrier/log.h"
#include "carrier/stats.h"
#include "config/config.h"
#include "seal/vault.h"
#include "smpp/receipt.h"
#include "wire/smpp_connection.h"

namespace trunkline::carrier {

class SmppLink;

// What the links of the process share.
struct LinkContext {
  boost::asio::io_context& io;
  const seal::Vault& vault;
  EventBatch& events;
  const Log& log;
  const Options& options;
  std::mt19937_64 random;
  // The connections that stand, by serial number: the upper half of a receipt's token. Never
  // reused, so that an acknowledgement for a connection that is gone finds nobody.
  std::unordered_map<std::uint32_t, SmppLink*> connections;
  std::uint32_t last_serial = 0;
  std::unordered_map<std::string, Inbox> inboxes{};  // by digits
  Carriers::Tls tls{};
  // By carrier: who looks on.
  std::unordered_map<std::string, std::shared_ptr<const wire::PeerTrace>> traces{};
};

class SmppLink final : public std::enable_shared_from_this<SmppLink>,
                       private wire::SmppConnection::Owner {
 public:
  // `on_stopped` is called once, after end() or stop(), when the last event of the link is in the
  // batch; it may destroy other things but not the link.
  SmppLink(LinkContext& context, message::CarrierIndex carrier, std::uint16_t link,
           smpp::BindKind kind, const config::Carrier& config, std::function<void()> on_stopped);
  ~SmppLink() override;
  SmppLink(const SmppLink&) = delete;
  SmppLink& operator=(const SmppLink&) = delete;

  void start();
  // Queues its segments, or answers them at once; flush() writes.
  void submit(const engine::Submit& submit, base::Mono now);
  // `sequence`: the lower half of the receipt's token.
  void acknowledge(std::uint32_t sequence, base::Mono now);
  void flush(base::Mono now);

  // Takes no new submit, waits for what is out until `deadline`, unbinds.
  void end(base::Mono deadline);
  void stop();  // at once

  // What needs no new connection: the next submit, answer or receipt is the first it concerns.
  void adopt(const config::Carrier& config) {
    config_.smpp.default_sender = config.smpp.default_sender;
    config_.smpp.options = config.smpp.options;
  }
  // Null: nobody looks on any more.
  void trace(std::shared_ptr<const wire::PeerTrace> trace) {
    if (connection_) connection_->trace(std::move(trace), std::to_string(link_));
  }
  bool is_stopped() const { return state_ == LinkState::stopped; }
  LinkStats stats(base::Mono now) const;

  bool touched = false;  // the caller's own mark: flush() is due

 private:
  // What is to happen when the connection has ended.
  enum class Then : std::uint8_t { reconnect, stop };

  void connect();
  void on_connected(base::Mono now) override;
  void on_session_event(smpp::SessionEvent event, base::Mono now) override;
  void on_closed(smpp::CloseReason reason, const std::string& why,
                 std::vector<smpp::Unanswered> unanswered, base::Mono now) override;
  void on_pumped() override;

  bool is_bound() const {
    return state_ == LinkState::bound && connection_ && connection_->is_connected();
  }
  void on_bound(const smpp::Bound& bound, base::Mono now);
  void on_bind_refused(const smpp::BindRefused& refused);
  void on_response(const smpp::Response& response, base::Mono now);
  void on_inbound(const smpp::InboundRequest& request, base::Mono now);
  void on_inbound(std::uint32_t sequence, const smpp::DeliverSm& pdu, base::Mono now);
  void on_receipt(std::uint32_t sequence, const smpp::DeliverSm& pdu, const smpp::Receipt& receipt,
                  base::Mono now);
  void answer_inbound(std::uint32_t sequence, std::uint32_t status, base::Mono now);
  void on_message(std::uint32_t sequence, const smpp::DeliverSm& pdu, base::Mono now);
  void on_alert(const smpp::AlertNotification& alert, base::Mono now);
  void refuse_inbound(std::uint32_t sequence, std::uint32_t status, base::Mono now);
  void warn_of_settings(std::uint32_t status, base::Mono now);
  void tell_unmapped(std::uint32_t status, base::Mono now);

  void send_segment(const engine::Submit& submit, std::uint8_t segment, const smpp::Pdu& pdu,
                    base::Mono now);
  void report_all(const engine::Submit& submit, const message::Outcome& outcome);
  void report(const engine::AttemptRef& ref, std::uint8_t segment, base::Mono written_at,
              message::Outcome outcome);
  void announce(std::uint32_t window);

  void begin_ending(base::Mono deadline, Then then);
  void unbind_by(base::Mono deadline);
  void unbind_when_idle(base::Mono now);
  void reconnect_later(smpp::CloseReason reason, base::Mono now);
  void become_stopped();
  void log(LogLevel level, std::string_view event, std::string text) const;
  std::string remedy(std::uint32_t status) const;

  LinkContext& context_;
  const message::CarrierIndex carrier_;
  const std::uint16_t link_;
  const smpp::BindKind kind_;
  config::Carrier config_;
  std::function<void()> on_stopped_;

  LinkState state_ = LinkState::waiting;
  Then then_ = Then::reconnect;
  std::shared_ptr<wire::SmppConnection> connection_;
  boost::asio::steady_timer timer_;  // reconnect, or the deadline of ending
  std::uint32_t serial_ = 0;         // of the connection
  Flights flights_;
  // Of the requests not yet answered, those that came as data_sm.
  std::unordered_set<std::uint32_t> data_sms_;
  Backoff backoff_;
  Backoff refused_backoff_;
  bool settings_refused_ = false;  // the bind was refused for a cause that only people can mend
  base::Mono bound_at_{};
  std::optional<std::uint32_t> announced_;  // window; none: the engine thinks that the link is down
  base::Mono silent_since_{};               // last answer, or the first submit after none was out
  base::Mono unbind_at_{};                  // while ending: at the latest
  base::Mono next_inbound_log_{};
  std::uint64_t inbound_not_logged_ = 0;
  base::Mono next_alert_log_{};
  std::uint64_t alerts_not_logged_ = 0;
  base::Mono next_failure_log_{};
  base::Mono next_settings_log_{};
  std::map<std::uint32_t, base::Mono> next_unmapped_log_;  // by status
  std::string last_error_;
  LinkCounters counters_;
};

}  // namespace trunkline::carrier
