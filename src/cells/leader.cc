#include "cells/leader.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"
#include "cells/wire.h"

namespace trunkline::cells {
namespace {

constexpr std::string_view kContext = "configuration";

const config::CellPeer& peer_of(const config::Following& following) {
  const auto found =
      std::ranges::find(following.cells.peers, following.cells.takes_from, &config::CellPeer::name);
  ASSERT(found != following.cells.peers.end());
  return *found;
}

}  // namespace

Leader::Leader(const config::Following& following, const seal::SharedBox& box,
               const io::HttpInterrupt* interrupt, base::Duration at_most)
    : following_(following), line_(peer_of(following), box, interrupt, at_most) {}

std::expected<config::SharedFiles, std::string> Leader::ask(std::string_view have,
                                                            base::Duration wait) {
  const Question question{
      .cell = following_.cell,
      .have = std::string(have),
      .wait_ms = static_cast<std::uint32_t>(wait / std::chrono::milliseconds(1))};
  const auto plain = line_.ask(kConfigurationPath, encode(question), kContext, kSharedToldBytesMax);
  if (!plain) return std::unexpected(plain.error());
  auto told = decode_shared(*plain);
  if (!told) return std::unexpected(told.error());
  if (told->cell != following_.cells.takes_from) {
    return std::unexpected(fmt::format(
        "the cell there calls itself {}, not {}: correct cells.peers here or node.cell there",
        told->cell, following_.cells.takes_from));
  }
  if (told->shared.version.empty()) {
    return std::unexpected(
        "it shares nothing: name the files under cells.shares there, and reload");
  }
  if (told->shared.files.empty() && told->shared.version != have) {
    return std::unexpected("what it tells is damaged");
  }
  return std::move(told->shared);
}

std::expected<config::SharedFiles, std::string> ask_once(const config::Following& following,
                                                         base::Duration at_most) {
  const seal::SharedBox box(following.cells.secret, kPurpose);
  Leader leader(following, box, nullptr, at_most);
  return leader.ask("", base::Duration::zero());
}

}  // namespace trunkline::cells
