// What one request costs on the REST thread besides HTTP and system calls. Budget: parse, seal and
// render below 8 us together (REST in is to cost 40 us in all, of which 9 us are HTTP).
#include <benchmark/benchmark.h>

#include "message/record.h"
#include "rest/api.h"
#include "rest/parse.h"
#include "rest/render.h"

namespace trunkline::rest {
namespace {

constexpr base::Wall kNow = base::wall_from_us(1'700'000'000'123'000);
constexpr std::string_view kBody =
    R"({"to":"+447700900123","body":"Your code is 123456. It is valid for five minutes.",)"
    R"("class":"otp","from":"Acme","ttl":"5m","metadata":{"order":"A-17","attempt":2}})";

std::shared_ptr<const config::Config> bench_config() {
  auto c = std::make_shared<config::Config>();
  c->tables.classes = message::default_traffic_classes();
  c->tenants.push_back({"demo", message::ClassIndex{1}});
  // Of "key".
  c->keys.push_back({"k", "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683",
                     message::TenantIndex{0}});
  return c;
}

// Takes every message and answers at once.
class BenchBackend final : public edge::Backend {
 public:
  bool post(engine::Event&& event) override {
    auto& accept = std::get<engine::Accept>(event);
    engine::AcceptAnswer answer{.token = accept.token};
    engine::ItemAnswer item;
    item.kind = engine::ItemAnswer::Kind::accepted;
    message::Envelope e;
    e.id = ids_.next(kNow);
    e.tenant = "demo";
    e.traffic_class = "otp";
    e.country = "GB";
    e.accepted_at = e.due_at = kNow;
    e.expires_at = kNow + std::chrono::minutes(5);
    e.plan = {"alpha", "beta"};
    e.sealed = std::move(accept.items.front().sealed);
    message::encode_envelope(e, item.record);
    answer.items.push_back(std::move(item));
    effects.emplace_back(std::move(answer));
    return true;
  }
  bool accepting() const override { return true; }
  std::shared_ptr<const config::Config> config() const override { return config_; }
  store::Store& store() override { std::abort(); }
  seal::Vault& vault() override { return *vault_; }

  std::vector<engine::Effect> effects;

 private:
  std::shared_ptr<const config::Config> config_ = bench_config();
  std::unique_ptr<seal::Vault> vault_ = seal::Vault::in_memory(1);
  base::MessageIdSource ids_{0, 1};
};

void parse(benchmark::State& state) {
  const auto config = bench_config();
  for (auto _ : state) {
    benchmark::DoNotOptimize(parse_message(kBody, {*config, message::TenantIndex{0}, kNow}));
  }
}
BENCHMARK(parse);

void fingerprint(benchmark::State& state) {
  const auto config = bench_config();
  const auto request = parse_message(kBody, {*config, message::TenantIndex{0}, kNow});
  const auto vault = seal::Vault::in_memory(1);
  for (auto _ : state) {
    std::string text;
    request.append_fingerprint(text);
    benchmark::DoNotOptimize(vault->hash("idempotency-fingerprint", text));
  }
}
BENCHMARK(fingerprint);

void render(benchmark::State& state) {
  message::Envelope e;
  e.traffic_class = "otp";
  e.accepted_at = e.due_at = kNow;
  e.expires_at = kNow + std::chrono::minutes(5);
  const message::Payload payload{.to = "+447700900123",
                                 .from = "Acme",
                                 .body = "Your code is 123456. It is valid for five minutes.",
                                 .metadata = R"({"order":"A-17"})",
                                 .callback_url = ""};
  for (auto _ : state) {
    std::string out;
    append_accepted_message(out, e, &payload);
    benchmark::DoNotOptimize(out);
  }
}
BENCHMARK(render);

// All of it: authenticate, parse, seal, post; decode, render, respond.
void request_to_answer(benchmark::State& state) {
  BenchBackend backend;
  std::size_t bytes = 0;
  Api api(backend,
          {.answer_timeout = std::chrono::hours(1),
           .clock = [] { return base::Now{base::Mono{}, kNow}; }},
          [&](const io::HttpTicket&, io::HttpResponse&& r) { bytes += r.body.size(); });
  const std::vector<io::HttpRequest::Field> fields{
      {"Host", "127.0.0.1:8080"},
      {"Authorization", "Bearer key"},
      {"Content-Type", "application/json"},
      {"Idempotency-Key", "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d"},
      {"Content-Length", "190"}};
  const io::HttpRequest request{.method = "POST",
                                .path = "/v1/messages",
                                .query = {},
                                .body = kBody,
                                .has_body = true,
                                .fields = &fields};
  for (auto _ : state) {
    api.handle(request, {});
    api.on_effects(backend.effects);
    backend.effects.clear();
  }
  if (bytes < 400 * static_cast<std::size_t>(state.iterations())) state.SkipWithError("refused");
}
BENCHMARK(request_to_answer);

}  // namespace
}  // namespace trunkline::rest
