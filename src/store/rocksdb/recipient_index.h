// The archive by recipient, built in bulk.
//
// Keys by recipient are random. Put one by one into the database they cost more than everything
// else of a message together, because each insertion searches a large ordered list. So a commit
// only notes its archived messages, in one value of the family `pending`; kIndexBatch of them are
// sorted at leisure and handed to the database as one finished file of the family `recipients`.
// Until then they are found in memory, and after a restart in `pending` again.
//
// Threads: note() and done_through() by the thread that commits, find() by any; the building runs
// on a thread of its own.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "message/commit.h"
#include "store/listing.h"
#include "store/rocksdb/database.h"
#include "store/rocksdb/hooks.h"

namespace trunkline::store {

// The noted messages of one commit.
//   note := version u8 | run*       run := tenant text | count varint | (to_hash u64 | id)*
void encode_note(const message::Commit& commit, std::string& out);

class RecipientIndex {
 public:
  struct Setup {
    std::string scratch_file;  // where a file is built before the database takes it over
    std::size_t batch = 0;
  };

  RecipientIndex(Database& database, std::shared_ptr<FailureLatch> latch, Setup setup);
  ~RecipientIndex();  // what is not built yet stays noted

  // Reads what earlier runs have noted. Before anything else.
  Result<void> load();

  // After `commit` is durable together with its note under pending_key(commit.seq).
  void note(const message::Commit& commit);
  // Notes of this seq and before are in the database: the next commit may delete them.
  std::uint64_t done_through() const;

  // Ids of a recipient that may not be in the family `recipients` yet, newest first. To be asked
  // before that family is read, so that a message on its way is seen twice rather than never.
  std::vector<base::MessageId> find(std::string_view tenant, std::uint64_t to_hash,
                                    const IdRange& range) const;

 private:
  struct Item {
    std::uint64_t to_hash;
    base::MessageId id;
    std::uint32_t tenant;
  };
  // The items of the commits up to one seq, while they grow and while they are built. In chunks
  // that do not change once they are full, so that a look-up need not hold up the commits while it
  // reads.
  using Chunk = std::vector<Item>;
  struct Batch {
    std::vector<std::shared_ptr<const Chunk>> full;
    Chunk last;
    std::uint64_t last_seq = 0;
    std::size_t size() const;
  };

  void add(Batch& to, std::string_view tenant, std::uint64_t to_hash, const base::MessageId& id);
  void run(const std::stop_token& stop);
  std::vector<std::string> sorted_keys(const Batch& batch) const;
  rocksdb::Status build(const Batch& batch);

  Database& database_;
  std::shared_ptr<FailureLatch> latch_;
  const Setup setup_;

  mutable std::mutex mutex_;
  std::condition_variable_any full_;
  Batch growing_;
  std::shared_ptr<const Batch> building_;
  std::vector<std::string> tenants_;
  std::unordered_map<std::string, std::uint32_t> tenant_numbers_;
  std::uint64_t done_through_ = 0;
  std::jthread thread_;  // last: joined before the rest goes
};

}  // namespace trunkline::store
