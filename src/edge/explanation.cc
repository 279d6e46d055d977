#include "edge/explanation.h"

#include <fmt/format.h>

#include "base/json_writer.h"

namespace trunkline::edge {
namespace {

std::string_view word(policy::Verdict::Kind kind) {
  switch (kind) {
    case policy::Verdict::Kind::allow:
      return "allow";
    case policy::Verdict::Kind::hold:
      return "hold";
    case policy::Verdict::Kind::refuse:
      break;
  }
  return "refuse";
}

// "assigned to" and not "served by": a prefix tells no more. What the operator says is taken as
// said.
std::string network_text(const engine::Explained& explained, const engine::Tables& tables) {
  const numbering::Network network = tables.ranges.network(explained.to.network);
  const std::string who = network.code.known()
                              ? fmt::format("{} ({})", network.name, network.code.to_string())
                              : std::string(network.name);
  if (const auto& told = explained.to.looked_up; told && told->network.known()) {
    return fmt::format("{}, looked up{}",
                       explained.to.network == 0 ? told->network.to_string() : who,
                       told->ported ? "; ported" : "");
  }
  if (explained.to.own) return fmt::format("{}, by numbering.ranges", who);
  const bool moves = numbering::is_portable(explained.to.number.country);
  return fmt::format("assigned to {}{}", who, moves ? "; numbers there can be with another" : "");
}

}  // namespace

void append_explanation(std::string& out, const engine::Explained& explained,
                        const engine::Tables& tables) {
  const policy::Verdict& verdict = explained.verdict;
  base::JsonWriter json(out);
  json.begin_object().key("verdict").string(word(verdict.kind));
  json.key("code").string_or_null(verdict.code);
  json.key("hold_until")
      .string_or_null(verdict.kind == policy::Verdict::Kind::hold
                          ? base::format_rfc3339(verdict.hold_until)
                          : "");
  json.key("country").string_or_null(explained.to.number.country.code());
  json.key("number_type").string(numbering::name(explained.to.number.type));
  const numbering::Network network = tables.ranges.network(explained.to.network);
  json.key("network");
  const auto& told = explained.to.looked_up;
  const bool is_told = told && told->network.known();
  if (explained.to.network == 0 && !is_told) {
    json.null();
  } else {
    const auto code = is_told ? told->network : network.code;
    json.begin_object().key("code").string_or_null(code.to_string());
    json.key("name").string_or_null(network.name);
    json.key("portable").boolean(numbering::is_portable(explained.to.number.country));
    json.key("ported");
    is_told ? json.boolean(told->ported) : json.null();
    json.key("source")
        .string(is_told            ? "lookup"
                : explained.to.own ? "ranges"
                                   : "prefix")
        .end_object();
  }
  json.key("encoding").string(gsm::name(explained.encoding));
  json.key("segments").integer(explained.segments);
  json.key("reasons").begin_array();
  for (const policy::Reason& reason : verdict.reasons) {
    json.begin_object().key("rule").string(reason.rule).key("text").string(reason.text);
    json.key("version")
        .string(reason.version.empty() ? explained.version : reason.version)
        .end_object();
  }
  json.end_array().key("routes").begin_array();
  for (const auto& step : explained.routing.steps) {
    json.begin_object().key("route").string(step.route);
    json.key("matches").boolean(step.mismatch.empty());
    json.key("mismatch").string_or_null(step.mismatch).end_object();
  }
  json.end_array().key("candidates").begin_array();
  for (const auto& candidate : explained.routing.candidates) {
    const routing::Carrier& carrier = tables.routing.carriers[candidate.carrier.at()];
    json.begin_object().key("carrier").string(carrier.name);
    json.key("region").string_or_null(carrier.region).key("rank");
    candidate.rank == 0 ? json.null() : json.integer(candidate.rank);
    json.key("excluded").string_or_null(candidate.excluded).key("price");
    candidate.price < 0 ? json.null() : json.number(candidate.price);
    json.key("now").string_or_null(candidate.now.value_or("")).key("reasons").begin_array();
    for (const std::string& reason : candidate.reasons) json.string(reason);
    json.end_array().end_object();
  }
  json.end_array().key("plan").begin_array();
  for (const auto& candidate : explained.routing.candidates) {
    if (candidate.rank != 0) json.string(tables.routing.carriers[candidate.carrier.at()].name);
  }
  json.end_array().key("config_version").string(explained.version).end_object();
}

std::string explanation_text(const engine::Explained& explained, const engine::Tables& tables) {
  const policy::Verdict& verdict = explained.verdict;
  std::string out = fmt::format("{}{}\n", word(verdict.kind),
                                verdict.code.empty() ? "" : fmt::format(" ({})", verdict.code));
  if (verdict.kind == policy::Verdict::Kind::hold) {
    out += fmt::format("  until {}\n", base::format_rfc3339(verdict.hold_until));
  }
  const std::string country = explained.to.number.country.code();
  out += fmt::format("number: {}, {}\n", country.empty() ? "no country" : country,
                     numbering::name(explained.to.number.type));
  if (explained.to.network != 0 ||
      (explained.to.looked_up && explained.to.looked_up->network.known()))
    out += "network: " + network_text(explained, tables) + "\n";
  out += fmt::format("text: {} segment{} of {}\n", explained.segments,
                     explained.segments == 1 ? "" : "s", gsm::name(explained.encoding));
  for (const policy::Reason& reason : verdict.reasons) {
    out += fmt::format("rule {}: {}{}\n", reason.rule, reason.text,
                       reason.version.empty() ? "" : fmt::format(" ({})", reason.version));
  }
  for (const std::string& line : routing::to_lines(tables.routing, explained.routing)) {
    out += line + "\n";
  }
  return out + fmt::format("configuration {}\n", explained.version);
}

}  // namespace trunkline::edge
