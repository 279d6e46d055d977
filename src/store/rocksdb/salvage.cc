#include "store/rocksdb/salvage.h"

#include <filesystem>

#include "store/rocksdb/scan.h"
#include "store/rocksdb/tuning.h"

namespace trunkline::store {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBatchBytes = 4 * kMiB;

// Writes without a log: a salvage that is interrupted begins again.
class Writer {
 public:
  explicit Writer(Database& to) : to_(to) {}

  void put(Family family, std::string_view key, std::string_view value) {
    if (!status_.ok()) return;
    status_ = batch_.Put(to_.family(family), slice(key), slice(value));
    ++count_;
    if (batch_.GetDataSize() >= kBatchBytes) write();
  }
  rocksdb::Status finish() {
    if (status_.ok()) write();
    for (std::size_t i = 0; status_.ok() && i < kFamilyCount; ++i) {
      status_ = to_.db().Flush(rocksdb::FlushOptions(), to_.family(static_cast<Family>(i)));
    }
    return status_;
  }
  std::uint64_t count() const { return count_; }

 private:
  void write() {
    rocksdb::WriteOptions options;
    options.disableWAL = true;
    status_ = to_.db().Write(options, &batch_);
    batch_.Clear();
  }

  Database& to_;
  rocksdb::WriteBatch batch_;
  rocksdb::Status status_;
  std::uint64_t count_ = 0;
};

void say(std::string& report, const std::string& sentence) {
  if (!report.empty()) report += "; ";
  report += sentence;
}

void copy_family(Database& from, Family family, Writer& writer, std::string& report) {
  ForgivingIterator at(from, family);
  std::size_t holes = 0;
  std::string first_why;
  for (at.seek("");;) {
    if (at.valid()) {
      // Empty: appends to a record that was never there.
      if (family != Family::archive || !at.value().empty()) {
        writer.put(family, at.key(), at.value());
      }
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
}

// Where the meta family cannot be read, the journal still tells.
Contents contents_of(Database& from, const Database::Setup& setup, std::string& report) {
  if (auto contents = read_contents(from, setup.shard)) return std::move(*contents);
  say(report, "meta: unreadable, taken from the journal");
  Contents contents;
  contents.format = kFormat;
  contents.shard = setup.shard;
  ForgivingIterator at(from, Family::journal);
  for (at.seek(journal_key(setup.shard, 0));;) {
    if (!at.valid()) {
      if (at.status().ok() || !at.skip()) break;
      continue;
    }
    const auto seq = parse_journal_key(setup.shard, at.key());
    if (!seq) break;
    if (contents.trim == 0) contents.trim = *seq;
    contents.head = *seq;
    if (auto record = message::decode_journal_record(at.value())) {
      contents.epoch = std::max(contents.epoch, record->epoch);
    }
    at.next();
  }
  return contents;
}

Result<Salvaged> copy_readable(Database& from, const Database::Setup& from_setup,
                               const Database::Setup& to_setup, std::uint64_t known_head) {
  Salvaged out;
  out.contents = contents_of(from, from_setup, out.report);
  if (known_head > out.contents.head) {
    out.contents.head = known_head;  // so that the scan reports what is missing up to there
  }
  auto target = Database::create(to_setup);
  if (!target) {
    return std::unexpected(error_of(target.error(), "cannot create " + to_setup.path));
  }
  Writer writer(**target);
  for (const Family family : {Family::archive, Family::recipients, Family::keys, Family::cold}) {
    copy_family(from, family, writer, out.report);
  }

  JournalScan scan;
  scan.shard = from_setup.shard;
  scan.first = out.contents.first_seq();
  scan.next = out.contents.next_seq();
  scan.epoch_max = ~std::uint64_t{0};
  std::vector<SeqRange> lost;
  scan.record = [&](const message::JournalRecord& record, std::string_view bytes) {
    out.contents.epoch = std::max(out.contents.epoch, record.epoch);
    writer.put(Family::journal, journal_key(scan.shard, record.seq), bytes);
  };
  scan.missing = [&](const SeqRange& range, const std::string& why) {
    if (!out.contents.is_lost(range)) {
      say(out.report,
          fmt::format("journal: records {} to {} are lost ({})", range.first, range.second, why));
    }
    lost.push_back(range);
    return true;
  };
  scan_journal(from, scan);
  out.contents.lost = std::move(lost);

  const rocksdb::Status status = writer.finish();
  if (!status.ok()) return std::unexpected(error_of(status, "cannot write " + to_setup.path));
  const rocksdb::Status meta = write_meta(**target, out.contents);
  if (!meta.ok()) return std::unexpected(error_of(meta, "cannot write " + to_setup.path));
  out.copied = writer.count();
  return out;
}

// A database whose list of files is gone or names files that cannot be opened: RocksDB's own
// repair, on a copy that shares the immutable files.
rocksdb::Status repair_copy(const Database::Setup& from, const std::string& to) {
  std::error_code error;
  fs::create_directory(to, error);
  for (const auto& file : fs::directory_iterator(from.path, error)) {
    const std::string name = file.path().filename();
    if (name.ends_with(".sst")) {
      fs::create_hard_link(file.path(), to + "/" + name, error);
      if (!error) continue;
    }
    if (name == "LOCK" || name.starts_with("LOG") || name.starts_with("OPTIONS")) continue;
    fs::copy_file(file.path(), to + "/" + name, error);
    if (error) return rocksdb::Status::IOError(name, error.message());
  }
  rocksdb::DBOptions options = reading_options(rocksdb::WALRecoveryMode::kSkipAnyCorruptedRecords);
  options.create_if_missing = true;
  return rocksdb::RepairDB(to, options, families(from.horizons, from.shard));
}

}  // namespace

Result<Salvaged> salvage(const Database::Setup& from, const Database::Setup& to,
                         std::uint64_t known_head) {
  constexpr auto kSkip = rocksdb::WALRecoveryMode::kSkipAnyCorruptedRecords;
  if (auto source = Database::open_for_reading(from, kSkip)) {
    return copy_readable(**source, from, to, known_head);
  }
  Database::Setup repaired = from;
  repaired.path = to.path + ".repair";
  std::error_code ignored;
  fs::remove_all(repaired.path, ignored);
  const rocksdb::Status status = repair_copy(from, repaired.path);
  Result<Salvaged> out =
      std::unexpected(error_of(status, fmt::format("nothing of {} can be read", from.path)));
  if (status.ok()) {
    if (auto source = Database::open_for_reading(repaired, kSkip)) {
      out = copy_readable(**source, repaired, to, known_head);
      if (out) say(out->report, "the list of files was rebuilt, whole files may be missing");
    } else {
      out = std::unexpected(
          error_of(source.error(), fmt::format("nothing of {} can be read", from.path)));
    }
  }
  fs::remove_all(repaired.path, ignored);
  return out;
}

}  // namespace trunkline::store
