// The read half of RocksdbStore.
#include <algorithm>

#include "store/codec.h"
#include "store/listing.h"
#include "store/rocksdb/rocksdb_store.h"
#include "store/rocksdb/state.h"

namespace trunkline::store {
namespace {

class Snapshot {
 public:
  explicit Snapshot(rocksdb::DB& db) : db_(db), snapshot_(db.GetSnapshot()) {}
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;
  ~Snapshot() { db_.ReleaseSnapshot(snapshot_); }
  const rocksdb::Snapshot* get() const { return snapshot_; }

 private:
  rocksdb::DB& db_;
  const rocksdb::Snapshot* snapshot_;
};

Error undecodable(const base::MessageId& id, const std::string& why) {
  return {ErrorKind::damaged, fmt::format("cold entry of {}: {}", id.rest(), why)};
}

// Walks the ids behind a key prefix downwards, within a range.
class IdWalk {
 public:
  IdWalk(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family, const rocksdb::Snapshot* snapshot,
         const std::string& prefix, const IdRange& range)
      : key_bytes_(prefix.size() + 16),
        low_(with_id(prefix, range.low)),
        high_(with_id(prefix, range.high)),
        low_slice_(low_),
        high_slice_(high_) {
    if (range.empty()) return;
    rocksdb::ReadOptions options;
    options.snapshot = snapshot;
    options.iterate_lower_bound = &low_slice_;
    options.iterate_upper_bound = &high_slice_;
    iterator_.reset(db.NewIterator(options, family));
    iterator_->SeekToLast();
    skip_others();
  }

  bool valid() const { return iterator_ && iterator_->Valid(); }
  base::MessageId id() const { return id_at_end(view(iterator_->key())); }
  std::string_view value() const { return view(iterator_->value()); }
  void next() {
    iterator_->Prev();
    skip_others();
  }
  Result<void> status() const {
    if (!iterator_ || iterator_->status().ok()) return {};
    return std::unexpected(error_of(iterator_->status(), "cannot list"));
  }

 private:
  // Another tenant whose name continues behind a zero octet: its keys are longer.
  void skip_others() {
    while (valid() && iterator_->key().size() != key_bytes_) iterator_->Prev();
  }

  std::size_t key_bytes_;
  std::string low_;
  std::string high_;
  rocksdb::Slice low_slice_;
  rocksdb::Slice high_slice_;
  std::unique_ptr<rocksdb::Iterator> iterator_;
};

}  // namespace

Result<std::optional<std::string>> RocksdbState::get(Family of, std::string_view key,
                                                     const rocksdb::Snapshot* snapshot) {
  rocksdb::ReadOptions read;
  read.snapshot = snapshot;
  std::string value;
  const rocksdb::Status status = db().Get(read, family(of), slice(key), &value);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) return std::unexpected(error_of(status, "cannot read " + options.path));
  return value;
}

Result<std::vector<message::ReceiptOwner>> RocksdbState::get_owners(std::string_view key) {
  const auto value = get(Family::cold, key);
  if (!value) return std::unexpected(value.error());
  if (!*value) return std::vector<message::ReceiptOwner>{};
  auto owners = decode_owners(**value);
  if (!owners) return std::unexpected(Error{ErrorKind::damaged, owners.error()});
  return std::move(*owners);
}

Result<std::optional<std::string>> RocksdbState::get_archived(std::string_view tenant,
                                                              const base::MessageId& id,
                                                              const rocksdb::Snapshot* snapshot) {
  if (is_swept(id)) return std::nullopt;
  auto record = get(Family::archive, with_id(tenant_key(kRecordPrefix, tenant), id), snapshot);
  // Empty: late events of a message that is not there.
  if (record && *record && (*record)->empty()) return std::nullopt;
  return record;
}

Result<std::optional<message::KeyRecord>> RocksdbStore::find_key(const base::Hash128& key,
                                                                 base::Wall now) {
  const auto value = state_->get(Family::keys, hash_key(key));
  if (!value) return std::unexpected(value.error());
  if (!*value) return std::nullopt;
  auto record = decode_key_record(**value);
  if (!record) return std::unexpected(Error{ErrorKind::damaged, record.error()});
  if (record->expires_at <= now) return std::nullopt;
  return std::move(*record);
}

Result<std::vector<message::ReceiptOwner>> RocksdbStore::find_owners(const base::Hash128& key,
                                                                     base::Wall now) {
  auto owners = state_->get_owners(owners_key(key));
  if (!owners) return owners;
  std::erase_if(*owners, [&](const message::ReceiptOwner& owner) { return owner.until <= now; });
  return owners;
}

Result<std::vector<StoredNotice>> RocksdbStore::notices(std::string_view account,
                                                        const message::NoticeAt& after,
                                                        std::size_t limit) {
  RocksdbState& s = *state_;
  std::vector<StoredNotice> out;
  std::string from = notice_key(account, after);
  from.push_back('\0');  // behind it
  const std::unique_ptr<rocksdb::Iterator> at(
      s.db().NewIterator(rocksdb::ReadOptions(), s.family(Family::notices)));
  for (at->Seek(from); at->Valid() && out.size() < limit; at->Next()) {
    const auto place = parse_notice_key(account, view(at->key()));
    if (!place) break;
    if (is_forgotten_notice(*s.horizons, view(at->value()))) continue;
    out.push_back({*place, at->value().ToString()});
  }
  if (!at->status().ok()) return std::unexpected(error_of(at->status(), "cannot read notices"));
  return out;
}

Result<std::optional<std::string>> RocksdbStore::find_message(std::string_view tenant,
                                                              const base::MessageId& id) {
  // The archive twice: the message may move there from the cold tier between two reads.
  for (int round = 0; round < 2; ++round) {
    auto archived = state_->get_archived(tenant, id);
    if (!archived || *archived) return archived;
    if (round == 1) break;
    const auto cold = find_cold(id);
    if (!cold) return std::unexpected(cold.error());
    if (*cold) {
      if ((*cold)->tenant != tenant) return std::nullopt;
      return std::move((*cold)->record);
    }
  }
  return std::nullopt;
}

Result<std::optional<ColdMessage>> RocksdbStore::find_cold(const base::MessageId& id) {
  const auto value = state_->get(Family::cold, cold_id_key(id));
  if (!value) return std::unexpected(value.error());
  if (!*value) return std::nullopt;
  const auto entry = decode_cold_entry(**value);
  if (!entry) return std::unexpected(undecodable(id, entry.error()));
  return ColdMessage{std::string(entry->tenant), id, std::string(entry->record)};
}

Result<std::optional<ColdMessage>> RocksdbStore::find_cold_by_receipt(
    const base::Hash128& receipt_key) {
  const auto owner = state_->get(Family::cold, receipt_index_key(receipt_key));
  if (!owner) return std::unexpected(owner.error());
  if (!*owner) return std::nullopt;
  const auto id = base::MessageId::from_big_endian(**owner);
  if (!id) return std::unexpected(Error{ErrorKind::damaged, "cold receipt index: not an id"});
  return find_cold(*id);
}

Result<std::vector<ColdMessage>> RocksdbStore::cold_due(base::Wall until, std::size_t limit) {
  RocksdbState& s = *state_;
  const Snapshot snapshot(s.db());
  const std::string low(1, kDuePrefix);
  const std::string high = due_key(until + base::Duration{1});
  const rocksdb::Slice high_slice(high);
  rocksdb::ReadOptions options;
  options.snapshot = snapshot.get();
  options.iterate_upper_bound = &high_slice;
  const std::unique_ptr<rocksdb::Iterator> due(s.db().NewIterator(options, s.family(Family::cold)));
  std::vector<ColdMessage> out;
  for (due->Seek(low); due->Valid() && out.size() < limit; due->Next()) {
    const base::MessageId id = id_at_end(view(due->key()));
    const auto value = s.get(Family::cold, cold_id_key(id), snapshot.get());
    if (!value) return std::unexpected(value.error());
    if (!*value) return std::unexpected(undecodable(id, "missing, but due"));
    const auto entry = decode_cold_entry(**value);
    if (!entry) return std::unexpected(undecodable(id, entry.error()));
    out.push_back({std::string(entry->tenant), id, std::string(entry->record)});
  }
  if (!due->status().ok()) return std::unexpected(error_of(due->status(), "cannot list"));
  return out;
}

namespace {

class ArchiveSource final : public ListSource {
 public:
  ArchiveSource(RocksdbState& state, const ListQuery& query, const IdRange& range,
                const rocksdb::Snapshot* snapshot)
      : state_(state),
        tenant_(query.tenant),
        by_recipient_(query.to_hash.has_value()),
        snapshot_(snapshot),
        walk_(state.db(), state.family(by_recipient_ ? Family::recipients : Family::archive),
              snapshot,
              by_recipient_ ? recipient_key(query.tenant, *query.to_hash)
                            : tenant_key(kRecordPrefix, query.tenant),
              range) {}

  // What is swept comes last.
  bool valid() const override { return walk_.valid() && !state_.is_swept(walk_.id()); }
  base::MessageId id() const override { return walk_.id(); }
  void next() override { walk_.next(); }
  Result<void> status() const override { return walk_.status(); }
  Result<std::string_view> record() override {
    if (!by_recipient_) return walk_.value();
    auto found = state_.get_archived(tenant_, walk_.id(), snapshot_);
    if (!found) return std::unexpected(found.error());
    record_ = std::move(*found).value_or("");
    return record_;
  }

 private:
  RocksdbState& state_;
  const std::string& tenant_;
  bool by_recipient_;
  const rocksdb::Snapshot* snapshot_;
  IdWalk walk_;
  std::string record_;
};

class ColdSource final : public ListSource {
 public:
  ColdSource(RocksdbState& state, const ListQuery& query, const IdRange& range,
             const rocksdb::Snapshot* snapshot)
      : state_(state),
        snapshot_(snapshot),
        walk_(state.db(), state.family(Family::cold), snapshot,
              query.to_hash ? recipient_key(query.tenant, *query.to_hash)
                            : tenant_key(kTenantPrefix, query.tenant),
              range) {}

  bool valid() const override { return walk_.valid(); }
  base::MessageId id() const override { return walk_.id(); }
  void next() override { walk_.next(); }
  Result<void> status() const override { return walk_.status(); }
  Result<std::string_view> record() override {
    auto found = state_.get(Family::cold, cold_id_key(walk_.id()), snapshot_);
    if (!found) return std::unexpected(found.error());
    if (!*found) return std::unexpected(undecodable(walk_.id(), "missing, but listed"));
    entry_ = std::move(**found);
    const auto entry = decode_cold_entry(entry_);
    if (!entry) return std::unexpected(undecodable(walk_.id(), entry.error()));
    return entry->record;
  }

 private:
  RocksdbState& state_;
  const rocksdb::Snapshot* snapshot_;
  IdWalk walk_;
  std::string entry_;
};

}  // namespace

Result<ListPage> RocksdbStore::list(const ListQuery& query) {
  RocksdbState& s = *state_;
  // One moment for all reads: a message that moves from the cold tier into the archive is in one of
  // them.
  const Snapshot snapshot(s.db());
  const IdRange range = id_range(query);
  ArchiveSource archive(s, query, range, snapshot.get());
  ColdSource cold(s, query, range, snapshot.get());
  return list_page(query, archive, cold);
}

Result<std::vector<StoredOptOut>> RocksdbStore::opt_out_changes(std::uint64_t after,
                                                                std::size_t limit) {
  RocksdbState& s = *state_;
  const std::string end(1, kOptOutPrefix + 1);
  const rocksdb::Slice end_slice(end);
  rocksdb::ReadOptions read;
  read.iterate_upper_bound = &end_slice;
  std::vector<StoredOptOut> out;
  const std::unique_ptr<rocksdb::Iterator> at(s.db().NewIterator(read, s.family(Family::cold)));
  for (at->Seek(opt_out_key(after + 1)); at->Valid() && out.size() < limit; at->Next()) {
    out.push_back({change_of(view(at->key())), at->value().ToString()});
  }
  if (!at->status().ok()) return std::unexpected(error_of(at->status(), "cannot list opt-outs"));
  return out;
}

Result<OptOutPage> RocksdbStore::opt_outs(const OptOutQuery& query) {
  RocksdbState& s = *state_;
  // One moment for all reads: a change moves the entry that its place names.
  const Snapshot snapshot(s.db());
  rocksdb::ReadOptions read;
  read.snapshot = snapshot.get();
  OptOutPage page;
  const std::size_t key_bytes = tenant_key(kOptOutPlacePrefix, query.tenant).size() + 16;
  const std::uint64_t first = query.to_hash.value_or(0);
  const std::uint64_t last = query.to_hash.value_or(~std::uint64_t{0});
  const std::string begin =
      opt_out_place_key(query.tenant, query.after.value_or(message::OptOutPlace{first, 0}));
  const std::string end = opt_out_place_key(query.tenant, {last, ~std::uint64_t{0}});
  std::optional<message::OptOutPlace> told;
  const std::unique_ptr<rocksdb::Iterator> at(s.db().NewIterator(read, s.family(Family::cold)));
  for (at->Seek(begin); at->Valid() && view(at->key()) <= end; at->Next()) {
    if (at->key().size() != key_bytes) continue;  // of a tenant whose name goes on behind a zero
    const message::OptOutPlace place = opt_out_place_at_end(view(at->key()));
    if (query.after && place <= *query.after) continue;
    if (page.entries.size() == query.limit) {
      page.resume = told;
      break;
    }
    auto entry = s.get(Family::cold, opt_out_key(parse_number(view(at->value())).value_or(0)),
                       snapshot.get());
    if (!entry) return std::unexpected(entry.error());
    if (!*entry) return std::unexpected(Error{ErrorKind::damaged, "an opt-out is missing"});
    page.entries.push_back(std::move(**entry));
    told = place;
  }
  if (!at->status().ok()) return std::unexpected(error_of(at->status(), "cannot list opt-outs"));
  return page;
}

Result<std::string> RocksdbStore::peer_cursor(std::string_view peer) {
  auto found = state_->get(Family::cold, peer_key(peer));
  if (!found) return std::unexpected(found.error());
  return std::move(*found).value_or("");
}

Result<void> RocksdbStore::visit_cold(const std::function<void(std::string_view record)>& visit) {
  RocksdbState& s = *state_;
  const std::string end(1, kIdPrefix + 1);
  const rocksdb::Slice end_slice(end);
  rocksdb::ReadOptions read;
  read.iterate_upper_bound = &end_slice;
  read.fill_cache = false;  // what others look for must not make room for all of it
  const std::unique_ptr<rocksdb::Iterator> at(s.db().NewIterator(read, s.family(Family::cold)));
  for (at->Seek(std::string(1, kIdPrefix)); at->Valid(); at->Next()) {
    const auto entry = decode_cold_entry(view(at->value()));
    if (!entry) return std::unexpected(undecodable(id_at_end(view(at->key())), entry.error()));
    visit(entry->record);
  }
  if (!at->status().ok()) return std::unexpected(error_of(at->status(), "cannot list"));
  return {};
}

}  // namespace trunkline::store
