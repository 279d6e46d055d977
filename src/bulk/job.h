// One bulk upload as the desk has it. Inside of bulk/ only.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "bulk/desk.h"

namespace trunkline::bulk {

Seal seal_of(const seal::Vault& vault, const std::string& tenant, const std::string& id);

// What is read by other threads changes with the desk's lock held; its own thread reads all of it
// without.
struct Job {
  // --- what its file has
  std::string id;
  std::string tenant;
  std::string defaults;  // sealed there
  double rate_per_s = 0;
  base::Wall created_at{};
  base::Wall finished_at{};
  State state = State::running;
  std::uint64_t total = 0;
  std::uint64_t spool_bytes = 0;
  std::optional<base::Hash128> key;
  base::Hash128 fingerprint{};
  // Counted from the results again, unless it has ended.
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;
  std::uint64_t result_bytes = 0;

  std::vector<bool> had;  // by index, in memory since the start: what has a result

  // --- the feeding; the desk's thread only
  struct Item {
    std::uint32_t index = 0;
    std::uint32_t line_number = 0;
    std::string line;
    std::optional<Result> result;
    base::Mono not_before{};
  };
  std::vector<Item> batch;   // that is being handed over
  std::vector<Item> parked;  // that were refused for now
  std::uint64_t in_flight = 0;
  bool canceling = false;  // ends once the batch is answered
  base::Mono not_before{};
  std::uint64_t fed_at = 0;
  std::string waiting;
  std::vector<std::function<void(std::unique_lock<std::mutex>&, bool)>> settled;

  std::string hex() const { return id.substr(4); }
  Status status() const;
  // As if it were in `as`.
  std::string encode(const seal::Vault& vault, State as) const;
  // `path`: without its ending. Null: damaged.
  static std::unique_ptr<Job> load(const std::string& path, const seal::Vault& vault);

  // Fills `batch` with at most `most`, those that are parked and may be tried again first. Empty:
  // there are no more, or only parked ones. False: they cannot be read.
  bool next_batch(const std::string& path, const seal::Vault& vault, std::size_t most,
                  base::Mono now);
  // The batch was not handed over: it comes again.
  void keep_batch();
  // Appends what the batch has of results; the rest of it is parked. False: the disk fails, and
  // all of it is.
  bool write_results(const std::string& path);
  void count_results();                 // of the batch just written
  void sync_if_due();                   // now and then
  bool close(const std::string& path);  // makes the results durable and lets go of the files
  base::Hash128 key_of(std::uint32_t index, const seal::Vault& vault) const;

 private:
  bool read_results_again(const std::string& path);
  void start_over();

  std::unique_ptr<SpoolReader> reader_;
  std::uint64_t next_index_ = 0;  // of the line the reader gives next
  File results_;
  std::uint64_t written_ = 0;  // octets of results, counted or not
  int unsynced_ = 0;
};

}  // namespace trunkline::bulk
