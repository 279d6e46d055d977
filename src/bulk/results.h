// What became of each recipient of a bulk upload: records that are appended, never changed. Holds
// neither numbers nor texts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "bulk/spool.h"

namespace trunkline::bulk {

inline constexpr std::uint16_t kAccepted = 201;

struct Result {
  std::uint32_t index = 0;  // of the recipient, from 0
  std::uint32_t line = 0;   // of the upload, from 1
  std::uint16_t status = kAccepted;
  base::MessageId id;   // kAccepted
  std::string problem;  // else; as JSON
};

void append_result(std::string& out, const Result& result);
struct ResultPage {
  std::vector<Result> results;
  std::uint64_t next = 0;  // the offset behind them
};
// At most `limit` of those that lie between `from` and `to`. Nothing: the file cannot be read; one
// that is cut off at the end is left out.
std::optional<ResultPage> read_results(const File& file, std::uint64_t from, std::uint64_t to,
                                       std::size_t limit);

}  // namespace trunkline::bulk
