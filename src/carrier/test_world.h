// Test only: Carriers on their own thread, the carriers they speak to and the events they give on
// the test's. Nothing sleeps: run_until() works until something is true.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/post.hpp>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "carrier/carriers.h"
#include "carrier/test_smsc.h"
#include "gsm/segment.h"
#include "message/record.h"

namespace trunkline::carrier::test {

using namespace std::chrono_literals;

inline Options fast_options() {
  Options options;
  options.refused_first = 1ms;
  options.refused_max = 2ms;
  options.unbind_grace = 20ms;
  options.seed = 1;
  return options;
}

class World {
 public:
  explicit World(Options options = fast_options())
      : vault(seal::Vault::in_memory(7)),
        carriers(
            *vault,
            [this](std::vector<engine::Event>& batch) {
              asio::post(io, [this, taken = std::exchange(batch, {})]() mutable {
                ++batches;
                for (engine::Event& event : taken) events.push_back(std::move(event));
              });
            },
            [this](const LogLine& line) {
              const std::lock_guard lock(log_mutex_);
              log_.push_back(line);
            },
            with_metrics(options)) {
    carriers.start();
  }
  ~World() { carriers.stop(); }

  // False if it did not come true within the hang guard.
  template <class Predicate>
  [[nodiscard]] bool run_until(Predicate predicate) {
    const base::Mono guard = io::mono_now() + 60s;
    while (!predicate()) {
      if (io::mono_now() > guard) return false;
      io.restart();
      io.run_one_for(10ms);
    }
    return true;
  }

  config::Carrier carrier(const TestSmsc& smsc, const std::string& name = "alpha") const {
    config::Carrier carrier;
    carrier.name = name;
    carrier.smpp.host = "127.0.0.1";
    carrier.smpp.port = smsc.port();
    carrier.smpp.system_id = "tl";
    carrier.smpp.password = "secret";
    carrier.smpp.reconnect_first = 1ms;
    carrier.smpp.reconnect_max = 5ms;
    return carrier;
  }

  engine::Submit submit(std::uint32_t slot, std::string body = "Hello", std::uint16_t link = 0,
                        std::uint16_t carrier_index = 0) const {
    engine::Submit s;
    s.ref = {.slot = slot, .generation = 1, .carrier = {carrier_index}, .link = link, .attempt = 1};
    s.carrier = {carrier_index};
    s.link = link;
    s.tenant = "demo";
    message::Payload payload;
    payload.to = "+447700900123";
    payload.from = "Acme";
    payload.body = body;
    const auto plan = gsm::plan_segments(body);
    s.encoding = static_cast<std::uint8_t>(plan->encoding);
    s.segments = plan->segments;
    s.segment_set = message::all_segments(plan->segments);
    s.reference = 0x2a;
    s.sealed = vault->seal(seal::KeyKind::month, "demo", vault->number_hash(447700900123),
                           io::wall_now(), message::encode_payload(payload), "demo");
    s.not_after = io::mono_now() + 1h;
    s.response_timeout = 1min;
    return s;
  }

  void send(std::vector<Command> commands) { carriers.send(commands); }
  void send(engine::Submit s) {
    std::vector<Command> commands;
    commands.emplace_back(std::move(s));
    carriers.send(commands);
  }
  void acknowledge(engine::Token token) {
    std::vector<Command> commands;
    commands.emplace_back(engine::ReceiptAck{token});
    carriers.send(commands);
  }

  template <class T>
  std::vector<T> all() const {
    std::vector<T> out;
    for (const engine::Event& event : events) {
      if (const auto* one = std::get_if<T>(&event)) out.push_back(*one);
    }
    return out;
  }
  template <class T>
  std::size_t count() const {
    std::size_t n = 0;
    for (const engine::Event& event : events) n += std::holds_alternative<T>(event);
    return n;
  }
  // Of the event's kind, in the order of arrival: "up", "down", "result", "receipt".
  template <class T>
  std::size_t position(std::size_t nth = 0) const {
    for (std::size_t i = 0; i < events.size(); ++i) {
      if (std::holds_alternative<T>(events[i]) && nth-- == 0) return i;
    }
    return events.size();
  }
  std::vector<LogLine> log() {
    const std::lock_guard lock(log_mutex_);
    return log_;
  }
  bool logged(std::string_view event) {
    for (const LogLine& line : log()) {
      if (line.event == event) return true;
    }
    return false;
  }

  asio::io_context io;
  telemetry::Metrics metrics;
  std::unique_ptr<seal::Vault> vault;
  std::vector<engine::Event> events;
  std::size_t batches = 0;

 private:
  Options with_metrics(Options options) {
    options.metrics = &metrics;
    return options;
  }

  std::mutex log_mutex_;
  std::vector<LogLine> log_;

 public:
  Carriers carriers;  // last: its thread must be gone before what it uses
};

}  // namespace trunkline::carrier::test
