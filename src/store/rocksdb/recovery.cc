#include "store/rocksdb/recovery.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "store/rocksdb/log_reader.h"
#include "store/rocksdb/salvage.h"
#include "store/rocksdb/scan.h"

namespace trunkline::store {
namespace {

namespace fs = std::filesystem;
using Mode = rocksdb::WALRecoveryMode;

std::unexpected<Error> io_error(const std::string& what) {
  return std::unexpected(Error{ErrorKind::io, fmt::format("{}: {}", what, std::strerror(errno))});
}

bool sync_directory(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool ok = ::fsync(fd) == 0;
  ::close(fd);
  return ok;
}

// One attempt to open what is there.
class Recovery {
 public:
  Recovery(const RocksdbOptions& options, const Database::Setup& setup)
      : options_(options), setup_(setup), fresh_(setup) {
    fresh_.path = setup.path + ".new";
    fresh_.listener = nullptr;
  }

  Result<Recovered> run() {
    const auto found = WatermarkFile::read(watermark_path(options_.path));
    watermark_readable_ = found && *found;
    if (watermark_readable_) watermark_ = **found;
    watermark_error_ = found ? "" : found.error();
    if (watermark_readable_ && watermark_.shard != options_.shard) {
      return std::unexpected(
          Error{ErrorKind::mismatch, fmt::format("{} belongs to shard {}, not to {}", options_.path,
                                                 watermark_.shard, options_.shard)});
    }
    if (!fs::exists(setup_.path)) return begin();
    auto opened = open_whole_or_torn();
    if (opened && options_.accept_damage) opened = verified(std::move(*opened));
    if (opened || opened.error().kind != ErrorKind::damaged) return opened;
    if (!options_.accept_damage) return std::unexpected(advised(std::move(opened.error())));
    return open_salvaged(opened.error().text);
  }

 private:
  std::unexpected<Error> damaged(std::string text, SeqRange lost = {0, 0}) const {
    return std::unexpected(Error{ErrorKind::damaged, std::move(text), lost.first, lost.second});
  }

  Error advised(Error error) const {
    error.text = fmt::format(
        "{} is damaged: {}. Its files were left as they are. Restore a backup, or start once with "
        "--accept-damage to go on without what is lost",
        options_.path, error.text);
    return error;
  }

  // No database: the very first start, unless the watermark knows better.
  Result<Recovered> begin() {
    const std::uint64_t known = watermark_readable_ ? watermark_.seq : 0;
    if ((watermark_readable_ || !watermark_error_.empty()) && !options_.accept_damage) {
      return std::unexpected(
          advised(Error{ErrorKind::damaged,
                        fmt::format("{} is gone, but there is a watermark: {} commits were made",
                                    setup_.path, known),
                        known == 0 ? 0u : 1u, known}));
    }
    std::error_code ignored;
    fs::remove_all(fresh_.path, ignored);  // of a first start that did not come this far
    Contents contents;
    contents.format = kFormat;
    contents.shard = options_.shard;
    if (known != 0) contents.lost = {{1, known}};
    {
      auto database = Database::create(fresh_);
      if (!database) {
        return std::unexpected(error_of(database.error(), "cannot create " + setup_.path));
      }
      const rocksdb::Status status = write_meta(**database, contents);
      if (!status.ok()) return std::unexpected(error_of(status, "cannot write " + setup_.path));
    }
    if (::rename(fresh_.path.c_str(), setup_.path.c_str()) != 0 || !sync_directory(options_.path)) {
      return io_error("cannot create " + setup_.path);
    }
    auto opened = open_strictly();
    if (opened && known != 0) {
      opened->damage = fmt::format("journal: records 1 to {} are lost (no database)", known);
    }
    return opened;
  }

  // The list of files must be there, and no shorter than it was.
  Result<void> check_manifest() const {
    if (!fs::exists(setup_.path + "/CURRENT")) return damaged(setup_.path + "/CURRENT is missing");
    const auto [number, bytes] = manifest_of(setup_.path);
    if (number == 0) return damaged("the manifest that CURRENT names is missing");
    if (!watermark_readable_) return {};
    if (number < watermark_.manifest) {
      return damaged(
          fmt::format("CURRENT names manifest {}, but {} was in use", number, watermark_.manifest));
    }
    if (number == watermark_.manifest && bytes < watermark_.manifest_bytes) {
      return damaged(fmt::format("manifest {} has {} octets, but had {}", number, bytes,
                                 watermark_.manifest_bytes));
    }
    return {};
  }

  Result<Recovered> open_whole_or_torn() {
    if (auto manifest = check_manifest(); !manifest) return std::unexpected(manifest.error());
    auto opened = open_strictly();
    if (opened || opened.error().kind != ErrorKind::damaged || refused_by_watermark_) return opened;
    const std::string why = opened.error().text;
    return judge_tail(why);
  }

  Result<Recovered> open_strictly() { return open_with(Mode::kAbsoluteConsistency); }

  Result<Recovered> open_with(Mode mode) {
    auto database = Database::open(setup_, mode);
    if (!database) return std::unexpected(open_error(database.error()));
    auto contents = read_contents(**database, options_.shard);
    if (!contents) return std::unexpected(contents.error());
    if (contents->format != kFormat) {
      return std::unexpected(
          Error{ErrorKind::version, fmt::format("{} has format {}, this build reads {}",
                                                options_.path, contents->format, kFormat)});
    }
    if (auto lost = below_watermark(*contents); !lost) {
      refused_by_watermark_ = true;
      return std::unexpected(lost.error());
    }
    Recovered out;
    out.database = std::move(*database);
    out.contents = std::move(*contents);
    out.watermark_epoch = watermark_readable_ ? watermark_.epoch : 0;
    return out;
  }

  // A corrupt or missing file is damage; what the system refuses (space, rights, a bad sector) is
  // io.
  Error open_error(const rocksdb::Status& status) const {
    const std::string text = status.ToString();
    if (status.IsInvalidArgument() && text.contains("olumn famil")) {
      return {ErrorKind::version,
              fmt::format("{} was written by another version: {}", options_.path, text)};
    }
    Error error = error_of(status, "cannot open " + setup_.path);
    if (status.IsPathNotFound() || text.contains("No such file")) error.kind = ErrorKind::damaged;
    return error;
  }

  Result<void> below_watermark(const Contents& contents) const {
    if (!watermark_readable_ || contents.next_seq() > watermark_.seq) return {};
    return damaged(fmt::format("records {} to {} were acknowledged and are missing",
                               contents.next_seq(), watermark_.seq),
                   {contents.next_seq(), watermark_.seq});
  }

  // The log does not read to its end. A write that a crash interrupted was acknowledged to nobody:
  // then the head is at or above the watermark, and nothing readable lies behind the tear, because
  // the next write starts only after the one before is synced. Anything else is damage. Decided by
  // reading only.
  Result<Recovered> judge_tail(const std::string& why) {
    auto up_to_tear = Database::open_for_reading(setup_, Mode::kPointInTimeRecovery);
    if (!up_to_tear) return damaged(why);
    const auto contents = read_contents(**up_to_tear, options_.shard);
    const rocksdb::SequenceNumber tear = (*up_to_tear)->db().GetLatestSequenceNumber();
    up_to_tear->reset();
    if (!contents) return damaged(why);
    if (!watermark_readable_) {
      return damaged(
          fmt::format("{}; and without a readable watermark ({}) nothing tells whether "
                      "this was an interrupted write",
                      why, watermark_error_.empty() ? "missing" : watermark_error_));
    }
    if (auto lost = below_watermark(*contents); !lost) {
      return damaged(fmt::format("{} ({})", lost.error().text, why),
                     {lost.error().lost_first, lost.error().lost_last});
    }
    std::uint64_t behind = 0;  // the last readable batch
    read_logs(setup_.path, [&](std::string_view batch) {
      behind = std::max(behind, batch_header(batch).sequence);
    });
    if (behind > tear) {
      const std::uint64_t first = contents->next_seq();
      return damaged(
          fmt::format("records from {} on are unreadable, with readable ones behind them ({})",
                      first, why),
          {first, first});
    }
    auto opened = open_with(Mode::kPointInTimeRecovery);
    if (opened) opened->torn_tail = true;
    return opened;
  }

  // Reads everything: what accept_damage asks for where nothing is visibly wrong.
  Result<Recovered> verified(Recovered opened) {
    const rocksdb::Status status = opened.database->db().VerifyChecksum();
    if (!status.ok()) return damaged(status.ToString());
    JournalScan scan;
    scan.shard = options_.shard;
    scan.first = opened.contents.first_seq();
    scan.next = opened.contents.next_seq();
    scan.epoch_max = opened.contents.epoch;
    scan.record = [](const message::JournalRecord&, std::string_view) {};
    std::string missing;
    scan.missing = [&](const SeqRange& range, const std::string& why) {
      if (opened.contents.is_lost(range)) return true;
      missing = fmt::format("journal records {} to {}: {}", range.first, range.second, why);
      return false;
    };
    scan_journal(*opened.database, scan);
    if (!missing.empty()) return damaged(missing);
    return opened;
  }

  Result<Recovered> open_salvaged(const std::string& why) {
    std::error_code ignored;
    Database::Setup to = setup_;
    to.listener = nullptr;
    to.path = setup_.path + ".salvaged";
    // Left by an interrupted salvage; it may be the damaged one, already exchanged.
    if (fs::exists(to.path) && !set_aside(to.path)) return io_error("cannot rename " + to.path);
    auto salvaged = salvage(setup_, to, watermark_readable_ ? watermark_.seq : 0);
    if (!salvaged) return std::unexpected(salvaged.error());
    // In one step, so that at every moment there is a database.
    if (::renameat2(AT_FDCWD, to.path.c_str(), AT_FDCWD, setup_.path.c_str(), RENAME_EXCHANGE) !=
        0) {
      return io_error(fmt::format("cannot exchange {} and {}", to.path, setup_.path));
    }
    const auto aside = set_aside(to.path);
    if (!aside || !sync_directory(options_.path)) return io_error("cannot rename " + to.path);
    // Its list of files begins anew.
    watermark_.manifest = 0;
    watermark_.manifest_bytes = 0;
    auto opened = open_strictly();
    if (!opened) return opened;
    opened->damage = fmt::format(
        "{}; {}; the damaged database is kept in {}", why,
        salvaged->report.empty() ? "all that is there could be read" : salvaged->report, *aside);
    return opened;
  }

  // Renames a database to damaged-N.
  std::optional<std::string> set_aside(const std::string& path) const {
    for (int n = 1; n < 1'000; ++n) {
      const std::string name = fmt::format("{}/damaged-{}", options_.path, n);
      if (fs::exists(name)) continue;
      if (::rename(path.c_str(), name.c_str()) != 0) return std::nullopt;
      return name;
    }
    return std::nullopt;
  }

  const RocksdbOptions& options_;
  const Database::Setup& setup_;
  Database::Setup fresh_;
  Watermark watermark_;
  bool watermark_readable_ = false;
  std::string watermark_error_;
  bool refused_by_watermark_ = false;
};

}  // namespace

std::string database_path(const std::string& store_path) { return store_path + "/db"; }
std::string watermark_path(const std::string& store_path) { return store_path + "/watermark"; }

Result<DirectoryLock> DirectoryLock::take(const std::string& path) {
  const std::string name = path + "/lock";
  const int fd = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return io_error("cannot open " + name);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    std::array<char, 32> pid{};
    const ssize_t n = ::pread(fd, pid.data(), pid.size() - 1, 0);
    ::close(fd);
    return std::unexpected(
        Error{ErrorKind::locked,
              fmt::format("{} is in use by process {}: stop it first, or use another directory",
                          path, n > 0 ? pid.data() : "?")});
  }
  const std::string pid = std::to_string(::getpid());
  if (::ftruncate(fd, 0) != 0 ||
      ::pwrite(fd, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    const auto error = io_error("cannot write " + name);
    ::close(fd);
    return error;
  }
  return DirectoryLock(fd);
}

DirectoryLock::DirectoryLock(DirectoryLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
DirectoryLock::~DirectoryLock() {
  if (fd_ >= 0) ::close(fd_);  // which releases it
}

Result<Recovered> recover(const RocksdbOptions& options, const Database::Setup& setup) {
  return Recovery(options, setup).run();
}

}  // namespace trunkline::store
