#include "bulk/results.h"

#include <algorithm>

#include "base/bytes.h"

namespace trunkline::bulk {
namespace {

constexpr std::size_t kReadAtOnce = 256 * 1024;  // the largest record is far below

bool read_one(base::ByteReader& in, Result& out) {
  base::ByteReader record(in.text());
  if (!in.ok()) return false;
  out = {};
  out.index = static_cast<std::uint32_t>(record.varint());
  out.line = static_cast<std::uint32_t>(record.varint());
  out.status = record.u16();
  if (out.status == kAccepted) {
    const std::uint64_t high = record.u64();
    out.id = {high, record.u64()};
  } else {
    out.problem = record.text();
  }
  return record.ok();
}

}  // namespace

void append_result(std::string& out, const Result& result) {
  std::string record;
  base::ByteWriter writer(record);
  writer.varint(result.index);
  writer.varint(result.line);
  writer.u16(result.status);
  if (result.status == kAccepted) {
    writer.u64(result.id.high);
    writer.u64(result.id.low);
  } else {
    writer.text(result.problem);
  }
  base::ByteWriter(out).text(record);
}

std::optional<ResultPage> read_results(const File& file, std::uint64_t from, std::uint64_t to,
                                       std::size_t limit) {
  ResultPage page{.results = {}, .next = from};
  while (page.next < to && page.results.size() < limit) {
    const auto bytes =
        file.read_at(page.next, std::min<std::uint64_t>(kReadAtOnce, to - page.next));
    if (!bytes) return std::nullopt;
    base::ByteReader in(*bytes);
    std::size_t taken = 0;
    Result result;
    while (page.results.size() < limit && !in.at_end() && read_one(in, result)) {
      taken = in.offset();
      page.results.push_back(std::move(result));
    }
    if (taken == 0) break;
    page.next += taken;
  }
  return page;
}

}  // namespace trunkline::bulk
