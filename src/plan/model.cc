#include "plan/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/limits.h"
#include "config/check.h"
#include "config/findings.h"
#include "config/schema.h"
#include "config/yaml_tree.h"
#include "policy/country_facts.h"

namespace trunkline::plan {
namespace {

using config::Field;
using config::Findings;
using config::Kind;
using config::Many;
using config::Shape;
using config::Value;

constexpr Field kShareFields[] = {
    {.key = "hours",
     .kind = Kind::window,
     .required = true,
     .doc = "In UTC, such as 08:00-20:00; may go over midnight."},
    {.key = "share",
     .kind = Kind::percent,
     .required = true,
     .min = "0%",
     .max = "100%",
     .doc = "Of the peak."},
};
constexpr Shape kShare{"day", "uses[].day[]", kShareFields, "What of its peak is sent when."};

constexpr Field kUseFields[] = {
    {.key = "name", .kind = Kind::name, .required = true, .doc = "For the report."},
    {.key = "tenant", .kind = Kind::reference, .required = true, .doc = "Whose it is."},
    {.key = "class",
     .kind = Kind::reference,
     .absent = "the tenant's default",
     .doc = "Its traffic class."},
    {.key = "to",
     .kind = Kind::text,
     .many = Many::one_or_list,
     .required = true,
     .min = "2",
     .max = "16",
     .doc = "Where to: prefixes such as \"+447\", filled up with digits, in equal parts."},
    {.key = "from", .kind = Kind::text, .absent = "none", .max = "32", .doc = "Its sender."},
    {.key = "region", .kind = Kind::name, .absent = "the node's", .doc = "Preferred region."},
    {.key = "segments",
     .kind = Kind::integer,
     .fallback = "1",
     .min = "1",
     .max = "32",
     .doc = "Of each message."},
    {.key = "unicode", .kind = Kind::boolean, .fallback = "false", .doc = "Texts need UCS-2."},
    {.key = "consent", .kind = Kind::boolean, .fallback = "true", .doc = "Recipients agreed."},
    {.key = "rate",
     .kind = Kind::rate,
     .absent = "with `messages`",
     .min = "1/h",
     .max = "100000/s",
     .doc = "Messages a second at its peak."},
    {.key = "day",
     .kind = Kind::object,
     .many = Many::list,
     .absent = "always the peak",
     .shape = &kShare,
     .doc = "Shares of the peak by the hour; hours that are not named have none."},
    {.key = "messages",
     .kind = Kind::integer,
     .absent = "with `rate`",
     .min = "1",
     .max = "20000000",
     .doc = "A campaign: so many messages once."},
    {.key = "at",
     .kind = Kind::duration,
     .fallback = "0s",
     .min = "0s",
     .max = "7d",
     .doc = "When the campaign begins, since the start."},
    {.key = "over",
     .kind = Kind::duration,
     .fallback = "1m",
     .min = "1s",
     .max = "7d",
     .doc = "In what time it is handed in."},
    {.key = "within",
     .kind = Kind::duration,
     .absent = "the class's time to live",
     .min = "100ms",
     .max = "7d",
     .doc = "What is wanted: so soon 99 % are to be with a carrier."},
};
constexpr Shape kUse{"use", "uses[]", kUseFields, "Messages sent for one purpose."};

constexpr Field kCarrierFields[] = {
    {.key = "name", .kind = Kind::reference, .required = true, .doc = "Of the configuration."},
    {.key = "answers_after",
     .kind = Kind::duration,
     .fallback = "50ms",
     .min = "1ms",
     .max = "30s",
     .doc = "How long it takes to answer a submit."},
    {.key = "takes",
     .kind = Kind::rate,
     .absent = "its contracted rate",
     .min = "1/h",
     .max = "1000000/s",
     .doc = "What it really takes; beyond, it throttles."},
    {.key = "down",
     .kind = Kind::window,
     .many = Many::one_or_list,
     .absent = "never",
     .doc = "Hours, in UTC, in which no link is up."},
    {.key = "refuses",
     .kind = Kind::percent,
     .fallback = "0%",
     .min = "0%",
     .max = "100%",
     .doc = "Share of submits refused for now."},
};
constexpr Shape kCarrier{"carrier", "carriers[]", kCarrierFields, "How a carrier will do."};

constexpr Field kModelFields[] = {
    {.key = "start",
     .kind = Kind::day,
     .required = true,
     .doc = "The day, for quiet hours and holidays; from 00:00 UTC on."},
    {.key = "length",
     .kind = Kind::duration,
     .fallback = "1d",
     .min = "1m",
     .max = "7d",
     .doc = "How long messages are handed in."},
    {.key = "uses",
     .kind = Kind::object,
     .many = Many::list,
     .required = true,
     .shape = &kUse,
     .doc = "The traffic."},
    {.key = "carriers",
     .kind = Kind::object,
     .many = Many::list,
     .absent = "all as contracted",
     .shape = &kCarrier,
     .doc = "Carriers that do otherwise."},
};
constexpr Shape kModel{"model", "", kModelFields, "Traffic to be expected."};

Hours hours_of(const Value& value) {
  const auto window = policy::parse_window(value.text());
  if (!window) return {};
  return {window->begin, window->end};
}

class Reader {
 public:
  Reader(const config::Config& config, Findings& findings) : config_(config), findings_(findings) {}

  Model read(const Value& root) {
    Model model;
    const auto day = base::parse_rfc3339(root.at("start").text() + "T00:00:00Z");
    if (day) model.start = *day;
    model.length = root.at("length").duration();
    model.carriers.resize(config_.tables.routing.carriers.size());
    for (const Value& value : root.at("uses").items) {
      if (!value.bad) model.uses.push_back(use(value, model));
    }
    if (model.uses.size() > kUsesMax) {
      findings_.error(root.at("uses").mark, "uses", fmt::format("more than {} uses", kUsesMax),
                      "put some of them together");
    }
    for (const Value& value : root.at("carriers").items) {
      if (!value.bad) carrier(value, model);
    }
    const double expected = findings_.errors() == 0 ? expected_messages(model) : 0;
    if (expected > static_cast<double>(kMessagesMax)) {
      findings_.error(
          root.mark, "",
          fmt::format("that is about {:.0f} messages, and {} is the most", expected, kMessagesMax),
          "shorten length, or leave out the quiet hours of the day");
    }
    return model;
  }

 private:
  // The place of what it names in `all`; past its end if there is none, which is told.
  std::size_t place(const Value& value, const auto& all, std::string_view what) {
    if (!value.given || value.bad) return all.size();
    const auto found = std::ranges::find_if(
        all, [&](const auto& one) { return one.name == value.text() && !one.removed; });
    if (found != all.end()) return static_cast<std::size_t>(found - all.begin());
    std::vector<std::string_view> names;
    for (const auto& one : all) {
      if (!one.removed) names.push_back(one.name);
    }
    findings_.error(value.mark, value.path,
                    fmt::format("there is no {} {}", what, config::quote(value.text())),
                    "the configuration has " + config::join(names));
    return all.size();
  }

  Use use(const Value& value, const Model& model) {
    const engine::Tables& tables = config_.tables;
    Use out;
    out.name = value.at("name").text();
    const std::size_t tenant = place(value.at("tenant"), tables.policy.tenants, "tenant");
    if (tenant < config_.tenants.size()) {
      out.tenant = {static_cast<std::uint16_t>(tenant)};
      out.traffic_class = config_.tenants[tenant].default_class;
    }
    const std::size_t its = place(value.at("class"), tables.classes, "class");
    if (its < tables.classes.size()) out.traffic_class = {static_cast<std::uint8_t>(its)};
    out.from = value.at("from").text();
    out.region = value.at("region").text();
    out.segments = static_cast<std::uint8_t>(value.at("segments").integer());
    out.unicode = value.at("unicode").boolean();
    out.consent = value.at("consent").boolean();
    if (!out.traffic_class.is_none())
      out.within = value.at("within").duration(tables.classes[out.traffic_class.at()].ttl);
    prefixes(value.at("to"), out);
    amount(value, model, out);
    return out;
  }

  void prefixes(const Value& to, Use& out) {
    for (const Value& one : to.items) {
      const std::string text = one.text();
      if (one.bad) continue;
      if (!text.starts_with('+') || text.size() < 2 ||
          text.find_first_not_of("0123456789", 1) != std::string::npos || text[1] == '0') {
        findings_.error(one.mark, one.path, config::quote(text) + " is no prefix of a number",
                        "write + and the digits it begins with, such as \"+447\"");
        continue;
      }
      out.to.push_back(text.substr(1));
    }
  }

  void amount(const Value& value, const Model& model, Use& out) {
    const Value& rate = value.at("rate");
    const Value& messages = value.at("messages");
    out.rate_per_s = rate.number();
    out.messages = static_cast<std::uint64_t>(messages.integer());
    if (!rate.bad && !messages.bad && rate.given == messages.given) {
      findings_.error(value.mark, value.path,
                      rate.given ? "it has both rate and messages" : "nothing says how many",
                      "give rate, for what is sent all day, or messages, for a campaign");
    }
    for (const Value& share : value.at("day").items) {
      out.day.push_back({hours_of(share.at("hours")), share.at("share").number()});
    }
    out.at = value.at("at").duration();
    out.over = value.at("over").duration();
    if (messages.given && out.at >= model.length) {
      findings_.error(value.at("at").mark, value.at("at").path,
                      "the campaign begins when the model is over", "lengthen length or lower at");
    }
  }

  void carrier(const Value& value, Model& model) {
    const std::size_t at = place(value.at("name"), config_.tables.routing.carriers, "carrier");
    if (at >= model.carriers.size()) return;
    Carrier& out = model.carriers[at];
    out.answer = value.at("answers_after").duration();
    out.takes_per_s = value.at("takes").number();
    out.refused = value.at("refuses").number();
    for (const Value& hours : value.at("down").items) {
      if (!hours.bad) out.down.push_back(hours_of(hours));
    }
  }

  const config::Config& config_;
  Findings& findings_;
};

}  // namespace

double rate_at(const Use& use, const Model& model, base::Duration since_start) {
  if (since_start >= model.length) return 0;
  if (use.messages != 0) {
    const bool now = since_start >= use.at && since_start < use.at + use.over;
    return now ? static_cast<double>(use.messages) / std::chrono::duration<double>(use.over).count()
               : 0;
  }
  if (use.day.empty()) return use.rate_per_s;
  const auto minute = static_cast<std::uint16_t>(
      std::chrono::duration_cast<std::chrono::minutes>(since_start).count() % (24 * 60));
  for (const Share& share : use.day) {
    if (share.hours.covers(minute)) return use.rate_per_s * share.of_peak;
  }
  return 0;
}

double expected_messages(const Model& model) {
  double sum = 0;
  for (const Use& use : model.uses) {
    if (use.messages != 0) {
      sum += static_cast<double>(use.messages);
      continue;
    }
    for (base::Duration at{}; at < model.length; at += std::chrono::minutes(1)) {
      const base::Duration step =
          std::min<base::Duration>(std::chrono::minutes(1), model.length - at);
      sum += rate_at(use, model, at) * std::chrono::duration<double>(step).count();
    }
  }
  return sum;
}

std::string model_reference() { return config::reference_markdown(kModel); }

Loaded load_model(const config::SourceFile& file, const config::Config& config) {
  const std::vector<config::SourceFile> files = {file};
  Findings findings(files);
  Loaded loaded;
  std::size_t budget = base::limits::kConfigNodesMax;
  if (const auto root = config::parse_yaml(files[0], 0, budget, findings)) {
    const Value value = config::check(*root, kModel, findings);
    Model model = Reader(config, findings).read(value);
    if (findings.errors() == 0) loaded.model = std::move(model);
  }
  loaded.findings = findings.take();
  return loaded;
}

}  // namespace trunkline::plan
