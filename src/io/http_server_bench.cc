// CPU of the server's thread for one small POST over loopback, system calls included. Budget: 9 us.
// Some clients keep one request each in flight: the worst case, nothing is coalesced.
#include <benchmark/benchmark.h>
#include <time.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <thread>

#include "io/http_client.h"
#include "io/http_server.h"

namespace trunkline::io {
namespace {

double thread_cpu_us() {
  timespec ts{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
  return static_cast<double>(ts.tv_sec) * 1e6 + static_cast<double>(ts.tv_nsec) / 1e3;
}

void small_post(benchmark::State& state) {
  boost::asio::io_context context(1);
  std::unique_ptr<HttpServer> server;
  server =
      std::move(HttpServer::listen(context, {}, [&](const HttpRequest& r, const HttpTicket& t) {
                  server->answer(t, {.status = 201, .body = std::string(450, 'x')});
                  benchmark::DoNotOptimize(r.header("authorization"));
                }).value());
  std::thread thread([&] {
    const auto work = boost::asio::make_work_guard(context);
    context.run();
  });
  const auto cpu = [&] {
    std::promise<double> read;
    boost::asio::post(context, [&] { read.set_value(thread_cpu_us()); });
    return read.get_future().get();
  };
  const std::string one =
      "POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nAuthorization: Bearer "
      "tl_0123456789012345678901234567890123456789\r\nContent-Type: application/json\r\n"
      "Content-Length: 90\r\n\r\n" +
      std::string(90, 'b');
  const auto pipeline = static_cast<int>(state.range(1));
  std::string octets;
  for (int i = 0; i < pipeline; ++i) octets += one;
  std::vector<HttpClient> clients;
  for (int i = 0; i < state.range(0); ++i) {
    clients.push_back(
        HttpClient::connect("127.0.0.1", server->port(), std::chrono::seconds(10)).value());
  }
  const double before = cpu();
  for (auto _ : state) {
    for (HttpClient& client : clients) {
      if (!client.send(octets)) state.SkipWithError("send");
    }
    for (HttpClient& client : clients) {
      for (int i = 0; i < pipeline; ++i) {
        if (!client.receive()) state.SkipWithError("receive");
      }
    }
  }
  const auto requests = static_cast<double>(state.iterations()) *
                        static_cast<double>(state.range(0) * state.range(1));
  state.counters["server_us_per_request"] = (cpu() - before) / requests;
  clients.clear();
  boost::asio::post(context, [&] {
    server->close();
    context.stop();
  });
  thread.join();
}
BENCHMARK(small_post)->Args({16, 1})->Args({4, 16})->UseRealTime();

}  // namespace
}  // namespace trunkline::io
