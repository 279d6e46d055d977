// The adapter to the carriers: every SMPP link of the process, on one thread of its own.
//
//   engine -- Submit, ReceiptAck --> send()      deliver(batch) -- LinkUp, LinkDown, SubmitResult,
//                                                                  Receipt --> engine
//
// Every Submit is answered by one SubmitResult for each segment of its set, in any order, whatever
// happens: answered, timed out, link lost, link unknown, payload unreadable, process draining.
// After `in_doubt` a second one may follow, with `late` set. Outcomes keep apart what decides
// whether a message may be sent again (promise P2):
//   not_sent  not one octet was taken by the socket: refused here, withdrawn because its TTL was
//             over, or still queued when the link died
//   in_doubt  at least one octet may have left
// A Receipt is answered to the carrier (deliver_sm_resp) only when its token comes back in a
// ReceiptAck, that is once it is durable (P1). If the connection is gone by then nothing is
// answered, and the carrier will send it again.
//
// A LinkUp may come again with another window, see engine::LinkUp.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <variant>
#include <vector>

#include "base/time.h"
#include "carrier/log.h"
#include "carrier/stats.h"
#include "config/config.h"
#include "engine/event.h"
#include "seal/vault.h"
#include "telemetry/metrics.h"
#include "wire/peer_trace.h"
#include "wire/tls_context.h"

namespace trunkline::carrier {

using Command = std::variant<engine::Submit, engine::ReceiptAck>;

struct Options {
  // A refused bind whose cause is the configuration (password, system_id, ...) is tried again at
  // this pace, doubling, not at the carrier's `reconnect`: carriers lock accounts that hammer.
  base::Duration refused_first = std::chrono::seconds(5);
  base::Duration refused_max = std::chrono::seconds(60);
  // A link that stood this long starts with a short delay again when it is lost.
  base::Duration stable_after = std::chrono::seconds(10);
  // An unbind that is not answered.
  base::Duration unbind_grace = std::chrono::seconds(2);
  // For the jitter of reconnects; 0: from the system.
  std::uint64_t seed = 0;
  telemetry::Metrics* metrics = nullptr;  // outlives the carriers; null: nothing is counted
};

// Where messages from phones to one number of ours go.
struct Inbox {
  std::string digits;  // without "+"
  message::TenantIndex tenant;
  std::string tenant_name;  // what the text is sealed for
  std::string account;
};

class Carriers {
 public:
  // Takes what is in the vector and leaves it empty or in any valid state. Called by the carriers'
  // thread, at most once an iteration of its loop; must not block.
  using Deliver = std::function<void(std::vector<engine::Event>&)>;

  // `vault` must outlive this. No thread and no connection before start().
  Carriers(const seal::Vault& vault, Deliver deliver, Log log, Options options = {});
  ~Carriers();  // stop()
  Carriers(const Carriers&) = delete;
  Carriers& operator=(const Carriers&) = delete;

  // By CarrierIndex; null: without TLS.
  using Tls = std::vector<std::shared_ptr<const wire::TlsContext>>;

  // Any thread, before start() too. `carriers` by CarrierIndex, an empty host = none there. A
  // carrier whose settings did not change keeps its sessions; a changed or removed one finishes
  // what is out, unbinds, and is then connected anew. Must follow the engine's Reload.
  // `numbers`: whose messages from phones are taken, and for whom. `tls`: of the carriers whose
  // settings ask for it; in force for connections from now on.
  void apply(std::vector<config::Carrier> carriers, std::vector<Inbox> numbers = {}, Tls tls = {});

  void start();

  // Any thread. Takes everything, `commands` is empty afterwards. One call is one wake-up, and the
  // submits in it for one link leave in one write.
  void send(std::vector<Command>& commands);

  // Any thread, once. Takes no new submits, waits at most `patience` for answers and for the
  // acknowledgements of receipts, unbinds, closes. `done` is called by the carriers' thread after
  // the last event was delivered.
  void drain(base::Duration patience, std::function<void()> done);

  // Closes what is still open, at once; what is out is answered in_doubt. No event is delivered
  // after it returns. Not from the carriers' thread.
  void stop();

  // Any thread. Shows the PDUs of the carrier's links, those to come included, until it is told
  // with null. One at a time for each carrier.
  void trace(const std::string& carrier, std::shared_ptr<const wire::PeerTrace> trace);

  // Any thread but the carriers'. Waits for the carriers' thread to answer: well under a
  // millisecond unless it is busy.
  std::vector<LinkStats> stats() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace trunkline::carrier
