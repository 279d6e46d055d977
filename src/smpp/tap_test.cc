#include "smpp/tap.h"

#include <gtest/gtest.h>

#include "smpp/session.h"
#include "smpp/status.h"

namespace trunkline::smpp {
namespace {

using namespace std::chrono_literals;

struct Seen : Tap {
  std::vector<std::string> lines;
  void received(std::string_view pdu) override { lines.push_back("in " + name(pdu)); }
  void queued(std::string_view pdu) override { lines.push_back("out " + name(pdu)); }
  void withdrawn(std::uint32_t sequence) override {
    lines.push_back("withdrawn " + std::to_string(sequence));
  }
  static std::string name(std::string_view pdu) {
    const Header header = peek_header(pdu);
    EXPECT_EQ(header.command_length, pdu.size());
    return command_name(header.command_id) + " " + std::to_string(header.sequence);
  }
};

TEST(Tap, SeesEveryPduAndWhatIsTakenBack) {
  const base::Mono now{100s};
  SmppSession session({.role = Role::esme}, now);
  Seen seen;
  session.set_tap(&seen);
  ASSERT_TRUE(session.bind({.system_id = "a"}, now));
  session.on_written(session.next_chunk(now, 10'000).size(), now);
  std::string answer;
  ASSERT_TRUE(encode(BindResp{.system_id = "b"}, 1, kEsmeRok, answer));
  session.on_received(std::string_view(answer).substr(0, 10), now);  // in two pieces
  session.on_received(std::string_view(answer).substr(10), now);
  ASSERT_EQ(session.state(), SessionState::bound);
  SubmitSm sm;
  sm.dest.addr = "447700900123";
  ASSERT_TRUE(session.send(sm, {.not_after = now + 1s}, now));
  ASSERT_TRUE(session.send(sm, {}, now));
  session.on_written(session.next_chunk(now + 2s, 10'000).size(), now + 2s);
  std::string ping;
  ASSERT_TRUE(encode(EnquireLink{}, 77, kEsmeRok, ping));
  session.on_received(ping, now + 2s);
  EXPECT_EQ(seen.lines,
            (std::vector<std::string>{"out bind_transceiver 1", "in bind_transceiver_resp 1",
                                      "out submit_sm 2", "out submit_sm 3", "withdrawn 2",
                                      "in enquire_link 77", "out enquire_link_resp 77"}));
  session.set_tap(nullptr);
  session.on_received(ping, now + 2s);
  EXPECT_EQ(seen.lines.size(), 7u);
}

}  // namespace
}  // namespace trunkline::smpp
