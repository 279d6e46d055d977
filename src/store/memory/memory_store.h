// The store in memory, with the semantics of the real ones: for simulation, tests and TSan.
//
// What would be on disk lives in a MemoryDisk, which outlives the MemoryStore working on it, so a
// crash is: drop the store, open another one over the same disk. Deterministic; the journal goes
// through the real codec. Threads: as store.h says.
#pragma once

#include <cstdint>
#include <memory>

#include "store/store.h"

namespace trunkline::store {

class MemoryDisk {
 public:
  MemoryDisk();
  ~MemoryDisk();
  // An independent copy of everything durable: to try several futures from one crash.
  std::shared_ptr<MemoryDisk> clone() const;

 private:
  friend class MemoryStore;
  struct Data;
  std::unique_ptr<Data> data_;
};

class MemoryStore final : public Store {
 public:
  // Raises the epoch, as every open does. Errors: locked (another store works on the disk),
  // mismatch (another shard's).
  static Result<std::unique_ptr<MemoryStore>> open(std::shared_ptr<MemoryDisk> disk,
                                                   std::uint16_t shard, Opened& opened);
  ~MemoryStore() override;

  // The crash to come: of all commits only those with seq <= `last` become durable. The commit()
  // that meets a later one keeps what comes before it, fails, and so does every one after it.
  // Any thread, any time.
  void crash_after(std::uint64_t last);

  std::optional<Room> room() const override { return std::nullopt; }
  Result<void> replay(const std::function<void(const message::JournalRecord&)>& visit) override;
  Result<void> commit(std::span<const message::Commit> commits) override;
  Result<std::optional<message::KeyRecord>> find_key(const base::Hash128& key,
                                                     base::Wall now) override;
  Result<std::vector<message::ReceiptOwner>> find_owners(const base::Hash128& key,
                                                         base::Wall now) override;
  Result<std::optional<std::string>> find_message(std::string_view tenant,
                                                  const base::MessageId& id) override;
  Result<ListPage> list(const ListQuery& query) override;
  Result<std::optional<ColdMessage>> find_cold(const base::MessageId& id) override;
  Result<std::optional<ColdMessage>> find_cold_by_receipt(
      const base::Hash128& receipt_key) override;
  Result<std::vector<ColdMessage>> cold_due(base::Wall until, std::size_t limit) override;
  Result<void> visit_cold(const std::function<void(std::string_view record)>& visit) override;
  Result<std::vector<StoredNotice>> notices(std::string_view account,
                                            const message::NoticeAt& after,
                                            std::size_t limit) override;
  Result<std::vector<StoredOptOut>> opt_out_changes(std::uint64_t after,
                                                    std::size_t limit) override;
  Result<OptOutPage> opt_outs(const OptOutQuery& query) override;
  Result<std::string> peer_cursor(std::string_view peer) override;
  Result<bool> sweep(base::Wall now, base::Wall archive_before) override;
  Stats stats() const override;

 private:
  MemoryStore(std::shared_ptr<MemoryDisk> disk, std::uint16_t shard, std::uint64_t epoch);
  std::shared_ptr<MemoryDisk> disk_;
  std::uint16_t shard_;
  std::uint64_t epoch_;
};

}  // namespace trunkline::store
