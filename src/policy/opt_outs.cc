#include "policy/opt_outs.h"

#include <algorithm>
#include <tuple>

#include "base/assert.h"
#include "base/limits.h"

namespace trunkline::policy {
namespace {

namespace limits = base::limits;

constexpr std::size_t kFirstPlaces = 16;
constexpr unsigned kCellBits = 11;
constexpr unsigned kScopeBits = 16;
constexpr std::uint64_t kChangeMax = (std::uint64_t{1} << 48) - 1;
static_assert(limits::kOptOutCellsMax < 1u << kCellBits);
static_assert(limits::kOptOutScopesMax < 1u << kScopeBits);

bool is_too_full(std::size_t used, std::size_t places) { return used * 10 >= places * 7; }

std::string scope_key(std::string_view tenant, std::string_view sender) {
  std::string key;
  key.reserve(tenant.size() + 1 + sender.size());
  key.append(tenant).push_back('\0');
  return key.append(sender);
}

std::uint16_t scope_at(std::uint64_t what) { return static_cast<std::uint16_t>(what); }
base::Wall time_at(std::uint64_t when) {
  return base::wall_from_us(static_cast<std::int64_t>(when >> (kCellBits + 1)));
}
std::size_t cell_at(std::uint64_t when) { return when >> 1 & ((1u << kCellBits) - 1); }
bool is_out(std::uint64_t when) { return (when & 1) != 0; }

}  // namespace

// They are hashes, but nobody has promised that their bits are all alike.
std::uint64_t OptOuts::mixed(std::uint64_t to_hash) {
  std::uint64_t h = to_hash * 0x9e3779b97f4a7c15;
  h ^= h >> 32;
  return h * 0xd6e8feb86659fd93;
}

std::optional<std::uint16_t> OptOuts::scope_of(std::string_view tenant,
                                               std::string_view sender) const {
  const auto found = scope_numbers_.find(scope_key(tenant, sender));
  if (found == scope_numbers_.end()) return std::nullopt;
  return found->second;
}

std::optional<OptOuts::Stop> OptOuts::find(std::uint64_t to_hash, std::string_view tenant,
                                           std::uint32_t sender_tail, bool only_for_all) const {
  if (size_ == 0) return std::nullopt;
  const std::uint64_t mix = mixed(to_hash);
  const std::vector<Place>& places = part_of(mix).places;
  if (places.empty()) return std::nullopt;
  std::optional<Stop> found;
  for (std::size_t i = mix & (places.size() - 1); places[i].what != 0;
       i = (i + 1) & (places.size() - 1)) {
    const Place& place = places[i];
    if (place.to_hash != to_hash || !is_out(place.when)) continue;
    const Scope& scope = scopes_[scope_at(place.what)];
    const bool for_all = scope.tenant.empty();
    if (for_all ? false : only_for_all || scope.tenant != tenant) continue;
    if (scope.sender_tail != 0 && scope.sender_tail != sender_tail) continue;
    // The widest of them is told.
    const Stop stop{for_all, scope.sender_tail == 0, time_at(place.when),
                    cells_[cell_at(place.when)]};
    if (!found ||
        std::tie(stop.for_all, stop.any_sender) > std::tie(found->for_all, found->any_sender)) {
      found = stop;
    }
  }
  return found;
}

const OptOuts::Place* OptOuts::find_place(std::uint64_t to_hash, std::uint16_t scope) const {
  const std::uint64_t mix = mixed(to_hash);
  const std::vector<Place>& places = part_of(mix).places;
  if (places.empty()) return nullptr;
  for (std::size_t i = mix & (places.size() - 1); places[i].what != 0;
       i = (i + 1) & (places.size() - 1)) {
    if (places[i].to_hash == to_hash && scope_at(places[i].what) == scope) return &places[i];
  }
  return nullptr;
}

std::optional<OptOuts::State> OptOuts::state(const message::OptOut& entry) const {
  const auto scope = scope_of(entry.tenant, entry.sender);
  const Place* place = scope ? find_place(entry.to_hash, *scope) : nullptr;
  if (place == nullptr) return std::nullopt;
  return State{is_out(place->when), time_at(place->when), place->what >> kScopeBits};
}

void OptOuts::grow(Part& part) {
  std::vector<Place> before(part.places.empty() ? kFirstPlaces : 2 * part.places.size());
  before.swap(part.places);
  for (const Place& place : before) {
    if (place.what == 0) continue;
    std::size_t i = mixed(place.to_hash) & (part.places.size() - 1);
    while (part.places[i].what != 0) i = (i + 1) & (part.places.size() - 1);
    part.places[i] = place;
  }
}

OptOuts::Taken OptOuts::put(const message::OptOut& entry, std::uint64_t change) {
  ASSERT(change != 0 && change <= kChangeMax);
  const std::int64_t at = base::to_us(entry.at);
  ASSERT(at >= 0 && at < message::kOptOutTimeMax);

  auto scope = scope_of(entry.tenant, entry.sender);
  auto* place = const_cast<Place*>(scope ? find_place(entry.to_hash, *scope) : nullptr);
  if (place != nullptr &&
      std::forward_as_tuple(entry.at, entry.cell) <=
          std::forward_as_tuple(time_at(place->when), cells_[cell_at(place->when)])) {
    return {Put::older, 0};
  }
  const auto cell =
      static_cast<std::size_t>(std::ranges::find(cells_, entry.cell) - cells_.begin());
  if ((place == nullptr && size_ >= limits::kOptOutsMax) ||
      (!scope && scopes_.size() >= limits::kOptOutScopesMax) ||
      (cell == cells_.size() && cells_.size() >= limits::kOptOutCellsMax)) {
    return {Put::full, 0};
  }
  if (cell == cells_.size()) cells_.push_back(entry.cell);
  if (!scope) {
    scope = static_cast<std::uint16_t>(scopes_.size());
    scopes_.push_back({entry.tenant, entry.sender,
                       static_cast<std::uint32_t>(message::sender_hash(entry.sender))});
    scope_numbers_.emplace(scope_key(entry.tenant, entry.sender), *scope);
  }
  const std::uint64_t when = static_cast<std::uint64_t>(at) << (kCellBits + 1) | cell << 1 |
                             (entry.out ? std::uint64_t{1} : 0);
  const std::uint64_t what = change << kScopeBits | *scope;
  if (place != nullptr) {
    const std::uint64_t replaces = place->what >> kScopeBits;
    *place = {entry.to_hash, when, what};
    return {Put::taken, replaces};
  }
  const std::uint64_t mix = mixed(entry.to_hash);
  Part& part = part_of(mix);
  if (is_too_full(part.used + 1, part.places.size())) grow(part);
  std::size_t i = mix & (part.places.size() - 1);
  while (part.places[i].what != 0) i = (i + 1) & (part.places.size() - 1);
  part.places[i] = {entry.to_hash, when, what};
  ++part.used;
  ++size_;
  return {Put::taken, 0};
}

}  // namespace trunkline::policy
