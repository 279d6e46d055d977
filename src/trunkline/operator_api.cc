#include "trunkline/operator_api.h"

#include <fmt/format.h>

#include <cstdio>

#include "io/http_client.h"
#include "trunkline/api_client.h"
#include "trunkline/exit_code.h"
#include "trunkline/message_text.h"

namespace trunkline::cli {
namespace {

constexpr auto kTimeout = std::chrono::seconds(30);

}  // namespace

void add_operator_access(CLI::App& command, OperatorAccess& access) {
  command.add_option("--admin", access.url, "The gateway's admin listener")->capture_default_str();
  command
      .add_option("--token", access.token,
                  "Admin token; better in the environment, where ps does not show it")
      ->envname("TRUNKLINE_ADMIN_TOKEN")
      ->required();
}

std::expected<std::string, int> ask_operator_api(const OperatorAccess& access,
                                                 std::string_view method, const std::string& path,
                                                 const std::string& body) {
  const auto say = [&](int code, const std::string& what) {
    std::fprintf(stderr, "%s: %s\n", access.program.c_str(), what.c_str());
    return std::unexpected(code);
  };
  const auto url = io::HttpUrl::parse(access.url);
  if (!url) return say(kUsage, "--admin: " + url.error());
  if (access.token.empty() || !is_header_value(access.token))
    return say(kUsage, "--token: this is no admin token");
  auto client = io::HttpClient::connect(url->host, url->port, kTimeout);
  if (!client) return say(kUnreachable, client.error().text);
  const auto reply = client->request(
      method, url->prefix + path, fmt::format("Authorization: Bearer {}\r\n", access.token), body);
  if (!reply) return say(kUnreachable, reply.error().text);
  if (reply->status == 200) return reply->body;
  std::fprintf(stderr, "%s: %s", access.program.c_str(), refusal_text(*reply).c_str());
  return std::unexpected(kNegative);
}

}  // namespace trunkline::cli
