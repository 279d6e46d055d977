// Carriers that fail in the ways carriers fail, in virtual time, and what becomes of the traffic:
// how soon a message is taken by another one, what a dead carrier still gets to see, what leaves
// its region, what is lost.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "engine/tables.h"
#include "message/state.h"

namespace trunkline::simulation {

enum class Mood : std::uint8_t {
  fine,
  unbound,  // every link is lost, and what it owed with it
  refuses,  // ESME_RSYSERR to all
  rejects,  // takes nothing of this kind: asks for another route
  silent,   // reads everything, answers nothing, does nothing: a black hole
};

struct Behaviour {
  Mood mood = Mood::fine;
  base::Duration answer = std::chrono::milliseconds(50);
  double limit_per_s = 0;                            // of its own; beyond, it throttles. 0: none
  unsigned delivered_percent = 95;                   // of what it takes; the rest is undelivered …
  base::Duration receipt = std::chrono::seconds(3);  // … and both are said after this
};

struct Turn {
  base::Duration at{};
  std::uint16_t carrier = 0;
  Behaviour behaviour;
};

struct Load {
  std::string traffic_class = "otp";
  unsigned per_second = 50;
  std::uint64_t first_number = 447'700'900'000;  // and the 10,000 behind it
  std::string region;                            // preferred
  std::uint16_t tenant = 0;
};

struct Drill {
  std::shared_ptr<const engine::Tables> tables;
  std::uint32_t window = 100;       // of each link
  std::uint16_t links = 2;          // of each carrier
  std::vector<Behaviour> carriers;  // by CarrierIndex, at the start
  std::vector<Load> loads;
  std::vector<Turn> turns;
  base::Duration length = std::chrono::minutes(2);  // then the loads end, and all ends as it does
  std::uint64_t seed = 1;
};

// What became of one message. Times are since the start.
struct Passage {
  std::uint16_t load = 0;
  base::Duration accepted_at{};
  base::Duration taken_at = base::Duration::max();  // first, by a carrier that will see it through
  std::uint16_t taken_by = 0;
  std::uint8_t submits = 0;
  bool flagged = false;  // a submit was a possible duplicate
  message::State ended = message::State::accepted;

  base::Duration wait() const { return taken_at - accepted_at; }
};

struct Submitted {
  base::Duration at{};
  std::uint16_t carrier = 0;
  std::uint16_t load = 0;
  bool throttled = false;
};

struct Account {
  std::vector<Passage> messages;
  std::vector<Submitted> submits;
  std::size_t silent_duplicates = 0;  // taken twice without a flag or an undelivered receipt

  // Of the messages of `load` accepted in [from, to).
  std::vector<const Passage*> of(std::uint16_t load, base::Duration from, base::Duration to) const;
  base::Duration wait_percentile(std::uint16_t load, base::Duration from, base::Duration to,
                                 double share) const;
  double taken_by_share(std::uint16_t load, std::uint16_t carrier, base::Duration from,
                        base::Duration to) const;
  // Submits per message, of those accepted in [from, to).
  double submits_a_message(base::Duration from, base::Duration to) const;
  std::size_t submits_to(std::uint16_t carrier, base::Duration from, base::Duration to) const;
};

Account run(const Drill& drill);

}  // namespace trunkline::simulation
