#include "trunkline/trace_peer_text.h"

#include <gtest/gtest.h>

namespace trunkline::cli {
namespace {

TEST(PeerLineText, ForPeople) {
  EXPECT_EQ(
      peer_line_text(
          R"({"time":"2026-11-23T10:00:00.123456Z","peer":"alpha","link":"0","direction":"out",)"
          R"("command":"submit_sm","sequence":7,"fields":{"source_addr":{"ton":5,"npi":0,"addr":"Acme"},)"
          R"("esm_class":0,"data_coding":8,"short_message":{"octets":19}},)"
          R"("tlvs":[{"tag":"user_message_reference","value":77},{"tag":"0x1401","octets":6}]})"),
      "10:00:00.123456 alpha/0 -> submit_sm 7 source_addr=Acme data_coding=8 "
      "short_message=(19 octets) user_message_reference=77 0x1401=(6 octets)");
  EXPECT_EQ(peer_line_text(
                R"({"time":"2026-11-23T10:00:00Z","peer":"app","link":"3","direction":"in",)"
                R"("command":"deliver_sm_resp","sequence":1,"status":"ESME_ROK","fields":{}})"),
            "10:00:00 app/3 <- deliver_sm_resp 1 ESME_ROK");
  EXPECT_EQ(
      peer_line_text(
          R"({"time":"2026-11-23T10:00:00Z","peer":"app","link":"3","event":"closed","text":"why"})"),
      "10:00:00 app/3 -- closed why");
  EXPECT_EQ(peer_line_text(R"({"dropped":5})"),
            "... 5 lines dropped: they came faster than they were read");
}

TEST(PeerLineText, WhatIsNoSuchLineComesBack) {
  for (const std::string line : {"", "{", "[]", "{}", "plain", R"({"time":5,"fields":[]})"}) {
    EXPECT_EQ(peer_line_text(line), line);
  }
}

}  // namespace
}  // namespace trunkline::cli
