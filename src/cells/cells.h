// What is the same in all cells: each pulls from each what it has not heard of yet, and tells
// whoever asks. Nobody leads; an entry is a register that the last writer wins (message/opt_out.h),
// so it does not matter who is heard first, how often, or over whom.
//
// A peer's changes are asked for from the last one that is durable here, in one request after the
// other, each of which waits there until something is new. What is new here in that way is told
// onward as any change; what is known already changes nothing, and is not told again.
//
// The configuration is another matter: of that one cell leads. Those that follow ask it in the same
// way for the files that it shares, by their version, and hand them to who checks them and puts
// them in force; what was refused is not asked for again until it changes there.
//
// Threads: one a peer asks, one for the configuration, one answers. The rest from any.
#pragma once

#include <condition_variable>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/time.h"
#include "cells/line.h"
#include "cells/wire.h"
#include "config/config.h"
#include "config/shared.h"
#include "engine/event.h"
#include "io/http_client.h"
#include "seal/shared_box.h"
#include "seal/vault.h"
#include "store/store.h"
#include "telemetry/metrics.h"

namespace trunkline::cells {

// What became of a configuration that was offered.
struct TakeEnd {
  enum class Kind : std::uint8_t {
    taken,    // it is in force
    refused,  // it has errors, together with this cell's own
    failed,   // not now: it is offered again
  } kind = Kind::failed;
  std::string why;  // if it was not taken
};

// service/ implements it.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual store::Store& store() = 0;
  virtual seal::Vault& vault() = 0;
  virtual telemetry::Metrics& metrics() = 0;
  // `end` is called once, on any thread, when it is durable; null: the store failed. False: it
  // cannot be taken now, and `end` is not called.
  using OptOutsEnd = std::function<void(const engine::ChangeOptOutsAnswer*)>;
  virtual bool change_opt_outs(engine::ChangeOptOuts change, OptOutsEnd end) = 0;
  // `from` shares this. `end` is called once at most, on any thread; it may be called before this
  // returns. Putting it in force may stop the one who offers: nobody who is to end waits for that.
  using TakeEnded = std::function<void(TakeEnd)>;
  virtual void offer_configuration(const std::string& from, config::SharedFiles files,
                                   TakeEnded end) = 0;
};

class Cells {
 public:
  // Requests of peers that wait; more are refused.
  static constexpr std::size_t kWaitingMax = 64;

  // `latest`: the change that is durable. `backend` outlives it.
  Cells(config::Cells settings, std::string cell, std::uint64_t latest, Backend& backend);
  // Before start(), and whenever another configuration is in force: what it shares, and what was
  // taken for it.
  void configured(std::shared_ptr<const config::SharedFiles> shared, std::string taken_version);
  // The same version was refused elsewhere: it need not be offered.
  void refused(const std::string& version, const std::string& why);
  ~Cells();  // stop()
  Cells(const Cells&) = delete;
  Cells& operator=(const Cells&) = delete;

  const config::Cells& settings() const { return settings_; }
  void start();
  // Asks nobody any more, answers all that wait, joins. Twice is fine.
  void stop();

  // A peer asks. `respond` is called once, on any thread: 200 with a box, or another status with a
  // sentence.
  using Respond = std::function<void(int status, std::string body)>;
  void pull(std::string_view body, Respond respond);
  // The same, for the configuration.
  void question(std::string_view body, Respond respond);
  // All changes up to this one are durable.
  void changed(std::uint64_t latest);

  // {"cell","change","peers":[{"cell","url","heard_at","change","behind","error","error_at"}],
  //  "asked_by":[{"cell","at","change"}],
  //  "shares":null|{"version","files":[],"asked_by":[{"cell","at","version"}]},
  //  "takes":null|{"from","version","offered","heard_at","error","error_at"}};
  // `change`: how far the peer's are known here, or ours there; `version`: in force here, or there
  std::string status_json() const;
  void refresh_gauges() const;

 private:
  struct Peer {
    config::CellPeer settings;
    // Guarded by mutex_.
    std::string instance;
    std::uint64_t after = 0;
    std::uint64_t latest = 0;
    std::optional<base::Wall> heard_at;
    std::string error;  // empty: the last request went well
    std::optional<base::Wall> error_at;
    std::thread thread;
  };
  struct Waiting {
    Pull pull;
    std::string name;  // of the pull's box
    base::Mono until{};
    Respond respond;
  };
  struct WaitingQuestion {
    Question question;
    std::string name;
    base::Mono until{};
    Respond respond;
  };
  struct Asker {
    std::string cell;
    base::Wall at{};
    std::uint64_t after = 0;
    std::string version;  // of a question
  };

  void run_peer(Peer& peer);
  std::expected<void, std::string> ask(Peer& peer, Line& line);
  std::expected<void, std::string> take(Peer& peer, const Told& told);
  std::expected<engine::ChangeOptOutsAnswer, std::string> commit(engine::ChangeOptOuts&& change);
  void load_cursor(Peer& peer);
  bool know_instance();
  void run_follower();
  // False: to be offered again.
  bool offer(config::SharedFiles files);
  void heard_leader(const std::expected<config::SharedFiles, std::string>& told);
  void run_answers();
  void answer(const Waiting& waiting);
  void answer(const WaitingQuestion& waiting);
  // The box of who asks, opened; none: it has been answered.
  std::optional<std::string> open(std::string_view body, std::string_view context,
                                  const Respond& respond);
  static Asker* asker(std::vector<Asker>& askers, const std::string& cell);
  bool pause(base::Duration length);

  const config::Cells settings_;
  const std::string cell_;
  Backend& backend_;
  const seal::SharedBox box_;
  io::HttpInterrupt interrupt_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopped_ = false;
  std::string instance_;  // of this store; empty: not known yet
  std::uint64_t latest_;
  std::vector<std::unique_ptr<Peer>> peers_;
  std::vector<Waiting> waiting_;
  std::vector<Asker> askers_;  // by name
  std::shared_ptr<const config::SharedFiles> shared_;
  std::vector<WaitingQuestion> questions_;
  std::vector<Asker> config_askers_;
  // Of the configuration that is taken. What is told of it: the refusal, else why it is not heard.
  std::string in_force_;
  std::string offered_;
  std::string settled_;  // the version that need not be offered again
  std::optional<base::Wall> leader_heard_at_;
  std::string leader_error_;
  std::optional<base::Wall> leader_error_at_;
  std::string refusal_;
  std::optional<base::Wall> refusal_at_;
  std::thread follower_;
  base::Mono refused_logged_{};
  std::thread answers_;
};

}  // namespace trunkline::cells
