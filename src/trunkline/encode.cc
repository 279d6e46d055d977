// trunkline encode: what a text becomes on the air.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <cstdio>
#include <iostream>
#include <iterator>

#include "gsm/segment.h"
#include "trunkline/commands.h"

namespace trunkline::cli {
namespace {

struct Arguments {
  std::string text;
  std::uint32_t reference = 0;
  bool json = false;
};

void print_json(const gsm::TextReport& report, std::string_view text) {
  boost::json::array segments;
  for (const gsm::SegmentReport& s : report.segments) {
    segments.push_back({{"text", text.substr(s.text_begin, s.text_end - s.text_begin)},
                        {"units", s.units},
                        {"octets", s.octets_hex}});
  }
  const boost::json::object out{
      {"encoding", gsm::name(report.encoding)},    {"data_coding", report.data_coding},
      {"esm_class", report.has_header ? 0x40 : 0}, {"units", report.units},
      {"units_free", report.units_free},           {"segments", segments}};
  std::printf("%s\n", boost::json::serialize(out).c_str());
}

void print_text(const gsm::TextReport& report, std::string_view text) {
  const bool septets = report.encoding == gsm::Encoding::gsm7;
  fmt::print("encoding     {} (data_coding {})\n", gsm::name(report.encoding), report.data_coding);
  fmt::print("units        {} {}, {} more fit into the last segment\n", report.units,
             septets ? "septets" : "16-bit units", report.units_free);
  fmt::print("segments     {}{}\n", report.segments.size(),
             report.has_header ? ", each with a header of 6 octets (esm_class 64)" : "");
  for (std::size_t i = 0; i < report.segments.size(); ++i) {
    const gsm::SegmentReport& s = report.segments[i];
    fmt::print("\n{}: {} units, {} octets\n  {}\n  {}\n", i + 1, s.units, s.octets_hex.size() / 2,
               text.substr(s.text_begin, s.text_end - s.text_begin), s.octets_hex);
  }
}

int encode(Arguments& a) {
  if (a.text == "-") a.text.assign(std::istreambuf_iterator<char>(std::cin), {});
  const auto report = gsm::describe_text(a.text, static_cast<std::uint8_t>(a.reference));
  if (!report) {
    std::fprintf(stderr, "trunkline encode: %s\n", report.error().message().c_str());
    return kNegative;
  }
  if (a.json) {
    print_json(*report, a.text);
  } else {
    print_text(*report, a.text);
  }
  return kOk;
}

}  // namespace

void add_encode(CLI::App& app, int& exit_code) {
  CLI::App* c = app.add_subcommand("encode", "Show a text's alphabet, segments and octets");
  auto a = std::make_shared<Arguments>();
  c->add_option("--text", a->text, "UTF-8; - reads standard input")->required();
  c->add_option("--reference", a->reference, "Of the parts, in their headers")
      ->check(CLI::Range(0, 255))
      ->capture_default_str();
  c->add_flag("--json", a->json, "As JSON");
  c->callback([a, &exit_code] { exit_code = encode(*a); });
}

}  // namespace trunkline::cli
