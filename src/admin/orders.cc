#include "admin/orders.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/json_writer.h"
#include "base/limits.h"
#include "numbering/country.h"

namespace trunkline::admin {
namespace {

namespace limits = base::limits;
namespace json = boost::json;
using message::OrderKind;

constexpr base::Duration kUsual = std::chrono::hours(1);

std::unexpected<io::Problem> wrong(std::string detail) {
  return std::unexpected(
      io::Problem{.code = io::ProblemCode::invalid_request, .detail = std::move(detail)});
}

}  // namespace

std::optional<OrderPath> order_path(std::string_view path) {
  constexpr std::string_view kPrefix = "/v1/carriers/";
  if (!path.starts_with(kPrefix)) return std::nullopt;
  path.remove_prefix(kPrefix.size());
  const std::size_t slash = path.find('/');
  if (slash == 0 || slash == std::string_view::npos) return std::nullopt;
  for (const OrderKind kind : {OrderKind::resume, OrderKind::drain, OrderKind::suspend}) {
    if (path.substr(slash + 1) == message::name(kind)) {
      return OrderPath{std::string(path.substr(0, slash)), kind};
    }
  }
  return std::nullopt;
}

std::expected<message::CarrierOrder, io::Problem> read_order(const config::Config& config,
                                                             const OrderPath& path,
                                                             std::string_view body,
                                                             const std::string& by,
                                                             base::Wall now) {
  const bool known = std::ranges::any_of(config.carriers, [&](const config::Carrier& c) {
    return c.name == path.carrier && !c.smpp.host.empty();
  });
  if (!known) {
    return std::unexpected(io::Problem{.code = io::ProblemCode::not_found,
                                       .detail = "the configuration has no such carrier"});
  }
  message::CarrierOrder order{
      .carrier = path.carrier, .country = {}, .kind = path.kind, .since = now, .by = by};
  base::Duration length = kUsual;
  if (!body.empty()) {
    boost::system::error_code error;
    const json::value value = json::parse(body, error);
    if (error || !value.is_object())
      return wrong("the body must be a JSON object such as {\"reason\":\"...\",\"for\":\"1h\"}");
    for (const auto& [key, field] : value.get_object()) {
      if (!field.is_string()) return wrong(fmt::format("{} must be a text", std::string_view(key)));
      const std::string text(field.get_string());
      if (key == "reason") {
        order.reason = text;
      } else if (key == "country") {
        const auto country = numbering::Country::parse(text);
        if (!country || !country->known())
          return wrong("country must be a code of two letters, such as GB");
        order.country = country->code();
      } else if (key == "for") {
        const auto parsed = base::parse_duration(text);
        if (!parsed) return wrong("for: " + parsed.error());
        length = *parsed;
      } else {
        return wrong(fmt::format("there is no {}; there are reason, for and country",
                                 std::string_view(key)));
      }
    }
  }
  if (order.reason.size() > limits::kOrderReasonMax)
    return wrong(fmt::format("reason may have {} octets", limits::kOrderReasonMax));
  if (order.kind != OrderKind::resume) {
    if (order.reason.empty()) return wrong("reason is missing: say why, for whoever comes next");
    if (length < limits::kOrderMin || length > limits::kOrderMax) {
      return wrong(fmt::format("for must be {} to {}", base::format_duration(limits::kOrderMin),
                               base::format_duration(limits::kOrderMax)));
    }
    order.until = now + length;
  }
  return order;
}

std::string order_json(const message::CarrierOrder& order) {
  std::string out;
  base::JsonWriter writer(out);
  writer.begin_object();
  writer.key("kind").string(message::name(order.kind));
  writer.key("carrier").string(order.carrier);
  if (order.country.empty()) {
    writer.key("country").null();
  } else {
    writer.key("country").string(order.country);
  }
  writer.key("since").string(base::format_rfc3339(order.since));
  if (order.kind == OrderKind::resume) {
    writer.key("until").null();
  } else {
    writer.key("until").string(base::format_rfc3339(order.until));
  }
  writer.key("reason").string(order.reason);
  writer.key("by").string(order.by);
  writer.end_object();
  return out;
}

}  // namespace trunkline::admin
