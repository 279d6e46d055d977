#include "bulk/desk.h"

#include <dirent.h>
#include <fmt/format.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include "base/bytes.h"
#include "bulk/job.h"
#include "telemetry/log.h"

namespace trunkline::bulk {

using Lock = std::unique_lock<std::mutex>;

namespace {
constexpr std::uint64_t kLookForRoom = 8u << 20;  // octets of an upload
}  // namespace

std::string_view name(State state) {
  constexpr std::string_view kNames[] = {"running", "paused", "done", "canceled"};
  return kNames[static_cast<std::size_t>(state) - 1];
}

namespace {

// An account's share of what may be handed in, given to each of its bulks that run.
double paced(const Job& job, const policy::Tenant& tenant, std::size_t running) {
  double rate = job.rate_per_s;
  const auto at_most = [&](double allowed) {
    if (allowed <= 0) return;
    const double share =
        allowed * kShareOfRate / static_cast<double>(std::max<std::size_t>(running, 1));
    rate = rate > 0 ? std::min(rate, share) : share;
  };
  at_most(tenant.allowed.messages_per_s);
  at_most(tenant.allowed.segments_per_s);
  return rate;
}

}  // namespace

class Desk::Impl {
 public:
  Impl(Desk& desk, edge::Backend& backend, Maker& maker, Options options)
      : desk_(desk), backend_(backend), maker_(maker), options_(std::move(options)) {}

  std::expected<void, std::string> read_all() {
    const std::string& at = options_.directory;
    if (::mkdir(at.c_str(), 0700) != 0 && errno != EEXIST) {
      return std::unexpected(fmt::format("{} cannot be made: {}", at, std::strerror(errno)));
    }
    DIR* const directory = ::opendir(at.c_str());
    if (directory == nullptr) {
      return std::unexpected(fmt::format("{} cannot be read: {}", at, std::strerror(errno)));
    }
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(directory)) names.emplace_back(entry->d_name);
    ::closedir(directory);
    for (const std::string& file : names) {
      if (file.ends_with(".job")) read_job(file.substr(0, file.size() - 4));
    }
    for (const std::string& file : names) {
      const std::string hex = file.substr(0, file.find('.'));
      const bool is_known = std::ranges::find(names, hex + ".job") != names.end();
      if (hex.size() == kHexSize && (!is_known || file.ends_with(".new")))
        ::unlink((at + "/" + file).c_str());
    }
    return {};
  }

  void start() {
    thread_ = std::thread([this] {
      pthread_setname_np(pthread_self(), "bulk");
      run();
    });
  }

  void stop() {
    {
      const Lock lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
    std::deque<std::function<void(Lock&)>> dropped;  // uploads among them take the lock to go
    {
      const Lock lock(mutex_);
      dropped.swap(asked_);
    }
  }

  std::expected<std::unique_ptr<Draft>, Full> begin(const std::string& tenant,
                                                    const std::optional<base::Hash128>& key) {
    std::random_device random;
    const std::string hex =
        fmt::format("{:08x}{:08x}{:08x}{:08x}", random(), random(), random(), random());
    {
      const Lock lock(mutex_);
      if (const auto full = full_for(tenant, key)) return std::unexpected(*full);
      ++drafts_[tenant];
    }
    std::unique_ptr<Draft> draft(new Draft);
    draft->desk_ = &desk_;
    draft->id_ = std::string(kPrefix) + hex;
    draft->tenant_ = tenant;
    draft->path_ = path(hex) + ".spool";
    draft->created_at_ = options_.clock().wall;
    File file = File::create(draft->path_);
    if (!file.is_open()) return std::unexpected(Full::broken);
    draft->writer_.emplace(std::move(file), seal_of(backend_.vault(), tenant, draft->id_),
                           draft->created_at_);
    return draft;
  }

  bool has_room() const {
    if (options_.free_bytes) return options_.free_bytes() >= kFreeBytesMin;
    struct statvfs about{};
    if (::statvfs(options_.directory.c_str(), &about) != 0) return false;
    return std::uint64_t{about.f_bavail} * about.f_frsize >= kFreeBytesMin;
  }

  void drop(Draft& draft) {
    draft.writer_.reset();
    if (!draft.path_.empty()) ::unlink(draft.path_.c_str());
    const Lock lock(mutex_);
    const auto found = drafts_.find(draft.tenant_);
    if (--found->second == 0) drafts_.erase(found);
  }

  void finish(std::unique_ptr<Draft> draft, std::optional<base::Hash128> key,
              std::function<void(const Finished&)> done) {
    auto shared = std::make_shared<std::unique_ptr<Draft>>(std::move(draft));
    ask([this, shared, key, done = std::move(done)](Lock& lock) {
      lock.unlock();
      const Finished finished = make_job(**shared, key);
      shared->reset();
      done(finished);
      lock.lock();
    });
  }

  void order(const std::string& tenant, std::string_view id, Order order,
             std::function<void(Obeyed, const Status&)> done) {
    ask([this, tenant, id = std::string(id), order, done = std::move(done)](Lock& lock) {
      Job* const job = find_job(tenant, id);
      const auto tell = [&](Obeyed obeyed) {
        const Status status = job != nullptr ? job->status() : Status{};
        lock.unlock();
        done(obeyed, status);
        lock.lock();
      };
      if (job == nullptr) return tell(Obeyed::not_found);
      if (has_ended(job->state)) {
        const bool is_so = order == Order::cancel && job->state == State::canceled;
        return tell(is_so ? Obeyed::done : Obeyed::ended);
      }
      if (job->in_flight == 0) return tell(obey(*job, order, lock) ? Obeyed::done : Obeyed::failed);
      // What the engine has been handed is answered first.
      if (order == Order::cancel) {
        job->canceling = true;
      } else if (!obey(*job, order, lock)) {
        return tell(Obeyed::failed);
      }
      job->settled.push_back([done, job](Lock& held, bool saved) {
        const Status status = job->status();
        held.unlock();
        done(saved ? Obeyed::done : Obeyed::failed, status);
        held.lock();
      });
    });
  }

  std::optional<Status> find(const std::string& tenant, std::string_view id) const {
    const Lock lock(mutex_);
    const Job* const job = find_job(tenant, id);
    return job == nullptr ? std::nullopt : std::optional(job->status());
  }

  std::optional<ResultPage> results(const std::string& tenant, std::string_view id,
                                    std::uint64_t from, std::size_t limit) const {
    const auto status = find(tenant, id);
    if (!status) return std::nullopt;
    const File file = File::read(path(status->id.substr(kPrefix.size())) + ".results");
    if (!file.is_open()) {  // none yet
      return status->result_bytes == 0 ? std::optional(ResultPage{}) : std::nullopt;
    }
    return read_results(file, from, status->result_bytes, limit);
  }

  void deliver(engine::AcceptAnswer&& answer) {
    auto shared = std::make_shared<engine::AcceptAnswer>(std::move(answer));
    ask([this, shared](Lock& lock) { answered(*shared, lock); });
  }

 private:
  static constexpr std::string_view kPrefix = "blk_";
  static constexpr std::size_t kHexSize = 32;

  std::string path(const std::string& hex) const { return options_.directory + "/" + hex; }

  Job* find_job(const std::string& tenant, std::string_view id) const {
    const auto found = jobs_.find(id);
    return found == jobs_.end() || found->second->tenant != tenant ? nullptr : found->second.get();
  }

  const Job* with_key(const std::string& tenant, const base::Hash128& key) const {
    const auto same = std::ranges::find_if(jobs_, [&](const auto& entry) {
      return entry.second->key == key && entry.second->tenant == tenant;
    });
    return same == jobs_.end() ? nullptr : same->second.get();
  }

  void read_job(const std::string& hex) {
    auto job = Job::load(path(hex), backend_.vault());
    if (job == nullptr) {
      telemetry::log_error("bulk_unreadable",
                           "the file of a bulk upload is damaged, and nothing more of it is sent",
                           {{"file", hex + ".job"}});
      return;
    }
    if (has_ended(job->state)) {
      ::unlink((path(hex) + ".spool").c_str());
      job->spool_bytes = 0;
    } else {
      open_.push_back(job.get());
    }
    spool_bytes_ += job->spool_bytes;
    std::string id = job->id;
    jobs_.emplace(std::move(id), std::move(job));
  }

  std::optional<Full> full_for(const std::string& tenant,
                               const std::optional<base::Hash128>& key) const {
    std::size_t drafts = 0;
    for (const auto& [whose, count] : drafts_) drafts += count;
    const auto own = drafts_.find(tenant);
    if (drafts >= kUploadsMax || (own != drafts_.end() && own->second >= kUploadsOfTenantMax))
      return Full::uploads;
    if (!has_room()) return Full::disk;
    if (key && with_key(tenant, *key) != nullptr) return std::nullopt;
    if (spool_bytes_ >= kDiskBytesMax) return Full::spools;
    const auto of_tenant = [&](const Job* job) { return job->tenant == tenant; };
    if (std::ranges::count_if(open_, of_tenant) >= static_cast<std::ptrdiff_t>(kJobsMax))
      return Full::jobs;
    const auto kept = std::ranges::count_if(
        jobs_, [&](const auto& entry) { return entry.second->tenant == tenant; });
    if (kept >= static_cast<std::ptrdiff_t>(kJobsKeptMax)) return Full::kept;
    return std::nullopt;
  }

  // To be done on the desk's thread, with the lock held.
  void ask(std::function<void(Lock&)> what) {
    {
      const Lock lock(mutex_);
      asked_.push_back(std::move(what));
    }
    wake_.notify_one();
  }

  // --- the thread --------------------------------------------------------------------------------

  void run() {
    Lock lock(mutex_);
    while (!stopping_) {
      while (!asked_.empty() && !stopping_) {
        const auto what = std::move(asked_.front());
        asked_.pop_front();
        what(lock);
      }
      const base::Now now = options_.clock();
      const auto next = feed_all(now, lock);
      drop_old(now);
      if (!asked_.empty() || stopping_) continue;
      wake_.wait_for(lock, std::clamp<base::Duration>(next - now.mono, std::chrono::milliseconds(1),
                                                      std::chrono::seconds(1)));
    }
  }

  // Each job a batch, in turn; when to look again.
  base::Mono feed_all(base::Now now, Lock& lock) {
    base::Mono next = now.mono + std::chrono::seconds(1);
    std::vector<Job*> ready;
    for (Job* job : open_) {
      if (job->state != State::running || job->in_flight != 0) continue;
      if (job->not_before > now.mono) {
        next = std::min(next, job->not_before);
      } else {
        ready.push_back(job);
      }
    }
    std::ranges::sort(ready, {}, [](const Job* job) { return job->fed_at; });
    for (Job* job : ready) {
      if (waiting_.size() >= kInFlightMax || stopping_) break;
      feed(*job, now, lock);
      // Those that the engine has come again with its answer.
      if (!has_ended(job->state) && job->in_flight == 0)
        next = std::min(next, std::max(job->not_before, now.mono));
    }
    return next;
  }

  void wait(Job& job, base::Now now, base::Duration how_long, std::string why) {
    job.not_before = now.mono + std::clamp<base::Duration>(how_long, kRetryFirst, kRetryMost);
    job.waiting = std::move(why);
  }

  double pace_of(const Job& job, const policy::Tenant& tenant) const {
    const auto running = std::ranges::count_if(open_, [&](const Job* other) {
      return other->tenant == job.tenant && other->state == State::running;
    });
    return paced(job, tenant, static_cast<std::size_t>(running));
  }

  void feed(Job& job, base::Now now, Lock& lock) {
    job.fed_at = ++turn_;
    if (!backend_.accepting()) {
      return wait(job, now, kRetryFirst, "the gateway takes nothing new at present");
    }
    const auto config = backend_.config();
    const auto tenant = std::ranges::find(config->tenants, job.tenant, &config::Tenant::name);
    const bool is_there =
        tenant != config->tenants.end() &&
        !config->tables.policy.tenants[static_cast<std::size_t>(tenant - config->tenants.begin())]
             .removed;
    if (!is_there) {
      return wait(job, now, kRetryMost, "the account is not configured");
    }
    const message::TenantIndex index{static_cast<std::uint16_t>(tenant - config->tenants.begin())};
    const double rate = pace_of(job, config->tables.policy.tenants[index.at()]);
    const std::size_t most =
        rate > 0 ? std::clamp<std::size_t>(static_cast<std::size_t>(rate / 10), 1, kBatch) : kBatch;
    engine::Accept accept;
    accept.is_batch = true;
    lock.unlock();  // only this thread uses what follows
    job.sync_if_due();
    const bool readable = job.next_batch(path(job.hex()), backend_.vault(), most, now.mono);
    for (Job::Item& item : job.batch) {
      Made made = maker_.make(index, job.defaults, item.line, *config, now);
      if (!made.submission) {
        item.result = {.index = item.index,
                       .line = item.line_number,
                       .status = made.status,
                       .id = {},
                       .problem = std::move(made.problem)};
        continue;
      }
      const base::Hash128 key = job.key_of(item.index, backend_.vault());
      made.submission->key = {.key = key, .fingerprint = key, .window = kKeyWindow};
      accept.items.push_back(std::move(*made.submission));
    }
    lock.lock();
    if (!readable) return stop_unreadable(job, lock);
    if (job.batch.empty()) {
      if (job.parked.empty()) return void(end(job, State::done, lock));
      job.not_before = std::ranges::min(job.parked, {}, &Job::Item::not_before).not_before;
      return;
    }
    job.waiting.clear();
    if (rate > 0) {
      const auto pause = std::chrono::duration_cast<base::Duration>(
          std::chrono::duration<double>(static_cast<double>(job.batch.size()) / rate));
      job.not_before = std::max(job.not_before, now.mono - std::chrono::milliseconds(100)) + pause;
    }
    if (accept.items.empty()) return settle(job, now, lock);
    accept.token = edge::first_token(options_.token_tag) | ++token_;
    job.in_flight = accept.token;
    waiting_[accept.token] = &job;
    const engine::Token token = accept.token;
    if (backend_.post(std::move(accept))) return;
    waiting_.erase(token);
    job.in_flight = 0;
    job.keep_batch();
    wait(job, now, kRetryFirst, "the gateway is busy");
  }

  void stop_unreadable(Job& job, Lock& lock) {
    telemetry::log_error("bulk_unreadable",
                         "the recipients of a bulk upload cannot be read; it is paused",
                         {{"id", job.id}});
    job.state = State::paused;
    job.waiting = "its recipients cannot be read";
    (void)save(job, State::paused, lock);
  }

  void answered(engine::AcceptAnswer& answer, Lock& lock) {
    const auto found = waiting_.find(answer.token);
    if (found == waiting_.end()) return;
    Job& job = *found->second;
    waiting_.erase(found);
    job.in_flight = 0;
    const base::Now now = options_.clock();
    std::size_t limited = 0;
    base::Duration longest{};
    std::string why;
    std::size_t at = 0;
    for (Job::Item& item : job.batch) {
      if (item.result) continue;
      item.result = {.index = item.index, .line = item.line_number};
      const engine::ItemAnswer* told = at < answer.items.size() ? &answer.items[at] : nullptr;
      ++at;
      if (told != nullptr && !told->id.is_null()) {
        item.result->id = told->id;
        continue;
      }
      engine::Refusal refusal = told != nullptr ? told->refusal : engine::Refusal{};
      if (refusal.code.empty()) refusal.code = "policy_refused";  // a key that is another's
      // Too fast is no failure: the same again later. Who is at a cap of his own is told so, else
      // he could keep the job for days.
      if (refusal.code != "rate_limited" || refusal.of_recipient) {
        Made made = maker_.refused(refusal);
        item.result->status = made.status;
        item.result->problem = std::move(made.problem);
        continue;
      }
      item.result.reset();
      ++limited;
      item.not_before =
          now.mono + std::clamp<base::Duration>(refusal.retry_after, kRetryFirst, kRetryMost);
      longest = std::max(longest, refusal.retry_after);
      if (why.empty() && !refusal.reasons.empty()) why = refusal.reasons.front().text;
    }
    const bool all = limited == at;
    if (all) {
      wait(job, now, longest, why.empty() ? "limited" : why);
    } else if (limited != 0) {
      job.waiting = std::move(why);
    }
    settle(job, now, lock);
  }

  // Writes the results there are; the rest of the batch comes again.
  void settle(Job& job, base::Now now, Lock& lock) {
    lock.unlock();
    const bool written = job.write_results(path(job.hex()));
    lock.lock();
    if (written) {
      job.count_results();
    } else {
      telemetry::log_error("bulk_results_lost",
                           "results of a bulk upload cannot be written; it goes on when they can",
                           {{"id", job.id}});
      job.keep_batch();
      wait(job, now, kRetryMost, "results cannot be written");
    }
    const bool cancels = std::exchange(job.canceling, false);
    const bool saved = !cancels || end(job, State::canceled, lock);
    if (job.state == State::paused) sync(job, lock);
    for (const auto& settled : std::exchange(job.settled, {})) settled(lock, saved);
  }

  // False: it could not be made durable, and all is as before.
  bool end(Job& job, State state, Lock& lock) {
    lock.unlock();
    const bool closed = job.close(path(job.hex()));
    lock.lock();
    job.finished_at = options_.clock().wall;
    if (!closed || !save(job, state, lock)) {
      wait(job, options_.clock(), kRetryMost, "the disk fails");
      return false;
    }
    job.state = state;
    job.waiting.clear();
    job.had = {};
    job.defaults = {};
    std::erase(open_, &job);
    ::unlink((path(job.hex()) + ".spool").c_str());
    spool_bytes_ -= std::min(spool_bytes_, std::exchange(job.spool_bytes, 0));
    return true;
  }

  void sync(Job& job, Lock& lock) {
    lock.unlock();
    (void)job.close(path(job.hex()));
    lock.lock();
  }

  // As if it were in `state`.
  bool save(const Job& job, State state, Lock& lock) {
    lock.unlock();
    const bool saved = replace_file(path(job.hex()) + ".job", job.encode(backend_.vault(), state));
    lock.lock();
    if (!saved) {
      telemetry::log_error("bulk_not_saved", "the state of a bulk upload cannot be written",
                           {{"id", job.id}});
    }
    return saved;
  }

  // Of a job that has not ended.
  bool obey(Job& job, Order order, Lock& lock) {
    if (order == Order::cancel) return end(job, State::canceled, lock);
    const State wanted = order == Order::pause ? State::paused : State::running;
    if (job.state == wanted) return true;
    if (!save(job, wanted, lock)) return false;
    job.state = wanted;
    job.waiting.clear();
    if (wanted == State::running) job.not_before = {};
    if (wanted == State::paused && job.in_flight == 0) sync(job, lock);
    return true;
  }

  Finished make_job(Draft& draft, const std::optional<base::Hash128>& key) {
    Finished out;
    if (!draft.writer_->finish()) return out;
    auto job = std::make_unique<Job>();
    job->id = draft.id_;
    job->tenant = draft.tenant_;
    job->created_at = draft.created_at_;
    job->total = draft.writer_->lines();
    job->defaults = draft.defaults_;
    job->rate_per_s = draft.rate_per_s_;
    job->spool_bytes = draft.writer_->bytes();
    job->key = key;
    const base::Hash128& lines = draft.writer_->fingerprint();
    job->fingerprint = backend_.vault().hash(
        "bulk-fingerprint",
        fmt::format("{:x} {:x} {} {}", lines.high, lines.low, draft.rate_per_s_, draft.defaults_));
    Lock lock(mutex_);
    if (const Job* same = key ? with_key(job->tenant, *key) : nullptr) {
      const bool equal = same->fingerprint == job->fingerprint;
      return {equal ? Finished::Kind::replayed : Finished::Kind::mismatch, same->status()};
    }
    // Durable with its directory entry, the spool's included.
    if (!save(*job, job->state, lock)) return out;
    draft.path_.clear();
    out = {Finished::Kind::made, job->status()};
    spool_bytes_ += job->spool_bytes;
    open_.push_back(job.get());
    std::string id = job->id;
    jobs_.emplace(std::move(id), std::move(job));
    return out;
  }

  void drop_old(base::Now now) {
    if (now.mono < next_drop_) return;
    next_drop_ = now.mono + std::chrono::seconds(10);
    std::erase_if(jobs_, [&](const auto& entry) {
      const Job& job = *entry.second;
      if (!has_ended(job.state) || now.wall - job.finished_at < kKept) return false;
      for (const char* kind : {".spool", ".results", ".job"}) {
        ::unlink((path(job.hex()) + kind).c_str());
      }
      return true;
    });
  }

  Desk& desk_;
  edge::Backend& backend_;
  Maker& maker_;
  const Options options_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::deque<std::function<void(Lock&)>> asked_;
  std::map<std::string, std::unique_ptr<Job>, std::less<>> jobs_;  // by id; made, not moved
  std::vector<Job*> open_;                                         // that have not ended
  std::map<engine::Token, Job*> waiting_;
  std::map<std::string, std::size_t> drafts_;  // by tenant
  std::uint64_t spool_bytes_ = 0;
  std::uint64_t turn_ = 0;
  std::uint64_t token_ = 0;
  base::Mono next_drop_{};
  std::thread thread_;
};

Draft::Added Draft::add(std::uint64_t number, std::string_view line) {
  if (!writer_->add(number, line)) return Added::failed;
  if (writer_->bytes() - looked_at_ < kLookForRoom) return Added::taken;
  looked_at_ = writer_->bytes();
  return desk_->impl_->has_room() ? Added::taken : Added::no_room;
}

Draft::~Draft() {
  if (desk_ != nullptr) desk_->impl_->drop(*this);
}

std::expected<std::unique_ptr<Desk>, std::string> Desk::open(edge::Backend& backend, Maker& maker,
                                                             Options options) {
  std::unique_ptr<Desk> desk(new Desk(nullptr));
  desk->impl_ = std::make_unique<Impl>(*desk, backend, maker, std::move(options));
  if (auto read = desk->impl_->read_all(); !read) return std::unexpected(read.error());
  return desk;
}

Desk::Desk(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Desk::~Desk() {
  if (impl_) stop();
}
void Desk::start() { impl_->start(); }
void Desk::stop() { impl_->stop(); }
std::expected<std::unique_ptr<Draft>, Desk::Full> Desk::begin(
    const std::string& tenant, const std::optional<base::Hash128>& key) {
  return impl_->begin(tenant, key);
}
void Desk::finish(std::unique_ptr<Draft> draft, std::optional<base::Hash128> key,
                  std::function<void(const Finished&)> done) {
  impl_->finish(std::move(draft), key, std::move(done));
}
std::optional<Status> Desk::find(const std::string& tenant, std::string_view id) const {
  return impl_->find(tenant, id);
}
std::optional<ResultPage> Desk::results(const std::string& tenant, std::string_view id,
                                        std::uint64_t from, std::size_t limit) const {
  return impl_->results(tenant, id, from, limit);
}
void Desk::order(const std::string& tenant, std::string_view id, Order order,
                 std::function<void(Obeyed, const Status&)> done) {
  impl_->order(tenant, id, order, std::move(done));
}
void Desk::deliver(engine::AcceptAnswer&& answer) { impl_->deliver(std::move(answer)); }

}  // namespace trunkline::bulk
