// The one implementation of Store::list's rules, for engines that can walk ids downwards: merging,
// filters, the scan bound and paging.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/id.h"
#include "store/store.h"

namespace trunkline::store {

// The records of one tenant (with Index: of one recipient), newest first.
class ListSource {
 public:
  virtual ~ListSource() = default;
  virtual bool valid() const = 0;
  virtual base::MessageId id() const = 0;
  // The view lives until next(). Empty: gone meanwhile, to be skipped.
  virtual Result<std::string_view> record() = 0;
  virtual void next() = 0;
  // Why valid() turned false, if not for the end.
  virtual Result<void> status() const = 0;
};

// Ids to look at: low <= id < high.
struct IdRange {
  base::MessageId low;
  base::MessageId high;
  bool empty() const { return low >= high; }
};
IdRange id_range(const ListQuery& query);

// Both sources stand on their newest id below id_range(query).high and end before
// id_range(query).low. An id in both is taken from `archive`. query.to_hash is the sources' affair.
Result<ListPage> list_page(const ListQuery& query, ListSource& archive, ListSource& cold);

}  // namespace trunkline::store
