// Asking a gateway's admin listener, as the commands of operators do.
#pragma once

#include <CLI/CLI.hpp>
#include <expected>
#include <string>
#include <string_view>

namespace trunkline::cli {

struct OperatorAccess {
  std::string program;  // as errors name it: "trunkline queue"
  std::string url = "http://127.0.0.1:9090";
  std::string token;
};

// --admin and --token.
void add_operator_access(CLI::App& command, OperatorAccess& access);

// The answer's body if it is 200; else the exit code, with all said.
std::expected<std::string, int> ask_operator_api(const OperatorAccess& access,
                                                 std::string_view method, const std::string& path,
                                                 const std::string& body = {});

}  // namespace trunkline::cli
