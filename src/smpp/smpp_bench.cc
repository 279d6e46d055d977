// The hot path: a message through the gateway is a submit_sm out, its response in, a receipt in,
// its response out. At 40,000 messages a second and 25 us each the codec and the session should
// stay below a tenth of that: about 2.5 us a message for all four PDUs.
#include <benchmark/benchmark.h>

#include "smpp/framer.h"
#include "smpp/receipt.h"
#include "smpp/session.h"

namespace trunkline::smpp {
namespace {

SubmitSm submit() {
  SubmitSm sm;
  sm.source = {ton::kAlphanumeric, npi::kUnknown, "Acme"};
  sm.dest = {ton::kInternational, npi::kIsdn, "447700900123"};
  sm.registered_delivery = registered_delivery::kFinal;
  sm.validity_period = "000000000500000R";
  sm.short_message = "Your code is 123456. It is good for five minutes. Do not tell anybody.";
  return sm;
}

DeliverSm receipt() {
  DeliverSm sm;
  sm.source = {ton::kInternational, npi::kIsdn, "447700900123"};
  sm.dest = {ton::kAlphanumeric, npi::kUnknown, "Acme"};
  sm.esm_class = esm_class::kReceipt;
  const ReceiptFields fields{.id = "0193541e0a2b00070003000142a7c9d1",
                             .text = "Your code is 123456"};
  sm.short_message = format_receipt(fields);
  add_receipt_tlvs(sm.tlvs, fields);
  return sm;
}

Pdu sample(int which) {
  switch (which) {
    case 0:
      return submit();
    case 1:
      return SubmitSmResp{.message_id = "0193541e0a2b00070003000142a7c9d1"};
    case 2:
      return receipt();
    default:
      return DeliverSmResp{};
  }
}

void encode_pdu(benchmark::State& state) {
  const Pdu pdu = sample(static_cast<int>(state.range(0)));
  state.SetLabel(command_name(command_id(pdu)));
  std::string out;
  std::uint32_t sequence = 0;
  for (auto _ : state) {
    if (out.size() > 60'000) out.clear();
    benchmark::DoNotOptimize(encode(pdu, ++sequence, 0, out));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(encode_pdu)->DenseRange(0, 3);

void decode_pdu(benchmark::State& state) {
  const Pdu pdu = sample(static_cast<int>(state.range(0)));
  state.SetLabel(command_name(command_id(pdu)));
  std::string frame;
  (void)encode(pdu, 1, 0, frame);
  for (auto _ : state) benchmark::DoNotOptimize(decode(frame));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(decode_pdu)->DenseRange(0, 3);

void read_receipt(benchmark::State& state) {
  const DeliverSm sm = receipt();
  for (auto _ : state) benchmark::DoNotOptimize(parse_receipt(sm));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(read_receipt);

void cut_frames(benchmark::State& state) {
  std::string stream;
  for (std::uint32_t i = 0; i < 400; ++i) (void)encode(sample(2), i, 0, stream);
  Framer framer;
  for (auto _ : state) {
    for (std::size_t at = 0; at < stream.size(); at += 8192) {  // pieces as a socket gives them
      std::string_view input = std::string_view(stream).substr(at, 8192);
      while (const auto frame = *framer.next(input)) benchmark::DoNotOptimize(frame);
    }
  }
  state.SetItemsProcessed(state.iterations() * 400);
}
BENCHMARK(cut_frames);

// Two sessions back to back: submit_sm, its response, a receipt, its response, in rounds of half
// the window. Time a message for BOTH sides; the gateway is one of them.
void whole_message(benchmark::State& state) {
  const base::Mono now{};
  SessionConfig config;
  config.window = static_cast<std::size_t>(state.range(0));
  SmppSession esme(config, now);
  config.role = Role::smsc;
  SmppSession smsc(config, now);
  const auto move_bytes = [&](SmppSession& from, SmppSession& to) {
    for (;;) {
      const std::string_view chunk = from.next_chunk(now, 64 * 1024);
      if (chunk.empty()) return;
      to.on_received(chunk, now);
      from.on_written(chunk.size(), now);
    }
  };
  (void)esme.bind(Bind{}, now);
  move_bytes(esme, smsc);
  while (smsc.next_event()) (void)smsc.accept_bind("smsc", now);
  move_bytes(smsc, esme);
  while (esme.next_event()) continue;

  const Pdu sm = submit();
  const Pdu dlr = receipt();
  const Pdu resp = sample(1);
  const Pdu dlr_resp = DeliverSmResp{};
  const std::size_t round = config.window / 2;
  std::size_t answered = 0;
  for (auto _ : state) {
    for (std::size_t i = 0; i < round; ++i) (void)esme.send(sm, {.token = i}, now);
    move_bytes(esme, smsc);
    while (const auto e = smsc.next_event()) {
      if (const auto* in = std::get_if<InboundRequest>(&*e)) {
        (void)smsc.respond(in->sequence, 0, resp, now);
        (void)smsc.send(dlr, {}, now);
      }
    }
    move_bytes(smsc, esme);
    while (const auto e = esme.next_event()) {
      if (std::holds_alternative<Response>(*e)) ++answered;
      if (const auto* in = std::get_if<InboundRequest>(&*e)) {
        benchmark::DoNotOptimize(parse_receipt(std::get<DeliverSm>(in->pdu)));
        (void)esme.respond(in->sequence, 0, dlr_resp, now);
      }
    }
    move_bytes(esme, smsc);
    while (smsc.next_event()) continue;
  }
  if (answered != static_cast<std::size_t>(state.iterations()) * round) {
    state.SkipWithError("messages were lost");
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(answered));
}
BENCHMARK(whole_message)->Arg(100)->Arg(1000);

}  // namespace
}  // namespace trunkline::smpp
