#include "store/rocksdb/scan.h"

#include <algorithm>

namespace trunkline::store {
namespace {

// Told apart by so many octets, where no key of the family could be read: the longest fixed part of
// a key and a tenant's name of ordinary length.
constexpr std::size_t kUnknownKeyBytes = 64;

// Keys as big-endian numbers of one width, so that "a bit further on" has a meaning.
class KeyNumber {
 public:
  KeyNumber(std::string_view key, std::size_t width) : digits_(key) { digits_.resize(width, '\0'); }
  const std::string& bytes() const { return digits_; }

  // False on overflow.
  bool add_power_of_two(std::size_t bit) {
    if (bit / 8 >= digits_.size()) return false;
    unsigned carry = 1u << (bit % 8);
    for (std::size_t i = digits_.size() - bit / 8; i-- > 0 && carry != 0;) {
      carry += static_cast<unsigned char>(digits_[i]);
      digits_[i] = static_cast<char>(carry & 0xff);
      carry >>= 8;
    }
    return carry == 0;
  }

 private:
  std::string digits_;
};

}  // namespace

ForgivingIterator::ForgivingIterator(Database& database, Family family)
    : database_(database), family_(family) {
  renew();
}

void ForgivingIterator::renew() {
  rocksdb::ReadOptions options;
  options.verify_checksums = true;
  options.fill_cache = false;
  iterator_.reset(database_.db().NewIterator(options, database_.family(family_)));
}

void ForgivingIterator::seek(std::string_view key) {
  reached_ = key;
  iterator_->Seek(slice(key));
  if (valid()) reached_ = this->key();
}

void ForgivingIterator::next() {
  iterator_->Next();
  if (valid()) reached_ = key();
}

bool ForgivingIterator::seek_works(const std::string& key) {
  renew();  // an iterator that met damage does not forget it at the next seek
  iterator_->Seek(key);
  return iterator_->Valid();
}

bool ForgivingIterator::skip() {
  // Doubling steps find a place behind the damage, halving ones its end: a few hundred reads,
  // whatever the keys are. Room behind the key lets the first steps be small; where no key has been
  // read yet, nothing tells how long they are.
  const std::size_t width = reached_.empty() ? kUnknownKeyBytes : reached_.size() + 4;
  const KeyNumber from(reached_, width);
  std::size_t bit = 0;
  for (;; ++bit) {
    KeyNumber target = from;
    if (!target.add_power_of_two(bit)) return false;
    if (seek_works(target.bytes())) break;
  }
  // Invariant: `bad` does not work, `bad` + 2^bit does.
  KeyNumber bad = from;
  while (bit-- > 0) {
    KeyNumber middle = bad;
    if (!middle.add_power_of_two(bit) || !seek_works(middle.bytes())) bad = middle;
  }
  KeyNumber good = bad;
  good.add_power_of_two(0);
  const bool works = seek_works(good.bytes());
  if (works) reached_ = key();
  return works;
}

void scan_journal(Database& database, const JournalScan& scan) {
  ForgivingIterator at(database, Family::journal);
  std::uint64_t expected = scan.first;
  std::uint64_t epoch = 0;
  std::string why;
  // Reports what lies between the last good record and `seq`.
  const auto close_gap = [&](std::uint64_t seq) {
    if (seq <= expected) return true;
    if (why.empty()) why = "not there";
    return scan.missing({expected, seq - 1}, std::exchange(why, {}));
  };
  at.seek(journal_key(scan.shard, scan.first));
  for (;;) {
    if (!at.valid()) {
      if (at.status().ok()) break;
      why = at.status().ToString();
      if (!at.skip()) break;
      continue;
    }
    const auto seq = parse_journal_key(scan.shard, at.key());
    if (!seq || *seq >= scan.next) break;
    auto record = message::decode_journal_record(at.value());
    if (!record) {
      why = record.error();
    } else if (record->seq != *seq || record->shard != scan.shard || record->epoch < epoch ||
               record->epoch > scan.epoch_max) {
      why = fmt::format("carries seq {}, shard {}, epoch {}", record->seq, record->shard,
                        record->epoch);
    } else {
      if (!close_gap(*seq)) return;
      why.clear();
      scan.record(*record, at.value());
      expected = *seq + 1;
      epoch = record->epoch;
    }
    at.next();
  }
  static_cast<void>(close_gap(scan.next));
}

}  // namespace trunkline::store
