// Opt-outs as tenants and operators write and read them: one shape for both, docs/http_api.md.
//
//   {"to":"+447700900123","sender":"Acme","state":"out"}     sender and state may be left out
//   {"opt_outs":[ ... ]}, or one object a line (NDJSON)      many of them, all or nothing
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "engine/event.h"
#include "numbering/number.h"
#include "seal/vault.h"
#include "store/store.h"

namespace trunkline::edge {

// `pointer` and `code` as io::ProblemError has them; nothing of a number in `detail`.
struct OptOutMistake {
  std::string pointer;
  std::string_view code;  // static storage
  std::string detail;
};

struct OptOutItem {
  numbering::Number to;
  std::string sender;  // empty: any
  std::string tenant;  // operator's only; empty: all
  bool out = true;
};

struct OptOutRequest {
  std::vector<OptOutItem> items;  // limits::kOptOutsAtOnceMax
  std::vector<OptOutMistake> mistakes;
};
// `for_operator`: with "tenant", which may be left out: then it is for all.
OptOutRequest parse_opt_outs(std::string_view body, bool lines, bool for_operator);

// Of GET and DELETE.
struct OptOutQuery {
  std::optional<numbering::Number> to;
  std::string sender;
  std::string tenant;  // operator's only
  std::string state = "out";
  std::string cursor;
  std::size_t limit = base::limits::kListLimitDefault;
  std::vector<OptOutMistake> mistakes;
};
enum class OptOutAsk : std::uint8_t { list, remove };
OptOutQuery parse_opt_out_query(std::string_view query, OptOutAsk ask, bool for_operator);

// For engine::ChangeOptOuts; `tenant` empty: for all. `by`: api, operator:ID, ...
message::OptOut opt_out(const OptOutItem& item, std::string tenant, std::string by,
                        const seal::Vault& vault, base::Wall now);

// What makes two requests the same, for their idempotency key.
std::string fingerprint(const std::vector<OptOutItem>& items);

// Reads a page: {"data":[{"to","sender","state","since","by","cell"}],"next_cursor"}, for operators
// with "tenant". The error is for the log. A cursor that was not given out for this list: nothing.
store::Result<std::optional<std::string>> list_opt_outs(const OptOutQuery& query,
                                                        const std::string& tenant,
                                                        bool for_operator, store::Store& store,
                                                        const seal::Vault& vault);

}  // namespace trunkline::edge
