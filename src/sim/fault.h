// What a simulated carrier does wrong, and when.
//
// A fault is a set of misbehaviours with a time span. Faults overlap: for each kind of misbehaviour
// the one that was given last, of those active now, is in force. All chance is a hash of (seed,
// carrier, message counter, purpose): same seed, same traffic, same faults.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace trunkline::sim {

// Log-normal, by its median and its 99th percentile. p99 == p50: constant.
struct Latency {
  base::Duration p50{0};
  base::Duration p99{0};
  friend bool operator==(const Latency&, const Latency&) = default;
};

struct Refuse {
  std::uint32_t status = 0;
  double ratio = 1;
  friend bool operator==(const Refuse&, const Refuse&) = default;
};

// Submits above it are answered with ESME_RTHROTTLED.
struct RateLimit {
  double per_second = 0;
  double burst = 0;
  friend bool operator==(const RateLimit&, const RateLimit&) = default;
};

// No submit_sm_resp. `accept`: the message is taken and delivered all the same, so the client is
// truly in doubt. `drop`: it is gone.
struct Silence {
  enum class Mode : std::uint8_t { accept, drop };
  Mode mode = Mode::accept;
  double ratio = 1;
  friend bool operator==(const Silence&, const Silence&) = default;
};

// The connection is reset (TCP RST) at a submit_sm: before the carrier took the message, after that
// but before its answer, or after its answer. `any`: one of the three, by the seed.
struct Reset {
  enum class When : std::uint8_t { any, before_accept, after_accept, after_response };
  double ratio = 1;         // of submits; ignored if `every` is set
  std::uint32_t every = 0;  // the n-th submit, the 2n-th, …
  When when = When::any;
  friend bool operator==(const Reset&, const Reset&) = default;
};

// Octets that are no PDU, instead of the submit_sm_resp. The message is taken.
struct Garbage {
  double ratio = 1;
  friend bool operator==(const Garbage&, const Garbage&) = default;
};

enum class IdForm : std::uint8_t {
  hex,        // 5f3c09a1
  upper,      // 5F3C09A1
  dec,        // 1597770145
  zeros,      // hex, zeros in front to 20 digits
  dec_zeros,  // decimal, zeros in front to 20 digits
};

struct IdFormat {
  IdForm response = IdForm::hex;
  IdForm receipt = IdForm::hex;
  friend bool operator==(const IdFormat&, const IdFormat&) = default;
};

struct Late {
  double ratio = 1;
  base::Duration by = std::chrono::seconds(30);
  friend bool operator==(const Late&, const Late&) = default;
};

enum class ReceiptForm : std::uint8_t { both, text, tlv };

struct ReceiptFaults {
  std::optional<Latency> delay;       // from the submit to the receipt
  std::optional<double> lost;         // never sent
  std::optional<Late> late;           // sent later than that, by so much
  std::optional<double> early;        // before the submit_sm_resp
  std::optional<double> duplicate;    // twice
  std::optional<double> reorder;      // after the next one
  std::optional<double> lie;          // `false`: says delivered, was not
  std::optional<double> ratio;        // delivered; the rest gets `stat` and `err`
  std::optional<std::string> stat;    // UNDELIV
  std::optional<std::uint32_t> err;   // 0 to 999
  std::optional<IdFormat> id_format;  // ids in responses and in receipts that do not match
  std::optional<ReceiptForm> form;    // as text, as TLVs, or both
  friend bool operator==(const ReceiptFaults&, const ReceiptFaults&) = default;
};

struct Fault {
  base::Duration after{0};              // from the carrier's start, or from when it was posted
  std::optional<base::Duration> lasts;  // `for`; none: for good
  std::optional<Latency> latency;
  std::optional<Refuse> refuse;
  std::optional<RateLimit> rate;
  std::optional<Silence> silence;
  std::optional<Reset> reset;
  std::optional<Garbage> garbage;
  ReceiptFaults receipts;
  friend bool operator==(const Fault&, const Fault&) = default;
};

// Everything in force at an instant.
struct Behaviour {
  Latency latency;
  std::optional<Refuse> refuse;
  std::optional<RateLimit> rate;
  std::optional<Silence> silence;
  std::optional<Reset> reset;
  std::optional<Garbage> garbage;
  Latency receipt_delay;
  double lost = 0;
  std::optional<Late> late;
  double early = 0;
  double duplicate = 0;
  double reorder = 0;
  double lie = 0;
  double delivered_ratio = 1;
  std::string stat = "UNDELIV";
  std::uint32_t err = 1;
  IdFormat id_format;
  ReceiptForm form = ReceiptForm::both;
};

// The faults of one carrier over time. `now` never goes back.
class FaultPlan {
 public:
  void add(const Fault& fault, base::Mono now);
  void clear();
  // Valid until the next call.
  const Behaviour& at(base::Mono now);
  // Those that are active or still to come.
  std::size_t size() const { return spans_.size(); }

 private:
  struct Span {
    base::Mono from;
    base::Mono to;
    Fault fault;
  };
  void recompute(base::Mono now);

  std::vector<Span> spans_;
  Behaviour current_;
  base::Mono valid_until_ = base::Mono::min();  // recompute from then on
};

// The dice of one message: a value in [0, 1) for each purpose, the same whenever it is asked.
class Dice {
 public:
  Dice(std::uint64_t seed, std::uint64_t carrier, std::uint64_t counter);
  enum class Purpose : std::uint8_t {
    refuse,
    silence,
    reset,
    reset_when,
    garbage,
    latency,
    receipt_delay,
    lost,
    late,
    early,
    duplicate,
    reorder,
    lie,
    delivered,
    bytes,
  };
  double roll(Purpose purpose) const;
  std::uint64_t bits(Purpose purpose) const;
  bool hits(Purpose purpose, double ratio) const { return ratio > 0 && roll(purpose) < ratio; }
  base::Duration draw(Purpose purpose, const Latency& latency) const;

 private:
  std::uint64_t state_;
};

// SplitMix64's finaliser (Steele, Lea, Flood 2014): every input bit reaches every output bit.
constexpr std::uint64_t mix64(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

std::uint64_t hash_name(std::string_view name);

}  // namespace trunkline::sim
