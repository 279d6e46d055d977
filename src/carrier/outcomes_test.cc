// What is told of a submit in every way it can end. The carrier is a real peer on loopback.
#include <gtest/gtest.h>

#include <algorithm>

#include "carrier/test_world.h"
#include "io/failpoint.h"

namespace trunkline::carrier::test {
namespace {

using engine::LinkDown;
using engine::LinkUp;
using engine::SubmitResult;
using message::Cause;
using message::OutcomeKind;

class Outcomes : public ::testing::Test {
 protected:
  void TearDown() override { (void)io::arm_failpoints(""); }

  void connect(config::Carrier carrier) {
    world.carriers.apply({std::move(carrier)});
    ASSERT_TRUE(world.run_until([&] { return world.count<LinkUp>() == 1; }));
  }
  void connect() { connect(world.carrier(smsc)); }
  // The nth result, once it is there.
  SubmitResult result(std::size_t nth = 0) {
    EXPECT_TRUE(world.run_until([&] { return world.count<SubmitResult>() > nth; }));
    const auto all = world.all<SubmitResult>();
    return nth < all.size() ? all[nth] : SubmitResult{};
  }
  void keep_silent() {
    smsc.on_submit = [](Peer&, const Peer::Submitted&) {};
  }
  bool seen(std::size_t submits) {
    return world.run_until(
        [&] { return !smsc.peers.empty() && smsc.peers.back()->submits.size() >= submits; });
  }

  World world;
  TestSmsc smsc{world.io};
};

TEST_F(Outcomes, AcceptedWithTheCarriersId) {
  connect();
  const base::Mono before = io::mono_now();
  world.send(world.submit(7));
  const SubmitResult r = result();
  EXPECT_EQ(r.outcome.kind, OutcomeKind::accepted);
  EXPECT_EQ(r.outcome.cause, Cause::carrier_accepted);
  EXPECT_EQ(r.outcome.carrier_message_id, "m1");
  EXPECT_FALSE(r.outcome.late);
  EXPECT_EQ(r.ref.slot, 7u);
  EXPECT_EQ(r.segment, 1);
  EXPECT_GE(r.written_at, before);
  EXPECT_LE(r.written_at, io::mono_now());

  const smpp::SubmitSm& sm = smsc.peer().submits.at(0).sm;
  EXPECT_EQ(sm.dest, (smpp::Address{1, 1, "447700900123"}));
  EXPECT_EQ(sm.source, (smpp::Address{5, 0, "Acme"}));
  EXPECT_EQ(sm.short_message, "Hello");
  EXPECT_EQ(sm.registered_delivery, 1);
  EXPECT_TRUE(sm.validity_period.starts_with("00000000595")) << sm.validity_period;
}

TEST_F(Outcomes, AcceptedWithoutAnId) {
  smsc.on_submit = [](Peer& peer, const Peer::Submitted& s) { peer.answer(s.sequence, 0); };
  connect();
  world.send(world.submit(1));
  EXPECT_EQ(result().outcome.kind, OutcomeKind::accepted);
  EXPECT_EQ(result().outcome.carrier_message_id, "");
}

TEST_F(Outcomes, RefusalsCarryTheStatus) {
  const std::uint32_t statuses[] = {0x58, 0x0b, 0x0a, 0x08, 0x0e, 0x400};
  const OutcomeKind kinds[] = {OutcomeKind::throttled, OutcomeKind::fail, OutcomeKind::reroute,
                               OutcomeKind::transient, OutcomeKind::park, OutcomeKind::transient};
  std::size_t next = 0;
  smsc.on_submit = [&](Peer& peer, const Peer::Submitted& s) {
    peer.answer(s.sequence, statuses[next++]);
  };
  connect();
  std::vector<Command> commands;
  for (std::uint32_t i = 0; i < std::size(statuses); ++i) commands.emplace_back(world.submit(i));
  world.send(std::move(commands));
  for (std::size_t i = 0; i < std::size(statuses); ++i) {
    EXPECT_EQ(result(i).outcome.kind, kinds[i]) << i;
    EXPECT_EQ(result(i).ref.slot, i);
  }
  EXPECT_EQ(result(0).outcome.raw, "ESME_RTHROTTLED 0x00000058");
  EXPECT_TRUE(world.logged("submit_refused"));  // ESME_RINVPASWD to a submit is for an operator
}

// Counted each time, told once with the line that is missing; with that line, no longer.
TEST_F(Outcomes, StatusesNobodyMapped) {
  smsc.on_submit = [&](Peer& peer, const Peer::Submitted& s) { peer.answer(s.sequence, 0x400); };
  connect();
  for (std::uint32_t i = 0; i < 3; ++i) world.send(world.submit(i));
  EXPECT_EQ(result(2).outcome.kind, OutcomeKind::transient);
  const auto count = [&] {
    return world.metrics.counter(telemetry::Metric::unmapped_statuses, {"alpha"})->value();
  };
  EXPECT_EQ(count(), 3u);
  std::size_t lines = 0;
  for (const LogLine& line : world.log()) {
    if (line.event != "status_unmapped") continue;
    ++lines;
    EXPECT_NE(line.text.find("smpp.statuses: { 0x00000400"), std::string::npos) << line.text;
  }
  EXPECT_EQ(lines, 1u);

  config::Carrier carrier = world.carrier(smsc);
  carrier.smpp.options.statuses.set(0x400, smpp::StatusAction::reroute);
  world.carriers.apply({carrier});
  world.send(world.submit(7));
  EXPECT_EQ(result(3).outcome.kind, OutcomeKind::reroute);
  EXPECT_EQ(count(), 3u);
  EXPECT_EQ(smsc.peers.size(), 1u);
}

TEST_F(Outcomes, WhatThisCarrierWantsAndTheMessageHasNot) {
  config::Carrier carrier = world.carrier(smsc);
  carrier.smpp.options.tlvs = {{.tag = 0x1400,
                                .value = {{config::SmppTlv::Piece::From::metadata, "pe_id"}},
                                .required = true}};
  connect(carrier);
  world.send(world.submit(1, std::string(200, 'a')));
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(result(i).outcome.kind, OutcomeKind::reroute);
    EXPECT_EQ(result(i).outcome.cause, Cause::unsuited);
    EXPECT_EQ(result(i).outcome.raw, "tlv 0x1400: the message has no metadata.pe_id");
    EXPECT_EQ(result(i).written_at, base::Mono{});
  }
  EXPECT_TRUE(smsc.peer().submits.empty());
}

// A part that a client made, at a carrier that lacks its alphabet: the next one gets it, as it is.
TEST_F(Outcomes, APartOfTheClientThatTheCarrierCannotHave) {
  config::Carrier carrier = world.carrier(smsc);
  carrier.smpp.options.text = {.ucs2 = false, .carriage = gsm::Carriage::sar};
  connect(carrier);
  const auto part = [&](std::uint32_t slot, std::string text, std::uint8_t data_coding) {
    engine::Submit submit = world.submit(slot);
    const message::Payload payload{
        .to = "+447700900123",
        .from = "Acme",
        .body = "x",
        .verbatim = {std::string("\5\0\3\7\2\1", 6) + text, data_coding, true}};
    submit.sealed = world.vault->seal(seal::KeyKind::month, "demo", 1, io::wall_now(),
                                      message::encode_payload(payload), "demo");
    return submit;
  };
  world.send(part(1, "\x04\x14", 8));
  EXPECT_EQ(result(0).outcome.kind, OutcomeKind::reroute);
  EXPECT_EQ(result(0).outcome.cause, Cause::unsuited);
  EXPECT_TRUE(smsc.peer().submits.empty());
  world.send(part(2, std::string("\0h\0i", 4), 8));
  EXPECT_EQ(result(1).outcome.kind, OutcomeKind::accepted);
  ASSERT_EQ(smsc.peer().submits.size(), 1u);
  const smpp::SubmitSm& sm = smsc.peer().submits[0].sm;
  EXPECT_EQ(sm.short_message, "hi");
  EXPECT_EQ(sm.data_coding, 0);
  EXPECT_EQ(sm.esm_class, 0);
  EXPECT_EQ(smpp::find_u8(sm.tlvs, smpp::tag::kSarTotalSegments), 2);
}

TEST_F(Outcomes, GenericNackIsARefusal) {
  smsc.on_submit = [](Peer& peer, const Peer::Submitted& s) { peer.nack(s.sequence, 3); };
  connect();
  world.send(world.submit(1));
  EXPECT_EQ(result().outcome.kind, OutcomeKind::transient);
  EXPECT_EQ(result().outcome.raw, "generic_nack ESME_RINVCMDID 0x00000003");
}

TEST_F(Outcomes, EverySegmentByItself) {
  smsc.on_submit = [](Peer& peer, const Peer::Submitted& s) {
    const auto index = static_cast<unsigned char>(s.sm.short_message[5]);
    peer.answer(s.sequence, index == 2 ? 0x58 : 0, "part" + std::to_string(index));
  };
  connect();
  engine::Submit submit = world.submit(1, std::string(600, 'x'));
  ASSERT_EQ(submit.segments, 4);
  submit.segment_set = 0b1011;  // the third was accepted before
  world.send(std::move(submit));
  (void)result(2);
  const auto results = world.all<SubmitResult>();
  ASSERT_EQ(results.size(), 3u);
  EXPECT_EQ(results[0].segment, 1);
  EXPECT_EQ(results[0].outcome.carrier_message_id, "part1");
  EXPECT_EQ(results[1].segment, 2);
  EXPECT_EQ(results[1].outcome.kind, OutcomeKind::throttled);
  EXPECT_EQ(results[2].segment, 4);
  EXPECT_EQ(results[2].outcome.carrier_message_id, "part4");
  EXPECT_EQ(smsc.peer().submits.size(), 3u);
}

TEST_F(Outcomes, MoreSegmentsThanTheWindowStillFit) {
  config::Carrier carrier = world.carrier(smsc);
  carrier.smpp.window = 1;
  connect(std::move(carrier));
  EXPECT_EQ(world.all<LinkUp>().at(0).window, 1u);
  engine::Submit submit = world.submit(1, std::string(153 * 32, 'x'));
  ASSERT_EQ(submit.segments, 32);
  world.send(std::move(submit));
  (void)result(31);
  for (const SubmitResult& r : world.all<SubmitResult>()) {
    EXPECT_EQ(r.outcome.kind, OutcomeKind::accepted);
  }
}

TEST_F(Outcomes, OneWriteForABatch) {
  connect();
  std::vector<Command> commands;
  for (std::uint32_t i = 0; i < 40; ++i) commands.emplace_back(world.submit(i));
  world.send(std::move(commands));
  (void)result(39);
  for (std::uint32_t i = 0; i < 40; ++i) EXPECT_EQ(result(i).ref.slot, i);
}

// --- not sent -----------------------------------------------------------------------------------

TEST_F(Outcomes, UnknownCarrierAndLink) {
  connect();
  world.send(world.submit(1, "x", 0, 5));
  world.send(world.submit(2, "x", 9, 0));
  EXPECT_EQ(result(0).outcome.kind, OutcomeKind::not_sent);
  EXPECT_EQ(result(0).outcome.cause, Cause::carrier_removed);
  EXPECT_EQ(result(1).outcome.kind, OutcomeKind::not_sent);
  EXPECT_EQ(result(1).outcome.cause, Cause::link_lost_unsent);
  EXPECT_EQ(result(1).written_at, base::Mono{});
}

TEST_F(Outcomes, LinkThatIsDown) {
  smsc.stop_listening();
  world.carriers.apply({world.carrier(smsc)});
  world.send(world.submit(1, std::string(200, 'x')));
  EXPECT_EQ(result(1).outcome.kind, OutcomeKind::not_sent);  // both segments
  EXPECT_EQ(result(1).outcome.cause, Cause::link_lost_unsent);
}

TEST_F(Outcomes, NothingIsWrittenAfterTheTtl) {
  connect();
  engine::Submit submit = world.submit(1);
  submit.not_after = io::mono_now() - 1us;
  world.send(std::move(submit));
  EXPECT_EQ(result().outcome.kind, OutcomeKind::not_sent);
  EXPECT_EQ(result().outcome.cause, Cause::ttl);
  world.send(world.submit(2));
  (void)result(1);
  EXPECT_EQ(smsc.peer().submits.size(), 1u);
}

TEST_F(Outcomes, UnreadablePayloadFailsEverySegment) {
  connect();
  engine::Submit wrong_tenant = world.submit(1, std::string(200, 'x'));
  wrong_tenant.tenant = "other";
  engine::Submit damaged = world.submit(2);
  damaged.sealed.back() = static_cast<char>(damaged.sealed.back() ^ 1);
  engine::Submit other_text = world.submit(3);
  other_text.encoding = 1;
  world.send(std::move(wrong_tenant));
  world.send(std::move(damaged));
  world.send(std::move(other_text));
  (void)result(3);
  for (const SubmitResult& r : world.all<SubmitResult>()) {
    EXPECT_EQ(r.outcome.kind, OutcomeKind::fail);
    EXPECT_EQ(r.outcome.cause, Cause::payload_unreadable);
  }
  EXPECT_TRUE(smsc.peer().submits.empty());
}

TEST_F(Outcomes, SenderThatNoPduCanHold) {
  connect();
  engine::Submit submit = world.submit(1);
  message::Payload payload{.to = "+447700900123", .from = std::string(21, 'A'), .body = "Hello"};
  submit.sealed = world.vault->seal(seal::KeyKind::month, "demo", 1, io::wall_now(),
                                    message::encode_payload(payload), "demo");
  world.send(std::move(submit));
  EXPECT_EQ(result().outcome.kind, OutcomeKind::reroute);
  EXPECT_EQ(result().outcome.cause, Cause::unsuited);
  EXPECT_NE(result().outcome.raw.find("source_addr"), std::string::npos) << result().outcome.raw;
}

TEST_F(Outcomes, WindowIsNeverExceededOnTheWire) {
  keep_silent();
  config::Carrier carrier = world.carrier(smsc);
  carrier.smpp.window = 40;
  connect(std::move(carrier));
  std::vector<Command> commands;
  for (std::uint32_t i = 0; i < 41; ++i) commands.emplace_back(world.submit(i));
  world.send(std::move(commands));
  EXPECT_EQ(result().ref.slot, 40u);
  EXPECT_EQ(result().outcome.kind, OutcomeKind::not_sent);
  EXPECT_EQ(result().outcome.cause, Cause::no_window);
  ASSERT_TRUE(seen(40));
}

TEST_F(Outcomes, WriteThatFailsWithoutTakingAnythingIsNotSent) {
  connect();
  ASSERT_TRUE(io::arm_failpoints("wire.before_write=eio@1"));
  world.send(world.submit(1));
  EXPECT_EQ(result().outcome.kind, OutcomeKind::not_sent);
  EXPECT_EQ(result().outcome.cause, Cause::link_lost_unsent);
  EXPECT_EQ(result().written_at, base::Mono{});
  ASSERT_TRUE(world.run_until([&] { return world.count<LinkUp>() == 2; }));
  EXPECT_LT(world.position<SubmitResult>(), world.position<LinkDown>());
  EXPECT_LT(world.position<LinkDown>(), world.position<LinkUp>(1));
  EXPECT_TRUE(smsc.peer(0).submits.empty());
}

TEST_F(Outcomes, FailureAfterTheWriteIsInDoubt) {
  keep_silent();
  connect();
  ASSERT_TRUE(io::arm_failpoints("wire.after_write=eio@1"));
  world.send(world.submit(1));
  EXPECT_EQ(result().outcome.kind, OutcomeKind::in_doubt);
  EXPECT_EQ(result().outcome.cause, Cause::link_lost_oldest);
  EXPECT_NE(result().written_at, base::Mono{});
}

// --- in doubt -----------------------------------------------------------------------------------

TEST_F(Outcomes, ResetAfterTheWriteIsInDoubt) {
  smsc.on_submit = [](Peer& peer, const Peer::Submitted&) { peer.reset(); };
  connect();
  world.send(world.submit(1));
  EXPECT_EQ(result().outcome.kind, OutcomeKind::in_doubt);
  EXPECT_EQ(result().outcome.cause, Cause::link_lost_oldest);
  ASSERT_TRUE(world.run_until([&] { return world.count<LinkUp>() == 2; }));
  EXPECT_LT(world.position<SubmitResult>(), world.position<LinkDown>());
  EXPECT_EQ(world.count<SubmitResult>(), 1u);
}

TEST_F(Outcomes, ConnectionClosedWithoutAnAnswerIsInDoubt) {
  smsc.on_submit = [](Peer& peer, const Peer::Submitted&) { peer.drop(); };
  connect();
  world.send(world.submit(1));
  EXPECT_EQ(result().outcome.kind, OutcomeKind::in_doubt);
  EXPECT_EQ(result().outcome.cause, Cause::link_lost_oldest);
}

TEST_F(Outcomes, AnswerJustBeforeTheEndCounts) {
  smsc.on_submit = [this](Peer& peer, const Peer::Submitted& s) {
    peer.answer(s.sequence, 0, "last");
    asio::post(world.io, [&peer] { peer.drop(); });
  };
  connect();
  world.send(world.submit(1));
  EXPECT_EQ(result().outcome.kind, OutcomeKind::accepted);
  ASSERT_TRUE(world.run_until([&] { return world.count<LinkDown>() == 1; }));
  EXPECT_EQ(world.count<SubmitResult>(), 1u);
}

TEST_F(Outcomes, SilenceTimesOutAndALateAnswerStillCounts) {
  keep_silent();
  connect();
  engine::Submit submit = world.submit(3);
  submit.response_timeout = 20ms;
  world.send(std::move(submit));
  EXPECT_EQ(result().outcome.kind, OutcomeKind::in_doubt);
  EXPECT_EQ(result().outcome.cause, Cause::response_timeout);
  EXPECT_FALSE(result().outcome.late);
  EXPECT_NE(result().written_at, base::Mono{});

  ASSERT_TRUE(seen(1));
  smsc.peer().answer(smsc.peer().submits[0].sequence, 0, "late1");
  const SubmitResult late = result(1);
  EXPECT_TRUE(late.outcome.late);
  EXPECT_EQ(late.outcome.kind, OutcomeKind::accepted);
  EXPECT_EQ(late.outcome.carrier_message_id, "late1");
  EXPECT_EQ(late.ref.slot, 3u);
  EXPECT_EQ(world.count<LinkDown>(), 0u);  // the link itself is not given up
}

TEST_F(Outcomes, TimedOutOnesAreNotReportedAgainWhenTheLinkIsLost) {
  keep_silent();
  connect();
  engine::Submit submit = world.submit(3);
  submit.response_timeout = 20ms;
  world.send(std::move(submit));
  (void)result();
  world.send(world.submit(4));
  ASSERT_TRUE(seen(2));
  smsc.peer().reset();
  ASSERT_TRUE(world.run_until([&] { return world.count<LinkDown>() == 1; }));
  ASSERT_EQ(world.count<SubmitResult>(), 2u);
  EXPECT_EQ(result(1).ref.slot, 4u);
}

TEST_F(Outcomes, GarbageFromTheCarrierEndsTheConnection) {
  keep_silent();
  connect();
  world.send(world.submit(1));
  ASSERT_TRUE(seen(1));
  smsc.peer().write_raw("GET / HTTP/1.1\r\nHost: carrier\r\n\r\n");
  EXPECT_EQ(result().outcome.kind, OutcomeKind::in_doubt);
  ASSERT_TRUE(world.run_until([&] { return world.count<LinkUp>() == 2; }));
}

TEST_F(Outcomes, ImpossibleLengthsEndTheConnection) {
  connect();
  const std::string_view lengths[] = {{"\xff\xff\xff\xff\x80\0\0\4\0\0\0\0\0\0\0\1", 16},
                                      {"\0\0\0\x0f\x80\0\0\4\0\0\0\0\0\0\0\1", 16},
                                      {"\0\0\0\0", 4}};
  std::size_t ups = 1;
  for (const std::string_view bytes : lengths) {
    smsc.peers.back()->write_raw(bytes);
    ++ups;
    ASSERT_TRUE(world.run_until([&] { return world.count<LinkUp>() == ups; }));
  }
}

TEST_F(Outcomes, AnswersNobodyAskedForAreIgnored) {
  keep_silent();
  connect();
  world.send(world.submit(1));
  ASSERT_TRUE(seen(1));
  const std::uint32_t sequence = smsc.peer().submits[0].sequence;
  smsc.peer().answer(sequence + 1000, 0, "stranger");
  smsc.peer().answer(sequence, 0, "mine");
  smsc.peer().answer(sequence, 0, "again");
  world.send(world.submit(2));
  ASSERT_TRUE(seen(2));
  smsc.peer().answer(smsc.peer().submits[1].sequence, 0, "second");
  EXPECT_EQ(result(1).outcome.carrier_message_id, "second");
  EXPECT_EQ(result(0).outcome.carrier_message_id, "mine");
  EXPECT_EQ(world.count<SubmitResult>(), 2u);
}

// --- a peer that does not read ------------------------------------------------------------------

class Congested : public Outcomes {
 protected:
  // Submits until the link says that it takes no more; everything is with the link then.
  void fill(base::Duration ttl) {
    keep_silent();
    smsc.set_receive_buffer(8 * 1024);
    config::Carrier carrier = world.carrier(smsc);
    carrier.smpp.window = 10'000;
    connect(std::move(carrier));
    smsc.peer().pause_reading();
    const engine::Submit one = world.submit(0, std::string(160, 'x'));
    while (sent < 60'000 && !stopped()) {
      std::vector<Command> commands;
      for (std::uint32_t i = 0; i < 500; ++i) {
        engine::Submit submit = one;
        submit.ref.slot = sent++;
        submit.not_after = io::mono_now() + ttl;
        commands.emplace_back(std::move(submit));
      }
      world.send(std::move(commands));
      (void)world.carriers.stats();  // so that they were taken
      world.io.restart();
      world.io.poll();
    }
    ASSERT_TRUE(stopped());
  }
  bool stopped() { return world.count<LinkUp>() == 2 && world.all<LinkUp>()[1].window == 0; }
  std::size_t count(OutcomeKind kind, Cause cause) {
    std::size_t n = 0;
    for (const SubmitResult& r : world.all<SubmitResult>()) {
      n += r.outcome.kind == kind && r.outcome.cause == cause;
    }
    return n;
  }

  std::uint32_t sent = 0;
};

TEST_F(Congested, UnsentBytesAreBoundedAndItGoesOnWhenThePeerReads) {
  fill(1h);
  const LinkStats stats = world.carriers.stats().at(0);
  EXPECT_LE(stats.unsent_bytes, base::limits::kLinkUnsentBytesMax + 1024);
  EXPECT_GT(stats.silent_for, 0us);
  ASSERT_TRUE(world.run_until(
      [&] { return stats.outstanding + count(OutcomeKind::not_sent, Cause::no_window) == sent; }));

  smsc.on_submit = [](Peer& peer, const Peer::Submitted& s) {
    peer.answer(s.sequence, 0, std::to_string(s.sequence));
  };
  // Those it has already read into its own session are answered by it too.
  smsc.peer().resume_reading();
  ASSERT_TRUE(world.run_until([&] { return world.count<SubmitResult>() == sent; }));
  const std::size_t refused = count(OutcomeKind::not_sent, Cause::no_window);
  EXPECT_EQ(count(OutcomeKind::accepted, Cause::carrier_accepted), sent - refused);
  EXPECT_EQ(smsc.peer().submits.size(), sent - refused);
  ASSERT_TRUE(world.run_until([&] { return world.count<LinkUp>() == 3; }));
  EXPECT_EQ(world.all<LinkUp>()[2].window, 10'000u);
  EXPECT_EQ(smsc.peers.size(), 1u);
}

TEST_F(Congested, LostWithUnsentBytesTellsThemFromTheOthers) {
  fill(1h);
  smsc.peer().reset();
  ASSERT_TRUE(world.run_until([&] { return world.count<SubmitResult>() == sent; }));
  const std::size_t unsent = count(OutcomeKind::not_sent, Cause::link_lost_unsent);
  const std::size_t doubtful = 1 + count(OutcomeKind::in_doubt, Cause::link_lost);
  EXPECT_EQ(count(OutcomeKind::in_doubt, Cause::link_lost_oldest), 1u);
  EXPECT_GT(unsent, 0u);
  EXPECT_GT(doubtful, 0u);
  EXPECT_EQ(unsent + doubtful + count(OutcomeKind::not_sent, Cause::no_window), sent);
  EXPECT_GE(doubtful, smsc.peer(0).submits.size());
  // A byte that was taken from the first one in the queue makes that one doubtful, the rest not:
  // the doubtful ones are the first, in the order of sending.
  std::uint32_t last_doubtful = 0;
  std::uint32_t first_unsent = 0xffffffff;
  for (const SubmitResult& r : world.all<SubmitResult>()) {
    if (r.outcome.kind == OutcomeKind::in_doubt)
      last_doubtful = std::max(last_doubtful, r.ref.slot);
    if (r.outcome.cause == Cause::link_lost_oldest) EXPECT_EQ(r.ref.slot, 0u);
    if (r.outcome.cause == Cause::link_lost_unsent) {
      first_unsent = std::min(first_unsent, r.ref.slot);
    }
  }
  EXPECT_LT(last_doubtful, first_unsent);
}

TEST_F(Congested, WhatStillWaitsWhenItsTtlEndsIsWithdrawn) {
  fill(300ms);
  ASSERT_TRUE(world.run_until([&] { return count(OutcomeKind::not_sent, Cause::ttl) > 0; }));
  smsc.peer().resume_reading();
  // Each is with the peer or was withdrawn, none both.
  ASSERT_TRUE(world.run_until([&] {
    return smsc.peer().submits.size() + count(OutcomeKind::not_sent, Cause::ttl) +
               count(OutcomeKind::not_sent, Cause::no_window) ==
           sent;
  }));
  EXPECT_EQ(world.carriers.stats().at(0).unsent_bytes, 0u);
  EXPECT_EQ(world.carriers.stats().at(0).outstanding, smsc.peer().submits.size());
}

}  // namespace
}  // namespace trunkline::carrier::test
