#include "store/rocksdb/database.h"

#include <algorithm>

#include "base/assert.h"
#include "base/bytes.h"
#include "store/rocksdb/tuning.h"

namespace trunkline::store {
namespace {

template <class Open>
Database::Opened collect(Open open, std::unique_ptr<rocksdb::DB>& db,
                         std::vector<rocksdb::ColumnFamilyHandle*>& handles,
                         std::unique_ptr<Database>&& out) {
  rocksdb::DB* raw = nullptr;
  const rocksdb::Status status = open(&handles, &raw);
  if (!status.ok()) return std::unexpected(status);
  db.reset(raw);
  return std::move(out);
}

std::string get(Database& database, std::string_view key, rocksdb::Status& status) {
  std::string value;
  if (!status.ok()) return value;
  const rocksdb::Status got =
      database.db().Get(rocksdb::ReadOptions(), database.family(Family::meta), slice(key), &value);
  if (!got.ok() && !got.IsNotFound()) status = got;
  return value;
}

Error damaged(std::string text) { return {ErrorKind::damaged, std::move(text)}; }

}  // namespace

Error error_of(const rocksdb::Status& status, std::string_view what) {
  const auto kind = status.IsCorruption() ? ErrorKind::damaged : ErrorKind::io;
  return {kind, fmt::format("{}: {}", what, status.ToString())};
}

Database::Opened Database::open(const Setup& setup, rocksdb::WALRecoveryMode mode) {
  std::unique_ptr<Database> out(new Database());
  rocksdb::DBOptions options = database_options(setup.listener);
  options.wal_recovery_mode = mode;
  // A whole log is left in place: the start is quicker, and should we refuse to go on, nothing has
  // changed. A torn one is written out, so that the next start does not meet the tear again.
  options.avoid_flush_during_recovery = mode == rocksdb::WALRecoveryMode::kAbsoluteConsistency;
  Database& self = *out;
  return collect(
      [&](auto* handles, auto** db) {
        return rocksdb::DB::Open(options, setup.path, families(setup.horizons, setup.shard),
                                 handles, db);
      },
      self.db_, self.handles_, std::move(out));
}

Database::Opened Database::create(const Setup& setup) {
  std::unique_ptr<Database> out(new Database());
  rocksdb::DBOptions options = database_options(setup.listener);
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.error_if_exists = true;
  Database& self = *out;
  auto created = collect(
      [&](auto* handles, auto** db) {
        return rocksdb::DB::Open(options, setup.path, families(setup.horizons, setup.shard),
                                 handles, db);
      },
      self.db_, self.handles_, std::move(out));
  // The log names families by these numbers; salvage.cc reads them there.
  for (std::size_t i = 0; created && i < kFamilyCount; ++i) {
    ASSERT((*created)->family(static_cast<Family>(i))->GetID() == i);
  }
  return created;
}

Database::Opened Database::open_for_reading(const Setup& setup, rocksdb::WALRecoveryMode mode) {
  std::unique_ptr<Database> out(new Database());
  Database& self = *out;
  return collect(
      [&](auto* handles, auto** db) {
        return rocksdb::DB::OpenForReadOnly(reading_options(mode), setup.path,
                                            families(setup.horizons, setup.shard), handles, db);
      },
      self.db_, self.handles_, std::move(out));
}

Database::Opened Database::open_tables(const Setup& setup) {
  std::unique_ptr<Database> out(new Database());
  rocksdb::DBOptions options = reading_options(rocksdb::WALRecoveryMode::kPointInTimeRecovery);
  // Not for reading only: RocksDB then wants to note that the logs are gone.
  options.track_and_verify_wals_in_manifest = false;
  options.create_missing_column_families = true;  // a repair knows only families that have tables
  auto with = families(setup.horizons, setup.shard);
  for (auto& family : with) family.options.disable_auto_compactions = true;
  Database& self = *out;
  return collect(
      [&](auto* handles, auto** db) {
        return rocksdb::DB::Open(options, setup.path, with, handles, db);
      },
      self.db_, self.handles_, std::move(out));
}

Database::~Database() {
  if (!db_) return;
  for (rocksdb::ColumnFamilyHandle* handle : handles_) {
    static_cast<void>(db_->DestroyColumnFamilyHandle(handle));
  }
  static_cast<void>(db_->Close());
}

std::uint64_t Contents::next_seq() const {
  std::uint64_t next = std::max(head + 1, first_seq());
  for (const SeqRange& range : lost) next = std::max(next, range.second + 1);
  return next;
}

bool Contents::is_lost(const SeqRange& range) const {
  std::uint64_t from = range.first;
  for (const SeqRange& known : lost) {  // ascending
    if (known.first <= from && from <= known.second) from = known.second + 1;
  }
  return from > range.second;
}

Result<Contents> read_contents(Database& database, std::uint16_t shard) {
  rocksdb::Status status;
  const std::string format = get(database, kMetaFormat, status);
  const std::string of_shard = get(database, kMetaShard, status);
  const std::string epoch = get(database, kMetaEpoch, status);
  const std::string trim = get(database, kMetaTrim, status);
  const std::string archive_before = get(database, kMetaArchiveBefore, status);
  Contents contents;
  contents.installation = get(database, kMetaInstallation, status);

  const std::unique_ptr<rocksdb::Iterator> lost(
      database.db().NewIterator(rocksdb::ReadOptions(), database.family(Family::meta)));
  for (lost->Seek(slice(kMetaLost)); lost->Valid(); lost->Next()) {
    if (!lost->key().starts_with(slice(kMetaLost))) break;
    const auto first = parse_number(view(lost->key()).substr(kMetaLost.size()));
    const auto last = parse_number(view(lost->value()));
    if (!first || !last) return std::unexpected(damaged("meta: the list of lost records"));
    contents.lost.emplace_back(*first, *last);
  }
  if (status.ok()) status = lost->status();

  const std::unique_ptr<rocksdb::Iterator> journal(
      database.db().NewIterator(rocksdb::ReadOptions(), database.family(Family::journal)));
  journal->SeekForPrev(journal_key(shard, ~std::uint64_t{0}));
  if (status.ok()) status = journal->status();
  if (!status.ok()) return std::unexpected(error_of(status, "cannot read the store"));

  const auto number = [](const std::string& value) { return parse_number(value).value_or(0); };
  if (!parse_number(format)) return std::unexpected(damaged("meta: no format version"));
  contents.format = static_cast<std::uint32_t>(number(format));
  contents.shard = static_cast<std::uint16_t>(number(of_shard));
  contents.epoch = number(epoch);
  contents.trim = number(trim);
  contents.archive_before_ms = number(archive_before);
  contents.head = contents.first_seq() - 1;
  if (journal->Valid()) {
    const auto last = parse_journal_key(shard, view(journal->key()));
    if (last) contents.head = std::max(contents.head, *last);
  }
  return contents;
}

rocksdb::Status write_meta(Database& database, const Contents& contents) {
  rocksdb::WriteBatch batch;
  rocksdb::Status status;
  const auto put = [&](std::string_view key, const std::string& value) {
    if (status.ok()) status = batch.Put(database.family(Family::meta), slice(key), value);
  };
  put(kMetaFormat, number_value(contents.format));
  put(kMetaShard, number_value(contents.shard));
  put(kMetaEpoch, number_value(contents.epoch));
  put(kMetaTrim, number_value(contents.trim));
  put(kMetaArchiveBefore, number_value(contents.archive_before_ms));
  if (!contents.installation.empty()) put(kMetaInstallation, contents.installation);
  for (const SeqRange& range : contents.lost) {
    put(lost_key(range.first), number_value(range.second));
  }
  if (!status.ok()) return status;
  rocksdb::WriteOptions options;
  options.sync = true;
  return database.db().Write(options, &batch);
}

}  // namespace trunkline::store
