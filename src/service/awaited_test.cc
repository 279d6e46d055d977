#include "service/awaited.h"

#include <gtest/gtest.h>

#include "message/record.h"
#include "store/empty_store_test.h"

namespace trunkline::service {
namespace {

using message::AttemptState;
using message::EventKind;
using message::State;

constexpr std::int64_t kAccepted = 1'800'000'000'000'000;

base::Wall at(int seconds) { return base::wall_from_us(kAccepted + seconds * 1'000'000); }

struct Event {
  EventKind kind;
  State state;
  int second;
  std::string carrier = {};
  AttemptState attempt = AttemptState::submitting;
  message::Cause cause = message::Cause::none;
};

std::string record(std::initializer_list<Event> events) {
  std::string out;
  message::Envelope envelope;
  envelope.id = {1, 2};
  envelope.tenant = "demo";
  envelope.traffic_class = "otp";
  envelope.segments = 1;
  envelope.accepted_at = envelope.due_at = at(0);
  envelope.expires_at = at(600);
  message::encode_envelope(envelope, out);
  for (const Event& e : events) {
    const auto number = static_cast<std::uint8_t>(e.kind == EventKind::accepted ? 0 : 1);
    message::encode_event({.kind = e.kind,
                           .state = e.state,
                           .time = at(e.second),
                           .attempt = number,
                           .segment = e.kind == EventKind::answered ? number : std::uint8_t{0},
                           .attempt_state = e.attempt,
                           .cause = e.cause,
                           .carrier = e.carrier},
                          at(0), out);
  }
  return out;
}

std::string taken(const std::string& carrier, int second) {
  return record({{EventKind::accepted, State::accepted, 0},
                 {EventKind::started, State::submitting, 1, carrier},
                 {EventKind::answered, State::submitted, second, carrier, AttemptState::submitted,
                  message::Cause::carrier_accepted}});
}

TEST(Awaited, IsWhatACarrierTookWithoutAReceipt) {
  const auto waits = awaits_receipt(taken("alpha", 2));
  ASSERT_TRUE(waits);
  EXPECT_EQ(waits->carrier, "alpha");
  EXPECT_EQ(waits->at, at(2));
  EXPECT_FALSE(awaits_receipt(
      record({{EventKind::accepted, State::accepted, 0}, {EventKind::held, State::scheduled, 0}})));
  EXPECT_FALSE(awaits_receipt("damaged"));
}

class Cold final : public store::EmptyStore {
 public:
  store::Result<void> visit_cold(const std::function<void(std::string_view)>& visit) override {
    for (const std::string& one : {taken("alpha", 9), taken("beta", 3), taken("alpha", 2)}) {
      visit(one);
    }
    return {};
  }
};

TEST(Awaited, IsCountedByCarrierWithTheOldest) {
  Cold cold;
  const auto counted = count_awaited(cold);
  ASSERT_TRUE(counted.has_value());
  ASSERT_EQ(counted->size(), 2u);
  EXPECT_EQ(counted->at("alpha").count, 2u);
  EXPECT_EQ(counted->at("alpha").since, at(2));
  EXPECT_EQ(counted->at("beta").count, 1u);
}

}  // namespace
}  // namespace trunkline::service
