// How links come up, are lost, come back and end. The carrier is a real peer on loopback.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "carrier/test_world.h"

namespace trunkline::carrier::test {
namespace {

using engine::LinkDown;
using engine::LinkUp;
using engine::Receipt;
using engine::SubmitResult;
using message::OutcomeKind;

class Links : public ::testing::Test {
 protected:
  bool ups(std::size_t n) {
    return world.run_until([&] { return world.count<LinkUp>() == n; });
  }
  bool downs(std::size_t n) {
    return world.run_until([&] { return world.count<LinkDown>() == n; });
  }
  bool results(std::size_t n) {
    return world.run_until([&] { return world.count<SubmitResult>() == n; });
  }
  void keep_silent() {
    smsc.on_submit = [](Peer&, const Peer::Submitted&) {};
  }
  std::string last_error() { return world.carriers.stats().at(0).last_error; }

  World world;
  TestSmsc smsc{world.io};
};

TEST_F(Links, BindCarriesTheConfiguration) {
  config::Carrier carrier = world.carrier(smsc);
  carrier.smpp.system_type = "OTA";
  carrier.smpp.window = 17;
  world.carriers.apply({carrier});
  ASSERT_TRUE(ups(1));
  const LinkUp up = world.all<LinkUp>()[0];
  EXPECT_EQ(up.carrier.at(), 0u);
  EXPECT_EQ(up.link, 0);
  EXPECT_EQ(up.window, 17u);
  const smpp::Bind& bind = *smsc.peer().bind;
  EXPECT_EQ(bind.kind, smpp::BindKind::transceiver);
  EXPECT_EQ(bind.system_id, "tl");
  EXPECT_EQ(bind.password, "secret");
  EXPECT_EQ(bind.system_type, "OTA");
  EXPECT_EQ(bind.interface_version, 0x34);
  for (const LogLine& line : world.log()) EXPECT_EQ(line.text.find("secret"), std::string::npos);
}

TEST_F(Links, HostByName) {
  config::Carrier carrier = world.carrier(smsc);
  carrier.smpp.host = "localhost";
  world.carriers.apply({carrier});
  ASSERT_TRUE(ups(1));
}

TEST_F(Links, NameThatDoesNotExistIsTriedAgain) {
  config::Carrier carrier = world.carrier(smsc);
  carrier.smpp.host = "carrier.invalid";
  world.carriers.apply({carrier});
  ASSERT_TRUE(world.run_until([&] { return world.logged("connect_failed"); }));
  EXPECT_NE(last_error().find("name look-up"), std::string::npos) << last_error();
}

TEST_F(Links, SeveralBindsAreSeveralLinks) {
  config::Carrier carrier = world.carrier(smsc);
  carrier.smpp.binds = 3;
  world.carriers.apply({carrier});
  ASSERT_TRUE(ups(3));
  std::set<std::uint16_t> links;
  for (const LinkUp& up : world.all<LinkUp>()) links.insert(up.link);
  EXPECT_EQ(links, (std::set<std::uint16_t>{0, 1, 2}));
  world.send(world.submit(1, "x", 2));
  world.send(world.submit(2, "x", 0));
  ASSERT_TRUE(results(2));
  std::size_t used = 0;
  for (const auto& peer : smsc.peers) used += !peer->submits.empty();
  EXPECT_EQ(used, 2u);
}

TEST_F(Links, TransmittersSubmitAndReceiversReceive) {
  config::Carrier carrier = world.carrier(smsc);
  carrier.smpp.bind = config::SmppCarrier::Bind::transmitter_receiver;
  carrier.smpp.binds = 2;
  world.carriers.apply({carrier});
  ASSERT_TRUE(world.run_until([&] { return smsc.bound() == 4; }));
  ASSERT_TRUE(ups(2));
  for (const LinkUp& up : world.all<LinkUp>()) EXPECT_LT(up.link, 2);
  world.send(world.submit(1, "x", 1));
  ASSERT_TRUE(results(1));
  EXPECT_EQ(world.all<SubmitResult>()[0].outcome.kind, OutcomeKind::accepted);

  std::size_t receivers = 0;
  for (const auto& peer : smsc.peers) {
    const bool receives = peer->bind->kind == smpp::BindKind::receiver;
    receivers += receives;
    EXPECT_EQ(peer->deliver_receipt("m1", 9), receives);  // a transmitter cannot be given one
    if (receives) EXPECT_TRUE(peer->submits.empty());
  }
  EXPECT_EQ(receivers, 2u);
  ASSERT_TRUE(world.run_until([&] { return world.count<Receipt>() == 2; }));
  for (const Receipt& r : world.all<Receipt>()) world.acknowledge(r.token);
  ASSERT_TRUE(world.run_until([&] {
    std::size_t answered = 0;
    for (const auto& peer : smsc.peers) answered += peer->deliver_answers.size();
    return answered == 2;
  }));
  // A receiver that goes is no LinkDown: the engine never knew of it.
  for (const auto& peer : smsc.peers) {
    if (peer->bind->kind == smpp::BindKind::receiver) peer->drop();
  }
  ASSERT_TRUE(world.run_until([&] { return smsc.bound() == 4; }));
  EXPECT_EQ(world.count<LinkDown>(), 0u);
}

TEST_F(Links, SubmitToAReceiverIsNotSent) {
  config::Carrier carrier = world.carrier(smsc);
  carrier.smpp.bind = config::SmppCarrier::Bind::transmitter_receiver;
  world.carriers.apply({carrier});
  ASSERT_TRUE(world.run_until([&] { return smsc.bound() == 2; }));
  world.send(world.submit(1, "x", 1));
  ASSERT_TRUE(results(1));
  EXPECT_EQ(world.all<SubmitResult>()[0].outcome.kind, OutcomeKind::not_sent);
}

// --- refused ------------------------------------------------------------------------------------

TEST_F(Links, RefusedBindIsTriedAgainAndSaysWhatToDo) {
  int refusals = 3;
  smsc.on_bind = [&](const smpp::Bind&) { return refusals-- > 0 ? smpp::kEsmeRinvpaswd : 0u; };
  world.carriers.apply({world.carrier(smsc)});
  ASSERT_TRUE(ups(1));
  EXPECT_EQ(smsc.peers.size(), 4u);
  bool found = false;
  for (const LogLine& line : world.log()) {
    if (line.event != "bind_refused") continue;
    found = true;
    EXPECT_EQ(line.level, LogLevel::error);
    EXPECT_EQ(line.carrier, "alpha");
    EXPECT_NE(line.text.find("ESME_RINVPASWD 0x0000000e"), std::string::npos) << line.text;
    EXPECT_NE(line.text.find("smpp.password"), std::string::npos) << line.text;
    EXPECT_EQ(line.text.find("secret"), std::string::npos);
  }
  EXPECT_TRUE(found);
  EXPECT_EQ(world.count<LinkDown>(), 0u);  // it was never up
}

TEST_F(Links, WrongPasswordIsNotHammered) {
  Options patient = fast_options();
  patient.refused_first = 1h;
  patient.refused_max = 1h;
  World slow(patient);
  TestSmsc carrier(slow.io);
  carrier.on_bind = [&](const smpp::Bind&) { return smpp::kEsmeRinvsysid; };
  slow.carriers.apply({slow.carrier(carrier)});
  ASSERT_TRUE(slow.run_until([&] {
    return !carrier.peers.empty() && slow.carriers.stats().at(0).state == LinkState::waiting;
  }));
  for (const LogLine& line : slow.log()) {
    if (line.event == "bind_refused") EXPECT_NE(line.text.find("next try in"), std::string::npos);
  }
  EXPECT_EQ(carrier.peers.size(), 1u);
}

TEST_F(Links, PassingRefusalsKeepTheNormalPace) {
  Options patient = fast_options();
  patient.refused_first = 1h;  // would hang if it were used
  World other(patient);
  TestSmsc carrier(other.io);
  int refusals = 3;
  carrier.on_bind = [&](const smpp::Bind&) { return refusals-- > 0 ? smpp::kEsmeRalybnd : 0u; };
  other.carriers.apply({other.carrier(carrier)});
  ASSERT_TRUE(other.run_until([&] { return other.count<LinkUp>() == 1; }));
}

TEST_F(Links, PasswordThatNoBindCanHold) {
  config::Carrier carrier = world.carrier(smsc);
  carrier.smpp.password = std::string(60, 'x') + "12345";
  world.carriers.apply({carrier});
  ASSERT_TRUE(world.run_until([&] { return last_error().find("password") != std::string::npos; }));
  EXPECT_EQ(last_error().find("12345"), std::string::npos);
}

TEST_F(Links, LongPasswordAndAnotherVersion) {
  config::Carrier carrier = world.carrier(smsc);
  carrier.smpp.password = std::string(64, 'p');
  carrier.smpp.interface_version = 0x33;
  carrier.smpp.options.tlvs = {{.tag = 0x1400, .value = {{{}, "x"}}}};
  world.carriers.apply({carrier});
  ASSERT_TRUE(ups(1));
  EXPECT_EQ(smsc.peer().bind->password, carrier.smpp.password);
  EXPECT_EQ(smsc.peer().bind->interface_version, 0x33);
  // 3.3 has no TLVs.
  world.send(world.submit(1));
  ASSERT_TRUE(world.run_until([&] { return !smsc.peer().submits.empty(); }));
  EXPECT_TRUE(smsc.peer().submits[0].sm.tlvs.empty());
}

TEST_F(Links, CarrierThatAcceptsAndThenSaysNothing) {
  smsc.on_bind = [](const smpp::Bind&) -> std::uint32_t { return 0; };
  config::Carrier carrier = world.carrier(smsc);
  carrier.smpp.bind_timeout = 50ms;
  // A listener that never reads: the kernel completes the connection, nobody answers the bind.
  Tcp::acceptor mute(world.io, {asio::ip::address_v4::loopback(), 0});
  carrier.smpp.port = mute.local_endpoint().port();
  world.carriers.apply({carrier});
  ASSERT_TRUE(world.run_until(
      [&] { return last_error() == smpp::to_string(smpp::CloseReason::bind_timeout); }));
}

// --- lost and found -----------------------------------------------------------------------------

TEST_F(Links, ConnectsOnceSomebodyListens) {
  smsc.stop_listening();
  world.carriers.apply({world.carrier(smsc)});
  ASSERT_TRUE(world.run_until([&] { return world.logged("connect_failed"); }));
  EXPECT_NE(last_error().find("connect"), std::string::npos) << last_error();
  smsc.listen_again();
  ASSERT_TRUE(ups(1));
}

TEST_F(Links, ComesBackWithTheSameNumberAndWorks) {
  world.carriers.apply({world.carrier(smsc)});
  for (std::size_t i = 0; i < 5; ++i) {
    ASSERT_TRUE(ups(i + 1));
    world.send(world.submit(static_cast<std::uint32_t>(i)));
    ASSERT_TRUE(results(i + 1));
    if (i % 2 == 0) {
      smsc.peers.back()->reset();
    } else {
      smsc.peers.back()->drop();
    }
    ASSERT_TRUE(downs(i + 1));
  }
  for (const LinkUp& up : world.all<LinkUp>()) EXPECT_EQ(up.link, 0);
  for (const SubmitResult& r : world.all<SubmitResult>()) {
    EXPECT_EQ(r.outcome.kind, OutcomeKind::accepted);
  }
  EXPECT_TRUE(world.logged("link_down"));
}

TEST_F(Links, UnbindByTheCarrier) {
  keep_silent();
  world.carriers.apply({world.carrier(smsc)});
  ASSERT_TRUE(ups(1));
  world.send(world.submit(1));
  ASSERT_TRUE(world.run_until([&] { return smsc.peer().submits.size() == 1; }));
  smsc.peer().unbind();
  ASSERT_TRUE(downs(1));
  ASSERT_TRUE(world.run_until([&] { return smsc.peer().ended.has_value(); }));
  EXPECT_EQ(smsc.peer().ended, smpp::CloseReason::unbound);
  const auto results = world.all<SubmitResult>();
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].outcome.kind, OutcomeKind::in_doubt);
  EXPECT_LT(world.position<SubmitResult>(), world.position<LinkDown>());
  ASSERT_TRUE(world.run_until([&] { return world.all<LinkUp>().back().window == 50; }));
}

TEST_F(Links, CarrierThatForgotTheBindIsBoundAnew) {
  int forgotten = 1;
  smsc.on_submit = [&](Peer& peer, const Peer::Submitted& s) {
    if (forgotten-- > 0) return peer.answer(s.sequence, smpp::kEsmeRinvbndsts);
    peer.answer(s.sequence, 0, "ok");
  };
  world.carriers.apply({world.carrier(smsc)});
  ASSERT_TRUE(ups(1));
  world.send(world.submit(1));
  ASSERT_TRUE(downs(1));
  EXPECT_EQ(world.all<SubmitResult>()[0].outcome.kind, OutcomeKind::transient);
  ASSERT_TRUE(world.run_until([&] { return world.all<LinkUp>().back().window == 50; }));
  world.send(world.submit(2));
  ASSERT_TRUE(results(2));
  EXPECT_EQ(world.all<SubmitResult>()[1].outcome.kind, OutcomeKind::accepted);
}

TEST_F(Links, EnquireLinkIsAskedAndAnswersKeepTheLinkUp) {
  config::Carrier carrier = world.carrier(smsc);
  carrier.smpp.enquire_link = 20ms;
  world.carriers.apply({carrier});
  ASSERT_TRUE(ups(1));
  ASSERT_TRUE(world.run_until([&] { return smsc.peer().session().counters().pdus_in >= 4; }));
  EXPECT_EQ(world.count<LinkDown>(), 0u);
}

// --- the end ------------------------------------------------------------------------------------

TEST_F(Links, DrainWaitsForAnswersThenUnbinds) {
  keep_silent();
  world.carriers.apply({world.carrier(smsc)});
  ASSERT_TRUE(ups(1));
  world.send(world.submit(1));
  ASSERT_TRUE(smsc.peer().deliver_receipt("m0", 4));
  ASSERT_TRUE(world.run_until(
      [&] { return smsc.peer().submits.size() == 1 && world.count<Receipt>() == 1; }));
  bool done = false;
  world.carriers.drain(1min, [&] { asio::post(world.io, [&] { done = true; }); });
  ASSERT_TRUE(world.run_until([&] { return world.all<LinkUp>().back().window == 0; }));
  world.send(world.submit(2));  // came too late
  ASSERT_TRUE(results(1));
  EXPECT_EQ(world.all<SubmitResult>()[0].outcome.kind, OutcomeKind::not_sent);
  EXPECT_FALSE(done);
  smsc.peer().answer(smsc.peer().submits[0].sequence, 0, "m1");
  world.acknowledge(world.all<Receipt>()[0].token);
  ASSERT_TRUE(world.run_until([&] { return done; }));
  ASSERT_TRUE(world.run_until([&] { return smsc.peer().ended.has_value(); }));
  EXPECT_EQ(smsc.peer().ended, smpp::CloseReason::peer_unbound);
  ASSERT_TRUE(world.run_until([&] { return smsc.peer().deliver_answers.size() == 1; }));
  ASSERT_EQ(world.count<SubmitResult>(), 2u);
  EXPECT_EQ(world.all<SubmitResult>()[1].outcome.kind, OutcomeKind::accepted);
  EXPECT_EQ(world.count<LinkDown>(), 1u);
  world.send(world.submit(3));
  ASSERT_TRUE(results(3));
  EXPECT_EQ(world.all<SubmitResult>()[2].outcome.kind, OutcomeKind::not_sent);
}

TEST_F(Links, DrainGivesUpAtItsDeadline) {
  keep_silent();
  world.carriers.apply({world.carrier(smsc)});
  ASSERT_TRUE(ups(1));
  world.send(world.submit(1));
  ASSERT_TRUE(world.run_until([&] { return smsc.peer().submits.size() == 1; }));
  bool done = false;
  world.carriers.drain(20ms, [&] { asio::post(world.io, [&] { done = true; }); });
  ASSERT_TRUE(world.run_until([&] { return done; }));
  ASSERT_EQ(world.count<SubmitResult>(), 1u);
  EXPECT_EQ(world.all<SubmitResult>()[0].outcome.kind, OutcomeKind::in_doubt);
  EXPECT_EQ(world.count<LinkDown>(), 1u);
  // It was asked to let us go, but holds an unanswered submit.
  ASSERT_TRUE(world.run_until(
      [&] { return smsc.peer().session().state() == smpp::SessionState::unbinding; }));
}

TEST_F(Links, DrainWithNothingToDo) {
  bool done = false;
  world.carriers.drain(1min, [&] { asio::post(world.io, [&] { done = true; }); });
  ASSERT_TRUE(world.run_until([&] { return done; }));
}

TEST_F(Links, DrainOfALinkThatIsDown) {
  smsc.stop_listening();
  world.carriers.apply({world.carrier(smsc)});
  ASSERT_TRUE(world.run_until([&] { return world.logged("connect_failed"); }));
  bool done = false;
  world.carriers.drain(1min, [&] { asio::post(world.io, [&] { done = true; }); });
  ASSERT_TRUE(world.run_until([&] { return done; }));
}

TEST_F(Links, StopTellsTheFateOfEverySubmit) {
  keep_silent();
  world.carriers.apply({world.carrier(smsc)});
  ASSERT_TRUE(ups(1));
  std::vector<Command> commands;
  for (std::uint32_t i = 0; i < 10; ++i) commands.emplace_back(world.submit(i));
  world.send(std::move(commands));
  ASSERT_TRUE(world.run_until([&] { return smsc.peer().submits.size() == 10; }));
  ASSERT_EQ(world.count<SubmitResult>(), 0u);
  world.carriers.stop();
  world.carriers.stop();
  ASSERT_TRUE(results(10));
  for (const SubmitResult& r : world.all<SubmitResult>()) {
    EXPECT_EQ(r.outcome.kind, OutcomeKind::in_doubt);
  }
  ASSERT_TRUE(downs(1));
  EXPECT_EQ(world.carriers.stats().at(0).state, LinkState::stopped);
}

TEST(CarriersLife, NeverStarted) {
  const auto vault = seal::Vault::in_memory(1);
  Carriers carriers(*vault, [](std::vector<engine::Event>&) {}, nullptr);
  carriers.apply({config::Carrier{}});
  std::vector<Command> commands;
  commands.emplace_back(engine::ReceiptAck{1});
  carriers.send(commands);
  EXPECT_TRUE(commands.empty());
  EXPECT_TRUE(carriers.stats().empty());
}

// --- reload -------------------------------------------------------------------------------------

TEST_F(Links, ReloadTouchesOnlyWhatChanged) {
  TestSmsc other(world.io);
  const config::Carrier alpha = world.carrier(smsc, "alpha");
  config::Carrier beta = world.carrier(other, "beta");
  world.carriers.apply({alpha, beta});
  ASSERT_TRUE(ups(2));

  config::Carrier alpha2 = alpha;
  alpha2.smpp.default_sender = "60333";
  alpha2.region = "us";
  beta.smpp.window = 5;
  TestSmsc third(world.io);
  world.carriers.apply({alpha2, beta, world.carrier(third, "gamma")});
  ASSERT_TRUE(world.run_until([&] { return third.bound() == 1 && other.peers.size() == 2; }));
  ASSERT_TRUE(world.run_until([&] {
    const auto all = world.all<LinkUp>();
    return std::ranges::any_of(all, [](const LinkUp& up) { return up.window == 5; });
  }));
  EXPECT_EQ(smsc.peers.size(), 1u);
  EXPECT_TRUE(smsc.peer().is_open());
  ASSERT_TRUE(world.run_until([&] { return other.peer(0).ended.has_value(); }));
  EXPECT_EQ(other.peer(0).ended, smpp::CloseReason::peer_unbound);
  EXPECT_EQ(world.count<LinkDown>(), 1u);
  EXPECT_EQ(world.all<LinkDown>()[0].carrier.at(), 1u);

  // The new default sender is used at once.
  engine::Submit submit = world.submit(1);
  message::Payload payload{.to = "+447700900123", .from = "", .body = "Hello"};
  submit.sealed = world.vault->seal(seal::KeyKind::month, "demo", 1, io::wall_now(),
                                    message::encode_payload(payload), "demo");
  world.send(std::move(submit));
  ASSERT_TRUE(results(1));
  EXPECT_EQ(smsc.peer().submits[0].sm.source, (smpp::Address{3, 0, "60333"}));
}

TEST_F(Links, RemovedCarrierFinishesWhatIsOutAndLeaves) {
  keep_silent();
  world.carriers.apply({world.carrier(smsc)});
  ASSERT_TRUE(ups(1));
  world.send(world.submit(1));
  ASSERT_TRUE(world.run_until([&] { return smsc.peer().submits.size() == 1; }));
  world.carriers.apply({config::Carrier{}});
  ASSERT_TRUE(world.run_until([&] { return world.all<LinkUp>().back().window == 0; }));
  smsc.peer().answer(smsc.peer().submits[0].sequence, 0, "m1");
  ASSERT_TRUE(downs(1));
  EXPECT_EQ(world.all<SubmitResult>()[0].outcome.kind, OutcomeKind::accepted);
  ASSERT_TRUE(world.run_until([&] { return world.carriers.stats().empty(); }));
  world.send(world.submit(2));
  ASSERT_TRUE(results(2));
  EXPECT_EQ(world.all<SubmitResult>()[1].outcome.cause, message::Cause::carrier_removed);
}

TEST_F(Links, ReloadTwiceQuicklyEndsWithTheLast) {
  config::Carrier carrier = world.carrier(smsc);
  world.carriers.apply({carrier});
  ASSERT_TRUE(ups(1));
  for (std::uint32_t window = 1; window <= 5; ++window) {
    carrier.smpp.window = window;
    world.carriers.apply({carrier});
  }
  ASSERT_TRUE(world.run_until([&] { return world.all<LinkUp>().back().window == 5; }));
  EXPECT_EQ(smsc.bound(), 1u);
}

}  // namespace
}  // namespace trunkline::carrier::test
