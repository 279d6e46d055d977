#include "cells/line.h"

#include <fmt/format.h>

#include <algorithm>

#include "io/clock.h"

namespace trunkline::cells {
namespace {

using namespace std::chrono_literals;

constexpr auto kConnect = 5s;  // for a name's address
constexpr auto kAddressesKept = 30s;

}  // namespace

std::string told_context(std::string_view name) { return "told" + std::string(name); }

std::string url_of(const config::CellPeer& peer) {
  const bool is_v6 = peer.host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", is_v6 ? "[" : "", peer.host, is_v6 ? "]" : "", peer.port);
}

Line::Line(config::CellPeer peer, const seal::SharedBox& box, const io::HttpInterrupt* interrupt,
           base::Duration at_most)
    : peer_(std::move(peer)),
      box_(box),
      interrupt_(interrupt),
      at_most_(at_most),
      resolver_(peer_.host, peer_.port, kAddressesKept) {}

std::expected<std::string, std::string> Line::ask(std::string_view path, std::string_view question,
                                                  std::string_view context,
                                                  std::size_t octets_max) {
  if (client_ && !client_->is_idle()) client_.reset();
  if (!client_) {
    const auto wait = std::min<base::Duration>(kConnect, at_most_);
    const auto addresses = resolver_.addresses(io::mono_now() + wait);
    if (!addresses) return std::unexpected(addresses.error());
    auto connected = io::HttpClient::connect(*addresses, url_of(peer_), at_most_, interrupt_);
    if (!connected) return std::unexpected(connected.error().text);
    client_ = std::move(*connected);
  }
  client_->limit_body(octets_max);
  const std::string box = box_.seal(question, context);
  auto reply = client_->request("POST", path, "Content-Type: application/octet-stream\r\n", box);
  if (!reply || reply->status != 200 || reply->header("connection") == "close") client_.reset();
  if (!reply) return std::unexpected(reply.error().text);
  if (reply->status == 401) {
    return std::unexpected("it does not know us: is cells.secret the same on both sides?");
  }
  if (reply->status == 404) return std::unexpected("it has no cells in its configuration");
  if (reply->status != 200) return std::unexpected(fmt::format("it answers {}", reply->status));
  auto plain = box_.open(reply->body, told_context(seal::SharedBox::name(box)));
  if (!plain) {
    return std::unexpected("its answer does not open: is cells.secret the same on both sides?");
  }
  return std::move(*plain);
}

}  // namespace trunkline::cells
