#include "gsm/reassembler.h"

#include <algorithm>

#include "base/assert.h"
#include "base/hash.h"

namespace trunkline::gsm {
namespace {

// What a message and a part cost beside their octets: nodes of three maps, the vectors' slack.
constexpr std::size_t kMessageBytes = 512;
constexpr std::size_t kPartBytes = 96;

constexpr std::uint8_t kNarrow = 0;
constexpr std::uint8_t kWide = 1;
constexpr std::uint8_t kSar = 2;

}  // namespace

std::string_view name(Joined::Why why) {
  switch (why) {
    case Joined::Why::complete:
      return "complete";
    case Joined::Why::timeout:
      return "timeout";
    case Joined::Why::superseded:
      return "superseded";
    case Joined::Why::evicted:
      return "evicted";
    case Joined::Why::drained:
      return "drained";
  }
  return "unknown";
}

Reassembler::Key Reassembler::key_of(const IncomingPart& part) {
  const Concatenation& c = part.concatenation;
  return {part.peer,
          c.reference,
          c.total,
          part.sar ? kSar
          : c.wide ? kWide
                   : kNarrow,
          std::string(part.from),
          std::string(part.to)};
}

Reassembler::Fingerprint Reassembler::fingerprint_of(const PartialMessage& message) {
  Fingerprint out;
  message.for_each([&out](std::uint8_t index, std::string_view octets, const TextFormat& format) {
    const auto seed = static_cast<std::uint64_t>(format.charset) << 16 |
                      static_cast<std::uint64_t>(format.shift.locking) << 8 |
                      static_cast<std::uint64_t>(format.shift.single);
    out.emplace_back(index, base::hash128(octets, seed).low);
  });
  return out;
}

Reassembler::Outcome Reassembler::add(const IncomingPart& part, base::Mono now) {
  Concatenation c = part.concatenation;
  c.wide = part.sar || c.wide;  // SAR references have 16 bits, whatever the caller put there
  if (c.index == 0 || c.index > c.total || part.octets.size() > PartialMessage::kPartOctetsMax) {
    return {.added = Added::refused, .joined = {}};
  }
  Outcome out;
  Key key = key_of(part);
  const auto known = index_.find(key);
  auto entry = known == index_.end() ? begin_message(std::move(key), part.peer, c, now)
                                     : entries_.find(known->second);
  auto added = entry->second.message.add(c, part.octets, part.format, part.tag);
  if (added == PartialMessage::Added::conflicting) {
    out.joined.push_back(finish(entry, Joined::Why::superseded, now));
    entry = begin_message(key_of(part), part.peer, c, now);
    added = entry->second.message.add(c, part.octets, part.format, part.tag);
  }
  if (added == PartialMessage::Added::duplicate) {
    out.added = Added::duplicate;
    return out;
  }
  ASSERT(added == PartialMessage::Added::stored || added == PartialMessage::Added::completed);
  const std::size_t bytes = kPartBytes + part.octets.size();
  entry->second.bytes += bytes;
  bytes_ += bytes;
  if (added == PartialMessage::Added::completed) {
    out.joined.push_back(finish(entry, Joined::Why::complete, now));
  }
  make_room(part.peer, now, out.joined);
  return out;
}

std::vector<Joined> Reassembler::expire(base::Mono now, std::size_t max) {
  std::vector<Joined> out;
  while (out.size() < max && !entries_.empty() &&
         entries_.begin()->second.started + limits_.wait <= now) {
    out.push_back(finish(entries_.begin(), Joined::Why::timeout, now));
  }
  return out;
}

std::optional<base::Mono> Reassembler::next_deadline() const {
  if (entries_.empty()) return std::nullopt;
  return entries_.begin()->second.started + limits_.wait;
}

std::vector<Joined> Reassembler::drain() {
  std::vector<Joined> out;
  out.reserve(entries_.size());
  while (!entries_.empty()) {
    const auto first = entries_.begin();
    out.push_back(finish(first, Joined::Why::drained, first->second.started));
  }
  return out;
}

Reassembler::Entries::iterator Reassembler::begin_message(Key key, std::uint32_t peer,
                                                          const Concatenation& c, base::Mono now) {
  const std::uint64_t id = next_id_++;
  const std::size_t bytes = kMessageBytes + key.from.size() + key.to.size();
  const auto indexed = index_.emplace(std::move(key), id).first;
  by_peer_[peer].insert(id);
  bytes_ += bytes;
  return entries_.emplace(id, Entry{&indexed->first, now, PartialMessage(c), bytes}).first;
}

Joined Reassembler::finish(Entries::iterator entry, Joined::Why why, base::Mono now) {
  const auto& [id, e] = *entry;
  const Key& key = *e.key;
  Fingerprint fingerprint = fingerprint_of(e.message);
  Joined out{.why = why,
             .repeated = is_repeated(key, fingerprint, now),
             .peer = key.peer,
             .from = key.from,
             .to = key.to,
             .reference = key.reference,
             .total = key.total,
             .missing = e.message.missing(),
             .tags = e.message.tags(),
             .text = e.message.text(kGapMark),
             .started = e.started};
  if (!out.repeated) remember(key, std::move(fingerprint), now);

  bytes_ -= e.bytes;
  const auto peer = by_peer_.find(key.peer);
  peer->second.erase(id);
  if (peer->second.empty()) by_peer_.erase(peer);
  index_.erase(index_.find(key));
  entries_.erase(entry);
  return out;
}

bool Reassembler::is_repeated(const Key& key, const Fingerprint& fingerprint,
                              base::Mono now) const {
  const auto at = finished_.find(key);
  return at != finished_.end() && now < at->second.until &&
         std::ranges::includes(at->second.fingerprint, fingerprint);
}

void Reassembler::remember(const Key& key, Fingerprint fingerprint, base::Mono now) {
  const std::uint64_t id = next_id_++;
  finished_[key] = {std::move(fingerprint), now + limits_.repeat_keep, id};
  finished_order_.emplace_back(id, key);
  while (!finished_order_.empty()) {
    const auto& [oldest_id, oldest_key] = finished_order_.front();
    const auto at = finished_.find(oldest_key);
    const bool is_current = at != finished_.end() && at->second.id == oldest_id;
    if (is_current && at->second.until > now && finished_order_.size() <= limits_.repeats_max) {
      break;
    }
    if (is_current) finished_.erase(at);
    finished_order_.pop_front();
  }
}

void Reassembler::make_room(std::uint32_t peer, base::Mono now, std::vector<Joined>& out) {
  const auto evict = [&](std::uint64_t id) {
    out.push_back(finish(entries_.find(id), Joined::Why::evicted, now));
  };
  for (auto own = by_peer_.find(peer);
       own != by_peer_.end() && own->second.size() > limits_.peer_messages_max;
       own = by_peer_.find(peer)) {
    evict(*own->second.begin());
  }
  while (!entries_.empty() &&
         (entries_.size() > limits_.messages_max || bytes_ > limits_.bytes_max)) {
    evict(entries_.begin()->first);
  }
}

}  // namespace trunkline::gsm
