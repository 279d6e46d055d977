#include "store/rocksdb/rocksdb_store.h"

#include <rocksdb/convenience.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/assert.h"
#include "base/limits.h"
#include "io/clock.h"
#include "io/failpoint.h"
#include "store/codec.h"
#include "store/listing.h"
#include "store/rocksdb/scan.h"
#include "store/rocksdb/state.h"
#include "store/rocksdb/tuning.h"

namespace trunkline::store {
namespace {

namespace fs = std::filesystem;

// Puts one commit into the batch.
class BatchFiller {
 public:
  BatchFiller(RocksdbState& state) : s_(state) {}

  Result<void> add(const message::Commit& commit, std::uint64_t watermark) {
    const std::string record = message::encode_journal_record(commit, s_.options.shard, watermark);
    put(Family::journal, journal_key(s_.options.shard, commit.seq), record);
    s_.sizes.push_back(static_cast<std::uint32_t>(record.size()));

    for (const base::MessageId& id : commit.cold_removed) {
      if (auto done = remove_cold(id); !done) return done;
    }
    for (const message::ColdPut& cold : commit.cold) {
      if (auto done = put_cold(cold); !done) return done;
    }
    for (const message::ArchivePut& archived : commit.archive) {
      put(Family::archive, with_id(tenant_key(kRecordPrefix, archived.tenant), archived.id),
          archived.record);
    }
    // In memory each family is one ordered list; in order, the next place is near the last one.
    std::vector<std::string> recipients;
    recipients.reserve(commit.archive.size());
    for (const message::ArchivePut& archived : commit.archive) {
      recipients.push_back(with_id(recipient_key(archived.tenant, archived.to_hash), archived.id));
    }
    std::ranges::sort(recipients);
    for (const std::string& key : recipients) put(Family::recipients, key, {});
    for (const message::ArchiveAppend& append : commit.archive_appends) {
      check(s_.batch.Merge(s_.family(Family::archive),
                           with_id(tenant_key(kRecordPrefix, append.tenant), append.id),
                           slice(append.event)));
    }
    for (const message::KeyPut& key : commit.keys) {
      value_.clear();
      encode_key_record(key.record, value_);
      put(Family::keys, hash_key(key.key), value_);
    }
    for (const message::OwnerPut& put : commit.owners) {
      value_.clear();
      encode_owners({&put.owner, 1}, value_);
      check(s_.batch.Merge(s_.family(Family::cold), owners_key(put.key), value_));
    }
    for (const message::NoticeKey& done : commit.notices_done) {
      remove(Family::notices, notice_key(done.account, done.at));
    }
    message::NoticeAt at{commit.seq, 0};
    for (const message::NoticePut& notice : commit.notices) {
      put(Family::notices, notice_key(notice.account, at), notice.bytes);
      ++at.index;
    }
    add_opt_outs(commit);
    if (commit.trim_before > s_.trim) {
      s_.trim = commit.trim_before;
      put(Family::meta, kMetaTrim, number_value(s_.trim));
    }
    return {};
  }

 private:
  static void check(const rocksdb::Status& status) { ASSERT(status.ok()); }  // memory only

  void put(Family family, std::string_view key, std::string_view value) {
    check(s_.batch.Put(s_.family(family), slice(key), slice(value)));
  }
  void remove(Family family, std::string_view key) {
    check(s_.batch.Delete(s_.family(family), slice(key)));
  }

  // What an entry was before, the engine knows: nothing is read here.
  void add_opt_outs(const message::Commit& commit) {
    for (const message::OptOutPut& opt_out : commit.opt_outs) {
      if (opt_out.replaces != 0) remove(Family::cold, opt_out_key(opt_out.replaces));
      put(Family::cold, opt_out_key(opt_out.change), message::encode_opt_out(opt_out.entry));
      put(Family::cold, opt_out_place_key(opt_out.entry.tenant, message::place_of(opt_out.entry)),
          number_value(opt_out.change));
    }
    for (const message::PeerCursor& one : commit.peer_cursors) {
      put(Family::cold, peer_key(one.peer), one.cursor);
    }
  }

  // Cold keys, as this call has left them so far.
  void put_pending(const std::string& key, std::string_view value) {
    put(Family::cold, key, value);
    s_.cold_pending[key] = std::string(value);
  }
  void remove_pending(const std::string& key) {
    remove(Family::cold, key);
    s_.cold_pending[key] = std::nullopt;
  }
  Result<std::optional<std::string>> get_pending(const std::string& key) {
    const auto pending = s_.cold_pending.find(key);
    if (pending != s_.cold_pending.end()) return pending->second;
    return s_.get(Family::cold, key);
  }

  Result<void> remove_cold(const base::MessageId& id) {
    const std::string key = cold_id_key(id);
    const auto value = get_pending(key);
    if (!value) return std::unexpected(value.error());
    if (!*value) return {};
    const auto entry = decode_cold_entry(**value);
    if (!entry) {
      return std::unexpected(
          Error{ErrorKind::damaged, fmt::format("cold {}: {}", id.rest(), entry.error())});
    }
    remove_pending(key);
    remove(Family::cold, with_id(tenant_key(kTenantPrefix, entry->tenant), id));
    remove(Family::cold, with_id(recipient_key(entry->tenant, entry->to_hash), id));
    remove(Family::cold, with_id(due_key(entry->due_at), id));
    for (const base::Hash128& receipt : entry->receipt_keys) {
      // A carrier may have given the same id to a later message: then it is that one's now.
      const std::string index = receipt_index_key(receipt);
      const auto owner = get_pending(index);
      if (!owner) return std::unexpected(owner.error());
      if (*owner && base::MessageId::from_big_endian(**owner) == id) remove_pending(index);
    }
    return {};
  }

  Result<void> put_cold(const message::ColdPut& cold) {
    if (auto removed = remove_cold(cold.id); !removed) return removed;
    value_.clear();
    encode_cold_entry(cold, value_);
    put_pending(cold_id_key(cold.id), value_);
    put(Family::cold, with_id(tenant_key(kTenantPrefix, cold.tenant), cold.id), {});
    put(Family::cold, with_id(recipient_key(cold.tenant, cold.to_hash), cold.id), {});
    put(Family::cold, with_id(due_key(cold.due_at), cold.id), {});
    for (const base::Hash128& receipt : cold.receipt_keys) {
      put_pending(receipt_index_key(receipt), with_id({}, cold.id));
    }
    return {};
  }

  RocksdbState& s_;
  std::string value_;
};

std::string error_text(int error) { return std::strerror(error); }

}  // namespace

Result<std::unique_ptr<RocksdbStore>> RocksdbStore::open(const RocksdbOptions& options,
                                                         Opened& opened) {
  std::error_code error;
  fs::create_directories(options.path, error);
  if (error) {
    return std::unexpected(
        Error{ErrorKind::io, fmt::format("cannot create {}: {}", options.path, error.message())});
  }
  auto lock = DirectoryLock::take(options.path);
  if (!lock) return std::unexpected(lock.error());
  auto state = std::make_unique<RocksdbState>(options, std::move(*lock));
  state->listener = std::make_shared<StoreListener>(state->latch, database_path(options.path));
  Database::Setup setup{database_path(options.path), options.shard, state->horizons,
                        state->listener};
  auto recovered = recover(options, setup);
  if (!recovered) return std::unexpected(recovered.error());

  RocksdbState& s = *state;
  s.database = std::move(recovered->database);
  s.contents = std::move(recovered->contents);
  if (s.contents.shard != options.shard) {
    return std::unexpected(
        Error{ErrorKind::mismatch, fmt::format("{} belongs to shard {}, not to {}", options.path,
                                               s.contents.shard, options.shard)});
  }
  if (!options.installation.empty() && !s.contents.installation.empty() &&
      options.installation != s.contents.installation) {
    return std::unexpected(
        Error{ErrorKind::mismatch,
              fmt::format("{} was sealed with another key file ({}, not {}): without it no message "
                          "can be read; give the key file that belongs to it",
                          options.path, s.contents.installation, options.installation)});
  }
  // Whoever still believes to own this shard has a smaller epoch from now on.
  s.epoch = std::max(s.contents.epoch, recovered->watermark_epoch) + 1;
  Contents meta = s.contents;
  meta.epoch = s.epoch;
  if (meta.installation.empty()) meta.installation = options.installation;
  const rocksdb::Status raised = write_meta(*s.database, meta);
  if (!raised.ok()) {
    return std::unexpected(error_of(raised, "cannot write to " + options.path));
  }

  s.next_seq = s.contents.next_seq();
  s.trim = s.contents.trim;
  s.horizons->trim = s.trim;
  s.horizons->archive_before_ms = s.contents.archive_before_ms;
  s.sizes.resize(s.next_seq - s.contents.first_seq());
  s.journal_records = s.sizes.size();
  s.listener->measure_manifest();
  auto watermark = WatermarkFile::open(watermark_path(options.path));
  if (!watermark) return std::unexpected(Error{ErrorKind::io, watermark.error()});
  s.watermark = std::move(*watermark);
  const auto [manifest, manifest_bytes] = s.listener->manifest();
  auto written =
      s.watermark.write({options.shard, s.epoch, s.next_seq - 1, manifest, manifest_bytes});
  if (written) written = s.watermark.sync();
  if (!written) return std::unexpected(Error{ErrorKind::io, written.error()});

  opened = {};
  opened.epoch = s.epoch;
  opened.next_seq = s.next_seq;
  opened.first_seq = s.contents.first_seq();
  opened.torn_tail = recovered->torn_tail;
  opened.damage = recovered->damage;
  return std::unique_ptr<RocksdbStore>(new RocksdbStore(std::move(state)));
}

RocksdbStore::RocksdbStore(std::unique_ptr<RocksdbState> state) : state_(std::move(state)) {}
RocksdbStore::~RocksdbStore() = default;

bool RocksdbStore::exists(const std::string& path) {
  return fs::exists(database_path(path)) || fs::exists(watermark_path(path));
}

Result<void> RocksdbStore::replay(const std::function<void(const message::JournalRecord&)>& visit) {
  RocksdbState& s = *state_;
  const std::uint64_t first = s.contents.first_seq();
  JournalScan scan;
  scan.shard = s.options.shard;
  scan.first = first;
  scan.next = s.next_seq;
  scan.epoch_max = s.epoch;
  std::uint64_t bytes_read = 0;
  Result<void> result;
  scan.record = [&](const message::JournalRecord& record, std::string_view bytes) {
    s.sizes[record.seq - first] = static_cast<std::uint32_t>(bytes.size());
    bytes_read += bytes.size();
    visit(record);
  };
  scan.missing = [&](const SeqRange& range, const std::string& why) {
    if (s.contents.is_lost(range)) return true;
    result = std::unexpected(
        Error{ErrorKind::damaged,
              fmt::format("{} is damaged: journal records {} to {} are lost ({}). Its files were "
                          "left as they are. Restore a backup, or start once with --accept-damage "
                          "to go on without them",
                          s.options.path, range.first, range.second, why),
              range.first, range.second});
    return false;
  };
  scan_journal(*s.database, scan);
  s.journal_bytes = bytes_read;
  return result;
}

Result<void> RocksdbStore::commit(std::span<const message::Commit> commits) {
  RocksdbState& s = *state_;
  if (s.latch->failed()) return s.failure();
  const auto fail = [&](const std::string& text) {
    s.latch->fail(text);
    return s.failure();
  };
  if (const auto error = FAILPOINT("store.before_commit")) return fail(error_text(*error));

  const std::uint64_t watermark = s.next_seq - 1;
  s.batch.Clear();
  s.cold_pending.clear();
  BatchFiller filler(s);
  for (const message::Commit& commit : commits) {
    if (commit.empty()) continue;
    ASSERT(commit.seq == s.next_seq);
    ASSERT(commit.epoch == s.epoch);
    if (auto added = filler.add(commit, watermark); !added) return fail(added.error().text);
    ++s.next_seq;
  }
  if (s.batch.Count() == 0) return {};

  rocksdb::WriteOptions options;
  options.sync = true;
  const rocksdb::Status status = s.db().Write(options, &s.batch);
  if (!status.ok()) return fail(status.ToString());
  // Durable from here on.
  const auto [manifest, manifest_bytes] = s.listener->manifest();
  const auto written =
      s.watermark.write({s.options.shard, s.epoch, s.next_seq - 1, manifest, manifest_bytes});
  if (!written) return fail(written.error());
  if (const base::Mono now = io::mono_now(); now - s.watermark_synced >= kWatermarkSyncEvery) {
    if (const auto synced = s.watermark.sync(); !synced) return fail(synced.error());
    s.watermark_synced = now;
  }
  if (const auto error = FAILPOINT("store.after_write")) return fail(error_text(*error));

  for (std::uint64_t seq = watermark + 1; seq < s.next_seq; ++seq) {
    s.journal_bytes += s.sizes[s.sizes.size() - (s.next_seq - seq)];
  }
  while (!s.sizes.empty() && s.next_seq - s.sizes.size() < s.trim) {
    s.journal_bytes -= s.sizes.front();
    s.sizes.pop_front();
  }
  s.journal_records = s.sizes.size();
  s.horizons->trim.store(s.trim, std::memory_order_relaxed);
  return {};
}

Result<bool> RocksdbStore::sweep(base::Wall now, base::Wall archive_before) {
  RocksdbState& s = *state_;
  if (s.latch->failed()) return s.failure();
  s.horizons->keys_expired_us = base::to_us(now);
  s.horizons->notices_before_us = base::to_us(now - base::limits::kNoticeKeptMax);
  const auto before_ms = static_cast<std::uint64_t>(std::max<std::int64_t>(
      0, std::chrono::floor<std::chrono::milliseconds>(archive_before.time_since_epoch()).count()));
  if (before_ms > s.horizons->archive_before_ms) {
    rocksdb::WriteOptions options;
    options.sync = true;
    const rocksdb::Status status = s.db().Put(options, s.family(Family::meta),
                                              slice(kMetaArchiveBefore), number_value(before_ms));
    if (!status.ok()) {
      s.latch->fail(status.ToString());
      return s.failure();
    }
    // Look-ups stop finding them now; compaction removes them when it comes by.
    s.horizons->archive_before_ms = before_ms;
  }
  // Files that hold nothing but trimmed journal.
  const std::string begin = journal_key(s.options.shard, 0);
  const std::string end = journal_key(s.options.shard, s.horizons->trim);
  const rocksdb::Slice first(begin);
  const rocksdb::Slice last(end);
  const rocksdb::Status status =
      rocksdb::DeleteFilesInRange(&s.db(), s.family(Family::journal), &first, &last, false);
  if (!status.ok()) return std::unexpected(error_of(status, "cannot trim the journal"));
  return false;
}

std::optional<Store::Room> RocksdbStore::room() const {
  struct statvfs about{};
  if (::statvfs(state_->options.path.c_str(), &about) != 0) return std::nullopt;
  return Room{about.f_bavail * about.f_frsize, about.f_blocks * about.f_frsize};
}

Store::Stats RocksdbStore::stats() const {
  return {state_->journal_bytes.load(), state_->journal_records.load()};
}

std::string RocksdbStore::failure() const {
  return state_->latch->failed() ? state_->failure().error().text : "";
}

std::uint64_t RocksdbStore::table_bytes_written() const {
  return state_->listener->table_bytes_written();
}

Result<void> RocksdbStore::flush() {
  RocksdbState& s = *state_;
  for (std::size_t i = 0; i < kFamilyCount; ++i) {
    const rocksdb::Status status =
        s.db().Flush(rocksdb::FlushOptions(), s.family(static_cast<Family>(i)));
    if (!status.ok()) return std::unexpected(error_of(status, "flush"));
  }
  return {};
}

Result<void> RocksdbStore::compact() {
  RocksdbState& s = *state_;
  for (std::size_t i = 0; i < kFamilyCount; ++i) {
    const rocksdb::Status status = s.db().CompactRange(
        rocksdb::CompactRangeOptions(), s.family(static_cast<Family>(i)), nullptr, nullptr);
    if (!status.ok()) return std::unexpected(error_of(status, "compact"));
  }
  return {};
}

}  // namespace trunkline::store
