// Asking the store whose a receipt may be, before the engine decides: what has ended, and what
// waits in the cold tier, is not in its memory.
#pragma once

#include <expected>
#include <ranges>
#include <string_view>
#include <utility>

#include "base/time.h"
#include "engine/engine.h"
#include "message/journal.h"

namespace trunkline::engine {

// Fills `receipt.owners`. `carrier` is the name of the receipt's carrier; `store` is a
// store::Store, which this folder knows nothing of, or a test's own. Errors are the store's.
template <typename Store>
auto find_receipt_owners(const Engine& engine, Store& store, std::string_view carrier,
                         base::Wall now, Receipt& receipt)
    -> std::expected<void, typename decltype(store.find_owners({}, {}))::error_type> {
  const std::uint64_t to_hash = receipt.to_hash;
  ReceiptOwners& known = receipt.owners;
  if (!receipt.carrier_message_id.empty()) {
    const base::Hash128 key = message::receipt_key(carrier, receipt.carrier_message_id);
    if (engine.knows_receipt(key, to_hash)) return {};
    // Of a reused id the number tells which is meant: the cold tier knows both keys of each.
    auto cold = store.find_cold_by_receipt(
        to_hash != 0 ? message::numbered_receipt_key(key, to_hash) : key);
    if (!cold) return std::unexpected(cold.error());
    if (*cold) {
      known.cold = std::move((**cold).record);
      return {};
    }
    auto owners = store.find_owners(key, now);
    if (!owners) return std::unexpected(owners.error());
    // The latest first: carriers use ids again.
    for (const message::ReceiptOwner& owner : *owners | std::views::reverse) {
      if (owner.id.is_null()) known.others = true;
      if (owner.id.is_null() || (to_hash != 0 && owner.to_hash != to_hash)) continue;
      auto ended = store.find_message(owner.tenant, owner.id);
      if (!ended) return std::unexpected(ended.error());
      if (*ended) known.ended = std::move(**ended);
      known.ended_attempt = owner.attempt;
      known.ended_segment = owner.segment;
      known.others = !*ended;  // erased: still it is nobody else's
      return {};
    }
  }
  if (to_hash == 0) return {};
  auto owners = store.find_owners(message::receipt_number_key(carrier, to_hash), now);
  if (!owners) return std::unexpected(owners.error());
  for (const message::ReceiptOwner& owner : *owners) {
    if (owner.id.is_null()) known.others = true;
    if (owner.id.is_null() || engine.is_hot(owner.id)) continue;
    auto cold = store.find_cold(owner.id);
    if (!cold) return std::unexpected(cold.error());
    if (*cold) {
      known.cold_by_number.push_back(std::move((**cold).record));
      continue;
    }
    auto ended = store.find_message(owner.tenant, owner.id);
    if (!ended) return std::unexpected(ended.error());
    if (*ended) known.ended_by_number.push_back(std::move(**ended));
  }
  return {};
}

}  // namespace trunkline::engine
