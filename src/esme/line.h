// One account's line of notices, as far as it is in memory: which may be told now, which are on the
// way, which have to wait. Pure; the store holds the whole line, this holds a bounded window of it.
//
// Of each message one notice at a time is on the way, in the order things happened; different
// messages do not wait for each other. A notice the application refuses for now is told again,
// later and later; meanwhile the others go on.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/id.h"
#include "base/time.h"
#include "message/notice.h"

namespace trunkline::esme {

class NoticeLine {
 public:
  static constexpr std::size_t kInMemoryMax = 2'000;  // beyond: left in the store for later
  static constexpr std::size_t kPage = 500;           // read at once
  static constexpr base::Duration kRetryFirst = std::chrono::seconds(1);
  static constexpr base::Duration kRetryMax = std::chrono::minutes(5);

  // Just became durable. Ignored if there is no room or an earlier one is only in the store: then
  // it will be read from there.
  void add(const message::NoticeAt& at, std::string_view bytes);

  // A page of the store from behind last() on is wanted; hand it to read(). `page` shorter than
  // kPage: there is no more. Those of `leaving` are passed over.
  bool wants_read() const { return behind_ && items_.size() <= kInMemoryMax - kPage; }
  const message::NoticeAt& last() const { return last_; }
  struct Row {
    message::NoticeAt at;
    std::string_view bytes;
  };
  void read(const std::vector<Row>& page, const std::set<message::NoticeAt>& leaving = {});

  // The next to tell, now on the way; nothing if none may be told at `now`.
  struct Item {
    message::NoticeAt at;
    const message::Notice* notice;  // until confirmed(), or forget_all()
  };
  std::optional<Item> take(base::Mono now);
  // It was told, or is given up: the store may drop it.
  void confirmed(const message::NoticeAt& at);
  // It was refused for now.
  void refused(const message::NoticeAt& at, base::Mono now);
  // It was refused, or not answered, and has not been told again since.
  bool waits_for_retry(const message::NoticeAt& at) const;
  // Whether it was told is not known: the connection ended. Again, at once.
  void lost(const message::NoticeAt& at);

  // One on the way is put aside until release(): it waits for the other parts of its message.
  void hold(const message::NoticeAt& at);
  void release(const message::NoticeAt& at);

  // Those from before `before` that are neither on the way nor held: too old to be told.
  std::vector<message::NoticeAt> take_older(base::Wall before);
  // Those that could not be read: damaged, or a newer version's.
  std::vector<message::NoticeAt> take_unreadable() { return std::exchange(unreadable_, {}); }

  // Nobody is there to be told: the memory is given back, the store keeps them.
  void forget_all();

  std::optional<base::Mono> next_retry() const;
  std::size_t size() const { return items_.size(); }
  std::size_t on_the_way() const { return on_the_way_; }
  std::size_t held() const { return held_; }
  bool is_behind() const { return behind_; }  // there may be more in the store

 private:
  enum class State : std::uint8_t { behind_another, ready, on_the_way, retry_wait, held };
  struct Entry {
    message::Notice notice;
    State state = State::ready;
    unsigned tries = 0;
    base::Mono retry_at{};
  };
  using Items = std::map<message::NoticeAt, Entry>;

  void insert(const message::NoticeAt& at, std::string_view bytes);
  void make_ready(Items::iterator item);
  void remove(Items::iterator item);

  Items items_;
  std::set<message::NoticeAt> ready_;
  std::set<std::pair<base::Mono, message::NoticeAt>> retries_;
  // Messages with more than one notice here, in order; the first one goes.
  std::unordered_map<base::MessageId, std::deque<message::NoticeAt>, base::MessageIdHash> lines_;
  std::vector<message::NoticeAt> unreadable_;
  message::NoticeAt last_;  // all up to here have been seen
  std::size_t on_the_way_ = 0;
  std::size_t held_ = 0;
  bool behind_ = true;  // there may be more in the store behind last_
};

}  // namespace trunkline::esme
