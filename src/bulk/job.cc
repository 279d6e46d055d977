#include "bulk/job.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"

namespace trunkline::bulk {
namespace {

constexpr std::uint8_t kVersion = 1;  // PERSISTED
constexpr int kBatchesUnsynced = 64;  // of results: the engine would answer them again
constexpr std::size_t kJobBytesMax = 1024 * 1024;
constexpr std::size_t kIdSize = 36;  // blk_ and 32 digits

}  // namespace

Seal seal_of(const seal::Vault& vault, const std::string& tenant, const std::string& id) {
  return {.vault = &vault,
          .tenant = tenant,
          .scope = vault.hash("bulk-scope", id).low,
          .context = tenant + "/" + id};
}

Status Job::status() const {
  return {.id = id,
          .state = state,
          .total = total,
          .accepted = accepted,
          .refused = refused,
          .created_at = created_at,
          .finished_at = has_ended(state) ? finished_at : base::Wall{},
          .waiting = waiting,
          .result_bytes = result_bytes};
}

std::string Job::encode(const seal::Vault& vault, State as) const {
  const Seal by = seal_of(vault, tenant, id);
  std::string out;
  base::ByteWriter writer(out);
  writer.u8(kVersion);
  writer.text(id);
  writer.text(tenant);
  writer.u8(static_cast<std::uint8_t>(as));
  writer.u64(total);
  writer.u64(spool_bytes);
  writer.u64(static_cast<std::uint64_t>(base::to_us(created_at)));
  writer.u64(static_cast<std::uint64_t>(base::to_us(finished_at)));
  writer.u64(static_cast<std::uint64_t>(rate_per_s * 1000));
  writer.u8(key ? 1 : 0);
  writer.u64(key.value_or(base::Hash128{}).high);
  writer.u64(key.value_or(base::Hash128{}).low);
  writer.u64(fingerprint.high);
  writer.u64(fingerprint.low);
  writer.u64(accepted);
  writer.u64(refused);
  writer.u64(result_bytes);
  writer.text(vault.seal(seal::KeyKind::month, tenant, by.scope, created_at, defaults, by.context));
  const base::Hash128 check = base::hash128(out, kVersion);
  writer.u64(check.low);
  return out;
}

std::unique_ptr<Job> Job::load(const std::string& path, const seal::Vault& vault) {
  const File file = File::read(path + ".job");
  const auto bytes = file.is_open() ? file.read_at(0, kJobBytesMax) : std::nullopt;
  if (!bytes || bytes->size() < 8) return nullptr;
  const std::string_view body = std::string_view(*bytes).substr(0, bytes->size() - 8);
  base::ByteReader check(std::string_view(*bytes).substr(body.size()));
  if (check.u64() != base::hash128(body, kVersion).low) return nullptr;
  base::ByteReader in(body);
  if (in.u8() != kVersion) return nullptr;
  auto job = std::make_unique<Job>();
  job->id = in.text();
  job->tenant = in.text();
  job->state = static_cast<State>(in.u8());
  job->total = in.u64();
  job->spool_bytes = in.u64();
  job->created_at = base::wall_from_us(static_cast<std::int64_t>(in.u64()));
  job->finished_at = base::wall_from_us(static_cast<std::int64_t>(in.u64()));
  job->rate_per_s = static_cast<double>(in.u64()) / 1000;
  const bool has_key = in.u8() != 0;
  const std::uint64_t high = in.u64();
  if (const base::Hash128 key{high, in.u64()}; has_key) job->key = key;
  job->fingerprint.high = in.u64();
  job->fingerprint.low = in.u64();
  job->accepted = in.u64();
  job->refused = in.u64();
  job->result_bytes = in.u64();
  const std::string_view sealed = in.text();
  if (!in.ok() || job->total > kRecipientsMax || job->state < State::running ||
      job->state > State::canceled || job->id.size() != kIdSize ||
      !path.ends_with("/" + job->hex())) {
    return nullptr;
  }
  if (has_ended(job->state)) return job;
  const auto plain = vault.open_blob(sealed, seal_of(vault, job->tenant, job->id).context);
  if (!plain) return nullptr;
  job->defaults = *plain;
  return job->read_results_again(path) ? std::move(job) : nullptr;
}

// A record that a crash cut off is taken away: its recipient is asked about again.
bool Job::read_results_again(const std::string& path) {
  had.assign(total, false);
  accepted = refused = result_bytes = 0;
  const File file = File::read(path + ".results");
  if (!file.is_open()) return true;
  const std::uint64_t size = file.size();
  while (result_bytes < size) {
    const auto page = read_results(file, result_bytes, size, 10'000);
    if (!page) return false;
    if (page->results.empty()) break;
    for (const Result& result : page->results) {
      if (result.index >= total || had[result.index]) continue;
      had[result.index] = true;
      ++(result.status == kAccepted ? accepted : refused);
    }
    result_bytes = page->next;
  }
  written_ = result_bytes;
  return result_bytes == size || File::append(path + ".results").cut(result_bytes);
}

// From the first that has no result.
void Job::start_over() {
  reader_.reset();
  batch.clear();
  parked.clear();
}

bool Job::next_batch(const std::string& path, const seal::Vault& vault, std::size_t most,
                     base::Mono now) {
  if (had.size() != total) had.assign(total, false);
  batch.clear();
  std::vector<Item> later;
  for (Item& item : std::exchange(parked, {})) {
    const bool goes = batch.size() < most && item.not_before <= now;
    (goes ? batch : later).push_back(std::move(item));
  }
  parked = std::move(later);
  if (reader_ == nullptr) {
    reader_ =
        std::make_unique<SpoolReader>(File::read(path + ".spool"), seal_of(vault, tenant, id));
    const auto first = std::ranges::find(had, false) - had.begin();
    next_index_ = static_cast<std::uint64_t>(first);
    if (!reader_->skip(next_index_)) {
      start_over();
      return false;
    }
  }
  while (batch.size() < most && parked.size() < kParkedMax && next_index_ < total) {
    SpoolReader::Line line;
    if (reader_->next(line) != SpoolReader::Got::line) {
      start_over();
      return false;
    }
    const std::uint64_t index = next_index_++;
    if (had[index]) continue;
    batch.push_back({.index = static_cast<std::uint32_t>(index),
                     .line_number = static_cast<std::uint32_t>(line.number),
                     .line = std::string(line.text),
                     .result = {},
                     .not_before = {}});
  }
  return true;
}

void Job::keep_batch() {
  for (Item& item : batch) {
    item.result.reset();
    parked.push_back(std::move(item));
  }
  batch.clear();
}

bool Job::write_results(const std::string& path) {
  std::string out;
  for (const Item& item : batch) {
    if (item.result) append_result(out, *item.result);
  }
  if (!results_.is_open()) results_ = File::append(path + ".results");
  if (!results_.is_open() || !results_.write(out)) {
    // What came on the disk in part is no result.
    if (results_.is_open()) (void)results_.cut(written_);
    results_ = File();
    return false;
  }
  written_ += out.size();
  ++unsynced_;
  return true;
}

void Job::count_results() {
  for (Item& item : batch) {
    if (!item.result) {
      parked.push_back(std::move(item));
      continue;
    }
    had[item.index] = true;
    ++(item.result->status == kAccepted ? accepted : refused);
  }
  batch.clear();
  result_bytes = written_;
}

void Job::sync_if_due() {
  if (unsynced_ < kBatchesUnsynced || !results_.is_open()) return;
  if (results_.sync()) unsynced_ = 0;
}

bool Job::close(const std::string& path) {
  if (!results_.is_open()) results_ = File::append(path + ".results");
  if (!results_.is_open() || !results_.sync()) return false;
  unsynced_ = 0;
  results_ = File();
  start_over();
  return true;
}

base::Hash128 Job::key_of(std::uint32_t index, const seal::Vault& vault) const {
  return vault.hash("bulk-recipient", fmt::format("{}/{}", id, index));
}

}  // namespace trunkline::bulk
