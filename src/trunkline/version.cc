// trunkline version: what exactly runs here, for a report of a bug.
#include "trunkline/version.h"

#include <fmt/core.h>
#include <openssl/crypto.h>
#include <rocksdb/version.h>
#include <sodium.h>
#include <spdlog/version.h>

#include <boost/version.hpp>
#include <cstdio>

#include "base/json_writer.h"
#include "numbering/country.h"
#include "trunkline/commands.h"

namespace trunkline::cli {

std::string_view version() { return TRUNKLINE_VERSION; }
std::string_view commit() { return TRUNKLINE_COMMIT; }

namespace {

struct Part {
  std::string_view name;
  std::string version;
};

// Headers are what was compiled against; a library asked at run time tells what is loaded.
std::vector<Part> parts() {
  return {
      {"boost", fmt::format("{}.{}.{}", BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000,
                            BOOST_VERSION % 100)},
      {"cli11", CLI11_VERSION},
      {"fmt",
       fmt::format("{}.{}.{}", FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100)},
      {"openssl", OpenSSL_version(OPENSSL_VERSION_STRING)},
      {"rocksdb", fmt::format("{}.{}.{}", ROCKSDB_MAJOR, ROCKSDB_MINOR, ROCKSDB_PATCH)},
      {"sodium", sodium_version_string()},
      {"spdlog", fmt::format("{}.{}.{}", SPDLOG_VER_MAJOR, SPDLOG_VER_MINOR, SPDLOG_VER_PATCH)},
      {"yaml-cpp", TRUNKLINE_YAML_CPP_VERSION},
      {"numbering-plans", std::string(numbering::metadata_source())},
  };
}

void print_text() {
  std::printf("trunkline %s\ncommit    %s\ncompiler  %s\nbuild     %s\n", TRUNKLINE_VERSION,
              TRUNKLINE_COMMIT, __VERSION__, TRUNKLINE_BUILD);
  for (const Part& part : parts()) {
    std::printf("%-15s %s\n", std::string(part.name).c_str(), part.version.c_str());
  }
}

void print_json() {
  std::string out;
  base::JsonWriter json(out);
  json.begin_object().key("version").string(TRUNKLINE_VERSION);
  json.key("commit").string(TRUNKLINE_COMMIT).key("compiler").string(__VERSION__);
  json.key("build").string(TRUNKLINE_BUILD).key("dependencies").begin_object();
  for (const Part& part : parts()) json.key(part.name).string(part.version);
  json.end_object().end_object();
  std::printf("%s\n", out.c_str());
}

}  // namespace

void add_version(CLI::App& app, int& exit_code) {
  CLI::App* command =
      app.add_subcommand("version", "Print the version, commit, compiler and dependencies");
  auto as_json = std::make_shared<bool>(false);
  command->add_flag("--json", *as_json, "Print JSON");
  command->callback([as_json, &exit_code] {
    *as_json ? print_json() : print_text();
    exit_code = kOk;
  });
}

}  // namespace trunkline::cli
