// trunkline bulk: a file of recipients to a gateway, and how far it is.
#include <fmt/format.h>
#include <sodium.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <thread>

#include "trunkline/api_client.h"
#include "trunkline/commands.h"
#include "trunkline/message_text.h"

namespace trunkline::cli {
namespace {

struct Arguments {
  std::string file;
  std::string url = "http://127.0.0.1:8080";
  std::string key;
  std::string idempotency_key;
  std::string timeout = "10m";
  bool no_wait = false;
  bool json = false;
};

int usage(const std::string& what) {
  std::fprintf(stderr, "trunkline bulk: %s\n", what.c_str());
  return kUsage;
}

struct Progress {
  std::string id;
  std::string status;
  std::string waiting;
  std::int64_t total = 0;
  std::int64_t accepted = 0;
  std::int64_t refused = 0;
  bool has_ended() const { return status == "done" || status == "canceled"; }
};

std::optional<Progress> read_progress(const std::string& body) {
  boost::system::error_code ec;
  const boost::json::value value = boost::json::parse(body, ec);
  const auto* o = ec ? nullptr : value.if_object();
  if (o == nullptr) return std::nullopt;
  const auto text = [&](const char* name) {
    const auto* v = o->if_contains(name);
    return v != nullptr && v->is_string() ? std::string(v->get_string()) : std::string();
  };
  const auto number = [&](const char* name) {
    const auto* v = o->if_contains(name);
    return v != nullptr && v->is_int64() ? v->get_int64() : std::int64_t{-1};
  };
  Progress out{text("id"),      text("status"),     text("waiting"),
               number("total"), number("accepted"), number("refused")};
  if (out.id.empty() || out.status.empty() || out.total < 0) return std::nullopt;
  return out;
}

// One line that is written over, where somebody looks.
void show(const Progress& p) {
  constexpr std::int64_t kWidth = 30;
  const std::int64_t have = p.accepted + p.refused;
  const auto filled = static_cast<std::size_t>(p.total > 0 ? have * kWidth / p.total : kWidth);
  const std::string line =
      fmt::format("[{}{}] {} of {}, {} refused, {}{}", std::string(filled, '#'),
                  std::string(static_cast<std::size_t>(kWidth) - filled, '.'), have, p.total,
                  p.refused, p.status, p.waiting.empty() ? "" : ": " + p.waiting);
  std::fprintf(stderr, "\r\x1b[K%s", line.c_str());
}

int bulk(Arguments& a) {
  const auto url = io::HttpUrl::parse(a.url);
  if (!url) return usage("--url: " + url.error());
  const auto timeout = base::parse_duration(a.timeout);
  if (!timeout) return usage("--timeout: " + timeout.error());
  if (a.key.empty() || !is_header_value(a.key)) return usage("--key: this is no API key");
  if (a.idempotency_key.empty()) {
    if (sodium_init() < 0) return usage("the system gives no random numbers");
    unsigned char random[16];
    randombytes_buf(random, sizeof random);
    a.idempotency_key = "bulk-";
    for (const unsigned char byte : random) a.idempotency_key += fmt::format("{:02x}", byte);
  }
  if (!is_header_value(a.idempotency_key))
    return usage("--idempotency-key: use printable ASCII without blanks");
  std::ifstream in(a.file, std::ios::binary);
  if (!in) return usage(a.file + " cannot be read");
  std::string body{std::istreambuf_iterator<char>(in), {}};

  const ApiTarget target{.url = *url, .key = a.key, .timeout = *timeout};
  auto reply =
      call_api(target, {.method = "POST",
                        .path = "/v1/bulk",
                        .headers = fmt::format("Idempotency-Key: {}\r\n", a.idempotency_key),
                        .body = std::move(body),
                        .content_type = "application/x-ndjson"});
  const bool is_terminal = ::isatty(STDERR_FILENO) != 0 && !a.json;
  while (true) {
    if (!reply) {
      if (is_terminal) std::fprintf(stderr, "\n");
      std::fprintf(stderr, "trunkline bulk: %s\n", reply.error().text.c_str());
      if (reply.error().maybe_done) {
        std::fprintf(stderr, "  run it again with --idempotency-key %s, and nobody gets it twice\n",
                     a.idempotency_key.c_str());
      }
      return kUnreachable;
    }
    if (reply->status / 100 != 2) {
      std::fprintf(stderr, "trunkline bulk: %s", refusal_text(*reply).c_str());
      return kNegative;
    }
    const auto progress = read_progress(reply->body);
    if (!progress) {
      std::fprintf(stderr, "trunkline bulk: what answers at %s is not Trunkline\n", a.url.c_str());
      return kUnreachable;
    }
    if (is_terminal) show(*progress);
    if (a.no_wait || progress->has_ended()) {
      if (is_terminal) std::fprintf(stderr, "\n");
      if (a.json) {
        std::printf("%s\n", reply->body.c_str());
      } else {
        std::printf("%s: %s, %ld of %ld accepted, %ld refused\n", progress->id.c_str(),
                    progress->status.c_str(), static_cast<long>(progress->accepted),
                    static_cast<long>(progress->total), static_cast<long>(progress->refused));
      }
      return progress->refused == 0 && progress->status != "canceled" ? kOk : kNegative;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(250));
    reply = call_api(
        target, {.method = "GET", .path = "/v1/bulk/" + progress->id, .headers = {}, .body = {}});
  }
}

}  // namespace

void add_bulk(CLI::App& app, int& exit_code) {
  CLI::App* c =
      app.add_subcommand("bulk", "Send to the recipients of a file, a JSON object a line");
  auto a = std::make_shared<Arguments>();
  c->add_option("FILE", a->file, "Recipients; the first line may have what is common to all")
      ->required();
  c->add_option("--url", a->url, "The gateway")->capture_default_str();
  c->add_option("--key", a->key, "API key; better in the environment, where ps does not show it")
      ->envname("TRUNKLINE_KEY")
      ->required();
  c->add_option("--idempotency-key", a->idempotency_key,
                "One key, one bulk; else a random one, told if it is needed");
  c->add_option("--timeout", a->timeout, "Of the upload")->capture_default_str();
  c->add_flag("--no-wait", a->no_wait, "Do not wait for its end");
  c->add_flag("--json", a->json, "Print the gateway's answer as it is");
  c->callback([a, &exit_code] { exit_code = bulk(*a); });
}

}  // namespace trunkline::cli
