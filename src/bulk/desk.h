// Bulk uploads: a file of recipients is taken whole, made durable, and then handed to the engine
// batch by batch, on a thread of its own.
//
//   upload -> Draft, a sealed spool -> finish(): durable, a job
//   job    -> a batch of Submissions, each with a key of (job, index) -> engine ... durable ->
//   results
//
// Nothing is sent before an upload is whole and durable. A recipient's key makes it one message:
// after a crash the feeding goes on behind the last result, and what the engine has had already is
// answered again, not sent again. Jobs live in files of their own beside the store:
//
//   ID.job      what it is, and its state: replaced whole
//   ID.spool    the recipients, sealed (spool.h); gone when the job has ended
//   ID.results  what became of each (results.h), appended
//
// Threads: any, except as said. Callbacks come on the desk's own thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/time.h"
#include "bulk/results.h"
#include "bulk/spool.h"
#include "edge/backend.h"
#include "edge/intake.h"
#include "engine/event.h"
#include "message/submission.h"

namespace trunkline::bulk {

// The bounds of all this, and what happens at them.
inline constexpr std::uint64_t kRecipientsMax = 1'000'000;  // of an upload; 413
inline constexpr std::size_t kUploadBytesMax = 1u << 30;    // of an upload; 413
inline constexpr std::size_t kLineBytesMax = 64 * 1024;     // of a line; 413
inline constexpr std::size_t kUploadsMax = 4;               // being received; 429
inline constexpr std::size_t kUploadsOfTenantMax = 2;       // of them; 429
inline constexpr std::size_t kJobsMax = 16;                 // a tenant's, not ended; 429
inline constexpr std::size_t kJobsKeptMax = 1'000;          // a tenant's, all; 429
inline constexpr std::uint64_t kDiskBytesMax = 8ull << 30;  // of all spools; 429
inline constexpr std::uint64_t kFreeBytesMin = 1ull << 30;  // that the disk has left; 503
inline constexpr std::size_t kBatch = 100;                  // recipients handed over at once
inline constexpr std::size_t kInFlightMax = 4;              // batches the engine has
inline constexpr std::size_t kParkedMax = 2 * kBatch;       // a job's, that were refused for now
// Of what its account may hand in a second, all its bulks together: single messages have the rest.
inline constexpr double kShareOfRate = 0.8;
inline constexpr auto kKept = std::chrono::hours(7 * 24);            // since a job's end
inline constexpr auto kKeyWindow = std::chrono::hours(14 * 24);      // of a recipient's key
inline constexpr auto kRetryFirst = std::chrono::milliseconds(200);  // where no time is told
inline constexpr auto kRetryMost = std::chrono::seconds(30);         // however long is told

enum class State : std::uint8_t { running = 1, paused = 2, done = 3, canceled = 4 };  // PERSISTED
std::string_view name(State state);
constexpr bool has_ended(State state) { return state >= State::done; }

struct Status {
  std::string id;  // blk_ and 32 hexadecimal digits
  State state = State::running;
  std::uint64_t total = 0;
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;
  base::Wall created_at{};
  base::Wall finished_at{};        // zero: not yet
  std::string waiting;             // why nothing is handed over at the moment; empty: it is
  std::uint64_t result_bytes = 0;  // of the results that can be read
};

// What the desk's owner knows of lines: how to make a message of one. Called on the desk's thread.
struct Made {
  std::optional<message::Submission> submission;  // without a key
  std::uint16_t status = 400;                     // else
  std::string problem;                            // as JSON
};
struct Maker {
  virtual ~Maker() = default;
  virtual Made make(message::TenantIndex tenant, std::string_view defaults, std::string_view line,
                    const config::Config& config, base::Now now) = 0;
  // Of what the engine refused.
  virtual Made refused(const engine::Refusal& refusal) = 0;
};

class Desk;

// An upload that is coming in. One thread; gone before it is finished, nothing is left of it.
class Draft {
 public:
  ~Draft();
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;
  // `number`: of the line in what comes, from 1.
  enum class Added : std::uint8_t { taken, no_room, failed };
  Added add(std::uint64_t number, std::string_view line);
  std::uint64_t lines() const { return writer_->lines(); }
  void set_defaults(std::string text) { defaults_ = std::move(text); }
  void set_rate(double per_s) { rate_per_s_ = per_s; }
  const std::string& defaults() const { return defaults_; }

 private:
  friend class Desk;
  Draft() = default;

  Desk* desk_ = nullptr;
  std::string id_;
  std::string tenant_;
  std::string path_;  // of the spool; empty: it is a job's now
  std::optional<SpoolWriter> writer_;
  std::uint64_t looked_at_ = 0;  // octets of it, when the disk was last asked for room
  std::string defaults_;
  double rate_per_s_ = 0;
  base::Wall created_at_{};
};

class Desk {
 public:
  struct Options {
    std::string directory;
    std::uint8_t token_tag = 0;
    std::function<base::Now()> clock;
    // Of the disk under `directory`; unset: it is asked.
    std::function<std::uint64_t()> free_bytes{};
  };
  // Reads the jobs there are and drops what uploads left that broke off. `backend` and `maker` must
  // outlive it. The error says what is wrong with the directory.
  static std::expected<std::unique_ptr<Desk>, std::string> open(edge::Backend& backend,
                                                                Maker& maker, Options options);
  ~Desk();  // stop()
  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;

  void start();
  void stop();

  enum class Full : std::uint8_t { uploads, jobs, kept, spools, disk, broken };
  // `key`: the whole upload's, finish()'s; what is a repetition is let in.
  std::expected<std::unique_ptr<Draft>, Full> begin(const std::string& tenant,
                                                    const std::optional<base::Hash128>& key);

  struct Finished {
    enum class Kind : std::uint8_t { made, replayed, mismatch, failed } kind = Kind::failed;
    Status status;
  };
  // Makes a job of it. `key`: the whole upload's; the same with the same lines is the same job, for
  // as long as that is known.
  void finish(std::unique_ptr<Draft> draft, std::optional<base::Hash128> key,
              std::function<void(const Finished&)> done);

  std::optional<Status> find(const std::string& tenant, std::string_view id) const;
  // Nothing: no such job, or its file cannot be read. Reads a file of at most `limit` records.
  std::optional<ResultPage> results(const std::string& tenant, std::string_view id,
                                    std::uint64_t from, std::size_t limit) const;

  enum class Order : std::uint8_t { pause, resume, cancel };
  enum class Obeyed : std::uint8_t { done, not_found, ended, failed };
  // `done` is called once it is durable and the engine has answered all that was handed over
  // before.
  void order(const std::string& tenant, std::string_view id, Order order,
             std::function<void(Obeyed, const Status&)> done);

  // AcceptAnswers with the desk's tag. Takes them.
  void deliver(engine::AcceptAnswer&& answer);

 private:
  friend class Draft;
  class Impl;
  explicit Desk(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace trunkline::bulk
