#include "queue/lane.h"

namespace trunkline::queue {

Lane::Line* Lane::find(message::TenantIndex tenant) {
  if (tenants_ == 0) return nullptr;
  // Mostly there is one, or it is the one whose turn it is.
  if (lines_[current_].tenant == tenant) return &lines_[current_];
  const auto found = by_tenant_.find(tenant.value);
  return found == by_tenant_.end() ? nullptr : &lines_[found->second];
}

std::size_t Lane::size_of(message::TenantIndex tenant) const {
  const Line* line = const_cast<Lane*>(this)->find(tenant);
  return line == nullptr ? 0 : line->size;
}

std::size_t Lane::ahead_of(message::TenantIndex tenant, base::Mono deadline) const {
  const Line* line = const_cast<Lane*>(this)->find(tenant);
  if (line == nullptr) return std::min(size_, tenants_);
  // Mostly its deadline is the latest.
  const std::int64_t grain = grain_of(deadline);
  std::size_t own = 0;
  if (std::prev(line->buckets.end())->first <= grain) {
    own = line->size;
  } else {
    for (const auto& [at, list] : line->buckets) {
      if (at > grain) break;
      own += list.size();
    }
  }
  return std::min(size_, (own + 1) * tenants_ - 1);
}

// Whoever comes in is the last of the round.
Lane::Line& Lane::enter(message::TenantIndex tenant) {
  if (Line* line = find(tenant)) return *line;
  std::uint32_t at = 0;
  if (free_.empty()) {
    at = static_cast<std::uint32_t>(lines_.size());
    lines_.emplace_back();
  } else {
    at = free_.back();
    free_.pop_back();
  }
  by_tenant_[tenant.value] = at;
  Line& line = lines_[at];
  line.tenant = tenant;
  line.deficit = 0;
  if (tenants_++ == 0) {
    line.next = line.previous = current_ = at;
    return line;
  }
  line.next = current_;
  line.previous = lines_[current_].previous;
  lines_[line.previous].next = at;
  lines_[current_].previous = at;
  return line;
}

// Nothing of the tenant waits any more, and nothing is kept of it.
void Lane::leave(Line& line) {
  const auto at = static_cast<std::uint32_t>(&line - lines_.data());
  by_tenant_.erase(line.tenant.value);
  free_.push_back(at);
  if (--tenants_ == 0) return;
  lines_[line.previous].next = line.next;
  lines_[line.next].previous = line.previous;
  if (current_ == at) {
    current_ = line.next;
    lines_[current_].deficit += kQuantum;
  }
}

SlotList& Lane::bucket(Line& line, base::Mono deadline) {
  const std::int64_t grain = grain_of(deadline);
  ++size_;
  ++line.size;
  // Mostly the latest deadline there is.
  if (!line.buckets.empty()) {
    const auto last = std::prev(line.buckets.end());
    if (last->first == grain) return last->second;
    if (last->first > grain) return line.buckets[grain];
  }
  return line.buckets.emplace_hint(line.buckets.end(), grain, SlotList{})->second;
}

void Lane::push_back(SlotLinks& links, Slot slot, message::TenantIndex tenant,
                     base::Mono deadline) {
  bucket(enter(tenant), deadline).push_back(links, slot);
}

void Lane::push_front(SlotLinks& links, Slot slot, message::TenantIndex tenant,
                      base::Mono deadline) {
  bucket(enter(tenant), deadline).push_front(links, slot);
}

void Lane::remove(SlotLinks& links, Slot slot, message::TenantIndex tenant, base::Mono deadline) {
  Line* const line = find(tenant);
  ASSERT(line != nullptr);
  const auto first = line->buckets.begin();
  const std::int64_t grain = grain_of(deadline);
  const auto found = first->first == grain ? first : line->buckets.find(grain);
  ASSERT(found != line->buckets.end());
  take(links, *line, found, slot);
}

void Lane::take(SlotLinks& links, Line& line, Buckets::iterator bucket, Slot slot) {
  bucket->second.remove(links, slot);
  if (bucket->second.empty()) line.buckets.erase(bucket);
  --size_;
  if (--line.size == 0) leave(line);
}

}  // namespace trunkline::queue
