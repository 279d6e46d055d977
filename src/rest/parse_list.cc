// The query of a list.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <span>

#include "base/bytes.h"
#include "base/limits.h"
#include "rest/parse.h"
#include "rest/pointer.h"

namespace trunkline::rest {

namespace limits = base::limits;
using namespace error_code;

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    unsigned value = 0;
    const char* first = text.data() + i + 1;
    if (i + 2 >= text.size()) return std::nullopt;
    const auto [end, ec] = std::from_chars(first, first + 2, value, 16);
    if (ec != std::errc{} || end != first + 2) return std::nullopt;
    out.push_back(static_cast<char>(value));
    i += 2;
  }
  return out;
}

namespace {

class ListParser {
 public:
  ListParser(const config::Config* config, ListRequest& out) : config_(config), out_(out) {}

  void parse(std::string_view query) {
    std::uint32_t seen = 0;
    while (!query.empty()) {
      const std::size_t end = std::min(query.find('&'), query.size());
      const std::string_view pair = query.substr(0, end);
      query.remove_prefix(std::min(end + 1, query.size()));
      if (pair.empty()) continue;
      const std::size_t equals = pair.find('=');
      const auto name = percent_decode(pair.substr(0, equals));
      const auto value =
          percent_decode(equals == std::string_view::npos ? "" : pair.substr(equals + 1));
      if (!name || !value) {
        error(name ? *name : "", kInvalidEncoding, "a % needs two hexadecimal digits behind it");
        continue;
      }
      const auto names = std::span(kNames).subspan(config_ != nullptr ? 0 : kOwn);
      const auto found = std::ranges::find(names, *name);
      const std::size_t which = found == names.end()
                                    ? std::size(kNames)
                                    : static_cast<std::size_t>(&*found - std::begin(kNames));
      if (which == std::size(kNames)) {
        error(*name, kUnknownParameter,
              fmt::format("there is no such parameter; there are {}", fmt::join(names, ", ")));
      } else if ((seen >> which & 1) != 0) {
        error(*name, kDuplicateField, "the parameter is given twice; leave one");
      } else if (value->empty()) {
        error(*name, kEmpty, "is empty; leave the parameter out instead");
      } else {
        read(which, *value);
      }
      seen |= 1u << which;
    }
  }

 private:
  static constexpr std::string_view kNames[] = {"to",      "status", "class", "from_time",
                                                "to_time", "cursor", "limit"};
  static constexpr std::size_t kOwn = 5;  // of the list of messages

  void error(std::string_view name, std::string_view code, std::string detail) {
    std::string pointer = "/query";
    append_pointer(pointer, name);
    out_.errors.push_back({std::move(pointer), code, std::move(detail)});
  }

  std::optional<base::Wall> time(std::string_view name, std::string_view value) {
    const auto t = base::parse_rfc3339(value);
    if (!t) error(name, kInvalidTime, t.error());
    return t ? std::optional(*t) : std::nullopt;
  }

  void read(std::size_t which, const std::string& value) {
    switch (which) {
      case 0:
        if (const auto number = numbering::parse_e164(value)) {
          out_.to = *number;
        } else {
          error("to", kInvalidNumber, number.error().message());
        }
        return;
      case 1:
        out_.status = message::state_from_name(value);
        if (!out_.status) error("status", kInvalidValue, "there is no such status");
        return;
      case 2:
        out_.traffic_class = config_->find_class(value);
        out_.class_name = value;
        if (out_.traffic_class.is_none()) error("class", kUnknownClass, "there is no such class");
        return;
      case 3:
        out_.from_time = time("from_time", value);
        return;
      case 4:
        out_.to_time = time("to_time", value);
        return;
      case 5:
        out_.cursor = value;
        return;
      case 6: {
        const auto [end, ec] =
            std::from_chars(value.data(), value.data() + value.size(), out_.limit);
        if (ec != std::errc{} || end != value.data() + value.size() || out_.limit == 0 ||
            out_.limit > limits::kListLimitMax) {
          error("limit", kOutOfRange,
                fmt::format("must be a whole number from 1 to {}", limits::kListLimitMax));
        }
        return;
      }
      default:
        return;
    }
  }

  const config::Config* config_;  // null: only those that every list has
  ListRequest& out_;
};

}  // namespace

ListRequest parse_list(std::string_view query, const config::Config& config) {
  ListRequest out;
  ListParser(&config, out).parse(query);
  return out;
}

ListRequest parse_results(std::string_view query) {
  ListRequest out;
  ListParser(nullptr, out).parse(query);
  return out;
}

void ListRequest::append_filters(std::string& out) const {
  base::ByteWriter writer(out);
  writer.u64(to ? to->digits() : 0);
  writer.u8(status ? static_cast<std::uint8_t>(*status) : 255);
  writer.text(class_name);
  writer.svarint(from_time ? base::to_us(*from_time) : -1);
  writer.svarint(to_time ? base::to_us(*to_time) : -1);
}

}  // namespace trunkline::rest
