// What an adapter hands to the engine once it has parsed, checked and sealed a request.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/time.h"
#include "message/index.h"
#include "message/record.h"
#include "numbering/country.h"
#include "numbering/number.h"
#include "numbering/ranges.h"

namespace trunkline::message {

// One idempotency key as the engine and the store see it.
struct KeyRef {
  base::Hash128 key;          // keyed hash of (tenant, path, key): the client's text is not kept
  base::Hash128 fingerprint;  // of the parsed fields; differs -> 422
  // Kept this long, and only if a message came of it: what was refused may be asked again. Zero:
  // engine::Tables::idempotency_retention, refusals included.
  base::Duration window{0};
};

// One of the parts in which a client sends a message. What is decided for the first that comes
// (class, verdict, carriers) holds for the others, whatever the configuration says meanwhile: the
// phone can join only what arrives.
struct PartOf {
  base::Hash128 group;  // keyed hash of account, addresses, reference and total
  std::uint8_t index = 1;
  std::uint8_t total = 1;
};

// The short id by which an account of SMPP 3.3 knows a message, as a key that leads to it.
base::Hash128 alias_key(std::string_view account, std::uint32_t alias);

// The text as carriers with these gsm::TextOptions would have it.
struct TextPlan {
  std::uint64_t options = 0;  // gsm::TextCode
  std::uint8_t encoding = 0;
  std::uint8_t segments = 1;
  friend bool operator==(const TextPlan&, const TextPlan&) = default;
};

struct Submission {
  TenantIndex tenant;
  ClassIndex traffic_class;
  ClassIndex asked{};  // what the client asked for, if that is another; none: the same
  Ingress ingress = Ingress::rest;
  numbering::Number to;
  std::string from;  // sender as given, empty: none
  std::uint64_t to_hash = 0;
  std::uint8_t encoding = 0;  // gsm::Encoding
  std::uint8_t segments = 1;
  std::string region;                 // preferred, empty: none
  std::optional<base::Duration> ttl;  // else the class's
  std::optional<base::Wall> send_at;  // absolute; in the past means now
  std::string sealed;                 // seal::Vault blob of an encoded Payload
  std::optional<KeyRef> key;
  std::optional<PartOf> part;
  // If the latest message with this key still waits, this one takes its place.
  std::optional<base::Hash128> replaces{};
  // The last 32 bits of its id, free in `account` (alias_key()). None: noise.
  std::optional<std::uint32_t> alias;
  std::string account;       // Envelope::account
  std::uint8_t notify = 0;   // Envelope::notify
  std::uint8_t content = 0;  // policy::Content of the text
  std::string cells{};       // Payload::cells
  // Of the number, if somebody was asked and answered in time.
  std::optional<numbering::LookedUp> looked_up{};
  bool consent = false;         // it says where the recipient's consent comes from
  base::MessageId resend_of{};  // the message whose text it has once more; null: none
  // Beside `encoding` and `segments`, which are those of the default options: for other options in
  // use. The engine takes one if all carriers of its plan have them.
  std::vector<TextPlan> plans{};
};

}  // namespace trunkline::message
