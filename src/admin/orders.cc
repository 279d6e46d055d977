#include "admin/orders.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <utility>

#include "base/json_writer.h"
#include "base/limits.h"
#include "io/http_parser.h"
#include "numbering/country.h"

namespace trunkline::admin {
namespace {

namespace limits = base::limits;
namespace json = boost::json;
using engine::Surgery;
using message::OrderKind;

constexpr base::Duration kUsual = std::chrono::hours(1);

io::Problem wrong(std::string detail) {
  return {.code = io::ProblemCode::invalid_request, .detail = std::move(detail)};
}

// Every field is a text. False: there is no such field, or the problem says what is wrong with it.
using Read = std::function<std::optional<io::Problem>(std::string_view key, const std::string&)>;
std::optional<io::Problem> read_fields(std::string_view body, const Read& read) {
  if (body.empty()) return std::nullopt;
  boost::system::error_code error;
  const json::value value = json::parse(body, error);
  if (error || !value.is_object())
    return wrong("the body must be a JSON object such as {\"reason\":\"...\",\"for\":\"1h\"}");
  for (const auto& [key, field] : value.get_object()) {
    if (!field.is_string()) return wrong(fmt::format("{} must be a text", std::string_view(key)));
    if (auto problem = read(key, std::string(field.get_string()))) return problem;
  }
  return std::nullopt;
}

io::Problem not_there(std::string_view what, const std::string& name) {
  return wrong(fmt::format("the configuration has no {} {}", what, name));
}

bool knows(const auto& named, const std::string& name) {
  return std::ranges::any_of(named, [&](const auto& one) { return one.name == name; });
}

bool knows_carrier(const config::Config& config, const std::string& name) {
  return std::ranges::any_of(config.carriers, [&](const config::Carrier& c) {
    return c.name == name && !c.smpp.host.empty();
  });
}

// True: the key is one of a filter's.
bool read_filter(const config::Config& config, std::string_view key, const std::string& text,
                 message::TrafficFilter& of, std::optional<io::Problem>& problem) {
  const auto set = [&](std::string& field, bool known) {
    if (known) {
      field = text;
    } else {
      problem = not_there(key, text);
    }
  };
  if (key == "carrier") {
    set(of.carrier, knows_carrier(config, text));
  } else if (key == "class") {
    set(of.traffic_class, knows(config.tables.classes, text));
  } else if (key == "tenant") {
    set(of.tenant, knows(config.tenants, text));
  } else if (key == "country") {
    const auto country = numbering::Country::parse(text);
    if (country && country->known()) {
      of.country = country->code();
    } else {
      problem = wrong("country must be a code of two letters, such as GB");
    }
  } else {
    return false;
  }
  return true;
}

std::optional<io::Problem> check_reason(const std::string& reason) {
  if (reason.empty()) return wrong("reason is missing: say why, for whoever comes next");
  if (reason.size() > limits::kOrderReasonMax)
    return wrong(fmt::format("reason may have {} octets", limits::kOrderReasonMax));
  return std::nullopt;
}

std::optional<io::Problem> check_narrow(const message::TrafficFilter& of) {
  if (of != message::TrafficFilter{}) return std::nullopt;
  return wrong("say what traffic: carrier, country, class or tenant");
}

constexpr std::pair<Surgery::Kind, std::string_view> kSurgeries[] = {
    {Surgery::Kind::purge, "purge"},
    {Surgery::Kind::bounce, "bounce"},
    {Surgery::Kind::move, "move"}};

void write_or_null(base::JsonWriter& writer, std::string_view key, std::string_view text) {
  writer.key(key);
  if (text.empty()) {
    writer.null();
  } else {
    writer.string(text);
  }
}

}  // namespace

std::optional<OrderPath> order_path(std::string_view path) {
  constexpr std::string_view kCarriers = "/v1/carriers/";
  constexpr std::string_view kQueues = "/v1/queues/";
  std::string carrier;
  if (path.starts_with(kQueues)) {
    path.remove_prefix(kQueues.size());
  } else if (path.starts_with(kCarriers)) {
    path.remove_prefix(kCarriers.size());
    const std::size_t slash = path.find('/');
    if (slash == 0 || slash == std::string_view::npos) return std::nullopt;
    carrier = path.substr(0, slash);
    path.remove_prefix(slash + 1);
  } else {
    return std::nullopt;
  }
  for (const OrderKind kind : {OrderKind::resume, OrderKind::drain, OrderKind::suspend}) {
    if (path == message::name(kind)) return OrderPath{std::move(carrier), kind};
  }
  return std::nullopt;
}

std::optional<Surgery::Kind> surgery_path(std::string_view path) {
  constexpr std::string_view kQueues = "/v1/queues/";
  if (!path.starts_with(kQueues)) return std::nullopt;
  path.remove_prefix(kQueues.size());
  for (const auto& [kind, name] : kSurgeries) {
    if (path == name) return kind;
  }
  return std::nullopt;
}

std::expected<message::TrafficOrder, io::Problem> read_order(const config::Config& config,
                                                             const OrderPath& path,
                                                             std::string_view body,
                                                             const std::string& by,
                                                             base::Wall now) {
  if (!path.carrier.empty() && !knows_carrier(config, path.carrier)) {
    return std::unexpected(io::Problem{.code = io::ProblemCode::not_found,
                                       .detail = "the configuration has no such carrier"});
  }
  message::TrafficOrder order{
      .of = {.carrier = path.carrier}, .kind = path.kind, .since = now, .by = by};
  base::Duration length = kUsual;
  const auto read = [&](std::string_view key,
                        const std::string& text) -> std::optional<io::Problem> {
    std::optional<io::Problem> problem;
    if (key == "reason") {
      order.reason = text;
    } else if (key == "for") {
      const auto parsed = base::parse_duration(text);
      if (!parsed) return wrong("for: " + parsed.error());
      length = *parsed;
    } else if ((key == "carrier" && !path.carrier.empty()) ||
               !read_filter(config, key, text, order.of, problem)) {
      return wrong(fmt::format("there is no {}; there are reason, for, {}country, class and tenant",
                               key, path.carrier.empty() ? "carrier, " : ""));
    }
    return problem;
  };
  if (auto problem = read_fields(body, read)) return std::unexpected(*problem);
  if (auto problem = check_narrow(order.of)) return std::unexpected(*problem);
  if (order.kind != OrderKind::resume || !order.reason.empty()) {
    if (auto problem = check_reason(order.reason)) return std::unexpected(*problem);
  }
  if (order.kind != OrderKind::resume) {
    if (length < limits::kOrderMin || length > limits::kOrderMax) {
      return std::unexpected(
          wrong(fmt::format("for must be {} to {}", base::format_duration(limits::kOrderMin),
                            base::format_duration(limits::kOrderMax))));
    }
    order.until = now + length;
  }
  return order;
}

std::expected<Surgery, io::Problem> read_surgery(const config::Config& config, Surgery::Kind kind,
                                                 std::string_view body) {
  Surgery surgery{.kind = kind, .of = {}, .to = {}, .reason = {}};
  const bool moves = kind == Surgery::Kind::move;
  const auto read = [&](std::string_view key,
                        const std::string& text) -> std::optional<io::Problem> {
    std::optional<io::Problem> problem;
    if (key == "reason") {
      surgery.reason = text;
    } else if (key == "older_than") {
      const auto parsed = base::parse_duration(text);
      if (!parsed) return wrong("older_than: " + parsed.error());
      surgery.older_than = *parsed;
    } else if (moves && key == "to") {
      if (!knows_carrier(config, text)) return not_there("carrier", text);
      surgery.to = text;
    } else if (!read_filter(config, key, text, surgery.of, problem)) {
      return wrong(fmt::format(
          "there is no {}; there are reason, older_than, {}carrier, country, class and tenant", key,
          moves ? "to, " : ""));
    }
    return problem;
  };
  if (auto problem = read_fields(body, read)) return std::unexpected(*problem);
  if (auto problem = check_narrow(surgery.of)) return std::unexpected(*problem);
  if (auto problem = check_reason(surgery.reason)) return std::unexpected(*problem);
  if (moves && surgery.to.empty())
    return std::unexpected(wrong("to is missing: the carrier that they are to go by"));
  return surgery;
}

std::expected<Surgery, io::Problem> read_count(const config::Config& config,
                                               std::string_view query) {
  Surgery surgery{.of = {}, .to = {}, .reason = {}};
  const std::array<std::pair<std::string_view, bool*>, 4> kinds{{{"carrier", &surgery.by_carrier},
                                                                 {"class", &surgery.by_class},
                                                                 {"tenant", &surgery.by_tenant},
                                                                 {"country", &surgery.by_country}}};
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view key = pair.substr(0, equals);
    std::string_view value = pair.substr(std::min(pair.size(), equals + 1));
    std::optional<io::Problem> problem;
    if (key != "by") {
      if (!read_filter(config, key, std::string(value), surgery.of, problem))
        problem =
            wrong(fmt::format("there is no {}; there are by, carrier, country, class and "
                              "tenant",
                              key));
      if (problem) return std::unexpected(*problem);
      continue;
    }
    while (!value.empty()) {
      const std::string_view one = value.substr(0, value.find(','));
      value.remove_prefix(std::min(value.size(), one.size() + 1));
      const auto found = std::ranges::find(kinds, one, &std::pair<std::string_view, bool*>::first);
      if (found == kinds.end())
        return std::unexpected(
            wrong("by: carrier, class, tenant and country, with commas between"));
      *found->second = true;
    }
  }
  return surgery;
}

std::string order_json(const message::TrafficOrder& order) {
  std::string out;
  base::JsonWriter writer(out);
  writer.begin_object();
  writer.key("kind").string(message::name(order.kind));
  write_or_null(writer, "carrier", order.of.carrier);
  write_or_null(writer, "country", order.of.country);
  write_or_null(writer, "class", order.of.traffic_class);
  write_or_null(writer, "tenant", order.of.tenant);
  writer.key("since").string(base::format_rfc3339(order.since));
  write_or_null(writer, "until",
                order.kind == OrderKind::resume ? "" : base::format_rfc3339(order.until));
  writer.key("reason").string(order.reason);
  writer.key("by").string(order.by);
  writer.end_object();
  return out;
}

std::string surgery_json(const config::Config& config, const Surgery& surgery,
                         const engine::SurgeryAnswer& answer, base::Wall now) {
  std::string out;
  base::JsonWriter writer(out);
  writer.begin_object();
  if (surgery.kind != Surgery::Kind::count) {
    writer.key("found").integer(static_cast<std::int64_t>(answer.found));
    writer.key("changed").integer(static_cast<std::int64_t>(answer.changed));
    writer.end_object();
    return out;
  }
  const auto name_of = [](const auto& named, auto index) -> std::string_view {
    if (index.is_none() || index.at() >= named.size()) return {};
    const auto& one = named[index.at()];
    return one.name;
  };
  writer.key("data").begin_array();
  for (const engine::QueueRow& row : answer.rows) {
    writer.begin_object();
    if (surgery.by_carrier) write_or_null(writer, "carrier", name_of(config.carriers, row.carrier));
    if (surgery.by_class)
      write_or_null(writer, "class", name_of(config.tables.classes, row.traffic_class));
    if (surgery.by_tenant) write_or_null(writer, "tenant", name_of(config.tenants, row.tenant));
    if (surgery.by_country) write_or_null(writer, "country", row.country.code());
    writer.key("queued").integer(static_cast<std::int64_t>(row.queued));
    writer.key("retrying").integer(static_cast<std::int64_t>(row.retrying));
    writer.key("scheduled").integer(static_cast<std::int64_t>(row.scheduled));
    const auto age = std::max(base::Duration::zero(), now - row.oldest);
    writer.key("oldest_seconds").number(static_cast<double>(age.count()) / 1e6);
    writer.end_object();
  }
  writer.end_array();
  writer.key("more").boolean(answer.more_rows);
  writer.end_object();
  return out;
}

}  // namespace trunkline::admin
