// Any bytes as parts that come in: a few bytes say whose and which, the next ones are its text.
// With small limits everything happens: duplicates, contradictions, timeouts, evictions. Whatever
// is added comes out exactly once.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "base/bytes.h"
#include "gsm/reassembler.h"
#include "gsm/unicode.h"

namespace {

using namespace trunkline;
using namespace std::chrono_literals;

class Ledger {
 public:
  void stored(std::uint64_t tag) {
    ASSERT(tag == out_.size());
    out_.push_back(false);
  }
  void skipped() { out_.push_back(true); }
  void joined(const std::vector<gsm::Joined>& list) {
    for (const gsm::Joined& one : list) {
      ASSERT(one.tags.size() + one.missing.size() == one.total && !one.tags.empty());
      ASSERT((one.why == gsm::Joined::Why::complete) == one.missing.empty());
      ASSERT(gsm::validate_utf8(one.text.utf8).has_value());
      for (const std::uint64_t tag : one.tags) {
        ASSERT(tag < out_.size() && !out_[tag]);
        out_[tag] = true;
      }
    }
  }
  bool settled() const {
    return std::ranges::all_of(out_, [](bool out) { return out; });
  }

 private:
  std::vector<bool> out_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  size = std::min<std::size_t>(size, 360);  // longer is only slower
  constexpr std::size_t kBytesMax = 2'500;
  gsm::Reassembler reassembler({.wait = 60s,
                                .messages_max = 6,
                                .peer_messages_max = 3,
                                .bytes_max = kBytesMax,
                                .repeat_keep = 30s,
                                .repeats_max = 4});
  Ledger ledger;
  base::ByteReader reader(std::string_view(reinterpret_cast<const char*>(data), size));
  base::Mono now{};
  std::uint64_t tag = 0;
  while (!reader.at_end() && tag < 16) {
    const std::uint8_t whose = reader.u8();
    const std::uint8_t which = reader.u8();
    const std::uint8_t length = reader.u8();
    now += std::chrono::seconds(4 * (length & 15));
    const std::string_view octets =
        reader.view(std::min<std::size_t>(length >> 1, reader.remaining()));
    gsm::IncomingPart part;
    part.peer = whose & 3;
    part.from = (whose & 4) != 0 ? "+447700900123" : "";
    part.sar = (whose & 8) != 0;
    part.concatenation = {.reference = static_cast<std::uint16_t>(whose >> 6),
                          .total = static_cast<std::uint8_t>(which >> 4),
                          .index = static_cast<std::uint8_t>(which & 15),
                          .wide = (whose & 16) != 0};
    part.octets = octets;
    part.format.charset = (whose & 32) != 0 ? gsm::Charset::ucs2 : gsm::Charset::gsm7;
    part.tag = tag++;
    const auto out = reassembler.add(part, now);
    if (out.added == gsm::Reassembler::Added::stored) {
      ledger.stored(part.tag);
    } else {
      ASSERT(out.joined.empty());
      ledger.skipped();
    }
    ledger.joined(out.joined);
    ASSERT(reassembler.messages() <= 6 && reassembler.bytes() <= kBytesMax);
    if ((which & 1) != 0) ledger.joined(reassembler.expire(now, 2));
  }
  if (tag % 2 == 0) ledger.joined(reassembler.expire(now + 1h));
  ledger.joined(reassembler.drain());
  ASSERT(ledger.settled() && reassembler.messages() == 0 && reassembler.bytes() == 0);
  return 0;
}
