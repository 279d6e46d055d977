// The reference of docs/configuration.md, in Markdown.
#include <set>

#include "base/time.h"
#include "config/config.h"
#include "config/schema.h"
#include "message/traffic_class.h"

namespace trunkline::config {
namespace {

using message::TrafficClass;

std::string type_of(const Field& field) {
  std::string type(info(field.kind).title);
  if (field.kind == Kind::choice) {
    type.clear();
    for (const std::string_view choice : field.choices) {
      type += fmt::format("{}`{}`", type.empty() ? "" : " or ", choice);
    }
  }
  switch (field.many) {
    case Many::one:
      break;
    case Many::list:
      type = "list of " + type + "s";
      break;
    case Many::one_or_list:
      type += ", or a list of them";
      break;
    case Many::map:
      type += field.keys == Kind::class_name ? " by name"
                                             : fmt::format(" by {}", info(field.keys).title);
      break;
  }
  if (field.min.empty() && field.max.empty()) return type;
  const bool length = field.kind == Kind::text || field.kind == Kind::secret;
  if (field.min.empty()) {
    return fmt::format("{}, at most {}{}", type, field.max, length ? " characters" : "");
  }
  return fmt::format("{}, {} to {}{}", type, field.min, field.max, length ? " characters" : "");
}

std::string default_of(const Field& field) {
  if (field.required) return "required";
  if (!field.fallback.empty()) return fmt::format("`{}`", field.fallback);
  if (!field.absent.empty()) return std::string(field.absent);
  return "its defaults";
}

void section(const Shape& shape, std::set<std::string_view>& done, std::string& out) {
  if (!done.insert(shape.path).second) return;
  const std::string title = shape.path.empty() ? "The whole" : fmt::format("`{}`", shape.path);
  out += fmt::format("### {}\n\n", title);
  if (!shape.doc.empty()) out += fmt::format("{}\n\n", shape.doc);
  out += "| key | value | default | |\n|---|---|---|---|\n";
  for (const Field& field : shape.fields) {
    out += fmt::format("| `{}` | {} | {} | {} |\n", field.key, type_of(field), default_of(field),
                       field.doc);
  }
  out += "\n";
}

std::string_view text(message::InDoubtRule rule) {
  return rule == message::InDoubtRule::hold ? "hold" : "resend";
}
std::string_view text(message::UndeliveredRule rule) {
  return rule == message::UndeliveredRule::reroute ? "reroute" : "end";
}

void class_row(const TrafficClass& c, std::string_view name, std::string& out) {
  out += fmt::format(
      "| {} | {} | {:.0f} | {} | {} | {:.0f}% | {} | {} | {} | {} | {} | {} | {} | {} |\n", name,
      c.priority, c.weight,
      c.tenant_rate_per_s == 0 ? std::string("any") : fmt::format("{}/s", c.tenant_rate_per_s),
      base::format_duration(c.ttl), c.reserve * 100, text(c.in_doubt), text(c.on_undelivered),
      c.retry.attempts, c.retry.tries_per_carrier, base::format_duration(c.retry.refused.first),
      base::format_duration(c.retry.refused.max), base::format_duration(c.response_timeout),
      base::format_duration(c.patience));
}

void class_defaults(std::string& out) {
  out +=
      "#### Defaults by class\n\n"
      "| class | priority | weight | tenant_rate | ttl | reserve | in_doubt | on_undelivered | "
      "retry.attempts | retry.tries_per_carrier | "
      "retry.first | retry.max | response_timeout | patience |\n"
      "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n";
  for (const TrafficClass& c : message::default_traffic_classes()) {
    class_row(c, fmt::format("`{}`", c.name), out);
  }
  class_row(TrafficClass{}, "any other", out);
  out += "\n";
}

void sections(const Shape& shape, std::set<std::string_view>& done, std::string& out) {
  section(shape, done, out);
  for (const Field& field : shape.fields) {
    if (field.shape != nullptr) sections(*field.shape, done, out);
  }
  if (shape.name == "class") class_defaults(out);
}

void ways_to_write(std::string& out) {
  out += "### How values are written\n\n| value | |\n|---|---|\n";
  for (const KindInfo& kind : kinds()) {
    const bool evident =
        kind.kind == Kind::object || kind.kind == Kind::reference || kind.kind == Kind::text;
    if (evident || kind.remedy.empty()) continue;
    out += fmt::format("| {} | {} |\n", kind.title, kind.remedy);
  }
  out += "\n";
}

void not_yet(std::string& out) {
  out +=
      "### Not supported by this version\n\n"
      "These belong to the configuration's design and are refused by name until they do "
      "something.\n\n| in | key | instead |\n|---|---|---|\n";
  for (const Unsupported& row : unsupported()) {
    const std::string key = row.value.empty() ? fmt::format("`{}`", row.key)
                                              : fmt::format("`{}: {}`", row.key, row.value);
    out += fmt::format("| {} | {} | {} |\n", row.shape, key, row.remedy);
  }
}

}  // namespace

std::string reference_markdown(const Shape& shape) {
  std::string out;
  std::set<std::string_view> done;
  sections(shape, done, out);
  return out;
}

std::string reference_markdown() {
  std::string out = reference_markdown(root_shape());
  ways_to_write(out);
  not_yet(out);
  return out;
}

}  // namespace trunkline::config
