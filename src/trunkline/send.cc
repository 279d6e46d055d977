// trunkline send: one message to a gateway.
#include <fmt/format.h>
#include <sodium.h>

#include <cstdio>
#include <iostream>
#include <iterator>
#include <memory>

#include "trunkline/api_client.h"
#include "trunkline/commands.h"
#include "trunkline/message_text.h"

namespace trunkline::cli {
namespace {

struct Arguments {
  MessageFields message;
  std::string url = "http://127.0.0.1:8080";
  std::string key;
  std::string idempotency_key;
  std::string timeout = "35s";  // the gateway answers within 30
  bool json = false;
};

int usage(const std::string& what) {
  std::fprintf(stderr, "trunkline send: %s\n", what.c_str());
  return kUsage;
}

std::string random_key() {
  unsigned char random[16];
  randombytes_buf(random, sizeof random);
  std::string key = "send-";
  for (const unsigned char byte : random) key += fmt::format("{:02x}", byte);
  return key;
}

// The same request again is safe: the key makes it the same message.
void advise_to_repeat(const Arguments& a) {
  std::fprintf(stderr,
               "  whether it was taken is not known; run it again with --idempotency-key %s,\n"
               "  and it goes out once at most\n",
               a.idempotency_key.c_str());
}

int send(Arguments& a) {
  const auto url = io::HttpUrl::parse(a.url);
  if (!url) return usage("--url: " + url.error());
  const auto timeout = base::parse_duration(a.timeout);
  if (!timeout) return usage("--timeout: " + timeout.error());
  if (a.key.empty() || !is_header_value(a.key)) return usage("--key: this is no API key");
  if (a.idempotency_key.empty()) {
    if (sodium_init() < 0) return usage("the system gives no random numbers");
    a.idempotency_key = random_key();
  }
  if (!is_header_value(a.idempotency_key))
    return usage("--idempotency-key: use printable ASCII without blanks");
  if (a.message.body == "-") a.message.body.assign(std::istreambuf_iterator<char>(std::cin), {});
  const auto body = message_json(a.message);
  if (!body) return usage(body.error());

  const auto reply = call_api({.url = *url, .key = a.key, .timeout = *timeout},
                              {.method = "POST",
                               .path = "/v1/messages",
                               .headers = fmt::format("Idempotency-Key: {}\r\n", a.idempotency_key),
                               .body = *body});
  if (!reply) {
    std::fprintf(stderr, "trunkline send: %s\n", reply.error().text.c_str());
    if (reply.error().maybe_done) advise_to_repeat(a);
    return kUnreachable;
  }
  const bool accepted = reply->status / 100 == 2;
  if (accepted && sent_text(reply->body).empty()) {
    std::fprintf(stderr, "trunkline send: what answers at %s is not Trunkline\n", a.url.c_str());
    return kUnreachable;
  }
  if (a.json) {
    std::printf("%s\n", reply->body.c_str());
  } else if (accepted) {
    std::printf("%s", sent_text(reply->body).c_str());
  }
  if (accepted) return kOk;
  if (!a.json) std::fprintf(stderr, "trunkline send: %s", refusal_text(*reply).c_str());
  if (reply->status >= 500) advise_to_repeat(a);
  return kNegative;
}

}  // namespace

void add_send(CLI::App& app, int& exit_code) {
  CLI::App* c = app.add_subcommand("send", "Send one message through a gateway");
  auto a = std::make_shared<Arguments>();
  c->add_option("--to", a->message.to, "Recipient, as in +447700900123")->required();
  c->add_option("--body", a->message.body, "Text in UTF-8; - reads standard input")->required();
  c->add_option("--class", a->message.traffic_class, "Traffic class; else the account's default");
  c->add_option("--from", a->message.from, "Sender");
  c->add_option("--ttl", a->message.ttl, "How long it may take: 5m, or seconds");
  c->add_option("--send-at", a->message.send_at, "Not before: RFC 3339, 2026-11-23T18:00:00Z");
  c->add_option("--metadata", a->message.metadata, "NAME=VALUE, once for each; or one JSON object");
  c->add_option("--region", a->message.region, "Region whose carriers are preferred");
  c->add_option("--callback-url", a->message.callback_url, "Where its events are sent");
  c->add_option("--url", a->url, "The gateway")->capture_default_str();
  c->add_option("--key", a->key, "API key; better in the environment, where ps does not show it")
      ->envname("TRUNKLINE_KEY")
      ->required();
  c->add_option("--idempotency-key", a->idempotency_key, "One key, one message; else a random one");
  c->add_option("--timeout", a->timeout, "Of one try")->capture_default_str();
  c->add_flag("--json", a->json, "Print the gateway's answer as it is");
  c->callback([a, &exit_code] { exit_code = send(*a); });
}

}  // namespace trunkline::cli
