#include "config/compile_cells.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/scalar.h"
#include "config/text.h"

namespace trunkline::config {
namespace {

constexpr std::size_t kSecretMin = 20;

std::optional<Endpoint> parse_peer(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  if (!url.starts_with(kScheme)) return std::nullopt;
  url.remove_prefix(kScheme.size());
  if (url.ends_with('/')) url.remove_suffix(1);
  const auto at = parse_scalar(Kind::address, std::string(url), false);
  if (!at || std::get<Endpoint>(*at).port == 0) return std::nullopt;
  return std::get<Endpoint>(*at);
}

}  // namespace

std::optional<Cells> compile_cells(const Value& value, const std::string& own, bool is_asked,
                                   Findings& findings) {
  if (!value.given || value.bad) return std::nullopt;
  const auto error = [&](const Value& at, std::string what, std::string remedy) {
    findings.error(at.mark, at.path, std::move(what), std::move(remedy));
  };
  Cells out;
  const Value& secret = value.at("secret");
  out.secret = secret.text();
  if (secret.given && !secret.bad && out.secret.size() < kSecretMin) {
    error(secret, fmt::format("a secret of {} characters can be guessed", out.secret.size()),
          "make one with `openssl rand -base64 33`, the same for all cells");
  }
  if (!is_asked) {
    error(value, "the other cells ask on the admin listener, and there is none",
          "give listen.admin an address that they reach");
  }
  for (const Value& item : value.at("peers").items) {
    const Value& name = item.at("name");
    const Value& url = item.at("url");
    if (name.text() == own) {
      error(name, fmt::format("{} is this cell itself", quote(own)),
            "write the other one's node.cell, or give this one another");
    }
    if (std::ranges::find(out.peers, name.text(), &CellPeer::name) != out.peers.end()) {
      error(name, fmt::format("{} is there twice", quote(name.text())), "leave one");
    }
    CellPeer peer{.name = name.text()};
    if (url.given && !url.bad) {
      const auto at = parse_peer(url.text());
      if (!at) {
        error(url, fmt::format("{} is not where an admin listener can be", quote(url.text())),
              "write it as http://10.0.0.2:9090; what goes there is sealed");
      } else {
        peer.host = at->host;
        peer.port = at->port;
      }
    }
    out.peers.push_back(std::move(peer));
  }
  for (const Value& item : value.at("shares").items) out.shares.push_back(item.text());
  const Value& from = value.at("takes_configuration_from");
  out.takes_from = from.text();
  if (out.takes_from.empty()) return out;
  if (std::ranges::find(out.peers, out.takes_from, &CellPeer::name) == out.peers.end()) {
    std::vector<std::string_view> names;
    for (const CellPeer& peer : out.peers) names.emplace_back(peer.name);
    const std::string_view near = nearest(out.takes_from, names);
    error(from, fmt::format("cell {} is none of cells.peers", quote(out.takes_from)),
          !near.empty()   ? fmt::format("did you mean {}?", quote(near))
          : names.empty() ? "name it there, with the address of its admin listener"
                          : fmt::format("name it there, too; the peers are: {}", join(names)));
  }
  return out;
}

}  // namespace trunkline::config
