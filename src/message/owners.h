// Who may own receipts under one key: the one rule for all that keep them.
#pragma once

#include <vector>

#include "message/commit.h"

namespace trunkline::message {

// The latest last, each message once, limits::kReceiptOwnersMax of them; what is beyond is known to
// be there, see ReceiptOwner::id. `until` zero: the message is taken away, its receipt has come.
void add_owner(std::vector<ReceiptOwner>& owners, ReceiptOwner owner);

}  // namespace trunkline::message
