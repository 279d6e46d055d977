#include "routing/index.h"

#include <algorithm>
#include <bit>

#include "base/assert.h"
#include "routing/routing.h"

namespace trunkline::routing {
namespace {

constexpr std::size_t kClasses = 32;
constexpr std::size_t kTypes = 16;

// What the bits do not say.
std::string_view rest_mismatch(const Match& match, const Facts& facts) {
  if (!match.senders.empty() && !std::ranges::binary_search(match.senders, facts.from)) {
    return "sender";
  }
  if (facts.segments < match.segments_min || facts.segments > match.segments_max) return "segments";
  if (match.when && !match.when->contain(facts.now)) return "when";
  return {};
}

}  // namespace

bool Hours::contain(base::Wall time) const {
  constexpr std::int64_t kDay = 24 * 60;
  const auto offset = zone ? std::chrono::minutes(offset_at(*zone, time).minutes) : utc_offset;
  const std::int64_t local =
      std::chrono::floor<std::chrono::minutes>(time.time_since_epoch() + offset).count();
  const std::int64_t minute = (local % kDay + kDay) % kDay;
  // The first day of the epoch was a Thursday.
  const std::int64_t weekday = (((local - minute) / kDay + 3) % 7 + 7) % 7;
  const auto on = [&](std::int64_t w) { return (days >> w & 1) != 0; };
  if (from < to) return minute >= from && minute < to && on(weekday);
  return (minute >= from && on(weekday)) || (minute < to && on((weekday + 6) % 7));
}

std::string_view mismatch(const Match& match, const Facts& facts) {
  if (!match.countries.empty() && !std::ranges::binary_search(match.countries, facts.country)) {
    return "country";
  }
  if (!match.networks.empty() &&
      std::ranges::find(match.networks, facts.network) == match.networks.end()) {
    return "network";
  }
  if (match.types != 0 && (match.types & type_bit(facts.type)) == 0) return "number_type";
  if (match.classes != 0 && (match.classes >> facts.traffic_class.at() & 1) == 0) return "class";
  if (!match.tenants.empty() &&
      std::ranges::find(match.tenants, facts.tenant) == match.tenants.end()) {
    return "tenant";
  }
  if (match.unicode && *match.unicode != facts.unicode) return "unicode";
  return rest_mismatch(match, facts);
}

Index::Row Index::add_row(Row like) {
  const auto row = static_cast<Row>(bits_.size());
  bits_.resize(bits_.size() + words_);
  std::copy_n(bits_.begin() + like, words_, bits_.begin() + row);
  return row;
}

Index::Index(const std::vector<Route>& routes)
    : routes_(routes.size()), words_((routes.size() + 63) / 64) {
  const auto rows = [this](std::size_t count) {
    const auto row = static_cast<Row>(bits_.size());
    bits_.resize(bits_.size() + count * words_);
    return row;
  };
  any_country_ = rows(1);
  any_network_ = rows(1);
  any_tenant_ = rows(1);
  by_class_ = rows(kClasses);
  by_type_ = rows(kTypes);
  by_unicode_ = rows(2);
  const auto row_of = [this](Row base, std::size_t i) {
    return base + static_cast<Row>(i * words_);
  };
  // The sets of those that ask nothing come first: every other set holds them too.
  for (std::size_t r = 0; r < routes.size(); ++r) {
    const Match& m = routes[r].match;
    if (m.countries.empty()) set(any_country_, r);
    if (m.networks.empty()) set(any_network_, r);
    if (m.tenants.empty()) set(any_tenant_, r);
    for (std::size_t c = 0; c < kClasses; ++c) {
      if (m.classes == 0 || (m.classes >> c & 1) != 0) set(row_of(by_class_, c), r);
    }
    for (std::size_t t = 0; t < kTypes; ++t) {
      const std::uint32_t bit = type_bit(static_cast<numbering::NumberType>(t));
      if (m.types == 0 || (m.types & bit) != 0) set(row_of(by_type_, t), r);
    }
    for (std::size_t u = 0; u < 2; ++u) {
      if (!m.unicode || *m.unicode == (u == 1)) set(row_of(by_unicode_, u), r);
    }
  }
  for (std::size_t r = 0; r < routes.size(); ++r) {
    for (const numbering::Country country : routes[r].match.countries) {
      const auto [found, is_new] = by_country_.try_emplace(country.packed(), 0);
      if (is_new) found->second = add_row(any_country_);
      set(found->second, r);
    }
    for (const numbering::NetworkId network : routes[r].match.networks) {
      const auto [found, is_new] = by_network_.try_emplace(network, 0);
      if (is_new) found->second = add_row(any_network_);
      set(found->second, r);
    }
    for (const message::TenantIndex tenant : routes[r].match.tenants) {
      const auto [found, is_new] = by_tenant_.try_emplace(tenant.value, 0);
      if (is_new) found->second = add_row(any_tenant_);
      set(found->second, r);
    }
  }
}

std::optional<std::size_t> Index::first_match(const std::vector<Route>& routes,
                                              const Facts& facts) const {
  ASSERT(routes.size() == routes_);  // finish() was called
  if (routes_ == 0) return std::nullopt;
  const auto row = [](const auto& map, auto key, Row any) {
    const auto found = map.find(key);
    return found == map.end() ? any : found->second;
  };
  const Word* const country = &bits_[row(by_country_, facts.country.packed(), any_country_)];
  const Word* const network = &bits_[row(by_network_, facts.network, any_network_)];
  const Word* const tenant = &bits_[row(by_tenant_, facts.tenant.value, any_tenant_)];
  const Word* const traffic_class = &bits_[by_class_ + facts.traffic_class.at() * words_];
  const Word* const type = &bits_[by_type_ + static_cast<std::size_t>(facts.type) * words_];
  const Word* const unicode = &bits_[by_unicode_ + (facts.unicode ? words_ : 0)];
  for (std::size_t w = 0; w < words_; ++w) {
    Word left = country[w] & network[w] & tenant[w] & traffic_class[w] & type[w] & unicode[w];
    for (; left != 0; left &= left - 1) {
      const std::size_t at = w * 64 + static_cast<std::size_t>(std::countr_zero(left));
      if (rest_mismatch(routes[at].match, facts).empty()) return at;
    }
  }
  return std::nullopt;
}

}  // namespace trunkline::routing
