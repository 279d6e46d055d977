#include "esme/line.h"

#include <algorithm>

#include "base/assert.h"

namespace trunkline::esme {

using message::NoticeAt;

void NoticeLine::add(const NoticeAt& at, std::string_view bytes) {
  if (at <= last_ || behind_) return;
  if (items_.size() >= kInMemoryMax) {
    behind_ = true;
    return;
  }
  insert(at, bytes);
}

void NoticeLine::read(const std::vector<Row>& page, const std::set<NoticeAt>& leaving) {
  for (const Row& row : page) {
    if (row.at <= last_) continue;
    last_ = row.at;
    if (!leaving.contains(row.at)) insert(row.at, row.bytes);
  }
  if (page.size() < kPage) behind_ = false;
}

void NoticeLine::insert(const NoticeAt& at, std::string_view bytes) {
  last_ = at;
  auto notice = message::decode_notice(bytes);
  if (!notice) {
    unreadable_.push_back(at);
    return;
  }
  const auto [item, is_new] = items_.emplace(at, Entry{.notice = std::move(*notice)});
  ASSERT(is_new);
  auto& line = lines_[item->second.notice.id];
  line.push_back(at);
  if (line.size() == 1) {
    make_ready(item);
  } else {
    item->second.state = State::behind_another;
  }
}

void NoticeLine::make_ready(Items::iterator item) {
  item->second.state = State::ready;
  ready_.insert(item->first);
}

std::optional<NoticeLine::Item> NoticeLine::take(base::Mono now) {
  while (!retries_.empty() && retries_.begin()->first <= now) {
    const auto item = items_.find(retries_.begin()->second);
    retries_.erase(retries_.begin());
    make_ready(item);
  }
  if (ready_.empty()) return std::nullopt;
  const auto item = items_.find(*ready_.begin());
  ready_.erase(ready_.begin());
  item->second.state = State::on_the_way;
  ++on_the_way_;
  return Item{item->first, &item->second.notice};
}

void NoticeLine::remove(Items::iterator item) {
  switch (item->second.state) {
    case State::on_the_way:
      --on_the_way_;
      break;
    case State::ready:
      ready_.erase(item->first);
      break;
    case State::retry_wait:
      retries_.erase({item->second.retry_at, item->first});
      break;
    case State::held:
      --held_;
      break;
    case State::behind_another:
      break;
  }
  const auto line = lines_.find(item->second.notice.id);
  std::erase(line->second, item->first);
  items_.erase(item);
  if (line->second.empty()) {
    lines_.erase(line);
    return;
  }
  const auto next = items_.find(line->second.front());
  if (next->second.state == State::behind_another) make_ready(next);
}

void NoticeLine::confirmed(const NoticeAt& at) {
  const auto item = items_.find(at);
  if (item != items_.end()) remove(item);
}

void NoticeLine::refused(const NoticeAt& at, base::Mono now) {
  const auto item = items_.find(at);
  if (item == items_.end() || item->second.state != State::on_the_way) return;
  Entry& entry = item->second;
  const auto doublings = std::min(entry.tries++, 16u);
  entry.retry_at = now + std::min<base::Duration>(kRetryFirst * (1u << doublings), kRetryMax);
  entry.state = State::retry_wait;
  --on_the_way_;
  retries_.emplace(entry.retry_at, at);
}

bool NoticeLine::waits_for_retry(const NoticeAt& at) const {
  const auto item = items_.find(at);
  return item != items_.end() && item->second.tries > 0 &&
         (item->second.state == State::retry_wait || item->second.state == State::ready);
}

void NoticeLine::lost(const NoticeAt& at) {
  const auto item = items_.find(at);
  if (item == items_.end() || item->second.state != State::on_the_way) return;
  --on_the_way_;
  make_ready(item);
}

void NoticeLine::hold(const NoticeAt& at) {
  const auto item = items_.find(at);
  if (item == items_.end() || item->second.state != State::on_the_way) return;
  --on_the_way_;
  ++held_;
  item->second.state = State::held;
}

void NoticeLine::release(const NoticeAt& at) {
  const auto item = items_.find(at);
  if (item == items_.end() || item->second.state != State::held) return;
  --held_;
  make_ready(item);
}

std::vector<NoticeAt> NoticeLine::take_older(base::Wall before) {
  std::vector<NoticeAt> out;
  // In order of the events but for clock steps: the first that is young enough ends the search.
  for (auto item = items_.begin(); item != items_.end();) {
    const auto at = item++;
    if (at->second.notice.time >= before) break;
    if (at->second.state == State::on_the_way || at->second.state == State::held) continue;
    out.push_back(at->first);
    remove(at);
  }
  return out;
}

void NoticeLine::forget_all() { *this = NoticeLine(); }

std::optional<base::Mono> NoticeLine::next_retry() const {
  if (retries_.empty()) return std::nullopt;
  return retries_.begin()->first;
}

}  // namespace trunkline::esme
