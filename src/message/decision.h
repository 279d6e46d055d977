// What routing decided about a message, kept with it (Envelope::decision): enough to say later by
// which configuration, route and prices its carriers were chosen, though all of that may be gone.
// The carriers themselves are Envelope::plan. About 25 octets; docs/store_format.md.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/time.h"

namespace trunkline::message {

// A carrier of the route that was left out.
struct ExcludedCarrier {
  std::string carrier;
  std::string rule;  // the first of policy::kRules that spoke, or routing::name(Excluded)

  friend bool operator==(const ExcludedCarrier&, const ExcludedCarrier&) = default;
};

// While it is quiet where the recipient is, nothing is sent.
struct QuietWindow {
  base::Wall begin{};
  base::Wall end{};

  friend bool operator==(const QuietWindow&, const QuietWindow&) = default;
};

struct Decision {
  std::string version;         // of the configuration, 12 hexadecimal digits
  std::string route;           // its name
  std::uint32_t network = 0;   // numbering::NetworkCode::digits(); 0: not known, or not asked for
  std::string currency;        // three capitals; empty: not said
  std::vector<double> prices;  // a segment, as Envelope::plan, in millionths; negative: not known
  std::vector<ExcludedCarrier> excluded{};
  std::uint64_t sender = 0;       // sender_hash(), where a carrier counts by sender; else 0
  std::uint32_t sender_tail = 0;  // the last 32 bits of sender_hash(), wherever a sender was given
  std::vector<QuietWindow> quiet{};  // in its time to live, as the rules were; ascending
  bool looked_up = false;            // the network, not told by a prefix
  bool ported = false;               // and the number was taken along
  bool canary = false;               // the first carrier was being tried out
  std::string asked{};          // the class asked for, where policy made it another; else empty
  base::MessageId resend_of{};  // the message that was sent once more; null: none

  friend bool operator==(const Decision&, const Decision&) = default;
};

struct DecisionView {
  std::string_view version;
  std::string_view route;
  std::uint32_t network = 0;
  std::string_view currency;
  std::span<const double> prices;
  std::span<const ExcludedCarrier> excluded{};
  std::uint64_t sender = 0;
  std::uint32_t sender_tail = 0;  // not looked at where `sender` is given
  std::span<const QuietWindow> quiet{};
  bool looked_up = false;
  bool ported = false;
  bool canary = false;
  std::string_view asked{};
  base::MessageId resend_of{};
};
// Of `from`, the same on every machine; 0: none was given.
std::uint64_t sender_hash(std::string_view from);

// The name of an encoded decision's route; empty if there is none.
std::string_view route_of(std::string_view decision);
// Decision::sender_tail of an encoded decision. Allocates nothing.
std::uint32_t sender_tail_of(std::string_view decision);
// What a segment costs over the carrier at this place of Envelope::plan, in millionths; none: not
// known, or in another currency. Allocates nothing.
std::optional<std::uint64_t> price_of(std::string_view decision, std::size_t place,
                                      std::string_view currency);
// Decision::asked of an encoded decision, without reading the rest. Allocates nothing.
std::string_view asked_of(std::string_view decision);
// Decision::resend_of of an encoded decision. Allocates nothing.
base::MessageId resend_of(std::string_view decision);
// A version or currency of another shape is left out.
std::string encode_decision(const DecisionView& decision);
// The error names what is wrong; only damage or a newer version can cause it.
std::expected<Decision, std::string> decode_decision(std::string_view bytes);

// Of a decision (Envelope::decision), without reading the rest: the window that `now` is in;
// nothing if it is in none. Allocates nothing.
std::optional<QuietWindow> quiet_window(std::string_view decision, base::Wall now);

}  // namespace trunkline::message
