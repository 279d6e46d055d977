#include "sim/smpp_load.h"

#include <fmt/format.h>

#include <array>
#include <boost/asio.hpp>
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "io/clock.h"
#include "sim/fault.h"
#include "sim/ledger.h"
#include "sim/wire.h"
#include "smpp/status.h"

namespace trunkline::sim {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr auto kReconnectFirst = std::chrono::milliseconds(20);
constexpr auto kReconnectMax = std::chrono::milliseconds(500);
constexpr auto kHousekeeping = std::chrono::milliseconds(50);
constexpr auto kUnbindGrace = std::chrono::seconds(2);
// What is refused so is taken later; --retry sends it again at the next housekeeping.
constexpr std::uint32_t kSystemError = 0x08, kQueueFull = 0x14, kThrottled = 0x58;

constexpr std::uint32_t kBindSequence = 1;
constexpr std::uint32_t kUnbindSequence = 2;
constexpr std::uint32_t kFirstSubmit = 3;
constexpr std::uint32_t kLastSequence = 0x7fffffff;

// An id in 64 bits: two of a run's ids meet with a probability of 1 in 10^7 for a million.
std::uint64_t id_hash(std::string_view id) {
  std::uint64_t h = 0xcbf29ce484222325;
  for (const char c : id) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return mix64(h);
}

class SmppLoad {
 public:
  SmppLoad(asio::io_context& io, const LoadOptions& options, const Traffic& traffic,
           const std::atomic<bool>& stop)
      : io_(io), options_(options), traffic_(traffic), stop_(stop), timer_(io) {}

  std::expected<void, LoadError> start();
  std::expected<LoadReport, LoadError> finish();

 private:
  struct Waiting {
    std::uint64_t number = 0;
    base::Mono due;
    base::Mono sent;
    bool answered = false;
  };
  struct Connection {
    explicit Connection(asio::io_context& io) : socket(io), retry(io) {}
    tcp::socket socket;
    asio::steady_timer retry;
    base::Duration backoff = kReconnectFirst;
    base::Mono since;    // connecting or binding
    bool up = false;     // connected
    bool bound = false;  // …and may submit
    bool ready = false;  // stands in ready_
    bool waiting_to_write = false;
    std::string out;
    std::size_t out_at = 0;
    std::string in;
    // By sequence: the first has `first`. Answers come in any order; those at the front leave.
    std::deque<Waiting> window;
    std::uint32_t first = kFirstSubmit;
    std::size_t open = 0;  // of them without an answer
    std::array<char, 64 * 1024> buffer;
  };
  // What is known of an id: its message's response, its receipt, or both.
  struct Id {
    base::Mono at;  // due, or when the receipt came
    enum class State : std::uint8_t { awaited, early, done } state = State::awaited;
    std::uint8_t stat = 0;  // early: in stats_
  };

  void connect(Connection& c);
  void lost(Connection& c, std::string_view why);
  void offer(Connection& c);
  void issue();
  bool next_message(base::Mono now, Waiting& out);
  void send(Connection& c, const Waiting& message);
  void flush(Connection& c);
  void read(Connection& c);
  void on_data(Connection& c, std::string_view data);
  bool on_frame(Connection& c, const wire::Frame& frame);  // false: the connection is over
  bool on_bound(Connection& c, const wire::Frame& frame);
  void on_answer(Connection& c, const wire::Frame& frame);
  void on_deliver(Connection& c, const wire::Frame& frame);
  void acknowledge(const Waiting& message, std::string_view id);
  void received(base::Duration latency, std::uint8_t stat);
  std::uint8_t stat_of(std::string_view word);
  void arm();
  void housekeeping();
  void check_timeouts(base::Mono now);
  bool issuing(base::Mono now) const;
  base::Mono due(std::uint64_t number) const;
  void stop_if_done();
  void end();

  asio::io_context& io_;
  const LoadOptions& options_;
  const Traffic& traffic_;
  const std::atomic<bool>& stop_;
  asio::steady_timer timer_;
  tcp::endpoint endpoint_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::deque<Connection*> ready_;
  std::deque<Waiting> again_;
  std::unordered_map<std::uint64_t, Id> ids_;
  std::uint64_t awaited_ = 0;                                 // receipts
  std::vector<std::pair<std::string, std::uint64_t>> stats_;  // each word, how often it came
  LineFile ledger_;
  LineFile attempted_;
  TimeText time_;
  LoadReport report_;
  std::string refused_bind_;
  std::string text_;
  std::string to_;
  base::Mono now_;  // of what is handled
  base::Mono start_;
  base::Mono last_news_;  // answer, receipt, bind
  base::Mono last_answer_;
  base::Mono housekept_;
  std::uint64_t next_ = 0;
  std::uint64_t outstanding_ = 0;
  bool was_bound_ = false;
  bool ending_ = false;  // unbinds are under way
  base::Mono ending_since_;
  bool done_ = false;
};

std::expected<void, LoadError> SmppLoad::start() {
  using Kind = LoadError::Kind;
  error_code error;
  tcp::resolver resolver(io_);
  const auto found = resolver.resolve(options_.host, std::to_string(options_.port), error);
  if (error || found.empty()) {
    return std::unexpected(
        LoadError{Kind::unreachable, fmt::format("{}: {}", options_.host, error.message())});
  }
  endpoint_ = found.begin()->endpoint();
  for (const auto& [path, file] :
       {std::pair(&options_.ledger, &ledger_), std::pair(&options_.attempted, &attempted_)}) {
    if (path->empty()) continue;
    if (auto opened = file->open(*path); !opened) {
      return std::unexpected(LoadError{Kind::ledger, opened.error()});
    }
  }
  report_.receipts_awaited = options_.receipts;
  if (options_.receipts) ids_.reserve(std::min<std::uint64_t>(options_.count, 1'000'000));
  now_ = start_ = last_answer_ = last_news_ = housekept_ = io::mono_now();
  for (std::uint32_t i = 0; i < options_.connections; ++i) {
    connections_.push_back(std::make_unique<Connection>(io_));
    connect(*connections_.back());
  }
  arm();
  return {};
}

std::expected<LoadReport, LoadError> SmppLoad::finish() {
  using Kind = LoadError::Kind;
  for (LineFile* file : {&ledger_, &attempted_}) {
    file->flush();
    if (!file->error().empty()) return std::unexpected(LoadError{Kind::ledger, file->error()});
  }
  if (!refused_bind_.empty()) return std::unexpected(LoadError{Kind::refused, refused_bind_});
  if (!was_bound_) {
    return std::unexpected(LoadError{
        Kind::unreachable, fmt::format("no answer from {}:{}", options_.host, options_.port)});
  }
  if (outstanding_ > 0) report_.errors["no answer"] += outstanding_;
  report_.receipts_missing = awaited_;
  for (const auto& [word, count] : stats_) {
    if (count > 0) report_.receipts[word] = count;
  }
  for (const auto& [id, known] : ids_) {
    report_.other_deliveries += known.state == Id::State::early ? 1 : 0;
  }
  report_.seconds = static_cast<double>((last_answer_ - start_).count()) / 1e6;
  report_.seconds_with_receipts = static_cast<double>((last_news_ - start_).count()) / 1e6;
  if (options_.rate > 0 && options_.duration > base::Duration{0} && !stop_) {
    const auto all = static_cast<std::uint64_t>(
        options_.rate * static_cast<double>(options_.duration.count()) / 1e6);
    report_.unsent = all > next_ ? all - next_ : 0;
  }
  return std::move(report_);
}

// --- connections ------------------------------------------------------------------------------

void SmppLoad::connect(Connection& c) {
  c.since = io::mono_now();
  c.socket.async_connect(endpoint_, [this, &c](error_code error) {
    if (error == asio::error::operation_aborted) return;
    if (error) return lost(c, "cannot connect");
    error_code ignored;
    c.socket.set_option(tcp::no_delay(true), ignored);
    c.socket.non_blocking(true, ignored);
    c.up = true;
    wire::put_bind(c.out, wire::kBindTransceiver, kBindSequence,
                   {options_.system_id, options_.password, 0x34});
    flush(c);
    read(c);
  });
}

void SmppLoad::lost(Connection& c, std::string_view why) {
  error_code ignored;
  c.socket.close(ignored);
  c.up = c.bound = c.waiting_to_write = false;
  c.out.clear();
  c.out_at = 0;
  c.in.clear();
  // Nobody knows what became of them, and SMPP has no idempotency key: never sent again.
  for (const Waiting& w : c.window) {
    if (w.answered) continue;
    outstanding_ -= 1;
    report_.errors[std::string(why)] += 1;
  }
  c.window.clear();
  c.first = kFirstSubmit;
  c.open = 0;
  stop_if_done();
  if (done_ || ending_) return;
  c.retry.expires_after(c.backoff);
  c.backoff = std::min<base::Duration>(c.backoff * 2, kReconnectMax);
  c.retry.async_wait([this, &c](error_code error) {
    if (!error && !done_ && !ending_) connect(c);
  });
}

void SmppLoad::offer(Connection& c) {
  if (!c.bound || c.ready || c.open >= options_.pipeline) return;
  c.ready = true;
  ready_.push_back(&c);
}

void SmppLoad::flush(Connection& c) {
  if (c.waiting_to_write || !c.up) return;
  while (c.out_at < c.out.size()) {
    error_code error;
    const std::size_t n =
        c.socket.write_some(asio::buffer(c.out.data() + c.out_at, c.out.size() - c.out_at), error);
    if (error == asio::error::would_block) {
      c.waiting_to_write = true;
      c.socket.async_wait(tcp::socket::wait_write, [this, &c](error_code failed) {
        if (failed || !c.up) return;
        c.waiting_to_write = false;
        flush(c);
      });
      return;
    }
    if (error) return;  // the read says so too, and there what came before is not lost
    c.out_at += n;
  }
  c.out.clear();
  c.out_at = 0;
}

void SmppLoad::read(Connection& c) {
  c.socket.async_read_some(asio::buffer(c.buffer), [this, &c](error_code error, std::size_t n) {
    if (error == asio::error::operation_aborted || !c.up) return;
    if (error) return lost(c, "connection lost");
    now_ = io::mono_now();
    on_data(c, {c.buffer.data(), n});
    ledger_.flush();
    if (!c.up) return;
    offer(c);
    issue();
    flush(c);
    read(c);
    stop_if_done();
  });
}

void SmppLoad::on_data(Connection& c, std::string_view data) {
  std::string held;
  if (!c.in.empty()) {
    held = std::move(c.in);
    held.append(data);
    data = held;
    c.in.clear();
  }
  wire::Frame frame;
  while (true) {
    const wire::Cut cut = wire::next_frame(data, frame);
    if (cut == wire::Cut::incomplete) break;
    if (cut == wire::Cut::nonsense) return lost(c, "what came is no SMPP");
    if (!on_frame(c, frame)) return;
  }
  c.in.assign(data);
}

bool SmppLoad::on_frame(Connection& c, const wire::Frame& frame) {
  switch (frame.command) {
    case wire::kBindTransceiver | wire::kResponseBit:
      return on_bound(c, frame);
    case wire::kSubmitSm | wire::kResponseBit:
      on_answer(c, frame);
      return true;
    case wire::kGenericNack:
      if (!c.bound) return on_bound(c, frame);
      on_answer(c, frame);
      return true;
    case wire::kDeliverSm:
      on_deliver(c, frame);
      return true;
    case wire::kEnquireLink:
      wire::put_header_only(c.out, wire::kEnquireLinkResp, 0, frame.sequence);
      return true;
    case wire::kUnbind:
      wire::put_header_only(c.out, wire::kUnbind | wire::kResponseBit, 0, frame.sequence);
      flush(c);
      lost(c, "unbound by the server");
      return false;
    case wire::kUnbind | wire::kResponseBit:
      lost(c, "unbound");
      return false;
    default:
      if ((frame.command & wire::kResponseBit) == 0) {
        wire::put_header_only(c.out, wire::kGenericNack, 0x03, frame.sequence);
      }
      return true;
  }
}

bool SmppLoad::on_bound(Connection& c, const wire::Frame& frame) {
  if (frame.status == 0 && frame.command != wire::kGenericNack) {
    c.bound = was_bound_ = true;
    c.backoff = kReconnectFirst;
    last_news_ = now_;
    return true;
  }
  // A later one may be refused while the server still counts the connection that was lost.
  if (!was_bound_) {
    refused_bind_ = fmt::format("the bind was refused with {}", smpp::status_name(frame.status));
    end();
    return false;
  }
  lost(c, "bind refused");
  return false;
}

// --- sending ----------------------------------------------------------------------------------

base::Mono SmppLoad::due(std::uint64_t number) const {
  const double seconds = static_cast<double>(number) / options_.rate;
  return start_ + base::Duration{static_cast<std::int64_t>(seconds * 1e6)};
}

bool SmppLoad::issuing(base::Mono now) const {
  if (ending_ || stop_.load(std::memory_order_relaxed)) return false;
  if (options_.count > 0 && next_ >= options_.count) return false;
  return options_.duration <= base::Duration{0} || now - start_ < options_.duration;
}

bool SmppLoad::next_message(base::Mono now, Waiting& out) {
  if (!again_.empty()) {
    // Kept for a while: sent is when it was refused.
    if (now - again_.front().sent < kHousekeeping) return false;
    out = again_.front();
    again_.pop_front();
    report_.retries += 1;
    return true;
  }
  if (!issuing(now)) return false;
  out.due = options_.rate > 0 ? due(next_) : now;
  if (out.due > now) return false;
  out.number = next_++;
  report_.sent += 1;
  outstanding_ += 1;
  if (attempted_.is_open()) {
    traffic_.append_line(attempted_.buffer(), time_.rfc3339(io::wall_now()), out.number, false, {});
    attempted_.written();
    attempted_.flush();
  }
  return true;
}

void SmppLoad::issue() {
  const base::Mono now = io::mono_now();
  Waiting message;
  while (!ready_.empty()) {
    Connection& c = *ready_.front();
    if (!c.bound || c.open >= options_.pipeline) {
      c.ready = false;
      ready_.pop_front();
      flush(c);
      continue;
    }
    if (!next_message(now, message)) break;
    message.sent = now;
    message.answered = false;
    send(c, message);
    // The next in turn, unless there is no rate: then each is filled up at once, one write each.
    if (options_.rate > 0) {
      c.ready = false;
      ready_.pop_front();
      flush(c);
      offer(c);
    }
  }
  if (!ready_.empty()) flush(*ready_.front());
}

void SmppLoad::send(Connection& c, const Waiting& message) {
  const std::uint64_t n = message.number;
  wire::SubmitText submit;
  submit.sequence = c.first + static_cast<std::uint32_t>(c.window.size());
  submit.service_type = traffic_.class_of(n);
  submit.registered_delivery = options_.receipts ? 1 : 0;
  const std::string& from = options_.traffic.from;
  if (!from.empty()) {
    const bool number = from.starts_with('+');
    submit.source =
        number ? wire::Address{1, 1, std::string_view(from).substr(1)} : wire::Address{5, 0, from};
  }
  to_.clear();
  traffic_.append_to(to_, n);
  submit.dest = {1, 1, std::string_view(to_).substr(1)};
  text_.clear();
  submit.data_coding = traffic_.append_octets(text_, n) ? 8 : 0;
  submit.text = text_;
  wire::put_submit(c.out, submit);
  c.window.push_back(message);
  c.open += 1;
}

// --- answers ----------------------------------------------------------------------------------

void SmppLoad::on_answer(Connection& c, const wire::Frame& frame) {
  const std::uint32_t at = frame.sequence - c.first;
  if (at >= c.window.size() || c.window[at].answered) {
    report_.errors["an answer to nothing"] += 1;
    return;
  }
  last_answer_ = last_news_ = now_;
  Waiting& w = c.window[at];
  w.answered = true;
  c.open -= 1;
  if (frame.status == 0 && frame.command != wire::kGenericNack) {
    acknowledge(w, wire::read_message_id(frame.body));
  } else {
    const bool later =
        frame.status == kThrottled || frame.status == kQueueFull || frame.status == kSystemError;
    if (options_.retry && later && !stop_) {
      again_.push_back(w);
      again_.back().sent = now_;
    } else {
      outstanding_ -= 1;
      report_.refused[std::string(smpp::status_name(frame.status))] += 1;
    }
  }
  while (!c.window.empty() && c.window.front().answered) {
    c.window.pop_front();
    c.first += 1;
  }
  // Long before the last sequence number: start over when nothing is outstanding.
  if (c.window.empty() && c.first > kLastSequence / 2) c.first = kFirstSubmit;
}

void SmppLoad::acknowledge(const Waiting& message, std::string_view id) {
  outstanding_ -= 1;
  report_.acknowledged += 1;
  report_.latency.add(now_ - message.due);
  if (ledger_.is_open()) {
    traffic_.append_line(ledger_.buffer(), time_.rfc3339(io::wall_now()), message.number, false,
                         id);
    ledger_.written();
  }
  if (!options_.receipts) return;
  const auto [it, added] = ids_.try_emplace(id_hash(id), Id{message.due, Id::State::awaited, 0});
  if (added) {
    awaited_ += 1;
  } else if (it->second.state == Id::State::early) {
    received(it->second.at - message.due, it->second.stat);
    it->second.state = Id::State::done;
  } else {
    report_.errors["an id that another message has"] += 1;
  }
}

void SmppLoad::on_deliver(Connection& c, const wire::Frame& frame) {
  wire::put_deliver_resp(c.out, 0, frame.sequence);
  last_news_ = now_;
  const auto delivered = wire::read_deliver(frame.body);
  if (!delivered || (delivered->esm_class & 0x3c) != 0x04) {
    report_.other_deliveries += 1;
    return;
  }
  const std::uint8_t stat = stat_of(delivered->stat);
  const auto [it, early] =
      ids_.try_emplace(id_hash(delivered->receipted_id), Id{now_, Id::State::early, stat});
  if (early) return;
  if (it->second.state != Id::State::awaited) {
    report_.receipts_repeated += 1;
    return;
  }
  awaited_ -= 1;
  received(now_ - it->second.at, stat);
  it->second.state = Id::State::done;
}

void SmppLoad::received(base::Duration latency, std::uint8_t stat) {
  report_.receipt_latency.add(latency);
  stats_[stat].second += 1;
}

std::uint8_t SmppLoad::stat_of(std::string_view word) {
  constexpr std::size_t kWords = 16;  // more than there are; what a peer makes up is one
  for (std::size_t i = 0; i < stats_.size(); ++i) {
    if (stats_[i].first == word) return static_cast<std::uint8_t>(i);
  }
  if (stats_.size() < kWords) {
    stats_.emplace_back(word, 0);
  } else {
    stats_.back().first = "other";
  }
  return static_cast<std::uint8_t>(stats_.size() - 1);
}

// --- time -------------------------------------------------------------------------------------

void SmppLoad::arm() {
  base::Duration wait = kHousekeeping;
  const base::Mono now = io::mono_now();
  if (options_.rate > 0 && !ready_.empty() && issuing(now)) {
    wait =
        std::clamp<base::Duration>(due(next_) - now, std::chrono::microseconds(100), kHousekeeping);
  }
  timer_.expires_after(wait);
  timer_.async_wait([this](error_code error) {
    if (error || done_) return;
    issue();
    housekeeping();
    if (!done_) arm();
  });
}

void SmppLoad::housekeeping() {
  const base::Mono now = io::mono_now();
  if (now - housekept_ < kHousekeeping) return;
  housekept_ = now;
  ledger_.flush();
  check_timeouts(now);
  if (stop_) {
    for (std::size_t i = again_.size(); i > 0; --i) {
      outstanding_ -= 1;
      report_.errors["stopped"] += 1;
      again_.pop_front();
    }
  }
  if (now - last_news_ > options_.patience) {
    report_.gave_up = outstanding_ > 0 || awaited_ > 0;
    return end();
  }
  stop_if_done();
}

void SmppLoad::check_timeouts(base::Mono now) {
  for (const auto& c : connections_) {
    if (!c->window.empty() && now - c->window.front().sent > options_.timeout) {
      lost(*c, "timeout");
    } else if (c->up && !c->bound && now - c->since > options_.timeout) {
      lost(*c, "no answer to the bind");
    }
  }
}

void SmppLoad::stop_if_done() {
  if (done_) return;
  if (ending_) {
    if (io::mono_now() - ending_since_ > kUnbindGrace) return end();
    for (const auto& c : connections_) {
      if (c->up) return;
    }
    return end();
  }
  const base::Mono now = io::mono_now();
  const bool nobody_there =
      !was_bound_ && !options_.retry && now - start_ > std::chrono::seconds(3);
  if (nobody_there) return end();
  if (outstanding_ > 0 || (awaited_ > 0 && !stop_) || issuing(now)) return;
  if (!was_bound_ && !stop_) return;
  // Politely, so that the server does not take the last answers for lost.
  ending_ = true;
  ending_since_ = now;
  for (const auto& c : connections_) {
    if (!c->up) continue;
    wire::put_header_only(c->out, wire::kUnbind, 0, kUnbindSequence);
    flush(*c);
  }
  stop_if_done();
}

void SmppLoad::end() {
  done_ = true;
  io_.stop();
}

}  // namespace

std::expected<LoadReport, LoadError> run_smpp_load(const LoadOptions& options,
                                                   const Traffic& traffic,
                                                   const std::atomic<bool>& stop) {
  asio::io_context io(1);
  SmppLoad load(io, options, traffic, stop);
  if (auto started = load.start(); !started) return std::unexpected(started.error());
  io.run();
  return load.finish();
}

}  // namespace trunkline::sim
