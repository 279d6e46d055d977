#include "trunkline/live_config.h"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <thread>

#include "base/assert.h"
#include "cells/copy.h"
#include "cells/leader.h"
#include "config/shared.h"
#include "io/clock.h"
#include "service/tls_files.h"
#include "telemetry/log.h"
#include "trunkline/exit_code.h"

namespace trunkline::cli {
namespace {

using namespace std::chrono_literals;

// Cells that are started together find each other; a supervisor is told soon.
constexpr auto kFirstAnswer = 30s;
constexpr auto kAskAgain = 500ms;
constexpr auto kAtReload = 5s;
constexpr std::size_t kErrorsTold = 3;

bool is_error(const config::Finding& finding) {
  return finding.severity == config::Finding::Severity::error;
}

// Signals are blocked for all threads, and read later.
bool is_told_to_stop() {
  sigset_t pending;
  sigpending(&pending);
  return sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1;
}

std::expected<config::SharedFiles, std::string> ask_for(const config::Following& following,
                                                        base::Duration at_most) {
  const base::Mono until = io::mono_now() + at_most;
  while (true) {
    auto told = cells::ask_once(following, std::min<base::Duration>(at_most, kAtReload));
    if (told || io::mono_now() + kAskAgain >= until || is_told_to_stop()) return told;
    std::this_thread::sleep_for(kAskAgain);
  }
}

telemetry::Fields fields_of(const std::string& cell, const std::string& version) {
  return {{"cell", cell}, {"version", version}};
}

}  // namespace

LiveConfig::LiveConfig(std::string path)
    : path_(std::move(path)), offered_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  ASSERT(offered_fd_ >= 0);
}

LiveConfig::~LiveConfig() { ::close(offered_fd_); }

LiveConfig::Loaded LiveConfig::load(const Files& files, const config::Config* previous) {
  config::Loaded loaded = config::load(files, system_secrets(), previous, system_files());
  if (loaded.config) {
    // What it would be refused for later, and said once.
    service::TlsFiles tls = service::read_tls_files(*loaded.config, io::wall_now());
    if (!tls.good()) {
      loaded.config.reset();
      std::ranges::copy_if(tls.findings, std::back_inserter(loaded.findings), is_error);
    }
  }
  Loaded out{.config = std::move(loaded.config), .why = {}};
  std::size_t errors = 0;
  for (const config::Finding& finding : loaded.findings) {
    std::fprintf(stderr, "%s\n", config::to_text(finding).c_str());
    if (!is_error(finding) || ++errors > kErrorsTold) continue;
    out.why += (out.why.empty() ? "" : "; ") + config::to_text(finding);
  }
  if (errors > kErrorsTold) out.why += fmt::format("; and {} more", errors - kErrorsTold);
  return out;
}

LiveConfig::Loaded LiveConfig::load_taken(const Files& own, const config::Following& following,
                                          const config::SharedFiles& shared,
                                          const config::Config* previous,
                                          std::string& cannot_keep) {
  const std::string& from = following.cells.takes_from;
  Loaded loaded = load(config::with_taken(own, shared.files, from), previous);
  if (!loaded.config) return loaded;
  const auto kept = cells::write_copy(cells::copy_path(following.store_path),
                                      {.cell = from, .taken_at = io::wall_now(), .shared = shared});
  if (!kept) {
    cannot_keep = kept.error();
    loaded = {.config = std::nullopt, .why = kept.error()};
  }
  return loaded;
}

std::expected<config::Config, int> LiveConfig::first() {
  const auto fail = [](int code, const std::string& why) {
    std::fprintf(stderr, "error: %s\n", why.c_str());
    return std::unexpected(code);
  };
  auto own = read_config_files(path_);
  if (!own) return fail(kUsage, own.error());
  own_ = std::move(*own);
  const auto following = config::following(own_, system_secrets());
  if (!following) {
    Loaded loaded = load(own_, nullptr);
    if (!loaded.config) return std::unexpected(kUsage);
    return std::move(*loaded.config);
  }
  const std::string& from = following->cells.takes_from;
  const std::string path = cells::copy_path(following->store_path);
  auto copy = cells::read_copy(path);
  if (!copy) std::fprintf(stderr, "warning: %s\n", copy.error().c_str());
  const bool has_copy = copy && *copy && (*copy)->cell == from;
  if (has_copy) {
    Loaded loaded = load(config::with_taken(own_, (*copy)->shared.files, from), nullptr);
    if (loaded.config) return std::move(*loaded.config);
    std::fprintf(stderr, "what was taken from %s last does not fit; it is asked for another\n",
                 from.c_str());
  }
  const auto shared = ask_for(*following, has_copy ? base::Duration(kAtReload) : kFirstAnswer);
  if (!shared) {
    if (has_copy) return std::unexpected(kUsage);
    return fail(kUnreachable,
                fmt::format("nothing has been taken from cell {} yet, and it does not tell: {}; "
                            "start it first, or copy the file STORE.shared of another cell that "
                            "follows it to {}",
                            from, shared.error(), path));
  }
  if (has_copy && shared->version == (*copy)->shared.version) return std::unexpected(kUsage);
  std::string cannot_keep;
  Loaded loaded = load_taken(own_, *following, *shared, nullptr, cannot_keep);
  if (!cannot_keep.empty()) return fail(kStore, cannot_keep);
  if (!loaded.config) return std::unexpected(kUsage);
  telemetry::log_info("configuration_taken", "checked and kept", fields_of(from, shared->version));
  return std::move(*loaded.config);
}

cells::TakeEnd LiveConfig::put_in_force(service::Gateway& gateway, Loaded loaded,
                                        const std::shared_ptr<const config::Config>& running) {
  using Kind = cells::TakeEnd::Kind;
  if (!loaded.config) return {.kind = Kind::refused, .why = std::move(loaded.why)};
  const auto done = gateway.reload(std::move(*loaded.config), running);
  if (!done) {
    telemetry::log_error("reload_refused", done.error());
    return {.kind = Kind::failed, .why = done.error()};
  }
  if (*done == service::Gateway::Reloaded::on_its_way) {
    telemetry::log_warning("reload_late",
                           "the engine waits for the disk; the new configuration comes into force "
                           "when it goes on, and no other is taken before");
  } else {
    telemetry::log_info("reloaded", "the new configuration is in force");
  }
  return {.kind = Kind::taken, .why = {}};
}

void LiveConfig::reload(service::Gateway& gateway) {
  using Kind = cells::TakeEnd::Kind;
  for (const Offer& offer : take_offers()) offer.end({.kind = Kind::failed, .why = "not yet"});
  const auto running = gateway.config();
  const auto refuse = [](const std::string& why) { telemetry::log_error("reload_refused", why); };
  auto own = read_config_files(path_);
  if (!own) return refuse(own.error() + "; the running configuration stays in force");
  const auto following = config::following(*own, system_secrets());
  std::optional<cells::Copy> copy;
  if (following) {
    const std::string& from = following->cells.takes_from;
    auto kept = cells::read_copy(cells::copy_path(following->store_path));
    if (!kept) telemetry::log_warning("configuration_copy", kept.error());
    if (kept && *kept && (*kept)->cell == from) copy = std::move(*kept);
    const auto shared = ask_for(*following, kAtReload);
    if (!shared && !copy) {
      return refuse(fmt::format(
          "nothing has been taken from cell {} yet, and it does not answer: {}; the running "
          "configuration stays in force",
          from, shared.error()));
    }
    if (shared && (!copy || shared->version != copy->shared.version)) {
      std::string cannot_keep;
      Loaded loaded = load_taken(*own, *following, *shared, running.get(), cannot_keep);
      const std::string why = loaded.why;
      if (loaded.config) {
        if (put_in_force(gateway, std::move(loaded), running).kind == Kind::taken) {
          own_ = std::move(*own);
          telemetry::log_info("configuration_taken", "it is in force",
                              fields_of(from, shared->version));
        }
        return;
      }
      telemetry::log_error("configuration_refused", why, fields_of(from, shared->version));
      gateway.configuration_refused(shared->version, why);
      if (!copy)
        return refuse("the configuration of " + from +
                      " does not fit; the running one stays in force");
    }
  }
  const Files files = copy ? config::with_taken(*own, copy->shared.files, copy->cell) : *own;
  Loaded loaded = load(files, running.get());
  if (!loaded.config) {
    return refuse("the configuration has errors, and the running one stays in force: " +
                  loaded.why);
  }
  if (put_in_force(gateway, std::move(loaded), running).kind == Kind::taken) own_ = std::move(*own);
}

void LiveConfig::offer(const std::string& from, config::SharedFiles files,
                       cells::Backend::TakeEnded end) {
  {
    const std::lock_guard lock(mutex_);
    offers_.push_back({from, std::move(files), std::move(end)});
    const std::uint64_t one = 1;
    const ssize_t put = ::write(offered_fd_, &one, sizeof one);
    ASSERT(put == sizeof one);
  }
}

std::deque<LiveConfig::Offer> LiveConfig::take_offers() {
  std::uint64_t count = 0;
  std::deque<Offer> offers;
  const std::lock_guard lock(mutex_);
  if (::read(offered_fd_, &count, sizeof count) > 0) offers.swap(offers_);
  return offers;
}

void LiveConfig::take(service::Gateway& gateway) {
  for (const Offer& offer : take_offers()) offer.end(take(gateway, offer));
}

cells::TakeEnd LiveConfig::take(service::Gateway& gateway, const Offer& offer) {
  using Kind = cells::TakeEnd::Kind;
  const auto running = gateway.config();
  const auto following = config::following(own_, system_secrets());
  if (!following || following->cells.takes_from != offer.from) {
    return {.kind = Kind::failed, .why = "it is not followed any more"};
  }
  const auto fields = fields_of(offer.from, offer.files.version);
  std::string cannot_keep;
  Loaded loaded = load_taken(own_, *following, offer.files, running.get(), cannot_keep);
  if (!cannot_keep.empty()) {
    telemetry::log_error("configuration_not_kept", cannot_keep, fields);
    return {.kind = Kind::failed, .why = cannot_keep};
  }
  cells::TakeEnd end = put_in_force(gateway, std::move(loaded), running);
  if (end.kind == Kind::taken) {
    telemetry::log_info("configuration_taken", "it is in force", fields);
  } else if (end.kind == Kind::refused) {
    telemetry::log_error("configuration_refused", end.why, fields);
  }
  return end;
}

}  // namespace trunkline::cli
