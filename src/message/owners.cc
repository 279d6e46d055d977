#include "message/owners.h"

#include <algorithm>

#include "base/limits.h"

namespace trunkline::message {

void add_owner(std::vector<ReceiptOwner>& owners, ReceiptOwner owner) {
  std::erase_if(owners, [&](const ReceiptOwner& other) { return other.id == owner.id; });
  if (owner.until == base::Wall{}) return;
  owners.push_back(std::move(owner));
  const bool has_others = owners.front().id.is_null();
  if (owners.size() - (has_others ? 1 : 0) <= base::limits::kReceiptOwnersMax) return;
  // One that stands for all that are forgotten, for as long as any of them could be meant.
  if (!has_others) owners.insert(owners.begin(), ReceiptOwner{});
  owners[0].until = std::max(owners[0].until, owners[1].until);
  owners.erase(owners.begin() + 1);
}

}  // namespace trunkline::message
