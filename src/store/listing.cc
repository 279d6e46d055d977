#include "store/listing.h"

#include <algorithm>

#include "base/limits.h"
#include "message/record.h"

namespace trunkline::store {
namespace {

constexpr std::uint64_t kMsMax = (std::uint64_t{1} << 48) - 1;
constexpr base::MessageId kBeyond{~std::uint64_t{0}, ~std::uint64_t{0}};

// The smallest id of a millisecond. Beyond what an id can hold: beyond every id.
base::MessageId first_id_of(std::int64_t ms) {
  if (ms <= 0) return {};
  if (static_cast<std::uint64_t>(ms) > kMsMax) return kBeyond;
  return {static_cast<std::uint64_t>(ms) << 16, 0};
}

bool needs_record(const ListQuery& query) {
  return query.status || query.traffic_class || query.from_time || query.to_time;
}

std::expected<bool, std::string> matches(const ListQuery& query, std::string_view bytes) {
  if (!needs_record(query)) return true;
  const auto envelope = message::decode_envelope(bytes);
  if (!envelope) return std::unexpected(envelope.error());
  if (query.from_time && envelope->accepted_at < *query.from_time) return false;
  if (query.to_time && envelope->accepted_at >= *query.to_time) return false;
  if (query.traffic_class && envelope->traffic_class != *query.traffic_class) return false;
  if (query.status) {
    const auto record = message::decode_record(bytes);
    if (!record) return std::unexpected(record.error());
    if (message::fold(*record).state != *query.status) return false;
  }
  return true;
}

}  // namespace

IdRange id_range(const ListQuery& query) {
  IdRange range{{}, kBeyond};
  if (query.from_time) {
    range.low = first_id_of(
        std::chrono::floor<std::chrono::milliseconds>(query.from_time->time_since_epoch()).count());
  }
  if (query.to_time) {
    range.high = first_id_of(
        std::chrono::ceil<std::chrono::milliseconds>(query.to_time->time_since_epoch()).count());
  }
  if (query.before) range.high = std::min(range.high, *query.before);
  return range;
}

Result<ListPage> list_page(const ListQuery& query, ListSource& archive, ListSource& cold) {
  const std::size_t limit = std::clamp<std::size_t>(query.limit, 1, base::limits::kListScanMax);
  ListPage page;
  base::MessageId last;
  std::size_t looked_at = 0;
  while (archive.valid() || cold.valid()) {
    if (page.records.size() == limit || looked_at == base::limits::kListScanMax) {
      page.resume = last;
      break;
    }
    ListSource& source =
        !cold.valid() || (archive.valid() && archive.id() >= cold.id()) ? archive : cold;
    last = source.id();
    ++looked_at;
    const auto record = source.record();
    if (!record) return std::unexpected(record.error());
    if (!record->empty()) {
      const auto wanted = matches(query, *record);
      if (!wanted) {
        return std::unexpected(
            Error{ErrorKind::damaged,
                  fmt::format("record of {} cannot be read: {}", last.rest(), wanted.error())});
      }
      if (*wanted) page.records.emplace_back(*record);
    }
    if (&source == &archive && cold.valid() && cold.id() == last) cold.next();
    source.next();
  }
  for (const ListSource* source : {&archive, &cold}) {
    if (auto status = source->status(); !status) return std::unexpected(status.error());
  }
  return page;
}

}  // namespace trunkline::store
