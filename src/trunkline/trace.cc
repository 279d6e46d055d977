// trunkline trace: the whole story of one message.
#include <algorithm>
#include <cstdio>
#include <memory>

#include "trunkline/api_client.h"
#include "trunkline/commands.h"
#include "trunkline/message_text.h"

namespace trunkline::cli {
namespace {

struct Arguments {
  std::string id;
  std::string url = "http://127.0.0.1:8080";
  std::string key;
  std::string timeout = "35s";
  bool json = false;
};

int usage(const std::string& what) {
  std::fprintf(stderr, "trunkline trace: %s\n", what.c_str());
  return kUsage;
}

// Whatever may stand in a path as it is. Whether it is an id is the gateway's to say.
bool is_path_segment(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

int trace(const Arguments& a) {
  const auto url = io::HttpUrl::parse(a.url);
  if (!url) return usage("--url: " + url.error());
  const auto timeout = base::parse_duration(a.timeout);
  if (!timeout) return usage("--timeout: " + timeout.error());
  if (a.key.empty() || !is_header_value(a.key)) return usage("--key: this is no API key");
  if (!is_path_segment(a.id)) return usage("ID: a message id is msg_ and 32 hexadecimal digits");
  const ApiTarget target{.url = *url, .key = a.key, .timeout = *timeout};

  io::HttpReply replies[2];
  const std::string path = "/v1/messages/" + a.id;
  for (int i = 0; i < 2; ++i) {
    auto reply = call_api(
        target,
        {.method = "GET", .path = i == 0 ? path : path + "/events", .headers = {}, .body = {}});
    if (!reply) {
      std::fprintf(stderr, "trunkline trace: %s\n", reply.error().text.c_str());
      return kUnreachable;
    }
    if (reply->status != 200) {
      std::fprintf(stderr, "trunkline trace: %s", refusal_text(*reply).c_str());
      return kNegative;
    }
    replies[i] = std::move(*reply);
  }
  const std::string text = a.json ? trace_json(replies[0].body, replies[1].body) + "\n"
                                  : trace_text(replies[0].body, replies[1].body);
  if (text.size() <= 1) {
    std::fprintf(stderr, "trunkline trace: what answers at %s is not Trunkline\n", a.url.c_str());
    return kUnreachable;
  }
  std::fwrite(text.data(), 1, text.size(), stdout);
  return kOk;
}

}  // namespace

void add_trace(CLI::App& app, int& exit_code) {
  CLI::App* c = app.add_subcommand("trace", "Tell what happened to a message");
  auto a = std::make_shared<Arguments>();
  c->add_option("ID", a->id, "The message's id")->required();
  c->add_option("--url", a->url, "The gateway")->capture_default_str();
  c->add_option("--key", a->key, "API key; better in the environment, where ps does not show it")
      ->envname("TRUNKLINE_KEY")
      ->required();
  c->add_option("--timeout", a->timeout, "Of one try")->capture_default_str();
  c->add_flag("--json", a->json, "As JSON");
  c->callback([a, &exit_code] { exit_code = trace(*a); });
}

}  // namespace trunkline::cli
