#include "engine/refusal.h"

#include "base/bytes.h"

namespace trunkline::engine {

// 1: a reason is rule and text; 2: and the version of what it rests on.
constexpr std::uint8_t kVersion = 2;

std::string encode_refusal(const Refusal& refusal) {
  std::string out;
  base::ByteWriter writer(out);
  writer.u8(kVersion);
  writer.text(refusal.code);
  writer.text(refusal.version);
  writer.varint(refusal.reasons.size());
  for (const policy::Reason& reason : refusal.reasons) {
    writer.text(reason.rule);
    writer.text(reason.text);
    writer.text(reason.version);
  }
  return out;
}

Refusal decode_refusal(std::string_view bytes) {
  base::ByteReader in(bytes);
  Refusal refusal;
  const bool has_versions = in.u8() >= 2;
  refusal.code = in.text();
  refusal.version = in.text();
  const std::uint64_t count = in.varint();
  for (std::uint64_t i = 0; in.ok() && i < count; ++i) {
    const std::string_view rule = policy::known_rule(in.text());
    policy::Reason reason{rule, std::string(in.text())};
    if (has_versions) reason.version = in.text();
    refusal.reasons.push_back(std::move(reason));
  }
  // Unreadable only if its key was destroyed since: the answer then says no more than that it was
  // no.
  if (!in.ok() || refusal.code.empty())
    return {.code = "policy_refused", .reasons = {}, .retry_after = {}, .version = {}};
  return refusal;
}

}  // namespace trunkline::engine
