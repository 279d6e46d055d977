#include "plan/report.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json_writer.h"

namespace trunkline::plan {
namespace {

using base::Duration;

constexpr double kInTime = 0.99;
constexpr std::size_t kQueuesShown = 20;

std::string clock(const Model& model, Duration since_start) {
  const auto minutes = std::chrono::floor<std::chrono::minutes>(since_start).count();
  const auto day = minutes / (24 * 60);
  return fmt::format("{}{:02}:{:02}",
                     model.length > std::chrono::hours(24) ? fmt::format("day {} ", day + 1) : "",
                     minutes / 60 % 24, minutes % 60);
}

std::string wait_text(Duration wait) {
  using namespace std::chrono;
  if (wait < seconds(1)) return fmt::format("{} ms", wait / milliseconds(1));
  return base::format_duration(ceil<seconds>(wait));
}

const std::string& carrier_name(const engine::Tables& tables, std::size_t at) {
  return tables.routing.carriers[at].name;
}

// What it lacks; 0: nothing.
double missing(const CarrierReport& carrier) {
  return carrier.rate_per_s == 0 ? 0 : std::max(0.0, carrier.needed_per_s - carrier.rate_per_s);
}

bool in_time(const UseReport& use) {
  return use.offered == 0 || (use.within >= kInTime && use.refused == 0 && use.expired == 0 &&
                              use.failed == 0 && use.unfinished == 0);
}

void append_uses(const Model& model, const Report& report, std::string& out) {
  out += fmt::format("{:<24}{:>10}{:>9}{:>10}{:>9}{:>8}{:>10}{:>10}{:>10}{:>10}{:>9}\n", "use",
                     "messages", "refused", "taken", "expired", "failed", "p50", "p95", "p99",
                     "longest", "in time");
  for (std::size_t i = 0; i < report.uses.size(); ++i) {
    const UseReport& use = report.uses[i];
    out += fmt::format("{:<24}{:>10}{:>9}{:>10}{:>9}{:>8}{:>10}{:>10}{:>10}{:>10}{:>8.1f}%{}\n",
                       model.uses[i].name, use.offered, use.refused, use.taken, use.expired,
                       use.failed, wait_text(use.p50), wait_text(use.p95), wait_text(use.p99),
                       wait_text(use.longest), use.within * 100, in_time(use) ? "" : "  <-");
    for (const auto& [rule, count] : use.refusals) {
      out += fmt::format("  {} refused: {}\n", count, rule);
    }
    if (use.held != 0) out += fmt::format("  {} held for a while by policy\n", use.held);
    if (use.unfinished != 0) out += fmt::format("  {} not finished\n", use.unfinished);
  }
}

void append_queues(const engine::Tables& tables, const Model& model, const Report& report,
                   std::string& out) {
  if (report.queues.empty()) {
    out += "\nno queue builds\n";
    return;
  }
  out += "\nqueues that build\n";
  for (std::size_t i = 0; i < std::min(report.queues.size(), kQueuesShown); ++i) {
    const QueueReport& queue = report.queues[i];
    out += fmt::format(
        "  {}, {}: {} at {}, from {} to {}\n",
        queue.carrier.is_none() ? "no carrier up" : carrier_name(tables, queue.carrier.at()),
        tables.classes[queue.traffic_class.at()].name, queue.deepest,
        clock(model, queue.deepest_at), clock(model, queue.since), clock(model, queue.until));
  }
}

void append_carriers(const engine::Tables& tables, const Model& model, const Report& report,
                     std::string& out) {
  out += fmt::format("\n{:<24}{:>10}{:>10}{:>10}{:>11}{:>10}{:>10}\n", "carrier", "submits",
                     "takes/s", "busiest/s", "throttled", "full for", "needs/s");
  for (std::size_t i = 0; i < report.carriers.size(); ++i) {
    const CarrierReport& c = report.carriers[i];
    if (tables.routing.carriers[i].removed) continue;
    out += fmt::format("{:<24}{:>10}{:>10}{:>10.1f}{:>11}{:>10}{:>10.1f}\n",
                       carrier_name(tables, i), c.submits,
                       c.rate_per_s == 0 ? std::string("any") : fmt::format("{:.0f}", c.rate_per_s),
                       c.busiest_per_s, c.throttled, base::format_duration(c.full), c.needed_per_s);
  }
  const std::size_t worst = static_cast<std::size_t>(
      std::ranges::max_element(report.carriers, {}, missing) - report.carriers.begin());
  if (worst == report.carriers.size() || missing(report.carriers[worst]) <= 0) {
    out += "\nno carrier lacks capacity for what goes there first\n";
    return;
  }
  out += fmt::format("\nbottleneck: {}\n", carrier_name(tables, worst));
  for (std::size_t i = 0; i < report.carriers.size(); ++i) {
    const CarrierReport& c = report.carriers[i];
    if (missing(c) <= 0) continue;
    out += fmt::format(
        "  {} lacks {:.1f} segments a second, most at {} for {}: {:.1f} instead of {:.0f} would "
        "have all that goes there first in time\n",
        carrier_name(tables, i), missing(c), clock(model, c.needed_at),
        model.uses[c.needed_for].name, c.needed_per_s, c.rate_per_s);
  }
}

void number(base::JsonWriter& json, std::string_view key, std::uint64_t value) {
  json.key(key).integer(static_cast<std::int64_t>(value));
}

void milliseconds(base::JsonWriter& json, std::string_view key, Duration value) {
  json.key(key).integer(value / std::chrono::milliseconds(1));
}

void append_json(const engine::Tables& tables, const UseReport& use, const Use& of,
                 base::JsonWriter& json) {
  json.begin_object().key("name").string(of.name);
  json.key("class").string(tables.classes[of.traffic_class.at()].name);
  json.key("tenant").string(tables.policy.tenants[of.tenant.at()].name);
  number(json, "messages", use.offered);
  number(json, "refused", use.refused);
  json.key("refusals").begin_object();
  for (const auto& [rule, count] : use.refusals) number(json, rule, count);
  json.end_object();
  number(json, "held", use.held);
  number(json, "taken", use.taken);
  number(json, "expired", use.expired);
  number(json, "failed", use.failed);
  number(json, "unfinished", use.unfinished);
  milliseconds(json, "p50_ms", use.p50);
  milliseconds(json, "p95_ms", use.p95);
  milliseconds(json, "p99_ms", use.p99);
  milliseconds(json, "longest_ms", use.longest);
  milliseconds(json, "wanted_ms", of.within);
  json.key("in_time").number(use.within);
  json.key("ok").boolean(in_time(use)).end_object();
}

}  // namespace

bool suffices(const Model&, const Report& report) {
  return std::ranges::all_of(report.uses, in_time);
}

std::string to_text(const engine::Tables& tables, const Model& model, const Report& report) {
  std::string out;
  append_uses(model, report, out);
  append_queues(tables, model, report, out);
  append_carriers(tables, model, report, out);
  return out;
}

std::string to_json(const engine::Tables& tables, const Model& model, const Report& report) {
  std::string out;
  base::JsonWriter json(out);
  json.begin_object().key("ok").boolean(suffices(model, report));
  number(json, "messages", report.messages);
  json.key("uses").begin_array();
  for (std::size_t i = 0; i < report.uses.size(); ++i) {
    append_json(tables, report.uses[i], model.uses[i], json);
  }
  json.end_array().key("queues").begin_array();
  for (const QueueReport& queue : report.queues) {
    json.begin_object().key("carrier").string_or_null(
        queue.carrier.is_none() ? "" : carrier_name(tables, queue.carrier.at()));
    json.key("class").string(tables.classes[queue.traffic_class.at()].name);
    number(json, "deepest", queue.deepest);
    milliseconds(json, "deepest_at_ms", queue.deepest_at);
    milliseconds(json, "from_ms", queue.since);
    milliseconds(json, "to_ms", queue.until);
    json.end_object();
  }
  json.end_array().key("carriers").begin_array();
  for (std::size_t i = 0; i < report.carriers.size(); ++i) {
    const CarrierReport& c = report.carriers[i];
    if (tables.routing.carriers[i].removed) continue;
    json.begin_object().key("name").string(carrier_name(tables, i));
    number(json, "submits", c.submits);
    number(json, "throttled", c.throttled);
    json.key("takes_per_s").number(c.rate_per_s);
    json.key("busiest_per_s").number(c.busiest_per_s);
    milliseconds(json, "full_ms", c.full);
    json.key("needs_per_s").number(c.needed_per_s).key("lacks_per_s").number(missing(c));
    json.end_object();
  }
  json.end_array().end_object();
  return out + "\n";
}

}  // namespace trunkline::plan
