// The configuration of a gateway that runs: its own files, and those it takes from another cell.
// Whatever changes, both are checked together; what was taken is kept beside the store before it is
// in force, so that a restart does without that cell.
//
// Threads: one, but offer().
#pragma once

#include <deque>
#include <expected>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "cells/cells.h"
#include "config/config.h"
#include "service/gateway.h"
#include "trunkline/config_files.h"

namespace trunkline::cli {

class LiveConfig {
 public:
  explicit LiveConfig(std::string path);
  ~LiveConfig();
  LiveConfig(const LiveConfig&) = delete;
  LiveConfig& operator=(const LiveConfig&) = delete;

  // For the start; findings are printed. A cell that has taken nothing yet asks, and waits for the
  // other one. The error is an exit code, after its reason was printed.
  std::expected<config::Config, int> first();
  // The same of the files as they are now, put in force; the log says what came of it. What was
  // offered before is older, and not taken.
  void reload(service::Gateway& gateway);

  // Any thread: for take().
  void offer(const std::string& from, config::SharedFiles files, cells::Backend::TakeEnded end);
  int offered_fd() const { return offered_fd_; }  // readable while something is
  // What was offered, with the own files as they were when they came into force: what somebody is
  // writing there at present is not put in force with it.
  void take(service::Gateway& gateway);

 private:
  struct Offer {
    std::string from;
    config::SharedFiles files;
    cells::Backend::TakeEnded end;
  };
  struct Loaded {
    std::optional<config::Config> config;
    std::string why;  // there is none: the first errors
  };
  using Files = std::vector<config::SourceFile>;

  static Loaded load(const Files& files, const config::Config* previous);
  // Checked together, and kept.
  Loaded load_taken(const Files& own, const config::Following& following,
                    const config::SharedFiles& shared, const config::Config* previous,
                    std::string& cannot_keep);
  cells::TakeEnd put_in_force(service::Gateway& gateway, Loaded loaded,
                              const std::shared_ptr<const config::Config>& running);
  cells::TakeEnd take(service::Gateway& gateway, const Offer& offer);
  std::deque<Offer> take_offers();

  const std::string path_;
  Files own_;  // that are in force
  const int offered_fd_;
  std::mutex mutex_;
  std::deque<Offer> offers_;
};

}  // namespace trunkline::cli
