// Messages that carriers have taken and whose receipts are outstanding: what a carrier that is gone
// holds. The engine knows those in memory; those in the cold tier are counted from time to time.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "store/store.h"

namespace trunkline::service {

struct Awaited {
  std::size_t count = 0;
  base::Wall since{};  // the oldest of them was taken then

  void add(base::Wall taken_at) {
    since = count == 0 ? taken_at : std::min(since, taken_at);
    ++count;
  }
};
using AwaitedByCarrier = std::map<std::string, Awaited, std::less<>>;

// Of a record: by whom it was taken last, and when, if a receipt of it is outstanding.
struct Taken {
  std::string carrier;
  base::Wall at{};
};
std::optional<Taken> awaits_receipt(std::string_view record);

store::Result<AwaitedByCarrier> count_awaited(store::Store& store);

}  // namespace trunkline::service
