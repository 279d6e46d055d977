#include "engine/refusal.h"

#include "base/bytes.h"

namespace trunkline::engine {

std::string encode_refusal(const Refusal& refusal) {
  std::string out;
  base::ByteWriter writer(out);
  writer.u8(1);
  writer.text(refusal.code);
  writer.text(refusal.version);
  writer.varint(refusal.reasons.size());
  for (const policy::Reason& reason : refusal.reasons) {
    writer.text(reason.rule);
    writer.text(reason.text);
  }
  return out;
}

Refusal decode_refusal(std::string_view bytes) {
  base::ByteReader in(bytes);
  Refusal refusal;
  in.u8();
  refusal.code = in.text();
  refusal.version = in.text();
  const std::uint64_t count = in.varint();
  for (std::uint64_t i = 0; in.ok() && i < count; ++i) {
    const std::string_view rule = policy::known_rule(in.text());
    refusal.reasons.push_back({rule, std::string(in.text())});
  }
  // Unreadable only if its key was destroyed since: the answer then says no more than that it was
  // no.
  if (!in.ok() || refusal.code.empty())
    return {.code = "policy_refused", .reasons = {}, .retry_after = {}, .version = {}};
  return refusal;
}

}  // namespace trunkline::engine
