// A record or payload from anywhere: an error or a value, and a value folds and encodes again.
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "message/record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace trunkline;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  static_cast<void>(message::sealed_of(bytes));
  if (const auto payload = message::decode_payload(bytes)) {
    const auto again = message::decode_payload(message::encode_payload(*payload));
    ASSERT(again && again->body == payload->body && again->to == payload->to);
  }
  const auto record = message::decode_record(bytes);
  if (!record) return 0;
  ASSERT(message::sealed_of(bytes) == record->envelope.sealed);
  const message::Progress progress = message::fold(*record);
  std::string encoded;
  message::encode_envelope(record->envelope, encoded);
  for (const message::Event& event : record->events) {
    message::encode_event(event, record->envelope.accepted_at, encoded);
  }
  const auto again = message::decode_record(encoded);
  ASSERT(again && again->events.size() == record->events.size());
  ASSERT(message::fold(*again).state == progress.state);
  return 0;
}
