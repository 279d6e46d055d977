#include "store/rocksdb/recipient_index.h"

#include <rocksdb/sst_file_writer.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "base/bytes.h"
#include "io/failpoint.h"
#include "store/rocksdb/tuning.h"

namespace trunkline::store {
namespace {

constexpr std::uint8_t kNoteVersion = 1;
constexpr std::size_t kChunkItems = 4096;

// Calls item(tenant, to_hash, id) for each; false on damage.
template <class F>
bool decode_note(std::string_view bytes, F item) {
  base::ByteReader in(bytes);
  if (in.u8() != kNoteVersion) return false;
  while (in.ok() && !in.at_end()) {
    const std::string_view tenant = in.text();
    const std::uint64_t count = in.varint();
    for (std::uint64_t i = 0; in.ok() && i < count; ++i) {
      const std::uint64_t to_hash = in.u64();
      base::MessageId id;
      id.high = in.u64();
      id.low = in.u64();
      if (in.ok()) item(tenant, to_hash, id);
    }
  }
  return in.ok();
}

}  // namespace

void encode_note(const message::Commit& commit, std::string& out) {
  base::ByteWriter writer(out);
  writer.u8(kNoteVersion);
  const std::vector<message::ArchivePut>& puts = commit.archive;
  for (std::size_t at = 0; at < puts.size();) {
    std::size_t end = at;
    while (end < puts.size() && puts[end].tenant == puts[at].tenant) ++end;
    writer.text(puts[at].tenant);
    writer.varint(end - at);
    for (; at < end; ++at) {
      writer.u64(puts[at].to_hash);
      writer.u64(puts[at].id.high);
      writer.u64(puts[at].id.low);
    }
  }
}

RecipientIndex::RecipientIndex(Database& database, std::shared_ptr<FailureLatch> latch, Setup setup)
    : database_(database),
      latch_(std::move(latch)),
      setup_(std::move(setup)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

RecipientIndex::~RecipientIndex() = default;

Result<void> RecipientIndex::load() {
  const std::unique_ptr<rocksdb::Iterator> at(
      database_.db().NewIterator(rocksdb::ReadOptions(), database_.family(Family::pending)));
  const std::scoped_lock lock(mutex_);
  for (at->SeekToFirst(); at->Valid(); at->Next()) {
    const auto seq = parse_number(view(at->key()));
    const bool sound =
        seq && decode_note(view(at->value()),
                           [&](std::string_view tenant, std::uint64_t to_hash,
                               const base::MessageId& id) { add(growing_, tenant, to_hash, id); });
    if (!sound) {
      return std::unexpected(
          Error{ErrorKind::damaged, "the list of messages to be indexed is not readable"});
    }
    growing_.last_seq = *seq;
  }
  if (!at->status().ok()) return std::unexpected(error_of(at->status(), "cannot read the store"));
  full_.notify_one();
  return {};
}

std::size_t RecipientIndex::Batch::size() const { return full.size() * kChunkItems + last.size(); }

void RecipientIndex::add(Batch& to, std::string_view tenant, std::uint64_t to_hash,
                         const base::MessageId& id) {
  std::uint32_t number = 0;
  // Runs of one tenant are the rule.
  if (!to.last.empty() && tenants_[to.last.back().tenant] == tenant) {
    number = to.last.back().tenant;
  } else {
    const auto [known, is_new] = tenant_numbers_.try_emplace(
        std::string(tenant), static_cast<std::uint32_t>(tenants_.size()));
    if (is_new) tenants_.emplace_back(tenant);
    number = known->second;
  }
  if (to.last.empty()) to.last.reserve(kChunkItems);
  to.last.push_back({to_hash, id, number});
  if (to.last.size() == kChunkItems) {
    to.full.push_back(std::make_shared<const Chunk>(std::exchange(to.last, {})));
  }
}

void RecipientIndex::note(const message::Commit& commit) {
  if (commit.archive.empty()) return;
  const std::scoped_lock lock(mutex_);
  for (const message::ArchivePut& put : commit.archive) {
    add(growing_, put.tenant, put.to_hash, put.id);
  }
  growing_.last_seq = commit.seq;
  if (growing_.size() >= setup_.batch) full_.notify_one();
}

std::uint64_t RecipientIndex::done_through() const {
  const std::scoped_lock lock(mutex_);
  return done_through_;
}

std::vector<base::MessageId> RecipientIndex::find(std::string_view tenant, std::uint64_t to_hash,
                                                  const IdRange& range) const {
  std::vector<base::MessageId> out;
  std::vector<std::shared_ptr<const Chunk>> chunks;
  std::uint32_t number = 0;
  const auto look = [&](const Chunk& chunk) {
    for (const Item& item : chunk) {
      if (item.to_hash == to_hash && item.tenant == number && item.id >= range.low &&
          item.id < range.high) {
        out.push_back(item.id);
      }
    }
  };
  {
    const std::scoped_lock lock(mutex_);
    const auto known = tenant_numbers_.find(std::string(tenant));
    if (known == tenant_numbers_.end()) return out;
    number = known->second;
    chunks = growing_.full;
    look(growing_.last);
    if (building_) {
      chunks.insert(chunks.end(), building_->full.begin(), building_->full.end());
      look(building_->last);
    }
  }
  for (const auto& chunk : chunks) look(*chunk);
  std::ranges::sort(out, std::greater());
  const auto repeated = std::ranges::unique(out);
  out.erase(repeated.begin(), repeated.end());
  return out;
}

void RecipientIndex::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (full_.wait(lock, stop, [&] { return growing_.size() >= setup_.batch; })) {
    building_ = std::make_shared<const Batch>(std::exchange(growing_, {}));
    lock.unlock();
    const rocksdb::Status status = build(*building_);
    lock.lock();
    if (!status.ok()) {
      // Found in memory on until the restart, which latching makes soon.
      latch_->fail("index of recipients: " + status.ToString());
      return;
    }
    done_through_ = building_->last_seq;
    building_ = nullptr;
  }
}

std::vector<std::string> RecipientIndex::sorted_keys(const Batch& batch) const {
  std::vector<std::string> tenants;
  {
    const std::scoped_lock lock(mutex_);
    tenants = tenants_;
  }
  std::vector<std::string> keys;
  keys.reserve(batch.size());
  const auto add_all = [&](const Chunk& chunk) {
    for (const Item& item : chunk) {
      keys.push_back(with_id(recipient_key(tenants[item.tenant], item.to_hash), item.id));
    }
  };
  for (const auto& chunk : batch.full) add_all(*chunk);
  add_all(batch.last);
  std::ranges::sort(keys);
  const auto repeated = std::ranges::unique(keys);
  keys.erase(repeated.begin(), repeated.end());
  return keys;
}

rocksdb::Status RecipientIndex::build(const Batch& batch) {
  const std::vector<std::string> keys = sorted_keys(batch);
  if (const auto error = FAILPOINT("store.index")) {
    return rocksdb::Status::IOError("failpoint", std::strerror(*error));
  }
  rocksdb::ColumnFamilyHandle* family = database_.family(Family::recipients);
  std::remove(setup_.scratch_file.c_str());  // of a run that was killed here
  rocksdb::SstFileWriter writer(rocksdb::EnvOptions(), database_.db().GetOptions(family), family);
  rocksdb::Status status = writer.Open(setup_.scratch_file);
  for (const std::string& key : keys) {
    if (status.ok()) status = writer.Put(key, {});
  }
  if (status.ok()) status = writer.Finish();
  if (!status.ok()) return status;
  rocksdb::IngestExternalFileOptions options;
  options.move_files = true;
  options.write_global_seqno = false;
  status = database_.db().IngestExternalFile(family, {setup_.scratch_file}, options);
  if (!status.ok()) return status;
  if (const auto error = FAILPOINT("store.after_index")) {
    return rocksdb::Status::IOError("failpoint", std::strerror(*error));
  }
  return status;
}

}  // namespace trunkline::store
