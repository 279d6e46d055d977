#include "smpp/outbox.h"

#include <algorithm>

#include "base/assert.h"

namespace trunkline::smpp {
namespace {
// Taken bytes stay in front of the buffer until they are worth a move.
constexpr std::size_t kCompactBytes = 64 * 1024;
}  // namespace

std::expected<void, EncodeError> Outbox::push(const Pdu& pdu, std::uint32_t sequence,
                                              std::uint32_t status) {
  const std::size_t before = bytes_.size();
  auto done = encode(pdu, sequence, status, bytes_, dialect_);
  if (tap_ != nullptr && done) tap_->queued(std::string_view(bytes_).substr(before));
  return done;
}

std::expected<void, EncodeError> Outbox::push_request(const Pdu& pdu, std::uint32_t sequence,
                                                      base::Mono not_after) {
  const std::uint64_t start = stream_end();
  const std::size_t before = bytes_.size();
  if (auto done = encode(pdu, sequence, 0, bytes_, dialect_); !done) return done;
  if (tap_ != nullptr) tap_->queued(std::string_view(bytes_).substr(before));
  queue_.push_back({start, stream_end(), not_after, sequence});
  earliest_ = std::min(earliest_, not_after);
  return {};
}

std::string_view Outbox::next_chunk(std::size_t max_bytes, std::vector<std::uint32_t>& begun) {
  if (!chunk_.empty()) return {};
  chunk_.assign(bytes_, head_, max_bytes);
  for (const Request& r : queue_) {
    if (r.start >= handed_end()) break;
    if (r.start >= taken_) begun.push_back(r.sequence);
  }
  return chunk_;
}

void Outbox::settle(std::size_t bytes, std::vector<std::uint32_t>& unbegun) {
  ASSERT(bytes <= chunk_.size());
  const std::uint64_t handed = handed_end();
  taken_ += bytes;
  head_ += bytes;
  chunk_.clear();
  while (!queue_.empty() && queue_.front().end <= taken_) queue_.pop_front();
  for (const Request& r : queue_) {
    if (r.start >= handed) break;
    if (r.start >= taken_) {
      unbegun.push_back(r.sequence);
      earliest_ = std::min(earliest_, r.not_after);
    }
  }
  if (queue_.empty()) earliest_ = base::Mono::max();
  if (head_ == bytes_.size()) {
    bytes_.clear();
    head_ = 0;
  } else if (head_ >= kCompactBytes && head_ >= bytes_.size() / 2) {
    bytes_.erase(0, head_);
    head_ = 0;
  }
}

std::vector<std::uint32_t> Outbox::withdraw_expired(base::Mono now) {
  std::vector<std::uint32_t> gone;
  if (now < earliest_) return gone;
  withdraw_if([&](const Request& r) {
    if (now < r.not_after) return false;
    gone.push_back(r.sequence);
    return true;
  });
  return gone;
}

void Outbox::withdraw(const std::vector<std::uint32_t>& sequences) {
  withdraw_if([&](const Request& r) {
    return std::ranges::find(sequences, r.sequence) != sequences.end();
  });
}

void Outbox::withdraw_requests() {
  withdraw_if([](const Request&) { return true; });
}

// One pass over what has not begun: whatever goes together costs one pass together.
template <class Predicate>
void Outbox::withdraw_if(Predicate goes) {
  const std::uint64_t fixed = handed_end();
  const auto byte = [this](std::uint64_t offset) {
    return bytes_.begin() + static_cast<std::ptrdiff_t>(head_ + (offset - taken_));
  };
  std::uint64_t removed = 0;
  std::uint64_t moved_to = fixed;  // bytes before this are where they belong
  const auto close_gap = [&](std::uint64_t until) {
    if (removed != 0) std::copy(byte(moved_to), byte(until), byte(moved_to - removed));
  };
  earliest_ = base::Mono::max();
  auto keep = queue_.begin();
  for (auto it = queue_.begin(); it != queue_.end(); ++it) {
    Request r = *it;
    if (r.start >= fixed) {
      if (goes(r)) {
        if (tap_ != nullptr) tap_->withdrawn(r.sequence);
        close_gap(r.start);
        removed += r.end - r.start;
        moved_to = r.end;
        continue;
      }
      earliest_ = std::min(earliest_, r.not_after);
      r.start -= removed;
      r.end -= removed;
    }
    *keep++ = r;
  }
  queue_.erase(keep, queue_.end());
  close_gap(stream_end());
  bytes_.resize(bytes_.size() - removed);
}

}  // namespace trunkline::smpp
