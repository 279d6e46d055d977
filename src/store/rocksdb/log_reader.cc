#include "store/rocksdb/log_reader.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <istream>
#include <optional>

#include "base/crc32c.h"

namespace trunkline::store {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBlockBytes = 32 * 1024;
constexpr std::size_t kHeaderBytes = 4 + 2 + 1;
constexpr std::size_t kBatchHeaderBytes = 8 + 4;

enum : std::uint8_t { kWhole = 1, kFirst = 2, kMiddle = 3, kLast = 4 };

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

// As RocksDB stores checksums, so that a checksum over checksums stays useful.
std::uint32_t masked(std::uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xa282ead8u; }

struct Fragment {
  std::uint8_t type = 0;
  std::string_view payload;
};

// The fragment at the front of what remains of a block; nothing if there is none that is whole.
std::optional<Fragment> fragment_at(std::string_view rest) {
  if (rest.size() < kHeaderBytes) return std::nullopt;
  const std::uint64_t length = little_endian(rest.substr(4, 2));
  const auto type = static_cast<std::uint8_t>(rest[6]);
  if (type < kWhole || type > kLast || kHeaderBytes + length > rest.size()) return std::nullopt;
  if (little_endian(rest.substr(0, 4)) != masked(base::crc32c(rest.substr(6, 1 + length)))) {
    return std::nullopt;
  }
  return Fragment{type, rest.substr(kHeaderBytes, length)};
}

// Puts the fragments of write batches together, and counts where that was not possible.
class Collector {
 public:
  explicit Collector(const std::function<void(std::string_view)>& batch) : batch_(batch) {}

  void take(const Fragment& fragment) {
    if (zeros_) damage();  // not the end after all
    if (fragment.type == kWhole || fragment.type == kFirst) {
      if (collecting_) damage();  // the end of the one before is missing
      collected_ = fragment.payload;
      collecting_ = true;
      counted_ = false;
    } else if (collecting_) {
      collected_ += fragment.payload;
    } else if (!counted_) {
      damage();  // its beginning is missing
    }
    if (fragment.type == kWhole || fragment.type == kLast) {
      if (collecting_) batch_(collected_);
      collecting_ = false;
      counted_ = false;
    }
  }
  void damage() {
    ++places_;
    collecting_ = false;
    counted_ = true;
    zeros_ = false;
  }
  // Nothing was written here, unless something follows.
  void zeros() { zeros_ = true; }
  std::size_t places() const { return places_ + (collecting_ ? 1 : 0); }

 private:
  const std::function<void(std::string_view)>& batch_;
  std::string collected_;
  bool collecting_ = false;
  bool counted_ = false;  // what is left of a batch behind damage belongs to that
  bool zeros_ = false;
  std::size_t places_ = 0;
};

void read_block(std::string_view block, Collector& collector) {
  while (block.size() >= kHeaderBytes) {
    if (const auto fragment = fragment_at(block)) {
      collector.take(*fragment);
      block.remove_prefix(kHeaderBytes + fragment->payload.size());
      continue;
    }
    if (block.find_first_not_of('\0') == std::string_view::npos) return collector.zeros();
    collector.damage();
    // If only the payload was hit, its length still leads to the next fragment, whose checksum
    // confirms it; else the next block is tried.
    const std::size_t step = kHeaderBytes + little_endian(block.substr(4, 2));
    if (step >= block.size() || !fragment_at(block.substr(step))) return;
    block.remove_prefix(step);
  }
}

}  // namespace

std::size_t read_log(std::istream& log, const std::function<void(std::string_view)>& batch) {
  Collector collector(batch);
  log.seekg(0, std::ios::end);
  const std::streamoff size = log.tellg();
  std::string block(kBlockBytes, '\0');
  for (std::streamoff at = 0; at < size; at += static_cast<std::streamoff>(kBlockBytes)) {
    log.clear();
    log.seekg(at);
    log.read(block.data(), static_cast<std::streamsize>(block.size()));
    if (log.bad()) {  // a sector that cannot be read spoils its block
      collector.damage();
      continue;
    }
    read_block(std::string_view(block).substr(0, static_cast<std::size_t>(log.gcount())),
               collector);
  }
  return collector.places() + (size < 0 ? 1 : 0);
}

std::vector<std::string> log_files(const std::string& db_path) {
  std::vector<std::pair<std::uint64_t, std::string>> numbered;
  std::error_code ignored;
  for (const auto& file : fs::directory_iterator(db_path, ignored)) {
    const std::string name = file.path().filename();
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error == std::errc{} && std::string_view(end) == ".log") {
      numbered.emplace_back(number, file.path());
    }
  }
  std::ranges::sort(numbered);
  std::vector<std::string> out;
  for (auto& [number, path] : numbered) out.push_back(std::move(path));
  return out;
}

std::size_t read_logs(const std::string& db_path,
                      const std::function<void(std::string_view)>& batch) {
  std::size_t places = 0;
  for (const std::string& path : log_files(db_path)) {
    std::ifstream log(path, std::ios::binary);
    places += read_log(log, batch);
  }
  return places;
}

BatchHeader batch_header(std::string_view batch) {
  if (batch.size() < kBatchHeaderBytes) return {};
  return {little_endian(batch.substr(0, 8)),
          static_cast<std::uint32_t>(little_endian(batch.substr(8, 4)))};
}

}  // namespace trunkline::store
