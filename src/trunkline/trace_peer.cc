// trunkline trace-peer: what passes between the gateway and one peer, as it happens.
#include <boost/json.hpp>
#include <cstdio>
#include <memory>

#include "io/http_client.h"
#include "trunkline/api_client.h"
#include "trunkline/commands.h"
#include "trunkline/message_text.h"
#include "trunkline/trace_peer_text.h"

namespace trunkline::cli {
namespace {

struct Arguments {
  std::string name;
  std::string url = "http://127.0.0.1:9090";
  std::string token;
  bool account = false;
  bool carrier = false;
  bool bodies = false;
  bool json = false;
};

// The gateway gives a sign of life every 5 s.
constexpr auto kSilence = std::chrono::seconds(30);

int usage(const std::string& what) {
  std::fprintf(stderr, "trunkline trace-peer: %s\n", what.c_str());
  return kUsage;
}

// Prints whole lines; an empty one is a sign of life.
class Printer {
 public:
  explicit Printer(bool as_json) : as_json_(as_json) {}
  void put(std::string_view piece) {
    unfinished_.append(piece);
    std::size_t begin = 0;
    for (std::size_t end; (end = unfinished_.find('\n', begin)) != std::string::npos;
         begin = end + 1) {
      const std::string_view line = std::string_view(unfinished_).substr(begin, end - begin);
      if (line.empty()) continue;
      const std::string text = (as_json_ ? std::string(line) : peer_line_text(line)) + "\n";
      std::fwrite(text.data(), 1, text.size(), stdout);
    }
    unfinished_.erase(0, begin);
    std::fflush(stdout);
  }

 private:
  const bool as_json_;
  std::string unfinished_;
};

std::expected<io::HttpReply, io::HttpClient::Error> follow(const Arguments& a,
                                                           const io::HttpUrl& url,
                                                           std::string_view kind) {
  auto client = io::HttpClient::connect(url.host, url.port, kSilence);
  if (!client) return std::unexpected(client.error());
  Printer printer(a.json);
  return client->stream(
      fmt::format("{}/v1/{}/{}/trace{}", url.prefix, kind, a.name, a.bodies ? "?bodies=1" : ""),
      fmt::format("Authorization: Bearer {}\r\n", a.token),
      [&](std::string_view piece) { printer.put(piece); });
}

int trace_peer(const Arguments& a) {
  const auto url = io::HttpUrl::parse(a.url);
  if (!url) return usage("--admin: " + url.error());
  if (a.token.empty() || !is_header_value(a.token)) return usage("--token: this is no admin token");
  if (!is_peer_name(a.name)) return usage("NAME: a carrier's name or an account's system_id");
  std::vector<std::string_view> kinds;
  if (!a.account) kinds.push_back("carriers");
  if (!a.carrier) kinds.push_back("accounts");
  for (const std::string_view kind : kinds) {
    const auto reply = follow(a, *url, kind);
    if (!reply) {
      std::fprintf(stderr, "trunkline trace-peer: %s\n", reply.error().text.c_str());
      return kUnreachable;
    }
    if (reply->status == 200) return kOk;  // the gateway stops
    if (reply->status == 404 && kind != kinds.back()) continue;
    std::fprintf(stderr, "trunkline trace-peer: %s", refusal_text(*reply).c_str());
    return kNegative;
  }
  return kNegative;
}

}  // namespace

void add_trace_peer(CLI::App& app, int& exit_code) {
  CLI::App* c = app.add_subcommand(
      "trace-peer", "Show what passes between the gateway and a carrier or an application");
  auto a = std::make_shared<Arguments>();
  c->add_option("NAME", a->name, "A carrier's name, or an SMPP account's system_id")->required();
  c->add_option("--admin", a->url, "The gateway's admin listener")->capture_default_str();
  c->add_option("--token", a->token,
                "Admin token; better in the environment, where ps does not show it")
      ->envname("TRUNKLINE_ADMIN_TOKEN")
      ->required();
  auto* account = c->add_flag("--account", a->account, "NAME is an account's");
  c->add_flag("--carrier", a->carrier, "NAME is a carrier's")->excludes(account);
  c->add_flag("--bodies", a->bodies,
              "Texts and whole numbers, too: needs an operator's token, and is in the log");
  c->add_flag("--json", a->json, "Each line as JSON");
  c->callback([a, &exit_code] { exit_code = trace_peer(*a); });
}

}  // namespace trunkline::cli
