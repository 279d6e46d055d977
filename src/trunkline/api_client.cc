#include "trunkline/api_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

namespace trunkline::cli {
namespace {

using namespace std::chrono_literals;

constexpr base::Duration kFirstPause = 500ms;  // doubles: 3.5 s in all, enough for a restart

}  // namespace

std::expected<io::HttpReply, ApiError> call_api(const ApiTarget& target, const ApiRequest& request,
                                                const std::function<void(base::Duration)>& pause) {
  std::string headers = fmt::format("Authorization: Bearer {}\r\n{}", target.key, request.headers);
  if (!request.body.empty()) headers += fmt::format("Content-Type: {}\r\n", request.content_type);
  ApiError error;
  for (int retry = 0;; ++retry) {
    auto client = io::HttpClient::connect(target.url.host, target.url.port, target.timeout);
    if (!client) {
      error.text = client.error().text;
      if (!error.maybe_done) return std::unexpected(error);
    } else {
      auto reply =
          client->request(request.method, target.url.prefix + request.path, headers, request.body);
      if (reply) return std::move(*reply);
      error = {.maybe_done = true, .text = reply.error().text};
      if (reply.error().kind == io::HttpClient::ErrorKind::garbled) return std::unexpected(error);
    }
    if (retry == kApiRetries) return std::unexpected(error);
    pause(kFirstPause * (1 << retry));
  }
}

std::expected<io::HttpReply, ApiError> call_api(const ApiTarget& target,
                                                const ApiRequest& request) {
  return call_api(target, request, [](base::Duration d) { std::this_thread::sleep_for(d); });
}

bool is_header_value(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

bool is_peer_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._-").contains(c);
  });
}

}  // namespace trunkline::cli
