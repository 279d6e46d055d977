#include "store/rocksdb/hooks.h"

#include <rocksdb/file_system.h>
#include <sys/stat.h>

#include <charconv>
#include <fstream>

#include "base/limits.h"
#include "base/time.h"
#include "io/failpoint.h"
#include "io/give_way.h"
#include "message/owners.h"
#include "message/record.h"
#include "store/codec.h"
#include "store/rocksdb/schema.h"

namespace trunkline::store {
namespace {

using rocksdb::CompactionFilter;
using rocksdb::Slice;

class ArchiveAppend final : public rocksdb::MergeOperator {
 public:
  const char* Name() const override { return "trunkline.archive_append.1"; }

  // No record, no append: the result is then empty, which look-ups take for absent.
  bool FullMergeV2(const MergeOperationInput& in, MergeOperationOutput* out) const override {
    if (in.existing_value == nullptr || in.existing_value->empty()) {
      out->new_value.clear();
      return true;
    }
    out->new_value.assign(in.existing_value->data(), in.existing_value->size());
    for (const Slice& event : in.operand_list) {
      message::append_to_archived(out->new_value, view(event));
    }
    return true;
  }
};

// Receipt owners: the commit path need not read those a key has.
class AddOwner final : public rocksdb::MergeOperator {
 public:
  const char* Name() const override { return "trunkline.receipt_owners.1"; }

  // What cannot be read, being damaged or of a newer version, stays as it is: look-ups of such a
  // key say so.
  bool FullMergeV2(const MergeOperationInput& in, MergeOperationOutput* out) const override {
    std::vector<message::ReceiptOwner> owners;
    if (in.existing_value != nullptr) {
      auto existing = decode_owners(view(*in.existing_value));
      if (!existing) {
        out->new_value.assign(in.existing_value->data(), in.existing_value->size());
        return true;
      }
      owners = std::move(*existing);
    }
    for (const Slice& operand : in.operand_list) {
      auto more = decode_owners(view(operand));
      if (!more) continue;
      for (message::ReceiptOwner& owner : *more) message::add_owner(owners, std::move(owner));
    }
    out->new_value.clear();
    encode_owners(owners, out->new_value);
    return true;
  }
};

// Forgets entries for which Gone(horizons, key, value) holds.
template <class Gone>
class Filter final : public CompactionFilter {
 public:
  Filter(std::shared_ptr<const Horizons> horizons, Gone gone)
      : horizons_(std::move(horizons)), gone_(gone) {}
  const char* Name() const override { return "trunkline.forget"; }
  // Operands of a merge are left alone: one of them may be to forget what lies below it.
  Decision FilterV2(int, const Slice& key, ValueType type, const Slice& value, std::string*,
                    std::string*) const override {
    if (type == ValueType::kMergeOperand) return Decision::kKeep;
    return gone_(*horizons_, view(key), view(value)) ? Decision::kRemove : Decision::kKeep;
  }

 private:
  std::shared_ptr<const Horizons> horizons_;
  Gone gone_;
};

template <class Gone>
class FilterFactory final : public rocksdb::CompactionFilterFactory {
 public:
  FilterFactory(std::shared_ptr<const Horizons> horizons, Gone gone)
      : horizons_(std::move(horizons)), gone_(gone) {}
  const char* Name() const override { return "trunkline.forget"; }
  // Already when a memtable is written out: most of the journal then never becomes a file.
  bool ShouldFilterTableFileCreation(rocksdb::TableFileCreationReason reason) const override {
    return reason == rocksdb::TableFileCreationReason::kCompaction ||
           reason == rocksdb::TableFileCreationReason::kFlush;
  }
  std::unique_ptr<CompactionFilter> CreateCompactionFilter(
      const CompactionFilter::Context&) override {
    return std::make_unique<Filter<Gone>>(horizons_, gone_);
  }

 private:
  std::shared_ptr<const Horizons> horizons_;
  Gone gone_;
};

template <class Gone>
std::shared_ptr<rocksdb::CompactionFilterFactory> make_filter(
    std::shared_ptr<const Horizons> horizons, Gone gone) {
  return std::make_shared<FilterFactory<Gone>>(std::move(horizons), gone);
}

// Where the disk fails when a test says so.
class FailingFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  FailingFile(std::unique_ptr<rocksdb::FSWritableFile> file, bool is_log)
      : FSWritableFileOwnerWrapper(std::move(file)), is_log_(is_log) {}

  rocksdb::IOStatus Append(const Slice& data, const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* debug) override {
    if (auto failed = write_failure()) return *failed;
    return FSWritableFileOwnerWrapper::Append(data, options, debug);
  }
  rocksdb::IOStatus Append(const Slice& data, const rocksdb::IOOptions& options,
                           const rocksdb::DataVerificationInfo& verification,
                           rocksdb::IODebugContext* debug) override {
    if (auto failed = write_failure()) return *failed;
    return FSWritableFileOwnerWrapper::Append(data, options, verification, debug);
  }
  rocksdb::IOStatus Sync(const rocksdb::IOOptions& options,
                         rocksdb::IODebugContext* debug) override {
    if (auto failed = sync_failure()) return *failed;
    return FSWritableFileOwnerWrapper::Sync(options, debug);
  }
  rocksdb::IOStatus Fsync(const rocksdb::IOOptions& options,
                          rocksdb::IODebugContext* debug) override {
    if (auto failed = sync_failure()) return *failed;
    return FSWritableFileOwnerWrapper::Fsync(options, debug);
  }

 private:
  static rocksdb::IOStatus status_of(int error, const char* where) {
    if (error == ENOSPC) return rocksdb::IOStatus::NoSpace(where, "No space left on device");
    return rocksdb::IOStatus::IOError(where, "Input/output error");
  }
  std::optional<rocksdb::IOStatus> write_failure() {
    const auto error = is_log_ ? FAILPOINT("store.write") : FAILPOINT("store.flush");
    if (!error) return std::nullopt;
    return status_of(*error, "write (failpoint)");
  }
  std::optional<rocksdb::IOStatus> sync_failure() {
    if (!is_log_) return std::nullopt;
    const auto error = FAILPOINT("store.fsync");
    if (!error) return std::nullopt;
    return status_of(*error, "sync (failpoint)");
  }

  bool is_log_;
};

class FailingFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  FailingFileSystem() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "trunkline.failing"; }
  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* debug) override {
    const auto status = FileSystemWrapper::NewWritableFile(name, options, result, debug);
    const bool is_log = name.ends_with(".log");
    if (status.ok() && (is_log || name.ends_with(".sst"))) {
      *result = std::make_unique<FailingFile>(std::move(*result), is_log);
    }
    return status;
  }
};

// Writing out 64 MiB takes a core for a tenth of a second, and on a small machine every request
// that comes meanwhile would feel it. A flush must keep up with the log or it stops the writers: it
// still gets a quarter of a core that everybody wants; a compaction a tenth.
constexpr int kFlushNice = 5;
constexpr int kCompactionNice = 10;

}  // namespace

std::shared_ptr<rocksdb::MergeOperator> archive_append_operator() {
  return std::make_shared<ArchiveAppend>();
}

std::shared_ptr<rocksdb::MergeOperator> owners_operator() { return std::make_shared<AddOwner>(); }

std::shared_ptr<rocksdb::CompactionFilterFactory> journal_filter(
    std::shared_ptr<const Horizons> horizons, std::uint16_t shard) {
  return make_filter(std::move(horizons),
                     [shard](const Horizons& h, std::string_view key, std::string_view) {
                       const auto seq = parse_journal_key(shard, key);
                       return seq && *seq < h.trim.load(std::memory_order_relaxed);
                     });
}

std::shared_ptr<rocksdb::CompactionFilterFactory> archive_filter(
    std::shared_ptr<const Horizons> horizons) {
  // Records and index entries both end with the id, and the id begins with its millisecond.
  return make_filter(
      std::move(horizons), [](const Horizons& h, std::string_view key, std::string_view) {
        return key.size() >= 18 &&
               id_at_end(key).high >> 16 < h.archive_before_ms.load(std::memory_order_relaxed);
      });
}

std::shared_ptr<rocksdb::CompactionFilterFactory> keys_filter(
    std::shared_ptr<const Horizons> horizons) {
  return make_filter(
      std::move(horizons), [](const Horizons& h, std::string_view, std::string_view value) {
        const auto expiry = key_record_expiry(value);
        return expiry && base::to_us(*expiry) <= h.keys_expired_us.load(std::memory_order_relaxed);
      });
}

std::shared_ptr<rocksdb::CompactionFilterFactory> owners_filter(
    std::shared_ptr<const Horizons> horizons) {
  return make_filter(
      std::move(horizons), [](const Horizons& h, std::string_view key, std::string_view value) {
        if (!key.starts_with(kOwnersPrefix)) return false;
        const auto expiry = key_record_expiry(value);
        return expiry && base::to_us(*expiry) <= h.keys_expired_us.load(std::memory_order_relaxed);
      });
}

bool is_forgotten_notice(const Horizons& horizons, std::string_view value) {
  const auto time = message::notice_time(value);
  return time && base::to_us(*time) <= horizons.notices_before_us.load(std::memory_order_relaxed);
}

std::shared_ptr<rocksdb::CompactionFilterFactory> notices_filter(
    std::shared_ptr<const Horizons> horizons) {
  return make_filter(std::move(horizons),
                     [](const Horizons& h, std::string_view, std::string_view value) {
                       return is_forgotten_notice(h, value);
                     });
}

void FailureLatch::fail(const std::string& text) {
  const std::scoped_lock lock(mutex_);
  if (failed_) return;
  text_ = text;
  failed_.store(true, std::memory_order_release);
}

std::string FailureLatch::text() const {
  const std::scoped_lock lock(mutex_);
  return text_;
}

void StoreListener::OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* error) {
  latch_->fail(error->ToString());
}

void StoreListener::OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status,
                                         bool* auto_recovery) {
  *auto_recovery = false;
}

void StoreListener::OnFlushBegin(rocksdb::DB*, const rocksdb::FlushJobInfo&) {
  io::give_way(kFlushNice);
}

void StoreListener::OnCompactionBegin(rocksdb::DB*, const rocksdb::CompactionJobInfo&) {
  io::give_way(kCompactionNice);
}

void StoreListener::OnFlushCompleted(rocksdb::DB*, const rocksdb::FlushJobInfo& info) {
  table_bytes_ += info.table_properties.data_size;
  measure_manifest();
}

void StoreListener::OnCompactionCompleted(rocksdb::DB*, const rocksdb::CompactionJobInfo& info) {
  table_bytes_ += info.stats.total_output_bytes;
  measure_manifest();
}

void StoreListener::measure_manifest() {
  const auto [number, bytes] = manifest_of(db_path_);
  const std::scoped_lock lock(mutex_);
  // Two background threads may come in either order; the list itself only grows.
  if (number < manifest_ || (number == manifest_ && bytes < manifest_bytes_)) return;
  manifest_ = number;
  manifest_bytes_ = bytes;
}

std::pair<std::uint64_t, std::uint64_t> StoreListener::manifest() const {
  const std::scoped_lock lock(mutex_);
  return {manifest_, manifest_bytes_};
}

std::pair<std::uint64_t, std::uint64_t> manifest_of(const std::string& db_path) {
  constexpr std::string_view kPrefix = "MANIFEST-";
  std::string name;
  std::getline(std::ifstream(db_path + "/CURRENT"), name);
  if (!name.starts_with(kPrefix)) return {0, 0};
  std::uint64_t number = 0;
  const auto [end, error] =
      std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), number);
  struct stat about{};
  if (error != std::errc{} || end != name.data() + name.size() ||
      ::stat((db_path + "/" + name).c_str(), &about) != 0) {
    return {0, 0};
  }
  return {number, static_cast<std::uint64_t>(about.st_size)};
}

rocksdb::Env* store_env() {
#if TRUNKLINE_FAILPOINTS
  // Never destroyed: threads of the database may outlive main's statics.
  static rocksdb::Env* const env =
      rocksdb::NewCompositeEnv(std::make_shared<FailingFileSystem>()).release();
  return env;
#else
  return rocksdb::Env::Default();
#endif
}

}  // namespace trunkline::store
