// Any bytes as a text: refused with a reason and a place, or planned, encoded within the bounds of
// a short message, parsed, joined and decoded to the same bytes. The first byte is the reference.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "gsm/alphabet.h"
#include "gsm/decode.h"
#include "gsm/partial_message.h"
#include "gsm/segment.h"
#include "gsm/udh.h"

namespace {

using namespace trunkline::gsm;

std::string join(const std::vector<std::string>& segments, std::uint8_t coding) {
  std::optional<PartialMessage> message;
  for (const std::string& octets : segments) {
    const auto header = parse_udh(octets);
    ASSERT(header && header->concatenation && header->octets == kConcatenationHeaderOctets);
    if (!message) message.emplace(*header->concatenation);
    const auto added = message->add(*header->concatenation,
                                    std::string_view(octets).substr(header->octets), coding);
    ASSERT(added == PartialMessage::Added::stored || added == PartialMessage::Added::completed);
  }
  ASSERT(message && message->complete());
  return message->text().utf8;
}

void check_packing(std::string_view septets) {
  for (const unsigned fill : {0u, 1u, 6u}) {
    ASSERT(unpack_septets(pack_septets(septets, fill), septets.size(), fill) == septets);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::uint8_t reference = bytes.empty() ? 0 : data[0];
  const std::string_view text = bytes.substr(bytes.empty() ? 0 : 1);

  const auto plan = plan_segments(text);
  if (!plan) {
    ASSERT(plan.error().offset < text.size() && !plan.error().message().empty());
    const bool invalid = plan.error().code == TextError::Code::invalid_utf8;
    ASSERT(invalid == !validate_utf8(text).has_value());
    return 0;
  }
  const std::vector<std::string> segments = encode_segments(text, *plan, reference);
  const std::uint8_t coding = data_coding(plan->encoding);
  const bool gsm7 = plan->encoding == Encoding::gsm7;
  for (const std::string& octets : segments) {
    ASSERT(octets.size() <= (gsm7 ? segments.size() == 1 ? 160u : 159u : 140u));
    if (gsm7 && segments.size() == 1) check_packing(octets);
  }
  if (segments.size() == 1) {
    ASSERT(decode_text(segments[0], coding).utf8 == text);
  } else {
    ASSERT(join(segments, coding) == text);
  }
  return 0;
}
