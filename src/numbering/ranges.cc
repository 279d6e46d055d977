#include "numbering/ranges.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <tuple>

#include "base/csv.h"

namespace trunkline::numbering {
namespace {

constexpr std::size_t kErrorsMax = 100;

constexpr std::uint64_t power(std::size_t exponent) {
  std::uint64_t out = 1;
  while (exponent-- > 0) out *= 10;
  return out;
}
constexpr std::uint64_t kEnd = power(kNumberDigitsMax);  // behind the last number

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// Digits without "+"; nothing if it is no beginning of a number.
std::optional<std::string_view> digits_of(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || text.size() > kNumberDigitsMax || text.front() == '0') return std::nullopt;
  if (text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  return text;
}

std::uint64_t value_of(std::string_view digits) {
  std::uint64_t out = 0;
  for (const char c : digits) out = out * 10 + static_cast<std::uint64_t>(c - '0');
  return out;
}

struct Row {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;  // excluded
  std::size_t line = 0;
  std::uint32_t facts = 0;
};

}  // namespace

class RangesParser {
 public:
  explicit RangesParser(std::string_view csv) : reader_(csv) { out_.facts_.emplace_back(); }

  std::expected<Ranges, std::vector<Ranges::Error>> parse() {
    std::vector<std::string> fields;
    if (heading(fields)) {
      while (errors_.size() < kErrorsMax && reader_.next(fields)) row(fields);
    }
    if (!reader_.error().empty()) error(reader_.error(), "mend the line");
    if (errors_.empty()) lay_out();
    if (!errors_.empty()) return std::unexpected(std::move(errors_));
    out_.ranges_ = rows_.size();
    return std::move(out_);
  }

 private:
  enum Column : std::size_t { kPrefix, kFrom, kTo, kCountry, kCode, kName, kColumns };
  static constexpr std::array<std::string_view, kColumns> kNames{"prefix",  "from",   "to",
                                                                 "country", "mccmnc", "name"};

  void error(std::string what, std::string remedy) {
    errors_.push_back({reader_.line(), std::move(what), std::move(remedy)});
  }

  bool heading(std::vector<std::string>& fields) {
    if (!reader_.next(fields)) {
      if (reader_.error().empty()) {
        errors_.push_back(
            {1, "the file is empty", "begin with a heading: prefix,from,to,country,mccmnc,name"});
      }
      return false;
    }
    at_.fill(kAbsent);
    for (std::size_t i = 0; i < fields.size(); ++i) {
      const auto found = std::ranges::find(kNames, lower(fields[i]));
      if (found == kNames.end()) {
        error(fmt::format("there is no column \"{}\"", fields[i]),
              "columns are prefix, from, to, country, mccmnc, name");
        return false;
      }
      at_[static_cast<std::size_t>(found - kNames.begin())] = i;
    }
    if (at_[kPrefix] == kAbsent && (at_[kFrom] == kAbsent || at_[kTo] == kAbsent)) {
      error("no column says which numbers", "add prefix, or from and to");
      return false;
    }
    columns_ = fields.size();
    return true;
  }

  void row(const std::vector<std::string>& fields) {
    if (fields.size() != columns_) {
      return error(fmt::format("{} fields under {} headings", fields.size(), columns_),
                   "give each row one field a heading; put a field with commas in quotes");
    }
    if (rows_.size() >= kRangesMax) {
      if (rows_.size() == kRangesMax)
        error(fmt::format("more than {} ranges", kRangesMax), "join some");
      return;
    }
    const auto field = [&](Column c) {
      return at_[c] == kAbsent ? std::string_view() : std::string_view(fields[at_[c]]);
    };
    auto numbers = numbers_of(field(kPrefix), field(kFrom), field(kTo));
    const auto facts = facts_of(field(kCountry), field(kCode), field(kName));
    if (!numbers || !facts) return;
    numbers->line = reader_.line();
    numbers->facts = *facts;
    rows_.push_back(*numbers);
  }

  std::optional<Row> numbers_of(std::string_view prefix, std::string_view from,
                                std::string_view to) {
    const auto malformed = [&](std::string_view text) {
      error(fmt::format("\"{}\" is not the beginning of a number", text),
            "write country code and digits, 15 at most, such as 44779012");
      return std::nullopt;
    };
    if (prefix.empty() == (from.empty() && to.empty())) {
      error(prefix.empty() ? "the row says no numbers" : "a prefix and from and to at once",
            "give either prefix, or from and to");
      return std::nullopt;
    }
    if (!prefix.empty()) {
      const auto digits = digits_of(prefix);
      if (!digits) return malformed(prefix);
      const std::uint64_t step = power(kNumberDigitsMax - digits->size());
      return Row{.begin = value_of(*digits) * step, .end = (value_of(*digits) + 1) * step};
    }
    const auto first = digits_of(from);
    const auto last = digits_of(to);
    if (!first) return malformed(from);
    if (!last) return malformed(to);
    if (first->size() != last->size()) {
      error(fmt::format("from has {} digits and to {}", first->size(), last->size()),
            "give both the same length");
      return std::nullopt;
    }
    if (value_of(*first) > value_of(*last)) {
      error("from is behind to", "put the smaller number first");
      return std::nullopt;
    }
    const std::uint64_t step = power(kNumberDigitsMax - first->size());
    return Row{.begin = value_of(*first) * step, .end = (value_of(*last) + 1) * step};
  }

  std::optional<std::uint32_t> facts_of(std::string_view country_text, std::string_view code_text,
                                        std::string_view name) {
    Country country;
    if (!country_text.empty()) {
      const auto parsed = Country::parse(country_text);
      if (!parsed || !has_numbers(*parsed)) {
        error(fmt::format("\"{}\" is no country with numbers", country_text),
              "use a code of ISO 3166, such as GB");
        return std::nullopt;
      }
      country = *parsed;
    }
    NetworkCode code;
    if (!code_text.empty()) {
      const auto parsed = NetworkCode::parse(code_text);
      if (!parsed) {
        error(fmt::format("\"{}\" is no MCC and MNC", code_text),
              "write 3 and 2 or 3 digits, such as 23415");
        return std::nullopt;
      }
      code = *parsed;
    }
    if (!country.known() && !code.known() && name.empty()) {
      error("the row says nothing of its numbers", "fill in country, mccmnc or name");
      return std::nullopt;
    }
    const auto network = network_for(country, code, name);
    if (!network) return std::nullopt;
    const auto [found, is_new] = known_facts_.try_emplace(
        std::pair(country.packed(), *network), static_cast<std::uint32_t>(out_.facts_.size()));
    if (is_new) out_.facts_.push_back({country, *network});
    return found->second;
  }

  // One of the table's if there is one: its other codes lead to it, too.
  std::optional<NetworkId> network_for(Country country, NetworkCode code, std::string_view name) {
    if (!code.known() && name.empty()) return NetworkId{0};
    const NetworkId listed = code.known() ? numbering::network_of(code) : NetworkId{0};
    if (listed != 0) return listed;
    const std::string key = fmt::format("{} {} {}", country.code(), code.digits(), lower(name));
    if (const auto found = own_.find(key); found != own_.end()) return found->second;
    if (!code.known()) {
      const auto same = out_.networks_named(name, country);
      if (country.known() && same.size() == 1) return same.front();
    }
    if (out_.own_.size() >= kOwnNetworksMax) {
      error(fmt::format("more than {} networks of your own", kOwnNetworksMax), "give some codes");
      return std::nullopt;
    }
    const auto id = static_cast<NetworkId>(network_count() + out_.own_.size());
    out_.own_.push_back(
        {name.empty() ? fmt::format("network {}", code.to_string()) : std::string(name), country,
         code});
    own_[key] = id;
    return id;
  }

  // Nested rows become stretches side by side; rows that cross are an error.
  void lay_out() {
    std::ranges::sort(rows_, [](const Row& a, const Row& b) {
      return std::tuple(a.begin, b.end, a.line) < std::tuple(b.begin, a.end, b.line);
    });
    std::vector<const Row*> open;
    const auto begin_at = [&](std::uint64_t begin, std::uint32_t facts) {
      auto& all = out_.stretches_;
      if (!all.empty() && all.back().begin == begin) all.pop_back();
      if ((all.empty() ? 0 : all.back().facts) != facts) all.push_back({begin, facts});
    };
    const auto close_until = [&](std::uint64_t at) {
      while (!open.empty() && open.back()->end <= at) {
        const std::uint64_t end = open.back()->end;
        open.pop_back();
        begin_at(end, open.empty() ? 0 : open.back()->facts);
      }
    };
    for (const Row& row : rows_) {
      close_until(row.begin);
      const Row* const around = open.empty() ? nullptr : open.back();
      if (around != nullptr && row.end > around->end) {
        cross(row, *around, "the ranges cross", "cut one where the other begins");
      } else if (around != nullptr && row.begin == around->begin && row.end == around->end) {
        cross(row, *around, "the range is there twice", "remove one");
      }
      if (errors_.size() >= kErrorsMax) return;
      open.push_back(&row);
      begin_at(row.begin, row.facts);
    }
    close_until(kEnd);
    out_.stretches_.shrink_to_fit();
  }

  void cross(const Row& row, const Row& other, std::string_view what, std::string remedy) {
    errors_.push_back({std::max(row.line, other.line),
                       fmt::format("{}: see line {}", what, std::min(row.line, other.line)),
                       std::move(remedy)});
  }

  static constexpr std::size_t kAbsent = ~std::size_t{0};

  base::CsvReader reader_;
  std::array<std::size_t, kColumns> at_{};
  std::size_t columns_ = 0;
  std::vector<Row> rows_;
  std::map<std::pair<std::uint16_t, NetworkId>, std::uint32_t> known_facts_;
  std::map<std::string, NetworkId> own_;
  std::vector<Ranges::Error> errors_;
  Ranges out_;
};

std::expected<Ranges, std::vector<Ranges::Error>> Ranges::parse(std::string_view csv) {
  return RangesParser(csv).parse();
}

Destination Ranges::destination(Number number, bool want_network) const {
  Destination out{.number = look_up(number)};
  if (!stretches_.empty()) {
    const std::uint64_t key = number.digits() * power(kNumberDigitsMax - number.length());
    const auto after = std::ranges::upper_bound(stretches_, key, {}, &Stretch::begin);
    if (after != stretches_.begin() && std::prev(after)->facts != 0) {
      const Facts& facts = facts_[std::prev(after)->facts];
      out.own = true;
      if (facts.country.known()) out.number.country = facts.country;
      out.network = facts.network;
    }
  }
  if (out.network == 0 && want_network && !is_fictional(number)) {
    out.network = numbering::network_of(number);
  }
  return out;
}

Destination Ranges::destination(Number number, bool want_network,
                                const std::optional<LookedUp>& looked_up) const {
  const bool is_told = looked_up && looked_up->network.known();
  Destination out = destination(number, want_network && !is_told);
  if (is_told) out.network = network_of(looked_up->network);
  out.looked_up = looked_up;
  return out;
}

Network Ranges::network(NetworkId id) const {
  if (id < network_count()) return numbering::network(id);
  const std::size_t at = id - network_count();
  if (at >= own_.size()) return {};
  return {own_[at].name, own_[at].country, own_[at].code};
}

NetworkId Ranges::network_of(NetworkCode code) const {
  if (const NetworkId listed = numbering::network_of(code); listed != 0) return listed;
  const auto found = std::ranges::find(own_, code, &Own::code);
  return found == own_.end() || !code.known()
             ? NetworkId{0}
             : static_cast<NetworkId>(network_count() +
                                      static_cast<std::size_t>(found - own_.begin()));
}

std::vector<NetworkId> Ranges::networks_named(std::string_view name, Country country) const {
  std::vector<NetworkId> out;
  const std::string wanted = lower(name);
  for (std::size_t id = 1; id < network_count() + own_.size(); ++id) {
    const Network one = network(static_cast<NetworkId>(id));
    if (one.name.size() != name.size() || (country.known() && one.country != country)) continue;
    if (lower(one.name) == wanted) out.push_back(static_cast<NetworkId>(id));
  }
  return out;
}

}  // namespace trunkline::numbering
