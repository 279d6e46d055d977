// The session's output: encoded PDUs waiting for the socket, and what is known of each request's
// bytes. Internal to session.cc.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "smpp/pdu.h"
#include "smpp/tap.h"

namespace trunkline::smpp {

class Outbox {
 public:
  // Of what is pushed from now on.
  void set_dialect(const Dialect& dialect) { dialect_ = dialect; }

  void set_tap(Tap* tap) { tap_ = tap; }

  // An answer, or a request of the session itself.
  std::expected<void, EncodeError> push(const Pdu& pdu, std::uint32_t sequence,
                                        std::uint32_t status);
  // A request that may be withdrawn until its first byte is handed out, which must be before
  // `not_after`.
  std::expected<void, EncodeError> push_request(const Pdu& pdu, std::uint32_t sequence,
                                                base::Mono not_after);

  // A copy of the next bytes, kept apart so that pushing does not move it. `begun`: sequences of
  // the requests that start in it. Empty while the last chunk is not settled.
  std::string_view next_chunk(std::size_t max_bytes, std::vector<std::uint32_t>& begun);
  // `unbegun`: sequences of requests that were in the chunk but of which nothing was taken.
  void settle(std::size_t bytes, std::vector<std::uint32_t>& unbegun);

  // Takes out the requests that have not begun and whose not_after has come; their sequences in
  // order.
  std::vector<std::uint32_t> withdraw_expired(base::Mono now);
  // Takes out those of `sequences` that have not begun.
  void withdraw(const std::vector<std::uint32_t>& sequences);
  // Takes out every request that has not begun.
  void withdraw_requests();

  // When to call withdraw_expired: not later than the first not_after of what has not begun.
  base::Mono earliest_not_after() const { return earliest_; }
  std::size_t unsent_bytes() const { return bytes_.size() - head_; }

 private:
  // Where a request lies, counted in bytes from the start of the stream.
  struct Request {
    std::uint64_t start;
    std::uint64_t end;
    base::Mono not_after;
    std::uint32_t sequence;
  };
  template <class Predicate>
  void withdraw_if(Predicate goes);
  std::uint64_t stream_end() const { return taken_ + unsent_bytes(); }
  std::uint64_t handed_end() const { return taken_ + chunk_.size(); }

  Dialect dialect_;
  Tap* tap_ = nullptr;
  std::string bytes_;          // from head_ on: not yet taken by the socket
  std::size_t head_ = 0;       //
  std::uint64_t taken_ = 0;    // stream offset of bytes_[head_]
  std::string chunk_;          // handed out and not settled; a copy of the bytes at head_
  std::deque<Request> queue_;  // those that are not wholly taken, by start
  base::Mono earliest_ = base::Mono::max();
};

}  // namespace trunkline::smpp
