#include "policy/caps.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"
#include "base/hash.h"
#include "message/decision.h"

namespace trunkline::policy {
namespace {

using base::Wall;
using std::chrono::microseconds;

constexpr std::uint64_t kIdSeed = 0x6361702e69643031;   // "cap.id01"; PERSISTED
constexpr std::uint64_t kKeySeed = 0x6361702e6b657931;  // "cap.key1"; PERSISTED

constexpr std::size_t kLoggedSlack = 1024;

base::Duration length(Cap::Per per) {
  switch (per) {
    case Cap::Per::minute:
      return std::chrono::minutes(1);
    case Cap::Per::hour:
      return std::chrono::hours(1);
    case Cap::Per::day:
      break;
  }
  return std::chrono::hours(24);
}

Wall floor_to(Wall at, base::Duration step) {
  auto rest = at.time_since_epoch() % step;
  if (rest < base::Duration::zero()) rest += step;
  return at - rest;
}

struct Window {
  Wall begin;
  Wall end;
};

// The window, or the part of one, that `now` is in.
Window window_at(const Cap& cap, Wall now) {
  const base::Duration whole = length(cap.per);
  if (cap.rolling) {
    const base::Duration part = whole / static_cast<int>(CapCounts::kParts);
    const Wall begin = floor_to(now, part);
    return {begin, begin + part};
  }
  if (!cap.zone) {
    const Wall begin = floor_to(now, whole);
    return {begin, begin + whole};
  }
  // By its clocks: where they are changed, a day has 23 or 25 hours.
  const auto local_floor = [&](Wall at) {
    const base::Duration offset = std::chrono::minutes(offset_at(*cap.zone, at).minutes);
    return floor_to(at + offset, whole);
  };
  const auto begins = [&](Wall local) {
    Wall at = local - std::chrono::minutes(offset_at(*cap.zone, local).minutes);
    return local - std::chrono::minutes(offset_at(*cap.zone, at).minutes);
  };
  const Wall local = local_floor(now);
  Window out{begins(local), begins(local + whole)};
  if (out.begin > now) out.begin = now;
  if (out.end <= now) out.end = now + std::chrono::minutes(1);
  return out;
}

// When the window, or the part of one, that begins then does not count any more. The oldest part
// of one that moves counts until all of it is older than the window.
Wall over_at(const Cap& cap, const Window& window) {
  return cap.rolling ? window.end + length(cap.per) : window.end;
}

// A clock that is set back by less than a window goes on in the one it was in; one that was further
// ahead is not believed.
bool is_ahead(const Cap& cap, Wall begin, Wall now) { return begin - length(cap.per) > now; }

std::uint64_t key_of(const Cap& cap, const CapFacts& facts) {
  if (cap.by == 0) return 0;
  std::string text;
  const auto number = [&](std::uint64_t value) {
    text.append(reinterpret_cast<const char*>(&value), sizeof value);
  };
  const auto word = [&](std::string_view value) {
    text.append(value);
    text.push_back('\0');
  };
  if ((cap.by & Cap::kTenant) != 0) word(facts.tenant);
  if ((cap.by & Cap::kSender) != 0) number(facts.sender);
  if ((cap.by & Cap::kRecipient) != 0) number(facts.recipient);
  if ((cap.by & Cap::kCountry) != 0) number(facts.country.packed());
  if ((cap.by & Cap::kClass) != 0) word(facts.traffic_class);
  return base::hash128(text, kKeySeed).low;
}

}  // namespace

std::string to_string(const Cap& cap) {
  constexpr std::string_view kPer[] = {"minute", "hour", "day"};
  constexpr std::string_view kBy[] = {"tenant", "sender", "recipient", "country", "class"};
  std::string out =
      fmt::format("{} {} {} {}", cap.most, cap.segments ? "segments" : "messages",
                  cap.per == Cap::Per::hour ? "an" : "a", kPer[static_cast<std::size_t>(cap.per)]);
  std::string_view between = " by ";
  for (std::size_t i = 0; i < std::size(kBy); ++i) {
    if ((cap.by >> i & 1) == 0) continue;
    out += fmt::format("{}{}", between, kBy[i]);
    between = " and ";
  }
  return out;
}

std::uint64_t sender_hash(std::string_view from) { return message::sender_hash(from); }

void CapTable::add(Cap cap, std::size_t owner, const std::vector<std::string>& class_names) {
  std::string text =
      fmt::format("{}\n{}\n{} {} {} {} {}", static_cast<int>(cap.owner), cap.name, cap.segments,
                  static_cast<int>(cap.per), cap.by, cap.rolling, cap.zone_name);
  // In the order of names: that of their places changes with the configuration.
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < std::min<std::size_t>(class_names.size(), 32); ++i) {
    if ((cap.classes >> i & 1) != 0) names.push_back(class_names[i]);
  }
  std::ranges::sort(names);
  for (const std::string_view name : names) text += fmt::format("\n{}", name);
  for (const numbering::Country country : cap.countries) text += "\n" + country.code();
  cap.id = base::hash128(text, kIdSeed).low;
  const auto at = static_cast<std::uint32_t>(caps_.size());
  const auto put = [&](Lists& lists) {
    if (lists.size() <= owner) lists.resize(owner + 1);
    lists[owner].push_back(at);
  };
  switch (cap.owner) {
    case Cap::Owner::tenant:
      put(by_tenant_);
      break;
    case Cap::Owner::carrier:
      put(by_carrier_);
      carriers_by_sender_ |= (cap.by & Cap::kSender) != 0;
      break;
    case Cap::Owner::country:
      by_country_[static_cast<std::uint16_t>(owner)].push_back(at);
      break;
  }
  caps_.push_back(std::move(cap));
}

std::span<const std::uint32_t> CapTable::list(const Lists& lists, std::size_t at) {
  return at < lists.size() ? std::span(lists[at]) : std::span<const std::uint32_t>();
}
std::span<const std::uint32_t> CapTable::of_tenant(message::TenantIndex tenant) const {
  return list(by_tenant_, tenant.at());
}
std::span<const std::uint32_t> CapTable::of_carrier(message::CarrierIndex carrier) const {
  return list(by_carrier_, carrier.at());
}
std::span<const std::uint32_t> CapTable::of_country(numbering::Country country) const {
  const auto found = by_country_.find(country.packed());
  return found == by_country_.end() ? std::span<const std::uint32_t>() : std::span(found->second);
}

bool counts(const Cap& cap, const CapFacts& facts) {
  return (cap.classes == 0 || (cap.classes >> facts.class_index.at() & 1) != 0) &&
         (cap.countries.empty() || std::ranges::binary_search(cap.countries, facts.country));
}

// --- counting
// -------------------------------------------------------------------------------------

void CapCounts::use(const CapTable& table) {
  boost::unordered_flat_map<std::uint64_t, Book> kept;
  caps_.clear();
  for (const Cap& cap : table.all()) {
    caps_.emplace(cap.id, cap);
    const auto found = books_.find(cap.id);
    if (found == books_.end() || kept.contains(cap.id)) continue;
    kept.emplace(cap.id, std::move(found->second));
  }
  books_ = std::move(kept);
  size_ = 0;
  for (const auto& [id, book] : books_) {
    for (const Part& part : book.parts) size_ += part.counts.size();
  }
}

// As it is now: windows that are over are dropped.
CapCounts::Book& CapCounts::book(const Cap& cap, Wall now) {
  Book& book = books_[cap.id];
  book.id = cap.id;
  // A clock that was set back a little goes on in the window it was in; one that was far ahead is
  // believed again.
  const base::Duration whole = length(cap.per);
  if (now < book.end && now >= book.begin - whole && book.end != Wall{}) return book;
  const Window window = window_at(cap, now);
  const bool was_ahead = book.end != Wall{} && now < book.begin - whole;
  book.begin = window.begin;
  book.end = window.end;
  // The oldest part counts until all of it is older than the window.
  const Wall oldest = cap.rolling ? window.begin - whole : window.begin;
  if (was_ahead) drop_parts(book, Wall::max());
  drop_parts(book, oldest);
  return book;
}

// The one that begins then; made if it is not there.
CapCounts::Part& CapCounts::part(Book& book, Wall begin, Wall over) {
  const auto at = std::ranges::lower_bound(book.parts, begin, {}, &Part::begin);
  if (at != book.parts.end() && at->begin == begin) return *at;
  earliest_over_ = std::min(earliest_over_, over);
  return *book.parts.insert(at, {begin, over, {}});
}

void CapCounts::drop_over(Wall now, base::Duration kept) {
  if (now < earliest_over_ + kept && now >= looked_at_) return;
  looked_at_ = now;
  earliest_over_ = kNever;
  for (auto& [id, book] : books_) {
    const auto cap = caps_.find(id);
    std::erase_if(book.parts, [&](const Part& part) {
      const bool needed =
          cap != caps_.end() && now < part.over + kept && !is_ahead(cap->second, part.begin, now);
      if (needed) {
        earliest_over_ = std::min(earliest_over_, part.over);
      } else {
        size_ -= part.counts.size();
      }
      return !needed;
    });
  }
}

void CapCounts::drop_parts(Book& book, Wall before) {
  std::erase_if(book.parts, [&](const Part& part) {
    if (part.begin >= before) return false;
    size_ -= part.counts.size();
    return true;
  });
}

std::uint64_t CapCounts::counted(const Cap& cap, const CapFacts& facts, Wall now) {
  const std::uint64_t key = key_of(cap, facts);
  std::uint64_t sum = 0;
  for (const Part& part : book(cap, now).parts) {
    const auto found = part.counts.find(key);
    if (found != part.counts.end()) sum += found->second.count;
  }
  return sum;
}

std::optional<Wall> CapCounts::full_until(const Cap& cap, const CapFacts& facts, Wall now) {
  const std::uint64_t key = key_of(cap, facts);
  const std::uint64_t more = cost(cap, facts);
  const Book& b = book(cap, now);
  std::uint64_t sum = more;
  for (const Part& part : b.parts) {
    const auto found = part.counts.find(key);
    if (found != part.counts.end()) sum += found->second.count;
  }
  if (sum <= cap.most) return std::nullopt;
  if (!cap.rolling) return b.end;
  // Parts leave one after the other.
  const base::Duration stays = length(cap.per) + length(cap.per) / static_cast<int>(kParts);
  for (const Part& part : b.parts) {
    const auto found = part.counts.find(key);
    if (found != part.counts.end()) sum -= found->second.count;
    if (sum <= cap.most) return part.begin + stays;
  }
  return b.begin + stays;  // more than the cap by itself
}

bool CapCounts::add(const Cap& cap, const CapFacts& facts, Wall now) {
  const std::uint64_t key = key_of(cap, facts);
  if (size_ >= kCountsMax) drop_over(now, {});
  Book& b = book(cap, now);
  Part& now_in = part(b, b.begin, over_at(cap, {b.begin, b.end}));
  auto found = now_in.counts.find(key);
  if (found == now_in.counts.end()) {
    if (size_ >= kCountsMax) return false;
    found = now_in.counts.emplace(key, Count{}).first;
    ++size_;
  }
  Count& count = found->second;
  count.count += cost(cap, facts);
  if (count.count > count.durable) {
    count.durable = count.count + cap.most / kAheadShare;
    fresh_.push_back({cap.id, key, now_in.begin, count.durable});
  }
  return true;
}

void CapCounts::give_back(const Cap& cap, const CapFacts& facts, Wall added_at) {
  const auto b = books_.find(cap.id);
  if (b == books_.end()) return;
  const auto ends = [&](const Part& part) {
    return cap.rolling ? part.over - length(cap.per) : part.over;
  };
  const auto in = std::ranges::find_if(b->second.parts, [&](const Part& part) {
    return part.begin <= added_at && added_at < ends(part);
  });
  if (in == b->second.parts.end()) return;
  const auto found = in->counts.find(key_of(cap, facts));
  if (found == in->counts.end() || found->second.count < cost(cap, facts)) return;
  found->second.count -= cost(cap, facts);
}

// --- what is durable
// ------------------------------------------------------------------------------

CapCounts::Count* CapCounts::find(const Logged& logged) {
  const auto b = books_.find(logged.cap);
  if (b == books_.end()) return nullptr;
  const auto part = std::ranges::find(b->second.parts, logged.begin, &Part::begin);
  if (part == b->second.parts.end()) return nullptr;
  const auto found = part->counts.find(logged.key);
  return found == part->counts.end() ? nullptr : &found->second;
}

std::vector<CapRecord> CapCounts::take_records(std::uint64_t seq) {
  std::vector<CapRecord> out;
  // The last one of each is enough.
  for (auto it = fresh_.rbegin(); it != fresh_.rend(); ++it) {
    Count* count = find({0, it->cap, it->key, it->begin});
    if (count == nullptr || count->durable != it->count) continue;
    count->seq = seq;
    logged_.push_back({seq, it->cap, it->key, it->begin});
    out.push_back(*it);
  }
  fresh_.clear();
  forget_stale();
  return out;
}

void CapCounts::restore(const CapRecord& record, std::uint64_t seq, Wall now) {
  const auto cap = caps_.find(record.cap);
  if (cap == caps_.end()) return;
  const Wall over = over_at(cap->second, window_at(cap->second, record.begin));
  if (now >= over || is_ahead(cap->second, record.begin, now)) return;
  if (size_ >= kCountsMax) drop_over(now, {});
  Book& b = books_[record.cap];
  b.id = record.cap;
  Part& of = part(b, record.begin, over);
  auto found = of.counts.find(record.key);
  if (found == of.counts.end()) {
    if (size_ >= kCountsMax) return;
    found = of.counts.emplace(record.key, Count{}).first;
    ++size_;
  }
  found->second = {record.count, record.count, seq};
  logged_.push_back({seq, record.cap, record.key, record.begin});
}

// Records that later ones have replaced, or whose window is over, are not needed.
void CapCounts::forget_stale() {
  while (!logged_.empty() && is_stale(logged_.front())) logged_.pop_front();
  // Behind one that lasts there may be many that do not.
  if (logged_.size() > 2 * size_ + kLoggedSlack) {
    std::erase_if(logged_, [&](const Logged& logged) { return is_stale(logged); });
  }
}

bool CapCounts::is_stale(const Logged& logged) {
  const Count* count = find(logged);
  return count == nullptr || count->seq != logged.seq;
}

std::optional<std::uint64_t> CapCounts::oldest_seq() {
  forget_stale();
  return logged_.empty() ? std::nullopt : std::optional(logged_.front().seq);
}

std::optional<CapRecord> CapCounts::renew_oldest(std::uint64_t seq) {
  forget_stale();
  if (logged_.empty() || logged_.front().seq >= seq) return std::nullopt;
  Logged logged = logged_.front();
  logged_.pop_front();
  Count* count = find(logged);
  ASSERT(count != nullptr);
  count->seq = logged.seq = seq;
  logged_.push_back(logged);
  return CapRecord{logged.cap, logged.key, logged.begin, count->durable};
}

}  // namespace trunkline::policy
