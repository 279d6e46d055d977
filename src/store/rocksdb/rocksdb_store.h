// The embedded store: RocksDB, its write-ahead log synced by every commit. docs/store_format.md has
// the layout and the rules of recovery.
//
// A store is a directory:
//   lock        held for as long as a process works on it
//   watermark   how far it had come (watermark.h)
//   db/         the database
//   damaged-*/  databases set aside when damage was accepted; never read again, never deleted
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "store/store.h"

namespace trunkline::store {

struct RocksdbState;

struct RocksdbOptions {
  std::string path;
  std::uint16_t shard = 0;
  // Go on in spite of damage: the readable part is copied into a fresh database, the damaged one is
  // set aside, Opened::damage says what is lost. Without damage it only costs a full check.
  bool accept_damage = false;
  // seal::Vault::fingerprint(). The first open stores it, later ones with another are refused: with
  // the wrong key file every message would be unreadable. Empty: not checked.
  std::string installation;
};

class RocksdbStore final : public Store {
 public:
  static Result<std::unique_ptr<RocksdbStore>> open(const RocksdbOptions& options, Opened& opened);
  ~RocksdbStore() override;

  // Is there data at `path`? Whoever opens the key file wants to know before.
  static bool exists(const std::string& path);

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
  std::optional<Room> room() const override;
  Stats stats() const override;

  // Why nothing is accepted any more; empty while all is well. Also background failures show here,
  // before the next commit fails. Any thread.
  std::string failure() const;

  // For tests and benchmarks: everything in memory into files, and then merged as far as it goes.
  Result<void> flush();
  Result<void> compact();
  // Octets the database wrote to table files (flushes, compactions) since the open.
  std::uint64_t table_bytes_written() const;

 private:
  explicit RocksdbStore(std::unique_ptr<RocksdbState> state);
  std::unique_ptr<RocksdbState> state_;
};

}  // namespace trunkline::store
