#include "store/rocksdb/salvage.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>

#include "base/assert.h"
#include "store/rocksdb/log_reader.h"
#include "store/rocksdb/scan.h"
#include "store/rocksdb/tuning.h"

namespace trunkline::store {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBatchBytes = 4 * kMiB;

void say(std::string& report, const std::string& sentence) {
  if (!report.empty()) report += "; ";
  report += sentence;
}

// Writes without a log: a salvage that is interrupted begins again.
class Writer {
 public:
  explicit Writer(Database& to) : to_(to) {}

  void put(Family family, const rocksdb::Slice& key, const rocksdb::Slice& value) {
    done(batch_.Put(to_.family(family), key, value));
  }
  // Unless it has been: a compacted table does not tell up to which batch it goes, and an append,
  // unlike a put, must not come twice.
  void merge_once(Family family, const rocksdb::Slice& key, const rocksdb::Slice& value) {
    static_cast<void>(write());
    std::string before;
    const rocksdb::Status got =
        to_.db().Get(rocksdb::ReadOptions(), to_.family(family), key, &before);
    if (!got.ok() && !got.IsNotFound()) return done(got);
    if (!before.contains(view(value))) done(batch_.Merge(to_.family(family), key, value));
  }
  void remove(Family family, const rocksdb::Slice& key) {
    done(batch_.Delete(to_.family(family), key));
  }
  void remove_range(Family family, const rocksdb::Slice& begin, const rocksdb::Slice& end) {
    done(batch_.DeleteRange(to_.family(family), begin, end));
  }
  // All of it readable in the target.
  rocksdb::Status write() {
    rocksdb::WriteOptions options;
    options.disableWAL = true;
    if (status_.ok()) status_ = to_.db().Write(options, &batch_);
    batch_.Clear();
    return status_;
  }
  rocksdb::Status finish() {
    if (status_.ok()) static_cast<void>(write());
    for (std::size_t i = 0; status_.ok() && i < kFamilyCount; ++i) {
      status_ = to_.db().Flush(rocksdb::FlushOptions(), to_.family(static_cast<Family>(i)));
    }
    return status_;
  }

 private:
  void done(const rocksdb::Status& status) {
    if (status_.ok()) status_ = status;
    if (batch_.GetDataSize() >= kBatchBytes) static_cast<void>(write());
  }

  Database& to_;
  rocksdb::WriteBatch batch_;
  rocksdb::Status status_;
};

// False: not all of it could be read.
bool copy_family(Database& from, Family family, Writer& writer, std::string& report) {
  ForgivingIterator at(from, family);
  std::size_t holes = 0;
  std::string first_why;
  for (at.seek("");;) {
    if (at.valid()) {
      writer.put(family, slice(at.key()), slice(at.value()));
      at.next();
      continue;
    }
    if (at.status().ok()) break;
    if (++holes == 1) first_why = at.status().ToString();
    if (!at.skip()) break;
  }
  if (holes != 0) {
    say(report, fmt::format("{}: {} unreadable place{} ({})",
                            kFamilyNames[static_cast<std::size_t>(family)], holes,
                            holes == 1 ? "" : "s", first_why));
  }
  return holes == 0;
}

// By family.
using Sequences = std::array<std::uint64_t, kFamilyCount>;

// Applies what the tables do not have yet of a log's batches.
class Applier final : public rocksdb::WriteBatch::Handler {
 public:
  Applier(Writer& writer, const Sequences& in_tables) : writer_(writer), in_tables_(in_tables) {}

  // Every entry of a batch has a sequence number of its own, one after the other.
  void begin(std::uint64_t sequence) { sequence_ = sequence; }

  rocksdb::Status PutCF(std::uint32_t family, const rocksdb::Slice& key,
                        const rocksdb::Slice& value) override {
    if (wanted(family)) writer_.put(static_cast<Family>(family), key, value);
    return rocksdb::Status::OK();
  }
  rocksdb::Status MergeCF(std::uint32_t family, const rocksdb::Slice& key,
                          const rocksdb::Slice& value) override {
    if (wanted(family)) writer_.merge_once(static_cast<Family>(family), key, value);
    return rocksdb::Status::OK();
  }
  rocksdb::Status DeleteCF(std::uint32_t family, const rocksdb::Slice& key) override {
    if (wanted(family)) writer_.remove(static_cast<Family>(family), key);
    return rocksdb::Status::OK();
  }
  rocksdb::Status DeleteRangeCF(std::uint32_t family, const rocksdb::Slice& begin,
                                const rocksdb::Slice& end) override {
    if (wanted(family)) writer_.remove_range(static_cast<Family>(family), begin, end);
    return rocksdb::Status::OK();
  }
  void LogData(const rocksdb::Slice&) override {}

 private:
  bool wanted(std::uint32_t family) {
    const std::uint64_t sequence = sequence_++;
    return family < kFamilyCount && sequence > in_tables_[family];
  }

  Writer& writer_;
  const Sequences& in_tables_;
  std::uint64_t sequence_ = 0;
};

// Accepts whatever a batch of ours can hold.
class Checker final : public rocksdb::WriteBatch::Handler {
 public:
  using Status = rocksdb::Status;
  using Slice = rocksdb::Slice;
  Status PutCF(std::uint32_t, const Slice&, const Slice&) override { return Status::OK(); }
  Status MergeCF(std::uint32_t, const Slice&, const Slice&) override { return Status::OK(); }
  Status DeleteCF(std::uint32_t, const Slice&) override { return Status::OK(); }
  Status DeleteRangeCF(std::uint32_t, const Slice&, const Slice&) override { return Status::OK(); }
};

// How far the tables of each family go; too low where a compaction took the numbers out, and then
// what the log says is put again, in its order, which changes nothing.
Sequences sequences_in_tables(Database& tables) {
  Sequences out{};
  std::vector<rocksdb::LiveFileMetaData> files;
  tables.db().GetLiveFilesMetaData(&files);
  for (const rocksdb::LiveFileMetaData& file : files) {
    for (std::size_t i = 0; i < kFamilyCount; ++i) {
      if (file.column_family_name == kFamilyNames[i]) {
        out[i] = std::max(out[i], file.largest_seqno);
      }
    }
  }
  return out;
}

void apply_logs(const std::string& db_path, const Sequences& in_tables, Writer& writer,
                std::string& report) {
  Applier applier(writer, in_tables);
  std::size_t no_batches = 0;
  std::size_t places = read_logs(db_path, [&](std::string_view bytes) {
    const rocksdb::WriteBatch batch{std::string(bytes)};
    // All of it or nothing: where blocks are missing, two halves may have become one.
    if (Checker checker; !batch.Iterate(&checker).ok()) {
      ++no_batches;
      return;
    }
    applier.begin(batch_header(bytes).sequence);
    static_cast<void>(batch.Iterate(&applier));
  });
  places += no_batches;
  if (places != 0) {
    say(report, fmt::format("log: {} unreadable place{}", places, places == 1 ? "" : "s"));
  }
}

// The database's tables without its logs, in a directory of their own that shares the files.
std::error_code link_tables(const std::string& from, const std::string& to) {
  std::error_code error;
  fs::remove_all(to, error);
  fs::create_directory(to, error);
  for (const auto& file : fs::directory_iterator(from, error)) {
    const std::string name = file.path().filename();
    if (name.ends_with(".sst")) {
      fs::create_hard_link(file.path(), to + "/" + name, error);
      if (!error) continue;
    } else if (!name.starts_with("MANIFEST") && name != "CURRENT" && name != "IDENTITY") {
      continue;
    }
    fs::copy_file(file.path(), to + "/" + name, error);
    if (error) return error;
  }
  return error;
}

// Opens the tables, with RocksDB's own repair where the list of files is lost: then `all` is false.
// Null: there are none, or none can be read.
std::unique_ptr<Database> open_tables(const Database::Setup& from, const std::string& at, bool& all,
                                      std::string& report) {
  Database::Setup tables = from;
  tables.path = at;
  if (const auto error = link_tables(from.path, at)) {
    say(report, "the table files cannot be copied: " + error.message());
    return nullptr;
  }
  auto opened = Database::open_tables(tables);
  if (opened) return std::move(*opened);
  all = false;
  say(report, fmt::format("the list of files is not readable ({}) and was rebuilt, whole files may "
                          "be missing",
                          opened.error().ToString()));
  rocksdb::DBOptions options = reading_options(rocksdb::WALRecoveryMode::kPointInTimeRecovery);
  options.create_if_missing = true;
  const rocksdb::Status repaired =
      rocksdb::RepairDB(at, options, families(from.horizons, from.shard));
  if (repaired.ok()) opened = Database::open_tables(tables);
  if (opened) return std::move(*opened);
  say(report, fmt::format("no table can be read ({})",
                          repaired.ok() ? opened.error().ToString() : repaired.ToString()));
  return nullptr;
}

// What the meta family says in the fresh database; the journal's end where it says nothing.
Contents contents_of(Database& target, std::uint16_t shard, std::string& report) {
  if (auto contents = read_contents(target, shard)) return std::move(*contents);
  say(report, "meta: lost, taken from the journal");
  Contents contents;
  contents.format = kFormat;
  contents.shard = shard;
  ForgivingIterator at(target, Family::journal);
  for (at.seek(journal_key(shard, 0)); at.valid(); at.next()) {
    const auto seq = parse_journal_key(shard, at.key());
    if (!seq) break;
    if (contents.trim == 0) contents.trim = *seq;
    contents.head = *seq;
  }
  return contents;
}

// Finds the gaps of the journal, and takes out what is no record.
rocksdb::Status settle_journal(Database& target, std::uint64_t known_head, Writer& writer,
                               Salvaged& out) {
  out.contents.head = std::max(out.contents.head, known_head);
  JournalScan scan;
  scan.shard = out.contents.shard;
  scan.first = out.contents.first_seq();
  scan.next = out.contents.next_seq();
  scan.epoch_max = ~std::uint64_t{0};
  std::vector<SeqRange> lost;
  scan.record = [&](const message::JournalRecord& record, std::string_view) {
    out.contents.epoch = std::max(out.contents.epoch, record.epoch);
  };
  scan.missing = [&](const SeqRange& range, const std::string& why) {
    if (!out.contents.is_lost(range)) {
      say(out.report,
          fmt::format("journal: records {} to {} are lost ({})", range.first, range.second, why));
    }
    lost.push_back(range);
    writer.remove_range(Family::journal, journal_key(scan.shard, range.first),
                        journal_key(scan.shard, range.second + 1));
    return true;
  };
  scan_journal(target, scan);
  out.contents.lost = std::move(lost);
  return writer.finish();
}

Result<Salvaged> copy_readable(const Database::Setup& from, const Database::Setup& to,
                               std::uint64_t known_head) {
  Salvaged out;
  const std::string tables_path = to.path + ".tables";
  auto target = Database::create(to);
  if (!target) return std::unexpected(error_of(target.error(), "cannot create " + to.path));
  Writer writer(**target);
  {
    bool all = true;
    const auto tables = open_tables(from, tables_path, all, out.report);
    Sequences in_tables = tables && all ? sequences_in_tables(*tables) : Sequences{};
    for (std::size_t i = 0; tables && i < kFamilyCount; ++i) {
      // The log may still have what a table has lost.
      if (!copy_family(*tables, static_cast<Family>(i), writer, out.report)) in_tables[i] = 0;
    }
    apply_logs(from.path, in_tables, writer, out.report);
  }
  std::error_code ignored;
  fs::remove_all(tables_path, ignored);
  rocksdb::Status status = writer.write();
  if (status.ok()) {
    out.contents = contents_of(**target, from.shard, out.report);
    if (out.contents.format != kFormat) {
      return std::unexpected(
          Error{ErrorKind::version, fmt::format("{} has format {}, this build reads {}", from.path,
                                                out.contents.format, kFormat)});
    }
    status = settle_journal(**target, known_head, writer, out);
  }
  if (status.ok()) status = write_meta(**target, out.contents);
  if (!status.ok()) return std::unexpected(error_of(status, "cannot write " + to.path));
  return out;
}

}  // namespace

Result<Salvaged> salvage(const Database::Setup& from, const Database::Setup& to,
                         std::uint64_t known_head) {
  auto out = copy_readable(from, to, known_head);
  if (!out) {  // an unfinished copy is of no use, and the disk may be full
    std::error_code ignored;
    fs::remove_all(to.path, ignored);
  }
  return out;
}

}  // namespace trunkline::store
