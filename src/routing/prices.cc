#include "routing/prices.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <tuple>

#include "base/csv.h"

namespace trunkline::routing {
namespace {

constexpr std::size_t kErrorsMax = 100;
constexpr std::size_t kAbsent = ~std::size_t{0};

std::optional<double> amount_of(std::string_view text) {
  double out = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), out, std::chars_format::fixed);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return out >= 0 && out <= kPriceMax ? std::optional(out) : std::nullopt;
}

bool is_currency(std::string_view text) {
  return text.size() == 3 && std::ranges::all_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
}

}  // namespace

class PriceParser {
 public:
  PriceParser(std::string_view csv, const numbering::Ranges& ranges, std::string& currency)
      : reader_(csv), ranges_(ranges), currency_(currency) {}

  std::expected<PriceList, std::vector<PriceList::Error>> parse() {
    std::vector<std::string> fields;
    if (heading(fields)) {
      while (errors_.size() < kErrorsMax && reader_.next(fields)) row(fields);
    }
    if (!reader_.error().empty()) error(reader_.error(), "mend the line");
    if (errors_.empty()) sort();
    if (!errors_.empty()) return std::unexpected(std::move(errors_));
    return std::move(out_);
  }

 private:
  enum Column : std::size_t { kCountry, kCode, kPrice, kCurrency, kFrom, kColumns };
  static constexpr std::array<std::string_view, kColumns> kNames{"country", "mccmnc", "price",
                                                                 "currency", "effective_from"};

  struct Lined {
    PriceList::Row row;
    std::size_t line = 0;
  };

  void error(std::string what, std::string remedy) {
    errors_.push_back({reader_.line(), std::move(what), std::move(remedy)});
  }

  bool heading(std::vector<std::string>& fields) {
    if (!reader_.next(fields)) {
      if (reader_.error().empty()) {
        errors_.push_back({1, "the file is empty",
                           "begin with a heading: country,mccmnc,price,currency,effective_from"});
      }
      return false;
    }
    at_.fill(kAbsent);
    for (std::size_t i = 0; i < fields.size(); ++i) {
      const auto found = std::ranges::find(kNames, fields[i]);
      if (found == kNames.end()) {
        error(fmt::format("there is no column \"{}\"", fields[i]),
              "columns are country, mccmnc, price, currency, effective_from");
        return false;
      }
      at_[static_cast<std::size_t>(found - kNames.begin())] = i;
    }
    columns_ = fields.size();
    if (at_[kPrice] != kAbsent && (at_[kCountry] != kAbsent || at_[kCode] != kAbsent)) return true;
    error("the columns price, and country or mccmnc, are needed", "add them to the heading");
    return false;
  }

  void row(const std::vector<std::string>& fields) {
    if (fields.size() != columns_) {
      return error(fmt::format("{} fields under {} headings", fields.size(), columns_),
                   "give each row one field a heading; put a field with commas in quotes");
    }
    if (lined_.size() >= kPriceRowsMax) {
      if (errors_.empty())
        error(fmt::format("more than {} prices", kPriceRowsMax), "leave out some");
      return;
    }
    const auto field = [&](Column c) {
      return at_[c] == kAbsent ? std::string_view() : std::string_view(fields[at_[c]]);
    };
    const auto key = key_of(field(kCountry), field(kCode));
    const auto amount = amount_of(field(kPrice));
    if (!amount) {
      error(fmt::format("\"{}\" is no price", field(kPrice)),
            fmt::format("write a number with a point, 0 to {:g}, such as 0.031", kPriceMax));
    }
    const auto from = from_of(field(kFrom));
    if (!key || !amount || !from || !check_currency(field(kCurrency))) return;
    lined_.push_back({{.key = *key, .from = *from, .price = *amount}, reader_.line()});
  }

  std::optional<std::uint32_t> key_of(std::string_view country_text, std::string_view code_text) {
    numbering::Country country;
    const bool everywhere = country_text == "*";
    if (!everywhere && !country_text.empty()) {
      const auto parsed = numbering::Country::parse(country_text);
      if (!parsed || !numbering::has_numbers(*parsed)) {
        error(fmt::format("\"{}\" is no country with numbers", country_text),
              "use a code of ISO 3166, such as GB, or * for everywhere");
        return std::nullopt;
      }
      country = *parsed;
    }
    if (code_text.empty()) {
      if (!everywhere && !country.known()) {
        error("the row says no country", "write one, or * for everywhere");
        return std::nullopt;
      }
      return PriceList::key(country, 0);
    }
    const auto code = numbering::NetworkCode::parse(code_text);
    const numbering::NetworkId network = code ? ranges_.network_of(*code) : numbering::NetworkId{0};
    if (network == 0) {
      error(code ? fmt::format("no network is known by the code {}", code->to_string())
                 : fmt::format("\"{}\" is no MCC and MNC", code_text),
            code ? "correct it, or name its numbers in numbering.ranges"
                 : "write 3 and 2 or 3 digits, such as 23415");
      return std::nullopt;
    }
    if (everywhere) {
      error("a network everywhere", "name its country, or leave country empty");
      return std::nullopt;
    }
    if (!country.known()) country = ranges_.network(network).country;
    out_.by_network_ = true;
    return PriceList::key(country, network);
  }

  std::optional<base::Wall> from_of(std::string_view text) {
    if (text.empty()) return base::Wall::min();
    const auto parsed = base::parse_rfc3339(text.size() == 10 ? fmt::format("{}T00:00:00Z", text)
                                                              : std::string(text));
    if (parsed) return *parsed;
    error(fmt::format("\"{}\" is no day", text), "write it as 2026-12-01");
    return std::nullopt;
  }

  bool check_currency(std::string_view text) {
    if (text.empty()) return true;
    if (!is_currency(text)) {
      error(fmt::format("\"{}\" is no currency", text), "write three capitals, such as EUR");
      return false;
    }
    if (currency_.empty()) currency_ = text;
    if (currency_ == text) return true;
    error(fmt::format("a price in {}, where others are in {}", text, currency_),
          "convert it: prices are compared as they stand");
    return false;
  }

  void sort() {
    std::ranges::sort(lined_, [](const Lined& a, const Lined& b) {
      return std::tuple(a.row.key, a.row.from, a.line) < std::tuple(b.row.key, b.row.from, b.line);
    });
    out_.rows_.reserve(lined_.size());
    for (std::size_t i = 0; i < lined_.size(); ++i) {
      const Lined& one = lined_[i];
      if (i > 0 && lined_[i - 1].row.key == one.row.key && lined_[i - 1].row.from == one.row.from &&
          errors_.size() < kErrorsMax) {
        errors_.push_back({one.line, fmt::format("the same as line {}", lined_[i - 1].line),
                           "remove one; codes of one network are the same, too"});
      }
      out_.rows_.push_back(one.row);
    }
  }

  base::CsvReader reader_;
  const numbering::Ranges& ranges_;
  std::string& currency_;
  std::array<std::size_t, kColumns> at_{};
  std::size_t columns_ = 0;
  std::vector<Lined> lined_;
  std::vector<PriceList::Error> errors_;
  PriceList out_;
};

std::expected<PriceList, std::vector<PriceList::Error>> PriceList::parse(
    std::string_view csv, const numbering::Ranges& ranges, std::string& currency) {
  return PriceParser(csv, ranges, currency).parse();
}

double PriceList::find(std::uint32_t key, base::Wall now) const {
  // The first row behind those of this key that are in effect.
  const auto after = std::ranges::upper_bound(rows_, std::tuple(key, now), {}, [](const Row& row) {
    return std::tuple(row.key, row.from);
  });
  if (after == rows_.begin() || std::prev(after)->key != key) return -1;
  return std::prev(after)->price;
}

double PriceList::at(numbering::Country country, numbering::NetworkId network,
                     base::Wall now) const {
  if (rows_.empty()) return -1;
  double price = -1;
  if (network != 0 && by_network_) price = find(key(country, network), now);
  if (price < 0 && country.known()) price = find(key(country, 0), now);
  return price < 0 ? find(0, now) : price;
}

}  // namespace trunkline::routing
