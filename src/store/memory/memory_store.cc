#include "store/memory/memory_store.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <limits>
#include <map>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <unordered_map>

#include "base/assert.h"
#include "base/limits.h"
#include "message/owners.h"
#include "message/record.h"
#include "store/listing.h"

namespace trunkline::store {
namespace {

struct StoredRecord {
  std::uint64_t to_hash = 0;
  std::string bytes;
};
// Of one tenant, oldest first.
using Records = std::map<base::MessageId, StoredRecord>;

struct ColdEntry {
  std::string tenant;
  base::Wall due_at{};
  std::vector<base::Hash128> receipt_keys;
};

class RecordsSource final : public ListSource {
 public:
  RecordsSource(const Records* records, const IdRange& range,
                const std::optional<std::uint64_t>& to_hash)
      : to_hash_(to_hash) {
    if (records == nullptr || range.empty()) return;
    first_ = records->lower_bound(range.low);
    at_ = records->lower_bound(range.high);
    step();
  }
  bool valid() const override { return valid_; }
  base::MessageId id() const override { return at_->first; }
  Result<std::string_view> record() override { return at_->second.bytes; }
  void next() override { step(); }
  Result<void> status() const override { return {}; }

 private:
  void step() {
    valid_ = false;
    while (!valid_ && at_ != first_) {
      --at_;
      valid_ = !to_hash_ || at_->second.to_hash == *to_hash_;
    }
  }

  std::optional<std::uint64_t> to_hash_;
  Records::const_iterator first_;
  Records::const_iterator at_;  // the current one if valid_, else == first_ or one before
  bool valid_ = false;
};

}  // namespace

struct MemoryDisk::Data {
  mutable std::shared_mutex mutex;  // guards everything below; written by the store thread only
  bool open = false;
  bool formatted = false;
  bool failed = false;  // of this run: nothing more is accepted
  std::uint16_t shard = 0;
  std::uint64_t epoch = 0;
  std::uint64_t next_seq = 1;
  std::uint64_t crash_after = std::numeric_limits<std::uint64_t>::max();

  std::deque<std::string> journal;  // the last one has next_seq - 1
  std::uint64_t journal_bytes = 0;

  std::map<std::string, Records, std::less<>> archive;
  std::unordered_map<base::Hash128, message::KeyRecord, base::Hash128Hash> keys;
  std::unordered_map<base::Hash128, std::vector<message::ReceiptOwner>, base::Hash128Hash> owners;

  std::map<std::string, Records, std::less<>> cold;
  std::unordered_map<base::MessageId, ColdEntry, base::MessageIdHash> cold_entries;
  std::set<std::pair<base::Wall, base::MessageId>> cold_due;
  std::unordered_map<base::Hash128, base::MessageId, base::Hash128Hash> cold_receipts;

  std::map<std::string, std::map<message::NoticeAt, std::string>, std::less<>> notices;

  // By tenant and place; and the same by change.
  std::map<std::string, std::map<message::OptOutPlace, std::uint64_t>, std::less<>> opt_out_places;
  std::map<std::uint64_t, std::string> opt_outs;
  std::map<std::string, std::string, std::less<>> peer_cursors;

  std::uint64_t first_seq() const { return next_seq - journal.size(); }

  static const std::string* find(const std::map<std::string, Records, std::less<>>& where,
                                 std::string_view tenant, const base::MessageId& id) {
    const auto records = where.find(tenant);
    if (records == where.end()) return nullptr;
    const auto record = records->second.find(id);
    return record == records->second.end() ? nullptr : &record->second.bytes;
  }

  void remove_cold(const base::MessageId& id) {
    const auto found = cold_entries.find(id);
    if (found == cold_entries.end()) return;
    const ColdEntry& entry = found->second;
    cold_due.erase({entry.due_at, id});
    for (const base::Hash128& key : entry.receipt_keys) {
      const auto receipt = cold_receipts.find(key);
      if (receipt != cold_receipts.end() && receipt->second == id) cold_receipts.erase(receipt);
    }
    const auto records = cold.find(entry.tenant);
    records->second.erase(id);
    if (records->second.empty()) cold.erase(records);
    cold_entries.erase(found);
  }

  void put_cold(const message::ColdPut& put) {
    remove_cold(put.id);
    cold_entries.emplace(put.id, ColdEntry{put.tenant, put.due_at, put.receipt_keys});
    cold_due.emplace(put.due_at, put.id);
    for (const base::Hash128& key : put.receipt_keys) cold_receipts.insert_or_assign(key, put.id);
    cold[put.tenant].insert_or_assign(put.id, StoredRecord{put.to_hash, put.record});
  }

  ColdMessage cold_message(const base::MessageId& id, const ColdEntry& entry) const {
    const std::string* record = find(cold, entry.tenant, id);
    ASSERT(record != nullptr);
    return {entry.tenant, id, *record};
  }

  void apply_notices(const message::Commit& commit) {
    for (const message::NoticeKey& key : commit.notices_done) {
      const auto line = notices.find(key.account);
      if (line == notices.end()) continue;
      line->second.erase(key.at);
      if (line->second.empty()) notices.erase(line);
    }
    std::uint32_t index = 0;
    for (const message::NoticePut& put : commit.notices) {
      notices[put.account].insert_or_assign(message::NoticeAt{commit.seq, index++}, put.bytes);
    }
  }

  void apply_opt_outs(const message::Commit& commit) {
    for (const message::OptOutPut& put : commit.opt_outs) {
      opt_outs.erase(put.replaces);
      opt_outs[put.change] = message::encode_opt_out(put.entry);
      opt_out_places[put.entry.tenant][message::place_of(put.entry)] = put.change;
    }
    for (const message::PeerCursor& one : commit.peer_cursors) {
      peer_cursors[one.peer] = one.cursor;
    }
  }

  void apply(const message::Commit& commit, std::uint16_t of_shard) {
    journal.push_back(message::encode_journal_record(commit, of_shard, next_seq - 1));
    journal_bytes += journal.back().size();
    next_seq = commit.seq + 1;
    for (const base::MessageId& id : commit.cold_removed) remove_cold(id);
    for (const message::ColdPut& put : commit.cold) put_cold(put);
    for (const message::ArchivePut& put : commit.archive) {
      Records& records = archive[put.tenant];
      records.insert_or_assign(records.end(), put.id, StoredRecord{put.to_hash, put.record});
    }
    for (const message::ArchiveAppend& append : commit.archive_appends) {
      const auto records = archive.find(append.tenant);
      if (records == archive.end()) continue;
      const auto record = records->second.find(append.id);
      if (record == records->second.end()) continue;
      message::append_to_archived(record->second.bytes, append.event);
    }
    for (const message::KeyPut& put : commit.keys) keys.insert_or_assign(put.key, put.record);
    for (const message::OwnerPut& put : commit.owners)
      message::add_owner(owners[put.key], put.owner);
    apply_notices(commit);
    apply_opt_outs(commit);
    while (!journal.empty() && first_seq() < commit.trim_before) {
      journal_bytes -= journal.front().size();
      journal.pop_front();
    }
  }
};

MemoryDisk::MemoryDisk() : data_(std::make_unique<Data>()) {}
MemoryDisk::~MemoryDisk() = default;

std::shared_ptr<MemoryDisk> MemoryDisk::clone() const {
  auto copy = std::make_shared<MemoryDisk>();
  const std::shared_lock lock(data_->mutex);
  const Data& from = *data_;
  Data& to = *copy->data_;
  to.formatted = from.formatted;
  to.shard = from.shard;
  to.epoch = from.epoch;
  to.next_seq = from.next_seq;
  to.journal = from.journal;
  to.journal_bytes = from.journal_bytes;
  to.archive = from.archive;
  to.keys = from.keys;
  to.owners = from.owners;
  to.cold = from.cold;
  to.cold_entries = from.cold_entries;
  to.cold_due = from.cold_due;
  to.cold_receipts = from.cold_receipts;
  to.notices = from.notices;
  to.opt_out_places = from.opt_out_places;
  to.opt_outs = from.opt_outs;
  to.peer_cursors = from.peer_cursors;
  return copy;
}

Result<std::unique_ptr<MemoryStore>> MemoryStore::open(std::shared_ptr<MemoryDisk> disk,
                                                       std::uint16_t shard, Opened& opened) {
  MemoryDisk::Data& data = *disk->data_;
  const std::unique_lock lock(data.mutex);
  if (data.open) return std::unexpected(Error{ErrorKind::locked, "another store has it open"});
  if (data.formatted && data.shard != shard) {
    return std::unexpected(Error{ErrorKind::mismatch,
                                 fmt::format("belongs to shard {}, not to {}", data.shard, shard)});
  }
  data.formatted = true;
  data.shard = shard;
  data.open = true;
  data.failed = false;
  data.crash_after = std::numeric_limits<std::uint64_t>::max();
  ++data.epoch;
  opened = {};
  opened.epoch = data.epoch;
  opened.next_seq = data.next_seq;
  opened.first_seq = data.first_seq();
  return std::unique_ptr<MemoryStore>(new MemoryStore(std::move(disk), shard, data.epoch));
}

MemoryStore::MemoryStore(std::shared_ptr<MemoryDisk> disk, std::uint16_t shard, std::uint64_t epoch)
    : disk_(std::move(disk)), shard_(shard), epoch_(epoch) {}

MemoryStore::~MemoryStore() {
  const std::unique_lock lock(disk_->data_->mutex);
  disk_->data_->open = false;
}

void MemoryStore::crash_after(std::uint64_t last) {
  const std::unique_lock lock(disk_->data_->mutex);
  disk_->data_->crash_after = last;
}

Result<void> MemoryStore::replay(const std::function<void(const message::JournalRecord&)>& visit) {
  // No lock: nothing writes before the first commit, and `visit` may want to look things up.
  std::uint64_t seq = disk_->data_->first_seq();
  for (const std::string& bytes : disk_->data_->journal) {
    const auto record = message::decode_journal_record(bytes);
    if (!record || record->seq != seq || record->shard != shard_) {
      return std::unexpected(
          Error{ErrorKind::damaged,
                fmt::format("journal record {}: {}", seq,
                            record ? "carries another number or shard" : record.error()),
                seq, seq});
    }
    visit(*record);
    ++seq;
  }
  return {};
}

Result<void> MemoryStore::commit(std::span<const message::Commit> commits) {
  MemoryDisk::Data& data = *disk_->data_;
  const std::unique_lock lock(data.mutex);
  for (const message::Commit& commit : commits) {
    if (commit.empty()) continue;
    if (data.failed || commit.seq > data.crash_after) {
      data.failed = true;
      return std::unexpected(Error{ErrorKind::io, "crashed, as the test asked for"});
    }
    ASSERT(commit.seq == data.next_seq);
    ASSERT(commit.epoch == epoch_);
    data.apply(commit, shard_);
  }
  return {};
}

Result<std::optional<message::KeyRecord>> MemoryStore::find_key(const base::Hash128& key,
                                                                base::Wall now) {
  const std::shared_lock lock(disk_->data_->mutex);
  const auto found = disk_->data_->keys.find(key);
  if (found == disk_->data_->keys.end() || found->second.expires_at <= now) return std::nullopt;
  return found->second;
}

Result<std::vector<message::ReceiptOwner>> MemoryStore::find_owners(const base::Hash128& key,
                                                                    base::Wall now) {
  const std::shared_lock lock(disk_->data_->mutex);
  const auto found = disk_->data_->owners.find(key);
  if (found == disk_->data_->owners.end()) return std::vector<message::ReceiptOwner>{};
  std::vector<message::ReceiptOwner> alive = found->second;
  std::erase_if(alive, [&](const message::ReceiptOwner& owner) { return owner.until <= now; });
  return alive;
}

Result<std::optional<std::string>> MemoryStore::find_message(std::string_view tenant,
                                                             const base::MessageId& id) {
  const MemoryDisk::Data& data = *disk_->data_;
  const std::shared_lock lock(data.mutex);
  if (const std::string* record = data.find(data.archive, tenant, id)) return *record;
  if (const std::string* record = data.find(data.cold, tenant, id)) return *record;
  return std::nullopt;
}

Result<ListPage> MemoryStore::list(const ListQuery& query) {
  const MemoryDisk::Data& data = *disk_->data_;
  const std::shared_lock lock(data.mutex);
  const IdRange range = id_range(query);
  const auto source = [&](const std::map<std::string, Records, std::less<>>& where) {
    const auto records = where.find(query.tenant);
    return RecordsSource(records == where.end() ? nullptr : &records->second, range, query.to_hash);
  };
  RecordsSource archive = source(data.archive);
  RecordsSource cold = source(data.cold);
  return list_page(query, archive, cold);
}

Result<std::optional<ColdMessage>> MemoryStore::find_cold(const base::MessageId& id) {
  const MemoryDisk::Data& data = *disk_->data_;
  const std::shared_lock lock(data.mutex);
  const auto entry = data.cold_entries.find(id);
  if (entry == data.cold_entries.end()) return std::nullopt;
  return data.cold_message(id, entry->second);
}

Result<std::optional<ColdMessage>> MemoryStore::find_cold_by_receipt(
    const base::Hash128& receipt_key) {
  const MemoryDisk::Data& data = *disk_->data_;
  const std::shared_lock lock(data.mutex);
  const auto receipt = data.cold_receipts.find(receipt_key);
  if (receipt == data.cold_receipts.end()) return std::nullopt;
  return data.cold_message(receipt->second, data.cold_entries.at(receipt->second));
}

Result<std::vector<ColdMessage>> MemoryStore::cold_due(base::Wall until, std::size_t limit) {
  const MemoryDisk::Data& data = *disk_->data_;
  const std::shared_lock lock(data.mutex);
  std::vector<ColdMessage> out;
  for (const auto& [due, id] : data.cold_due) {
    if (due > until || out.size() == limit) break;
    out.push_back(data.cold_message(id, data.cold_entries.at(id)));
  }
  return out;
}

Result<void> MemoryStore::visit_cold(const std::function<void(std::string_view record)>& visit) {
  const MemoryDisk::Data& data = *disk_->data_;
  const std::shared_lock lock(data.mutex);
  for (const auto& [tenant, records] : data.cold) {
    for (const auto& [id, record] : records) visit(record.bytes);
  }
  return {};
}

Result<std::vector<StoredNotice>> MemoryStore::notices(std::string_view account,
                                                       const message::NoticeAt& after,
                                                       std::size_t limit) {
  const MemoryDisk::Data& data = *disk_->data_;
  const std::shared_lock lock(data.mutex);
  std::vector<StoredNotice> out;
  const auto line = data.notices.find(account);
  if (line == data.notices.end()) return out;
  for (auto at = line->second.upper_bound(after); at != line->second.end() && out.size() < limit;
       ++at) {
    out.push_back({at->first, at->second});
  }
  return out;
}

Result<std::vector<StoredOptOut>> MemoryStore::opt_out_changes(std::uint64_t after,
                                                               std::size_t limit) {
  const std::shared_lock lock(disk_->data_->mutex);
  std::vector<StoredOptOut> out;
  const auto& all = disk_->data_->opt_outs;
  for (auto at = all.upper_bound(after); at != all.end() && out.size() < limit; ++at) {
    out.push_back({at->first, at->second});
  }
  return out;
}

Result<OptOutPage> MemoryStore::opt_outs(const OptOutQuery& query) {
  const std::shared_lock lock(disk_->data_->mutex);
  OptOutPage page;
  const auto tenant = disk_->data_->opt_out_places.find(query.tenant);
  if (tenant == disk_->data_->opt_out_places.end()) return page;
  const auto& places = tenant->second;
  auto at = query.to_hash ? places.lower_bound({*query.to_hash, 0}) : places.begin();
  if (query.after && (at == places.end() || at->first <= *query.after)) {
    at = places.upper_bound(*query.after);
  }
  std::optional<message::OptOutPlace> last;
  for (; at != places.end(); ++at) {
    if (query.to_hash && at->first.to_hash != *query.to_hash) break;
    if (page.entries.size() == query.limit) {
      page.resume = last;
      break;
    }
    page.entries.push_back(disk_->data_->opt_outs.at(at->second));
    last = at->first;
  }
  return page;
}

Result<std::string> MemoryStore::peer_cursor(std::string_view peer) {
  const std::shared_lock lock(disk_->data_->mutex);
  const auto found = disk_->data_->peer_cursors.find(peer);
  return found == disk_->data_->peer_cursors.end() ? std::string() : found->second;
}

Result<bool> MemoryStore::sweep(base::Wall now, base::Wall archive_before) {
  MemoryDisk::Data& data = *disk_->data_;
  const std::unique_lock lock(data.mutex);
  for (auto line = data.notices.begin(); line != data.notices.end();) {
    std::erase_if(line->second, [&](const auto& entry) {
      const auto time = message::notice_time(entry.second);
      return time && *time <= now - base::limits::kNoticeKeptMax;
    });
    line = line->second.empty() ? data.notices.erase(line) : std::next(line);
  }
  std::erase_if(data.keys, [&](const auto& entry) { return entry.second.expires_at <= now; });
  std::erase_if(data.owners, [&](const auto& entry) {
    return std::ranges::all_of(entry.second, [&](const auto& owner) { return owner.until <= now; });
  });
  ListQuery newer;
  newer.from_time = archive_before;
  const base::MessageId end = id_range(newer).low;
  for (auto records = data.archive.begin(); records != data.archive.end();) {
    records->second.erase(records->second.begin(), records->second.lower_bound(end));
    records = records->second.empty() ? data.archive.erase(records) : std::next(records);
  }
  return false;
}

Store::Stats MemoryStore::stats() const {
  const std::shared_lock lock(disk_->data_->mutex);
  return {disk_->data_->journal_bytes, disk_->data_->journal.size()};
}

}  // namespace trunkline::store
