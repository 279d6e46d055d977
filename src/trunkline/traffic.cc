#include "trunkline/traffic.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>

#include "base/csv.h"
#include "gsm/segment.h"
#include "seal/digest.h"
#include "trunkline/commands.h"

namespace trunkline::cli {
namespace {

constexpr std::array<std::string_view, 12> kFields{"to",      "from",    "class",  "tenant",
                                                   "region",  "at",      "text",   "segments",
                                                   "unicode", "carrier", "status", "seconds"};
enum Field : std::size_t {
  kTo,
  kFrom,
  kClass,
  kTenant,
  kRegion,
  kAt,
  kText,
  kSegments,
  kUnicode,
  kCarrier,
  kStatus,
  kSeconds
};
using Fields = std::array<std::string, kFields.size()>;

std::optional<std::size_t> field_named(std::string_view name) {
  const auto found = std::ranges::find(kFields, name);
  if (found == kFields.end()) return std::nullopt;
  return static_cast<std::size_t>(found - kFields.begin());
}

constexpr std::string_view kKnown =
    "fields are to, from, class, tenant, region, at, text, segments, unicode, carrier, status, "
    "seconds";

std::expected<TrafficRow, std::string> row_of(Fields& fields) {
  const auto to = numbering::parse_e164(fields[kTo]);
  if (!to) return std::unexpected("to: " + to.error().message());
  TrafficRow row{.to = *to,
                 .from = std::move(fields[kFrom]),
                 .traffic_class = std::move(fields[kClass]),
                 .tenant = std::move(fields[kTenant]),
                 .region = std::move(fields[kRegion]),
                 .at = {},
                 .carrier = std::move(fields[kCarrier]),
                 .status = std::move(fields[kStatus])};
  if (const std::string& text = fields[kSeconds]; !text.empty()) {
    double seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc{} || end != text.data() + text.size() || !(seconds >= 0)) {
      return std::unexpected("seconds: write a number, 0 or more");
    }
    row.seconds = seconds;
  }
  if (!fields[kAt].empty()) {
    const auto at = base::parse_rfc3339(fields[kAt]);
    if (!at) return std::unexpected("at: " + at.error());
    row.at = *at;
  }
  if (!fields[kText].empty()) {
    const auto plan = gsm::plan_segments(fields[kText]);
    if (!plan) return std::unexpected("text: " + plan.error().message());
    row.unicode = plan->encoding == gsm::Encoding::ucs2;
    row.segments = plan->segments;
    return row;
  }
  if (const std::string& text = fields[kSegments]; !text.empty()) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), row.segments);
    if (error != std::errc{} || end != text.data() + text.size() || row.segments == 0) {
      return std::unexpected("segments: write a number, 1 to 255");
    }
  }
  const std::string& unicode = fields[kUnicode];
  if (unicode != "" && unicode != "true" && unicode != "false") {
    return std::unexpected("unicode: write true or false");
  }
  row.unicode = unicode == "true";
  return row;
}

std::expected<Fields, std::string> fields_of(const std::string& line) {
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(line, error);
  if (error || !value.is_object()) return std::unexpected("this is no JSON object");
  Fields fields;
  for (const auto& [key, member] : value.as_object()) {
    const auto at = field_named({key.data(), key.size()});
    if (!at)
      return std::unexpected(fmt::format("there is no field \"{}\"; {}",
                                         std::string_view(key.data(), key.size()), kKnown));
    if (member.is_null()) continue;
    fields[*at] =
        member.is_string() ? std::string(member.as_string()) : boost::json::serialize(member);
  }
  return fields;
}

class Reader {
 public:
  Reader(std::string path, std::istream& in, const std::function<void(const TrafficRow&)>& visit)
      : path_(std::move(path)), in_(in), visit_(visit) {}

  std::expected<std::size_t, std::string> read() {
    std::string line;
    while (std::getline(in_, line)) {
      ++line_;
      if (line.starts_with("\xef\xbb\xbf")) line.erase(0, 3);
      const std::size_t first = line.find_first_not_of(" \t\r");
      if (first == std::string::npos || line[first] == '#') continue;
      if (line[first] != '{') return read_csv(line);
      auto fields = fields_of(line);
      if (!fields) return failed(line_, fields.error());
      if (const std::string error = take(*fields, line_); !error.empty()) {
        return failed(line_, error);
      }
    }
    return rows_;
  }

 private:
  // A quoted text may run over lines, so the rest is read at once.
  std::expected<std::size_t, std::string> read_csv(std::string text) {
    const std::size_t before = line_ - 1;
    text += '\n';
    text.append(std::istreambuf_iterator<char>(in_), {});
    base::CsvReader csv(text);
    std::vector<std::string> row;
    csv.next(row);
    std::vector<std::size_t> columns;
    for (const std::string& name : row) {
      const auto at = field_named(name);
      if (!at) {
        return failed(csv.line() + before,
                      fmt::format("there is no column \"{}\"; {}", name, kKnown));
      }
      columns.push_back(*at);
    }
    while (csv.next(row)) {
      const std::size_t line = csv.line() + before;
      if (row.size() != columns.size()) {
        return failed(line, fmt::format("{} fields under {} headings", row.size(), columns.size()));
      }
      Fields fields;
      for (std::size_t i = 0; i < row.size(); ++i) fields[columns[i]] = std::move(row[i]);
      if (const std::string error = take(fields, line); !error.empty()) return failed(line, error);
    }
    if (!csv.error().empty()) return failed(csv.line() + before, csv.error());
    return rows_;
  }

  std::string take(Fields& fields, std::size_t line) {
    auto row = row_of(fields);
    if (!row) return row.error();
    row->line = line;
    visit_(*row);
    ++rows_;
    return {};
  }

  std::unexpected<std::string> failed(std::size_t line, const std::string& what) const {
    return std::unexpected(fmt::format("{}:{}: {}", path_, line, what));
  }

  std::string path_;
  std::istream& in_;
  const std::function<void(const TrafficRow&)>& visit_;
  std::size_t line_ = 0;
  std::size_t rows_ = 0;
};

}  // namespace

void add_traffic_options(CLI::App& command, TrafficFrom& from, bool required) {
  command
      .add_option("--traffic", from.path,
                  "Messages: CSV or NDJSON; - reads stdin; last-24h: what the gateway was given")
      ->required(required);
  command.add_option("--url", from.url, "The gateway, for last-24h")->capture_default_str();
  command
      .add_option("--key", from.keys,
                  "API key of a tenant, for last-24h; once for each. Better in the environment")
      ->allow_extra_args(false)
      ->envname("TRUNKLINE_KEY");
  command.add_option("--timeout", from.timeout, "Of one try, for last-24h")->capture_default_str();
}

std::string tenant_of_key(const config::Config& config, const std::string& key) {
  const std::string hash = seal::sha256_hex(key);
  const auto found = std::ranges::find(config.keys, hash, &config::ApiKey::sha256_hex);
  return found == config.keys.end() ? "" : config.tenants[found->tenant.at()].name;
}

namespace {

constexpr std::string_view kLast = "last-";

std::expected<std::size_t, TrafficError> read_recent(
    const TrafficFrom& from, const config::Config* config,
    const std::function<void(const TrafficRow&)>& visit) {
  const auto usage = [](std::string text) {
    return std::unexpected(TrafficError{kUsage, std::move(text)});
  };
  const auto last = base::parse_duration(from.path.substr(kLast.size()));
  if (!last) return usage(fmt::format("--traffic {}: {}", from.path, last.error()));
  const auto url = io::HttpUrl::parse(from.url);
  if (!url) return usage("--url: " + url.error());
  const auto timeout = base::parse_duration(from.timeout);
  if (!timeout) return usage("--timeout: " + timeout.error());
  if (from.keys.empty()) {
    return usage(fmt::format("--traffic {} asks the gateway: give --key KEY", from.path));
  }
  std::size_t rows = 0;
  for (const std::string& key : from.keys) {
    if (key.empty() || !is_header_value(key)) return usage("--key: this is no API key");
    const std::string tenant = config == nullptr ? "" : tenant_of_key(*config, key);
    if (config != nullptr && tenant.empty()) {
      return usage("--key: no tenant of the configuration has this key");
    }
    const auto done =
        recent_traffic({.url = *url, .key = key, .timeout = *timeout}, *last, tenant,
                       [&](std::string_view lines) -> std::expected<void, TrafficError> {
                         std::istringstream in{std::string(lines)};
                         const auto read = Reader(from.url, in, visit).read();
                         if (!read)
                           return std::unexpected(TrafficError{kUnreachable, read.error()});
                         rows += *read;
                         return {};
                       });
    if (!done) {
      return std::unexpected(
          TrafficError{done.error().code, fmt::format("{}: {}", from.url, done.error().text)});
    }
  }
  return rows;
}

}  // namespace

std::expected<std::size_t, TrafficError> read_traffic(
    const TrafficFrom& from, const config::Config* config,
    const std::function<void(const TrafficRow&)>& visit) {
  const auto read = [&](const std::string& name, std::istream& in) {
    auto rows = Reader(name, in, visit).read();
    return rows ? std::expected<std::size_t, TrafficError>(*rows)
                : std::unexpected(TrafficError{kUsage, rows.error()});
  };
  if (from.path == "-") return read("<stdin>", std::cin);
  std::ifstream in(from.path, std::ios::binary);
  // A file of that name goes before.
  if (!in && from.path.starts_with(kLast)) return read_recent(from, config, visit);
  if (!in) return std::unexpected(TrafficError{kUsage, from.path + ": cannot be read"});
  return read(from.path, in);
}

std::expected<std::map<std::string, Volume>, TrafficError> volumes(
    const TrafficFrom& from, const config::Config& config,
    const std::function<void(const TrafficRow&, const std::string&)>& also) {
  std::map<std::string, Volume> out;
  std::map<std::pair<std::string, std::int64_t>, std::uint64_t> minutes;
  const auto read = read_traffic(from, &config, [&](const TrafficRow& row) {
    const std::string country =
        config.tables.ranges.destination(row.to, false).number.country.code();
    also(row, country);
    Volume& volume = out[country];
    ++volume.messages;
    volume.segments += row.segments;
    if (!row.at) return;
    const std::int64_t minute =
        std::chrono::floor<std::chrono::minutes>(row.at->time_since_epoch()).count();
    std::uint64_t& in_minute = minutes[{country, minute}];
    in_minute += row.segments;
    volume.minute_peak = std::max(volume.minute_peak, in_minute);
  });
  if (!read) return std::unexpected(read.error());
  return out;
}

}  // namespace trunkline::cli
