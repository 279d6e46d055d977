// trunkline check: what is wrong with a configuration, before it runs.
#include <algorithm>
#include <cstdio>
#include <expected>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "base/json_writer.h"
#include "config/config.h"
#include "config/coverage.h"
#include "config/registrations.h"
#include "io/clock.h"
#include "service/tls_files.h"
#include "trunkline/commands.h"
#include "trunkline/config_files.h"
#include "trunkline/outcomes.h"
#include "trunkline/traffic.h"

namespace trunkline::cli {
namespace {

struct Arguments {
  std::string path;
  TrafficFrom traffic;
  bool json = false;
  bool report = false;
  bool schema = false;
  bool reference = false;
};

struct Counts {
  std::size_t errors = 0;
  std::size_t warnings = 0;
};

std::string_view name(config::Finding::Severity severity) {
  return severity == config::Finding::Severity::error ? "error" : "warning";
}

// What a cell has taken from another one.
void append_taken(base::JsonWriter& json, const std::optional<cells::Copy>& taken) {
  if (!taken) {
    json.null();
    return;
  }
  json.begin_object().key("cell").string(taken->cell);
  json.key("version").string(taken->shared.version);
  json.key("at").string(base::format_rfc3339(taken->taken_at)).key("files").begin_array();
  for (const config::SourceFile& file : taken->shared.files) json.string(file.name);
  json.end_array().end_object();
}

std::string taken_text(const std::string& path, const std::optional<cells::Copy>& taken) {
  if (!taken) return {};
  std::string names;
  for (const config::SourceFile& file : taken->shared.files) {
    names += (names.empty() ? "" : ", ") + file.name;
  }
  return fmt::format("{}: with what was taken from cell {} at {}, version {}: {}\n", path,
                     taken->cell, base::format_rfc3339(taken->taken_at), taken->shared.version,
                     names);
}

std::string to_json(const config::Loaded& loaded, const std::optional<cells::Copy>& taken,
                    const Counts& counts) {
  std::string out;
  base::JsonWriter json(out);
  json.begin_object().key("ok").boolean(loaded.config.has_value());
  json.key("errors").integer(static_cast<std::int64_t>(counts.errors));
  json.key("warnings").integer(static_cast<std::int64_t>(counts.warnings));
  json.key("version").string_or_null(loaded.config ? loaded.config->tables.version : "");
  json.key("taken");
  append_taken(json, taken);
  json.key("findings").begin_array();
  for (const config::Finding& finding : loaded.findings) {
    json.begin_object().key("severity").string(name(finding.severity));
    json.key("file").string_or_null(finding.file);
    json.key("line").integer(finding.line).key("column").integer(finding.column);
    json.key("path").string_or_null(finding.path);
    json.key("what").string(finding.what).key("remedy").string(finding.remedy).end_object();
  }
  json.end_array().end_object();
  return out;
}

std::string plural(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

// Like a compiler: findings on stdout, so that they can be counted and searched.
std::string to_text(const std::string& path, const config::Loaded& loaded, const Counts& counts) {
  std::string out;
  for (const config::Finding& finding : loaded.findings) out += config::to_text(finding) + "\n";
  if (!loaded.config) {
    return out + fmt::format("{}: {}, {}\n", path, plural(counts.errors, "error"),
                             plural(counts.warnings, "warning"));
  }
  const config::Config& c = *loaded.config;
  const auto live = [](const auto& list) {
    return std::ranges::count_if(list, [](const auto& one) { return !one.removed; });
  };
  return out +
         fmt::format("{}: ok, {}; version {}: {}, {}, {}\n", path,
                     plural(counts.warnings, "warning"), c.tables.version,
                     plural(static_cast<std::size_t>(live(c.tables.policy.tenants)), "tenant"),
                     plural(static_cast<std::size_t>(live(c.tables.routing.carriers)), "carrier"),
                     plural(c.tables.routing.routes.size(), "route"));
}

// What cannot be read is a finding too: one shape of output for whoever parses it.
config::Loaded load(const std::string& path, std::optional<cells::Copy>& taken) {
  auto files = read_all_config_files(path);
  config::Loaded loaded;
  if (files) {
    taken = std::move(files->taken);
    if (!files->no_copy.empty()) {
      loaded.findings.push_back({.severity = config::Finding::Severity::warning,
                                 .what = files->no_copy,
                                 .remedy = "reload the gateway: it is taken anew"});
    }
    config::Loaded of_files =
        config::load(files->files, system_secrets(), nullptr, system_files(), io::wall_now());
    loaded.config = std::move(of_files.config);
    std::ranges::move(of_files.findings, std::back_inserter(loaded.findings));
    if (loaded.config) {
      service::TlsFiles tls = service::read_tls_files(*loaded.config, io::wall_now());
      if (!tls.good()) loaded.config.reset();
      std::ranges::move(tls.findings, std::back_inserter(loaded.findings));
    }
    return loaded;
  }
  loaded.findings.push_back(
      {.what = files.error(), .remedy = "name a file that is there, or a directory of them"});
  return loaded;
}

void append_volumes(std::string& out, const std::map<std::string, Volume>& all,
                    const Outcomes& outcomes) {
  out += fmt::format("\nTraffic\n  {:<8}{:>12}{:>12}{:>22}\n", "country", "messages", "segments",
                     "segments, peak minute");
  for (const auto& [country, v] : all) {
    out += fmt::format("  {:<8}{:>12}{:>12}{:>22}\n", country.empty() ? "-" : country, v.messages,
                       v.segments, v.minute_peak == 0 ? "-" : std::to_string(v.minute_peak));
  }
  out += outcomes.text();
}

// As two more members of the object.
void append_volumes_json(std::string& out, const std::map<std::string, Volume>& all,
                         const Outcomes& outcomes) {
  out.pop_back();
  out += ",\"traffic\":";
  base::JsonWriter json(out);
  json.begin_array();
  for (const auto& [country, v] : all) {
    json.begin_object().key("country").string_or_null(country);
    json.key("messages").integer(static_cast<std::int64_t>(v.messages));
    json.key("segments").integer(static_cast<std::int64_t>(v.segments)).key("minute_peak");
    v.minute_peak == 0 ? json.null() : json.integer(static_cast<std::int64_t>(v.minute_peak));
    json.end_object();
  }
  json.end_array();
  out += ",\"outcomes\":";
  base::JsonWriter carriers(out);
  outcomes.append_json(carriers);
  out += '}';
}

// `destinations`: for whose registrations; none: for all that are reached.
std::string report(const config::Config& config, const config::Coverage& coverage,
                   const std::optional<std::set<std::string>>& destinations, bool json) {
  auto needs = config::registrations(config, coverage, io::wall_now(),
                                     destinations.value_or(std::set<std::string>{}));
  if (destinations && destinations->empty()) needs.clear();
  if (!json) {
    return config::coverage_text(config, coverage) + config::registrations_text(config, needs);
  }
  std::string out = config::coverage_json(config, coverage);
  out.pop_back();
  return out + ",\"registrations\":" + config::registrations_json(config, needs) + "}";
}

int check(const Arguments& arguments) {
  if (arguments.schema || arguments.reference) {
    const std::string out =
        arguments.schema ? config::json_schema() + "\n" : config::reference_markdown();
    std::fputs(out.c_str(), stdout);
    return kOk;
  }
  if (arguments.path.empty()) {
    std::fputs("check: name the configuration: trunkline check FILE\n", stderr);
    return kUsage;
  }
  std::optional<cells::Copy> taken;
  config::Loaded loaded = load(arguments.path, taken);
  if (loaded.config) {
    const config::Coverage coverage = config::coverage(*loaded.config);
    if (arguments.report) {
      std::expected<std::map<std::string, Volume>, TrafficError> traffic;
      std::optional<std::set<std::string>> destinations;
      Outcomes outcomes;
      if (!arguments.traffic.path.empty()) {
        traffic =
            volumes(arguments.traffic, *loaded.config,
                    [&](const TrafficRow& row, const std::string& to) { outcomes.add(row, to); });
        if (!traffic) {
          std::fprintf(stderr, "check: %s\n", traffic.error().text.c_str());
          return traffic.error().code;
        }
        destinations.emplace();
        for (const auto& [country, volume] : *traffic) destinations->insert(country);
      }
      std::string out = report(*loaded.config, coverage, destinations, arguments.json);
      if (!arguments.traffic.path.empty()) {
        arguments.json ? append_volumes_json(out, *traffic, outcomes)
                       : append_volumes(out, *traffic, outcomes);
      }
      if (arguments.json) out += '\n';
      std::fwrite(out.data(), 1, out.size(), stdout);
      return kOk;
    }
    std::ranges::move(config::coverage_warnings(*loaded.config, coverage, loaded.findings),
                      std::back_inserter(loaded.findings));
    std::ranges::sort(loaded.findings, {}, [](const config::Finding& f) {
      return std::tuple(std::string_view(f.file), f.line, f.column, std::string_view(f.what));
    });
  }
  Counts counts;
  for (const config::Finding& finding : loaded.findings) {
    ++(finding.severity == config::Finding::Severity::error ? counts.errors : counts.warnings);
  }
  const std::string out =
      arguments.json ? to_json(loaded, taken, counts) + "\n"
                     : to_text(arguments.path, loaded, counts) + taken_text(arguments.path, taken);
  std::fputs(out.c_str(), stdout);
  return loaded.config ? kOk : kUsage;
}

}  // namespace

void add_check(CLI::App& app, int& exit_code) {
  CLI::App* command =
      app.add_subcommand("check", "Say what is wrong with a configuration: line, column, remedy");
  auto arguments = std::make_shared<Arguments>();
  command->add_option("FILE", arguments->path, "Configuration file or directory; - reads stdin");
  command->add_flag("--json", arguments->json, "Print the findings as JSON");
  command->add_flag("--report", arguments->report,
                    "Print what each class reaches over whom, instead of the findings");
  // With --report: adds volume and peak by country.
  add_traffic_options(*command, arguments->traffic, /*required=*/false);
  command->add_flag("--schema", arguments->schema, "Print the JSON Schema of the configuration");
  command->add_flag("--reference", arguments->reference,
                    "Print the reference of docs/configuration.md");
  command->callback([arguments, &exit_code] { exit_code = check(*arguments); });
}

}  // namespace trunkline::cli
