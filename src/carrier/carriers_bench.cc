// What the adapter costs a message: submit, answer, receipt, acknowledgement. CPU of the carriers'
// thread alone; the peer and the engine's place are on another thread.
//
// Arithmetic (us): unseal 1.0, segments and submit_sm 1.0, encode and session 0.7, decode two PDUs
// and match 1.2, receipt text 0.6, number hash 0.2, two events and a mailbox turn 0.5, share of
// system calls at 100 a turn 0.6: about 6.
#include <benchmark/benchmark.h>
#include <time.h>

#include <atomic>

#include "carrier/carriers.h"
#include "carrier/test_smsc.h"
#include "gsm/segment.h"
#include "message/record.h"

namespace trunkline::carrier {
namespace {

using namespace std::chrono_literals;

double thread_cpu_us() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_nsec) / 1e3;
}

void submit_answer_receipt_ack(benchmark::State& state) {
  const auto window = static_cast<std::uint32_t>(state.range(0));
  boost::asio::io_context io;
  test::TestSmsc smsc(io);
  unsigned last_id = 0;
  smsc.on_submit = [&](test::Peer& peer, const test::Peer::Submitted& s) {
    const std::string id = std::to_string(++last_id);
    peer.answer(s.sequence, 0, id);
    peer.deliver_receipt(id, last_id);
    peer.submits.clear();
    peer.deliver_answers.clear();
  };

  const auto vault = seal::Vault::in_memory(1);
  engine::Submit submit;
  submit.carrier = {0};
  submit.tenant = "demo";
  const message::Payload payload{.to = "+447700900123",
                                 .from = "Acme",
                                 .body = "Your code is 123456. It is valid for five minutes."};
  submit.sealed = vault->seal(seal::KeyKind::month, "demo", 1, io::wall_now(),
                              message::encode_payload(payload), "demo");
  submit.not_after = io::mono_now() + 24h;
  submit.response_timeout = 1min;

  std::atomic<double> cpu_us = 0;
  std::atomic<bool> up = false;
  std::atomic<std::int64_t> finished = 0;
  Carriers* out = nullptr;
  std::vector<Command> commands;
  Carriers carriers(
      *vault,
      [&](std::vector<engine::Event>& events) {
        for (engine::Event& event : events) {
          if (std::holds_alternative<engine::LinkUp>(event)) up = true;
          if (std::holds_alternative<engine::SubmitResult>(event)) commands.emplace_back(submit);
          if (const auto* receipt = std::get_if<engine::Receipt>(&event)) {
            commands.emplace_back(engine::ReceiptAck{receipt->token});
            ++finished;
          }
        }
        out->send(commands);
        cpu_us = thread_cpu_us();
      },
      nullptr);
  out = &carriers;
  config::Carrier carrier;
  carrier.name = "alpha";
  carrier.smpp.host = "127.0.0.1";
  carrier.smpp.port = smsc.port();
  carrier.smpp.system_id = "tl";
  carrier.smpp.password = "secret";
  carrier.smpp.window = window;
  carriers.apply({carrier});
  carriers.start();
  const auto run_until = [&](auto done) {
    while (!done()) {
      io.restart();
      io.run_one_for(10ms);
    }
  };
  run_until([&] { return up.load(); });

  std::vector<Command> first(window, Command(submit));
  carriers.send(first);
  run_until([&] { return finished > 20'000; });
  const double cpu_before = cpu_us;
  const std::int64_t before = finished;
  for (auto _ : state) {
    const std::int64_t target = finished + 20'000;
    run_until([&] { return finished >= target; });
  }
  const auto messages = static_cast<double>(finished - before);
  state.counters["cpu_us_per_message"] = (cpu_us - cpu_before) / messages;
  state.counters["messages/s"] = benchmark::Counter(messages, benchmark::Counter::kIsRate);
  carriers.stop();
}
BENCHMARK(submit_answer_receipt_ack)
    ->Arg(50)
    ->Arg(1000)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace trunkline::carrier
