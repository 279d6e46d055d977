#include "message/state.h"

#include <gtest/gtest.h>

namespace trunkline::message {
namespace {

// The whole table, for the eye. A change here changes what customers see: P7.
TEST(State, MayFollow) {
  std::string table;
  for (const StateInfo& from : kStates) {
    table += fmt::format("{:12}", from.name);
    for (const StateInfo& to : kStates) table += may_follow(from.state, to.state) ? " x" : " .";
    table += "\n";
  }
  //           accepted scheduled queued submitting submitted uncertain
  //                       delivered undelivered expired rejected failed canceled
  EXPECT_EQ(table,
            "accepted     . x x x x x x x x x x x\n"
            "scheduled    . . x x x x x x x x x x\n"
            "queued       . . . x x x x x x x x x\n"
            "submitting   . . . . x x x x x x x x\n"
            "submitted    . . . . . x x x . . x .\n"
            "uncertain    . . . . . . x x . . x .\n"
            "delivered    . . . . . . . . . . . .\n"
            "undelivered  . . . . . . . . . . . .\n"
            "expired      . . . . . . . . . . . .\n"
            "rejected     . . . . . . . . . . . .\n"
            "failed       . . . . . . . . . . . .\n"
            "canceled     . . . . . . . . . . . .\n");
}

TEST(State, AttemptMayFollow) {
  std::string table;
  for (const AttemptStateInfo& from : kAttemptStates) {
    table += fmt::format("{:12}", from.name);
    for (const AttemptStateInfo& to : kAttemptStates) {
      table += may_follow(from.state, to.state) ? " x" : " .";
    }
    table += is_known_unaccepted(from.state) ? " resend\n" : "\n";
  }
  //           submitting submitted refused throttled not_sent in_doubt delivered undelivered
  EXPECT_EQ(table,
            "submitting   . x x x x x x x\n"
            "submitted    . . . . . x x x\n"
            "refused      . . . . . . . . resend\n"
            "throttled    . . . . . . . . resend\n"
            "not_sent     . . . . . . . . resend\n"
            "in_doubt     . x x x . . x x\n"
            "delivered    . . . . . . . .\n"
            "undelivered  . . . . . . . .\n");
}

// Stored as numbers: the names may be looked up again, and no number may ever move.
TEST(State, NumbersAndNamesStay) {
  const std::vector<std::string_view> names{"accepted",  "scheduled", "queued",    "submitting",
                                            "submitted", "uncertain", "delivered", "undelivered",
                                            "expired",   "rejected",  "failed",    "canceled"};
  ASSERT_EQ(names.size(), kStateCount);
  for (std::size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(name(static_cast<State>(i)), names[i]);
    EXPECT_EQ(state_from_name(names[i]), static_cast<State>(i));
  }
  for (const char* other : {"", "Accepted", "sent", "delivered "}) {
    EXPECT_EQ(state_from_name(other), std::nullopt) << other;
  }
}

}  // namespace
}  // namespace trunkline::message
