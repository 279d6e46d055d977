#include "cells/cells.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <charconv>

#include "base/json_writer.h"
#include "cells/leader.h"
#include "io/clock.h"
#include "telemetry/log.h"

namespace trunkline::cells {
namespace {

using namespace std::chrono_literals;

constexpr auto kWait = 10s;          // at a peer, for something new
constexpr auto kAtMost = 30s;        // of one request, the wait included
constexpr auto kFirstPause = 200ms;  // after a failure, doubling
constexpr auto kLongestPause = 2s;
constexpr auto kLookEvery = 500ms;  // for waits that are over
constexpr auto kLogRefusedEvery = 60s;
constexpr std::size_t kAskersMax = 100;
constexpr std::string_view kPullContext = "pull";
constexpr std::string_view kQuestionContext = "configuration";
constexpr std::string_view kOwnInstance = "";  // where peers have their cursors

}  // namespace

Cells::Cells(config::Cells settings, std::string cell, std::uint64_t latest, Backend& backend)
    : settings_(std::move(settings)),
      cell_(std::move(cell)),
      backend_(backend),
      box_(settings_.secret, kPurpose),
      latest_(latest) {
  for (const config::CellPeer& one : settings_.peers) {
    peers_.push_back(std::make_unique<Peer>());
    peers_.back()->settings = one;
  }
}

Cells::~Cells() { stop(); }

void Cells::start() {
  answers_ = std::thread([this] { run_answers(); });
  for (const auto& peer : peers_) {
    peer->thread = std::thread([this, one = peer.get()] { run_peer(*one); });
  }
  if (!settings_.takes_from.empty()) follower_ = std::thread([this] { run_follower(); });
}

void Cells::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  wake_.notify_all();
  interrupt_.raise();
  for (const auto& peer : peers_) {
    if (peer->thread.joinable()) peer->thread.join();
  }
  if (follower_.joinable()) follower_.join();
  if (answers_.joinable()) answers_.join();
}

// False: it is to stop.
bool Cells::pause(base::Duration length) {
  std::unique_lock lock(mutex_);
  return !wake_.wait_for(lock, length, [&] { return stopped_; });
}

// --- asking --------------------------------------------------------------------------------------

void Cells::load_cursor(Peer& peer) {
  const auto found = backend_.store().peer_cursor(peer.settings.name);
  if (!found) return;
  const std::size_t slash = found->find('/');
  std::uint64_t after = 0;
  if (slash == std::string::npos) return;
  const char* first = found->data() + slash + 1;
  const char* last = found->data() + found->size();
  if (std::from_chars(first, last, after).ptr != last) return;
  const std::lock_guard lock(mutex_);
  peer.instance = found->substr(0, slash);
  peer.after = after;
}

void Cells::run_peer(Peer& peer) {
  pthread_setname_np(pthread_self(), "cells");
  using telemetry::Metric;
  load_cursor(peer);
  Line line(peer.settings, box_, &interrupt_, kAtMost);
  base::Duration next_pause = kFirstPause;
  bool failing = false;
  while (true) {
    const base::Mono began = io::mono_now();
    const std::uint64_t before = peer.after;
    auto done = ask(peer, line);
    {
      const std::lock_guard lock(mutex_);
      if (stopped_) return;
      if (done) {
        peer.heard_at = io::wall_now();
        peer.error.clear();
      } else {
        peer.error = done.error();
        peer.error_at = io::wall_now();
      }
    }
    backend_.metrics()
        .counter(Metric::cell_pulls, {peer.settings.name, done ? "heard" : "failed"})
        ->add();
    const auto fields = telemetry::Fields{{"cell", peer.settings.name}};
    if (done) {
      if (failing) telemetry::log_info("cell_heard", "it answers again", fields);
      failing = false;
      next_pause = kFirstPause;
      // It did not wait for anything new: whatever is wrong there, it is not asked all the time.
      const bool idle = peer.after == before && io::mono_now() - began < kFirstPause;
      if (idle && !pause(kFirstPause)) return;
      continue;
    }
    if (!failing) telemetry::log_warning("cell_not_heard", done.error(), fields);
    failing = true;
    if (!pause(next_pause)) return;
    next_pause = std::min<base::Duration>(2 * next_pause, kLongestPause);
  }
}

std::expected<void, std::string> Cells::ask(Peer& peer, Line& line) {
  Pull pull{.cell = cell_, .wait_ms = static_cast<std::uint32_t>(kWait / 1ms)};
  {
    const std::lock_guard lock(mutex_);
    pull.instance = peer.instance;
    pull.after = peer.after;
  }
  const auto plain = line.ask(kPullPath, encode(pull), kPullContext, kToldBytesMax);
  if (!plain) return std::unexpected(plain.error());
  const auto told = decode_told(*plain);
  if (!told) return std::unexpected(told.error());
  if (told->cell != peer.settings.name) {
    return std::unexpected(
        fmt::format("the cell at {} calls itself {}, not {}: correct cells.peers "
                    "here or node.cell there",
                    url_of(peer.settings), told->cell, peer.settings.name));
  }
  return take(peer, *told);
}

// Returns when it is durable.
std::expected<engine::ChangeOptOutsAnswer, std::string> Cells::commit(
    engine::ChangeOptOuts&& change) {
  // Whoever ends it may do so after this has given up.
  struct End {
    std::mutex mutex;
    std::condition_variable ended;
    bool is_over = false;
    std::optional<engine::ChangeOptOutsAnswer> answer;
  };
  const auto end = std::make_shared<End>();
  const bool taken =
      backend_.change_opt_outs(std::move(change), [end](const engine::ChangeOptOutsAnswer* answer) {
        const std::lock_guard lock(end->mutex);
        end->is_over = true;
        if (answer != nullptr) end->answer = *answer;
        end->ended.notify_all();
      });
  if (!taken) return std::unexpected("this gateway takes nothing at present");
  std::unique_lock lock(end->mutex);
  while (!end->ended.wait_for(lock, 100ms, [&] { return end->is_over; })) {
    const std::lock_guard own(mutex_);
    if (stopped_) return std::unexpected("stopped");
  }
  if (!end->answer) return std::unexpected("the store of this gateway failed");
  return *end->answer;
}

// Returns when what was told is durable here.
std::expected<void, std::string> Cells::take(Peer& peer, const Told& told) {
  bool moved = !told.entries.empty();
  {
    const std::lock_guard lock(mutex_);
    moved = moved || peer.instance != told.instance || peer.after != told.next;
  }
  if (moved) {
    const seal::Vault& vault = backend_.vault();
    const base::Wall now = io::wall_now();
    engine::ChangeOptOuts change{.own = false};
    for (const Entry& entry : told.entries) {
      const std::uint64_t to_hash = vault.number_hash(entry.digits);
      change.entries.push_back(
          {.tenant = entry.tenant,
           .sender = entry.sender,
           .to_hash = to_hash,
           .out = entry.out,
           .at = entry.at,
           .cell = entry.cell,
           .by = entry.by,
           .sealed = vault.seal(seal::KeyKind::month, entry.tenant, to_hash, now,
                                std::to_string(entry.digits), message::kOptOutContext)});
    }
    change.cursor =
        message::PeerCursor{peer.settings.name, fmt::format("{}/{}", told.instance, told.next)};
    const auto answer = commit(std::move(change));
    if (!answer) return std::unexpected(answer.error());
    if (answer->kind == engine::ChangeOptOutsAnswer::Kind::full) {
      return std::unexpected("this gateway keeps no more opt-outs");
    }
  }
  const std::lock_guard lock(mutex_);
  peer.instance = told.instance;
  peer.after = told.next;
  peer.latest = told.latest;
  return {};
}

// What tells this store from all others, also from one that is begun anew in its place: whoever has
// heard of that one must begin anew, too. False: it is to stop.
bool Cells::know_instance() {
  while (true) {
    const auto kept = backend_.store().peer_cursor(kOwnInstance);
    std::string instance = kept ? *kept : std::string();
    if (kept && instance.empty()) {
      const std::string random = box_.seal("", "");
      for (const char c : seal::SharedBox::name(random).substr(1, 12)) {
        instance += fmt::format("{:02x}", static_cast<unsigned char>(c));
      }
      engine::ChangeOptOuts change{.own = false};
      change.cursor = message::PeerCursor{std::string(kOwnInstance), instance};
      if (!commit(std::move(change))) instance.clear();
    }
    if (!instance.empty()) {
      const std::lock_guard lock(mutex_);
      instance_ = instance;
      return true;
    }
    if (!pause(kLongestPause)) return false;
  }
}

// --- following -----------------------------------------------------------------------------------

void Cells::configured(std::shared_ptr<const config::SharedFiles> shared,
                       std::string taken_version) {
  {
    const std::lock_guard lock(mutex_);
    shared_ = std::move(shared);
    in_force_ = std::move(taken_version);
    if (offered_.empty() || offered_ == in_force_) {
      offered_ = settled_ = in_force_;
      refusal_.clear();
    } else if (refusal_.empty()) {
      settled_ = in_force_;  // what was offered is to be offered once more
    }
  }
  wake_.notify_all();
}

void Cells::refused(const std::string& version, const std::string& why) {
  const std::lock_guard lock(mutex_);
  offered_ = settled_ = version;
  refusal_ = why;
  refusal_at_ = io::wall_now();
}

void Cells::heard_leader(const std::expected<config::SharedFiles, std::string>& told) {
  const auto fields = telemetry::Fields{{"cell", settings_.takes_from}};
  const std::lock_guard lock(mutex_);
  if (told) {
    if (!leader_error_.empty()) {
      telemetry::log_info("configuration_heard", "it tells its configuration again", fields);
    }
    leader_error_.clear();
    leader_heard_at_ = io::wall_now();
    return;
  }
  if (stopped_) return;
  if (leader_error_ != told.error()) {
    telemetry::log_warning("configuration_not_heard", told.error(), fields);
  }
  leader_error_ = told.error();
  leader_error_at_ = io::wall_now();
}

void Cells::run_follower() {
  pthread_setname_np(pthread_self(), "cells");
  const config::Following following{.cells = settings_, .cell = cell_, .store_path = {}};
  Leader leader(following, box_, &interrupt_, kAtMost);
  base::Duration next_pause = kFirstPause;
  while (true) {
    const base::Mono began = io::mono_now();
    std::string settled;
    {
      const std::lock_guard lock(mutex_);
      settled = settled_;
    }
    auto told = leader.ask(settled, kWait);
    heard_leader(told);
    const bool done = told && (told->files.empty() || offer(std::move(*told)));
    if (!done) {
      if (!pause(next_pause)) return;
      next_pause = std::min<base::Duration>(2 * next_pause, kLongestPause);
      continue;
    }
    next_pause = kFirstPause;
    if (io::mono_now() - began < kFirstPause && !pause(kFirstPause)) return;
  }
}

bool Cells::offer(config::SharedFiles files) {
  using telemetry::Metric;
  const std::string version = files.version;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return false;
    if (version == settled_) return true;  // while it was asked for
    offered_ = version;
    if (version == in_force_) {
      settled_ = version;
      refusal_.clear();
      return true;
    }
  }
  // Whoever ends it may do so after this has given up.
  struct End {
    std::mutex mutex;
    std::condition_variable ended;
    std::optional<TakeEnd> end;
  };
  const auto end = std::make_shared<End>();
  backend_.offer_configuration(settings_.takes_from, std::move(files), [end](TakeEnd how) {
    const std::lock_guard lock(end->mutex);
    end->end = std::move(how);
    end->ended.notify_all();
  });
  std::unique_lock waits(end->mutex);
  while (!end->ended.wait_for(waits, 100ms, [&] { return end->end.has_value(); })) {
    const std::lock_guard own(mutex_);
    if (stopped_) return false;
  }
  const bool taken = end->end->kind == TakeEnd::Kind::taken;
  const bool refused = end->end->kind == TakeEnd::Kind::refused;
  backend_.metrics()
      .counter(Metric::cell_configurations, {settings_.takes_from, taken     ? "taken"
                                                                   : refused ? "refused"
                                                                             : "failed"})
      ->add();
  const std::lock_guard lock(mutex_);
  if (taken || refused) settled_ = version;
  refusal_ = std::move(end->end->why);
  refusal_at_ = io::wall_now();
  return taken || refused;
}

// --- telling -------------------------------------------------------------------------------------

std::optional<std::string> Cells::open(std::string_view body, std::string_view context,
                                       const Respond& respond) {
  auto plain = box_.open(body, context);
  if (plain) return plain;
  const base::Mono now = io::mono_now();
  bool log = false;
  {
    const std::lock_guard lock(mutex_);
    log = refused_logged_ == base::Mono{} || now - refused_logged_ >= kLogRefusedEvery;
    if (log) refused_logged_ = now;
  }
  if (log) {
    telemetry::log_warning("cell_refused",
                           "somebody who does not know cells.secret asked what cells tell each "
                           "other, and was told nothing");
  }
  respond(401, "the box does not open");
  return std::nullopt;
}

// Who is not known yet is added, while there is room; else null.
Cells::Asker* Cells::asker(std::vector<Asker>& askers, const std::string& cell) {
  const auto found = std::ranges::find(askers, cell, &Asker::cell);
  if (found != askers.end()) return &*found;
  if (askers.size() >= kAskersMax) return nullptr;
  askers.push_back({.cell = cell});
  return &askers.back();
}

void Cells::question(std::string_view body, Respond respond) {
  const auto plain = open(body, kQuestionContext, respond);
  if (!plain) return;
  auto asked = decode_question(*plain);
  if (!asked) return respond(400, asked.error());
  {
    const std::lock_guard lock(mutex_);
    if (!stopped_ && waiting_.size() + questions_.size() < kWaitingMax) {
      if (Asker* const who = asker(config_askers_, asked->cell)) {
        who->at = io::wall_now();
        who->version = asked->have;
      }
      const auto wait = std::min<base::Duration>(std::chrono::milliseconds(asked->wait_ms), kWait);
      questions_.push_back({std::move(*asked), std::string(seal::SharedBox::name(body)),
                            io::mono_now() + wait, std::move(respond)});
      wake_.notify_all();
      return;
    }
  }
  respond(503, "stopping, or too many are asking");
}

void Cells::pull(std::string_view body, Respond respond) {
  const auto plain = open(body, kPullContext, respond);
  if (!plain) return;
  auto asked = decode_pull(*plain);
  if (!asked) return respond(400, asked.error());
  {
    const std::lock_guard lock(mutex_);
    if (!stopped_ && waiting_.size() + questions_.size() < kWaitingMax) {
      if (Asker* const who = asker(askers_, asked->cell)) {
        who->at = io::wall_now();
        who->after = asked->instance == instance_ ? asked->after : 0;
      }
      const auto wait = std::min<base::Duration>(std::chrono::milliseconds(asked->wait_ms), kWait);
      waiting_.push_back({std::move(*asked), std::string(seal::SharedBox::name(body)),
                          io::mono_now() + wait, std::move(respond)});
      wake_.notify_all();
      return;
    }
  }
  respond(503, "stopping, or too many are asking");
}

void Cells::changed(std::uint64_t latest) {
  {
    const std::lock_guard lock(mutex_);
    latest_ = std::max(latest_, latest);
  }
  wake_.notify_all();
}

void Cells::run_answers() {
  pthread_setname_np(pthread_self(), "cells");
  know_instance();
  std::unique_lock lock(mutex_);
  std::uint64_t looked_at = 0;
  while (true) {
    std::vector<Waiting> ready;
    std::vector<WaitingQuestion> questions;
    const base::Mono now = io::mono_now();
    std::erase_if(waiting_, [&](Waiting& one) {
      const bool same = one.pull.instance == instance_ && one.pull.after <= latest_;
      if (!stopped_ && same && one.pull.after == latest_ && now < one.until) return false;
      ready.push_back(std::move(one));
      return true;
    });
    const std::string version = shared_ == nullptr ? std::string() : shared_->version;
    std::erase_if(questions_, [&](WaitingQuestion& one) {
      if (!stopped_ && one.question.have == version && now < one.until) return false;
      questions.push_back(std::move(one));
      return true;
    });
    looked_at = latest_;
    const auto looked_shared = shared_;
    const bool stops = stopped_;
    lock.unlock();
    for (const Waiting& one : ready) answer(one);
    for (const WaitingQuestion& one : questions) answer(one);
    lock.lock();
    const std::size_t count = waiting_.size() + questions_.size();
    if (stops && count == 0) return;
    if (ready.empty() && questions.empty()) {
      wake_.wait_for(lock, count == 0 ? kWait : base::Duration(kLookEvery), [&] {
        return stopped_ || latest_ != looked_at || shared_ != looked_shared ||
               waiting_.size() + questions_.size() != count;
      });
    }
  }
}

void Cells::answer(const WaitingQuestion& waiting) {
  std::shared_ptr<const config::SharedFiles> shared;
  {
    const std::lock_guard lock(mutex_);
    shared = shared_;
  }
  SharedTold told{.cell = cell_};
  if (shared != nullptr && shared->version == waiting.question.have) {
    told.shared.version = shared->version;
  } else if (shared != nullptr) {
    told.shared = *shared;
  }
  waiting.respond(200, box_.seal(encode(told), told_context(waiting.name)));
}

void Cells::answer(const Waiting& waiting) {
  Told told{.cell = cell_};
  std::uint64_t after = waiting.pull.after;
  {
    const std::lock_guard lock(mutex_);
    told.latest = latest_;
    told.instance = instance_;
  }
  if (told.instance.empty()) return waiting.respond(503, "stopping");
  // Another store than the one that it has heard of, or an older state of it.
  if (waiting.pull.instance != told.instance || after > told.latest) after = 0;
  told.next = after;
  const auto changes = backend_.store().opt_out_changes(after, kEntriesMax);
  if (!changes) {
    telemetry::log_error("lookup_failed", changes.error().text);
    return waiting.respond(503, "the store cannot be read");
  }
  for (const store::StoredOptOut& one : *changes) {
    const auto entry = message::decode_opt_out(one.bytes);
    const auto digits = entry ? backend_.vault().open_blob(entry->sealed, message::kOptOutContext)
                              : std::expected<std::string, seal::OpenError>(
                                    std::unexpected(seal::OpenError::malformed));
    told.next = one.change;
    if (!digits) {
      telemetry::log_error("opt_out_unreadable", "an opt-out does not open; it is not told");
      continue;
    }
    Entry out{.out = entry->out,
              .at = entry->at,
              .tenant = entry->tenant,
              .sender = entry->sender,
              .cell = entry->cell,
              .by = entry->by};
    std::from_chars(digits->data(), digits->data() + digits->size(), out.digits);
    told.entries.push_back(std::move(out));
  }
  told.latest = std::max(told.latest, told.next);
  waiting.respond(200, box_.seal(encode(told), told_context(waiting.name)));
}

// --- looking on ----------------------------------------------------------------------------------

std::string Cells::status_json() const {
  const std::lock_guard lock(mutex_);
  std::string text;
  base::JsonWriter out(text);
  const auto time = [&](const std::optional<base::Wall>& at) {
    if (at) {
      out.string(base::format_rfc3339(*at));
    } else {
      out.null();
    }
  };
  out.begin_object();
  out.key("cell").string(cell_);
  out.key("change").integer(static_cast<std::int64_t>(latest_));
  out.key("peers").begin_array();
  for (const auto& peer : peers_) {
    out.begin_object();
    out.key("cell").string(peer->settings.name);
    out.key("url").string("http://" + url_of(peer->settings));
    out.key("heard_at");
    time(peer->heard_at);
    out.key("change").integer(static_cast<std::int64_t>(peer->after));
    out.key("behind").integer(
        static_cast<std::int64_t>(peer->latest - std::min(peer->latest, peer->after)));
    out.key("error").string_or_null(peer->error);
    out.key("error_at");
    time(peer->error_at);
    out.end_object();
  }
  out.end_array().key("asked_by").begin_array();
  for (const Asker& asker : askers_) {
    out.begin_object();
    out.key("cell").string(asker.cell);
    out.key("at");
    time(asker.at);
    out.key("change").integer(static_cast<std::int64_t>(asker.after));
    out.end_object();
  }
  out.end_array().key("shares");
  if (shared_ == nullptr) {
    out.null();
  } else {
    out.begin_object().key("version").string(shared_->version).key("files").begin_array();
    for (const config::SourceFile& file : shared_->files) out.string(file.name);
    out.end_array().key("asked_by").begin_array();
    for (const Asker& asker : config_askers_) {
      out.begin_object().key("cell").string(asker.cell);
      out.key("at").string(base::format_rfc3339(asker.at));
      out.key("version").string_or_null(asker.version).end_object();
    }
    out.end_array().end_object();
  }
  out.key("takes");
  if (settings_.takes_from.empty()) {
    out.null();
  } else {
    const bool refused = !refusal_.empty();
    out.begin_object().key("from").string(settings_.takes_from);
    out.key("version").string_or_null(in_force_);
    out.key("offered").string_or_null(offered_);
    out.key("heard_at");
    time(leader_heard_at_);
    out.key("error").string_or_null(refused ? refusal_ : leader_error_);
    out.key("error_at");
    time(refused ? refusal_at_ : leader_error_at_);
    out.end_object();
  }
  out.end_object();
  return text;
}

void Cells::refresh_gauges() const {
  using telemetry::Metric;
  const std::lock_guard lock(mutex_);
  if (!settings_.takes_from.empty()) {
    backend_.metrics()
        .gauge(Metric::cell_configuration_behind, {settings_.takes_from})
        ->set(offered_ == in_force_ ? 0 : 1);
  }
  for (const auto& peer : peers_) {
    if (peer->heard_at) {
      backend_.metrics()
          .gauge(Metric::cell_heard, {peer->settings.name})
          ->set(std::chrono::duration<double>(peer->heard_at->time_since_epoch()).count());
    }
    backend_.metrics()
        .gauge(Metric::cell_behind, {peer->settings.name})
        ->set(static_cast<double>(peer->latest - std::min(peer->latest, peer->after)));
  }
}

}  // namespace trunkline::cells
