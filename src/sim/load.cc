#include "sim/load.h"

#include <fmt/format.h>

#include <array>
#include <boost/asio.hpp>
#include <boost/json.hpp>
#include <deque>
#include <memory>
#include <vector>

#include "io/clock.h"
#include "sim/http_answer.h"
#include "sim/ledger.h"
#include "sim/smpp_load.h"

namespace trunkline::sim {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using asio::ip::tcp;
using boost::system::error_code;

constexpr auto kReconnectFirst = std::chrono::milliseconds(20);
constexpr auto kReconnectMax = std::chrono::milliseconds(500);
// An acknowledged message is in the ledger's file so long after its answer, while others follow.
constexpr auto kLedgerDelay = std::chrono::milliseconds(1);
constexpr auto kHousekeeping = std::chrono::milliseconds(50);

// Messages that travel in one POST.
struct Batch {
  std::vector<std::uint64_t> numbers;
  base::Mono due;
  base::Mono sent;
};

// Of `"key":"value"` in a body of our own making: no escapes in what is looked for here.
std::string_view quoted(std::string_view body, std::string_view mark) {
  const std::size_t at = body.find(mark);
  if (at == std::string_view::npos) return {};
  body.remove_prefix(at + mark.size());
  return body.substr(0, body.find('"'));
}

class Load {
 public:
  Load(asio::io_context& io, const LoadOptions& options, Traffic traffic,
       const std::atomic<bool>& stop)
      : io_(io), options_(options), traffic_(std::move(traffic)), stop_(stop), timer_(io) {}

  std::expected<void, LoadError> start();
  LoadReport finish();
  std::expected<void, LoadError> ledgers_written();
  bool reached() const { return reached_; }

 private:
  struct Connection {
    explicit Connection(asio::io_context& io) : socket(io), retry(io) {}
    tcp::socket socket;
    asio::steady_timer retry;
    base::Duration backoff = kReconnectFirst;
    bool up = false;
    bool ready = false;  // stands in ready_
    bool waiting_to_write = false;
    std::string out;
    std::size_t out_at = 0;
    std::string in;
    std::deque<Batch> outstanding;
    std::array<char, 64 * 1024> buffer;
  };

  void write_heads();
  void connect(Connection& c);
  void lost(Connection& c, std::string_view why);
  void offer(Connection& c);
  void issue();
  bool next_batch(base::Mono now, Batch& out);
  void send(Connection& c, Batch&& batch);
  void flush(Connection& c);
  void read(Connection& c);
  void on_data(Connection& c, std::string_view data);
  void on_answer(Batch&& batch, const HttpAnswer& answer);
  void on_batch_answer(Batch&& batch, const HttpAnswer& answer);
  void acknowledge(std::uint64_t number, std::string_view id, const Batch& batch);
  void refuse(std::uint64_t number, int status, std::string_view code, const Batch& batch);
  void fail(Batch&& batch, std::string_view why);
  void again(std::uint64_t number, base::Mono due);
  void put_line(LineFile& file, std::uint64_t number, std::string_view id);
  void arm();
  void housekeeping();
  bool issuing(base::Mono now) const;
  void stop_if_done();

  asio::io_context& io_;
  const LoadOptions& options_;
  Traffic traffic_;
  const std::atomic<bool>& stop_;
  asio::steady_timer timer_;
  tcp::endpoint endpoint_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::deque<Connection*> ready_;
  std::string head_;
  std::string tail_;
  std::string body_;
  LineFile ledger_;
  LineFile attempted_;
  TimeText time_;
  LoadReport report_;
  base::Mono start_;
  base::Mono last_answer_;
  base::Mono housekept_;
  base::Mono flushed_;
  std::uint64_t next_ = 0;         // the first message not yet sent
  std::uint64_t outstanding_ = 0;  // messages without a final answer
  std::deque<Batch> again_;        // one message each, or a whole batch whose answer was lost
  bool reached_ = false;           // some answer came
  bool done_ = false;
};

std::expected<void, LoadError> Load::start() {
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
  write_heads();
  start_ = last_answer_ = housekept_ = flushed_ = io::mono_now();
  for (std::uint32_t i = 0; i < options_.connections; ++i) {
    connections_.push_back(std::make_unique<Connection>(io_));
    connect(*connections_.back());
  }
  arm();
  return {};
}

void Load::write_heads() {
  if (options_.api == LoadOptions::Api::rest) {
    head_ = fmt::format(
        "POST {}/v1/messages{} HTTP/1.1\r\nHost: {}:{}\r\nAuthorization: Bearer {}\r\n"
        "Content-Type: application/json\r\n",
        options_.prefix, options_.batch > 1 ? "/batch" : "", options_.host, options_.port,
        options_.key);
    return;
  }
  const std::size_t colon = std::min(options_.key.find(':'), options_.key.size());
  head_ = fmt::format("GET {}/cgi-bin/sendsms?username={}&password={}", options_.prefix,
                      options_.key.substr(0, colon),
                      options_.key.substr(std::min(colon + 1, options_.key.size())));
  if (!options_.dlr_url.empty()) {
    head_.append("&dlr-mask=3&dlr-url=");  // delivered, and not delivered
    append_percent(head_, options_.dlr_url);
  }
  tail_ = fmt::format(" HTTP/1.1\r\nHost: {}:{}\r\n\r\n", options_.host, options_.port);
}

LoadReport Load::finish() {
  // What never got an answer.
  if (outstanding_ > 0) report_.errors["no answer"] += outstanding_;
  report_.seconds = static_cast<double>((last_answer_ - start_).count()) / 1e6;
  if (options_.rate > 0 && options_.duration > base::Duration{0} && !stop_) {
    const auto due = static_cast<std::uint64_t>(
        options_.rate * static_cast<double>(options_.duration.count()) / 1e6);
    report_.unsent = due > next_ ? due - next_ : 0;
  }
  return std::move(report_);
}

std::expected<void, LoadError> Load::ledgers_written() {
  for (LineFile* file : {&ledger_, &attempted_}) {
    file->flush();
    if (!file->error().empty()) {
      return std::unexpected(LoadError{LoadError::Kind::ledger, file->error()});
    }
  }
  return {};
}

// --- connections ------------------------------------------------------------------------------

void Load::connect(Connection& c) {
  c.socket.async_connect(endpoint_, [this, &c](error_code error) {
    if (error == asio::error::operation_aborted) return;
    if (error) return lost(c, "cannot connect");
    error_code ignored;
    c.socket.set_option(tcp::no_delay(true), ignored);
    c.socket.non_blocking(true, ignored);
    c.up = true;
    read(c);
    offer(c);
    issue();
  });
}

void Load::lost(Connection& c, std::string_view why) {
  error_code ignored;
  c.socket.close(ignored);
  c.up = false;
  c.waiting_to_write = false;
  c.out.clear();
  c.out_at = 0;
  c.in.clear();
  std::deque<Batch> failed = std::move(c.outstanding);
  c.outstanding.clear();
  for (Batch& batch : failed) fail(std::move(batch), why);
  stop_if_done();
  if (done_) return;
  c.retry.expires_after(c.backoff);
  c.backoff = std::min<base::Duration>(c.backoff * 2, kReconnectMax);
  c.retry.async_wait([this, &c](error_code error) {
    if (!error) connect(c);
  });
}

void Load::offer(Connection& c) {
  if (!c.up || c.ready || c.outstanding.size() >= options_.pipeline) return;
  c.ready = true;
  ready_.push_back(&c);
}

void Load::read(Connection& c) {
  c.socket.async_read_some(asio::buffer(c.buffer), [this, &c](error_code error, std::size_t n) {
    if (error == asio::error::operation_aborted || !c.up) return;
    if (error) return lost(c, "connection lost");
    on_data(c, {c.buffer.data(), n});
    if (!c.up) return;
    read(c);
    issue();
  });
}

void Load::on_data(Connection& c, std::string_view data) {
  std::string held;
  if (!c.in.empty()) {
    held = std::move(c.in);
    held.append(data);
    data = held;
    c.in.clear();
  }
  HttpAnswer answer;
  while (true) {
    const HttpCut cut = next_answer(data, answer);
    if (cut == HttpCut::incomplete) break;
    if (cut == HttpCut::nonsense) return lost(c, "the answer is no HTTP");
    if (c.outstanding.empty()) return lost(c, "an answer to nothing");
    Batch batch = std::move(c.outstanding.front());
    c.outstanding.pop_front();
    last_answer_ = io::mono_now();
    reached_ = true;
    c.backoff = kReconnectFirst;
    on_answer(std::move(batch), answer);
    if (answer.close) return lost(c, "connection closed");
  }
  c.in.assign(data);
  if (last_answer_ - flushed_ >= kLedgerDelay) {
    flushed_ = last_answer_;
    ledger_.flush();
  }
  offer(c);
  stop_if_done();
}

void Load::flush(Connection& c) {
  if (c.waiting_to_write) return;
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

// --- sending ----------------------------------------------------------------------------------

bool Load::issuing(base::Mono now) const {
  if (stop_.load(std::memory_order_relaxed)) return false;
  if (options_.count > 0 && next_ >= options_.count) return false;
  return options_.duration <= base::Duration{0} || now - start_ < options_.duration;
}

bool Load::next_batch(base::Mono now, Batch& out) {
  if (!again_.empty()) {
    out = std::move(again_.front());
    again_.pop_front();
    while (out.numbers.size() < options_.batch && !again_.empty() &&
           out.numbers.size() + again_.front().numbers.size() <= options_.batch) {
      const auto& more = again_.front().numbers;
      out.numbers.insert(out.numbers.end(), more.begin(), more.end());
      again_.pop_front();
    }
    report_.retries += out.numbers.size();
    return true;
  }
  if (!issuing(now)) return false;
  out.due = now;
  if (options_.rate > 0) {
    const double seconds = static_cast<double>(next_) / options_.rate;
    out.due = start_ + base::Duration{static_cast<std::int64_t>(seconds * 1e6)};
    if (out.due > now) return false;
  }
  std::uint64_t size = options_.batch;
  if (options_.count > 0) size = std::min<std::uint64_t>(size, options_.count - next_);
  out.numbers.clear();
  for (std::uint64_t i = 0; i < size; ++i) out.numbers.push_back(next_ + i);
  next_ += size;
  report_.sent += size;
  outstanding_ += size;
  if (attempted_.is_open()) {
    for (const std::uint64_t n : out.numbers) put_line(attempted_, n, {});
    attempted_.flush();
  }
  return true;
}

void Load::issue() {
  std::vector<Connection*> to_flush;
  const base::Mono now = io::mono_now();
  Batch batch;
  while (!ready_.empty()) {
    Connection& c = *ready_.front();
    if (!c.up || c.outstanding.size() >= options_.pipeline) {
      c.ready = false;
      ready_.pop_front();
      continue;
    }
    if (!next_batch(now, batch)) break;
    batch.sent = now;
    if (c.out.empty()) to_flush.push_back(&c);
    send(c, std::move(batch));
    c.ready = false;
    ready_.pop_front();
    offer(c);
  }
  for (Connection* c : to_flush) flush(*c);
}

void Load::send(Connection& c, Batch&& batch) {
  if (options_.api == LoadOptions::Api::kannel) {
    c.out.append(head_);
    traffic_.append_query(c.out, batch.numbers.front());
    c.out.append(tail_);
    c.outstanding.push_back(std::move(batch));
    return;
  }
  const bool with_key = options_.idempotency || options_.retry;
  c.out.append(head_);
  body_.clear();
  if (options_.batch > 1) {
    body_.append(R"({"messages":[)");
    for (const std::uint64_t n : batch.numbers) {
      if (body_.back() == '}') body_.push_back(',');
      traffic_.append_json(body_, n, with_key);
    }
    body_.append("]}");
  } else {
    if (with_key) {
      c.out.append("Idempotency-Key: ");
      traffic_.append_token(c.out, batch.numbers.front());
      c.out.append("\r\n");
    }
    traffic_.append_json(body_, batch.numbers.front(), false);
  }
  fmt::format_to(std::back_inserter(c.out), "Content-Length: {}\r\n\r\n", body_.size());
  c.out.append(body_);
  c.outstanding.push_back(std::move(batch));
}

// --- answers ----------------------------------------------------------------------------------

void Load::on_answer(Batch&& batch, const HttpAnswer& answer) {
  if (answer.replayed) report_.replayed += batch.numbers.size();
  if (options_.batch > 1 && answer.status == 200) return on_batch_answer(std::move(batch), answer);
  if (options_.batch == 1 && answer.status >= 200 && answer.status < 300) {
    const std::string_view id = quoted(answer.body, R"("id":")");
    return acknowledge(batch.numbers.front(), id, batch);
  }
  const std::string_view code = quoted(answer.body, R"("code":")");
  for (const std::uint64_t n : batch.numbers) refuse(n, answer.status, code, batch);
}

void Load::on_batch_answer(Batch&& batch, const HttpAnswer& answer) {
  json::monotonic_resource memory;
  error_code error;
  const json::value value = json::parse({answer.body.data(), answer.body.size()}, error, &memory);
  const json::value* results = error ? nullptr : value.as_object().if_contains("results");
  if (results == nullptr || !results->is_array() ||
      results->get_array().size() != batch.numbers.size()) {
    return fail(std::move(batch), "the batch's answer makes no sense");
  }
  const auto text_in = [](const json::value* object, std::string_view key) -> std::string_view {
    const json::object* fields = object == nullptr ? nullptr : object->if_object();
    const json::value* found = fields == nullptr ? nullptr : fields->if_contains(key);
    return found != nullptr && found->is_string() ? std::string_view(found->get_string())
                                                  : std::string_view{};
  };
  for (std::size_t i = 0; i < batch.numbers.size(); ++i) {
    const json::object* result = results->get_array()[i].if_object();
    const json::value* status = result == nullptr ? nullptr : result->if_contains("status");
    const std::int64_t code =
        status != nullptr && status->is_number() ? status->to_number<std::int64_t>() : 0;
    if (code >= 200 && code < 300) {
      acknowledge(batch.numbers[i], text_in(result->if_contains("message"), "id"), batch);
    } else {
      const json::value* problem = result == nullptr ? nullptr : result->if_contains("problem");
      refuse(batch.numbers[i], static_cast<int>(code), text_in(problem, "code"), batch);
    }
  }
}

void Load::acknowledge(std::uint64_t number, std::string_view id, const Batch& batch) {
  outstanding_ -= 1;
  report_.acknowledged += 1;
  report_.latency.add(last_answer_ - batch.due);
  if (ledger_.is_open()) put_line(ledger_, number, id);
}

void Load::refuse(std::uint64_t number, int status, std::string_view code, const Batch& batch) {
  // Neither the server's trouble nor "too much" says anything about the message.
  if (options_.retry && (status >= 500 || status == 429) && !stop_) {
    return again(number, batch.due);
  }
  outstanding_ -= 1;
  report_.refused[fmt::format("{} {}", status, code)] += 1;
}

void Load::fail(Batch&& batch, std::string_view why) {
  if (options_.retry && !stop_) {
    again_.push_back(std::move(batch));
    return;
  }
  outstanding_ -= batch.numbers.size();
  report_.errors[std::string(why)] += batch.numbers.size();
}

void Load::again(std::uint64_t number, base::Mono due) { again_.push_back({{number}, due, {}}); }

void Load::put_line(LineFile& file, std::uint64_t number, std::string_view id) {
  traffic_.append_line(file.buffer(), time_.rfc3339(io::wall_now()), number,
                       options_.idempotency || options_.retry, id);
  file.written();
}

// --- time -------------------------------------------------------------------------------------

void Load::arm() {
  base::Duration wait = kHousekeeping;
  const base::Mono now = io::mono_now();
  if (options_.rate > 0 && !ready_.empty() && issuing(now)) {
    const double seconds = static_cast<double>(next_) / options_.rate;
    const base::Mono due = start_ + base::Duration{static_cast<std::int64_t>(seconds * 1e6)};
    wait = std::clamp<base::Duration>(due - now, std::chrono::microseconds(100), kHousekeeping);
  }
  timer_.expires_after(wait);
  timer_.async_wait([this](error_code error) {
    if (error || done_) return;
    issue();
    housekeeping();
    if (!done_) arm();
  });
}

void Load::housekeeping() {
  const base::Mono now = io::mono_now();
  if (now - housekept_ < kHousekeeping) return;
  housekept_ = now;
  ledger_.flush();
  for (const auto& c : connections_) {
    if (!c->outstanding.empty() && now - c->outstanding.front().sent > options_.timeout) {
      lost(*c, "timeout");
    }
  }
  if (stop_) {
    for (Batch& batch : std::exchange(again_, {})) fail(std::move(batch), "stopped");
  }
  if (now - last_answer_ > options_.patience) {
    report_.gave_up = true;
    done_ = true;
    io_.stop();
  }
  stop_if_done();
}

void Load::stop_if_done() {
  if (done_ || outstanding_ > 0) return;
  const base::Mono now = io::mono_now();
  if (issuing(now)) {
    // Nothing was ever reached: without --retry that is the answer.
    const bool hopeless = !reached_ && !options_.retry && now - start_ > std::chrono::seconds(3);
    if (!hopeless) return;
  }
  done_ = true;
  io_.stop();
}

}  // namespace

std::expected<LoadReport, LoadError> run_load(const LoadOptions& options,
                                              const std::atomic<bool>& stop) {
  using Kind = LoadError::Kind;
  const auto usage = [](std::string what) {
    return std::unexpected(LoadError{Kind::usage, std::move(what)});
  };
  if (options.count == 0 && options.duration <= base::Duration{0}) {
    return usage("give --count or --duration");
  }
  if (options.connections < 1 || options.pipeline < 1) {
    return usage("--connections and --pipeline are at least 1");
  }
  if (options.api == LoadOptions::Api::kannel &&
      (options.batch > 1 || options.idempotency || options.retry)) {
    return usage("kannel's API has neither batches nor idempotency keys");
  }
  if (options.batch < 1 || options.batch > 1000) return usage("--batch is 1 to 1000");
  if (options.api == LoadOptions::Api::smpp) {
    if (options.batch > 1 || options.idempotency) {
      return usage("SMPP has neither batches nor idempotency keys");
    }
    for (const Weighted& w : options.traffic.classes) {
      if (w.name.size() > 5) {
        return usage(fmt::format("--class {}: over SMPP it is a service_type, 5 characters at most",
                                 w.name));
      }
    }
    for (const auto& [name, text, max] :
         {std::tuple("--system-id", std::string_view(options.system_id), 15u),
          std::tuple("--password", std::string_view(options.password), 8u)}) {
      if (text.size() > max) return usage(fmt::format("{} has at most {} octets", name, max));
    }
  }
  auto traffic = Traffic::make(options.traffic);
  if (!traffic) return usage(traffic.error());

  if (options.api == LoadOptions::Api::smpp) return run_smpp_load(options, *traffic, stop);
  asio::io_context io(1);
  Load load(io, options, std::move(*traffic), stop);
  if (auto started = load.start(); !started) return std::unexpected(started.error());
  io.run();
  if (auto written = load.ledgers_written(); !written) return std::unexpected(written.error());
  if (!load.reached()) {
    return std::unexpected(LoadError{
        Kind::unreachable, fmt::format("no answer from {}:{}", options.host, options.port)});
  }
  return load.finish();
}

namespace {

double rate_of(std::uint64_t messages, double seconds) {
  return seconds > 0 ? static_cast<double>(messages) / seconds : 0;
}

}  // namespace

std::string to_json(const LoadReport& r) {
  const auto counts = [](const std::map<std::string, std::uint64_t>& from) {
    json::object out;
    for (const auto& [name, count] : from) out[name] = count;
    return out;
  };
  const auto ms = [](std::uint64_t us) { return static_cast<double>(us) / 1000; };
  const auto latency = [&](const Histogram& h) {
    return json::object{{"mean", h.mean_us() / 1000},
                        {"p50", ms(h.quantile_us(0.5))},
                        {"p99", ms(h.quantile_us(0.99))},
                        {"p999", ms(h.quantile_us(0.999))},
                        {"max", ms(h.max_us())}};
  };
  json::object out{{"sent", r.sent},
                   {"unsent", r.unsent},
                   {"acknowledged", r.acknowledged},
                   {"replayed", r.replayed},
                   {"refused", counts(r.refused)},
                   {"errors", counts(r.errors)},
                   {"retries", r.retries},
                   {"gave_up", r.gave_up},
                   {"seconds", r.seconds},
                   {"throughput", rate_of(r.acknowledged, r.seconds)},
                   {"latency_ms", latency(r.latency)}};
  if (r.receipts_awaited) {
    out["receipts"] =
        json::object{{"received", r.receipt_latency.count()},
                     {"missing", r.receipts_missing},
                     {"repeated", r.receipts_repeated},
                     {"stat", counts(r.receipts)},
                     {"seconds", r.seconds_with_receipts},
                     {"throughput", rate_of(r.receipt_latency.count(), r.seconds_with_receipts)},
                     {"latency_ms", latency(r.receipt_latency)}};
  }
  if (r.other_deliveries > 0) out["other_deliveries"] = r.other_deliveries;
  return json::serialize(out);
}

std::string to_text(const LoadReport& r) {
  std::string out =
      fmt::format("sent {}, acknowledged {}, in {:.2f} s: {:.0f} messages/s\n", r.sent,
                  r.acknowledged, r.seconds, rate_of(r.acknowledged, r.seconds));
  const auto latency = [&](const char* what, const Histogram& h) {
    const auto at = [&](double q) { return static_cast<double>(h.quantile_us(q)) / 1000; };
    fmt::format_to(std::back_inserter(out),
                   "{} p50 {:.2f} ms, p99 {:.2f} ms, p999 {:.2f} ms, max {:.2f} ms\n", what,
                   at(0.5), at(0.99), at(0.999), static_cast<double>(h.max_us()) / 1000);
  };
  latency("latency", r.latency);
  if (r.receipts_awaited) {
    const std::uint64_t n = r.receipt_latency.count();
    fmt::format_to(std::back_inserter(out),
                   "receipts {}, missing {}, repeated {}, in {:.2f} s: {:.0f} messages/s\n", n,
                   r.receipts_missing, r.receipts_repeated, r.seconds_with_receipts,
                   rate_of(n, r.seconds_with_receipts));
    latency("receipt latency", r.receipt_latency);
    for (const auto& [stat, count] : r.receipts) {
      fmt::format_to(std::back_inserter(out), "receipts {}: {}\n", stat, count);
    }
  }
  for (const auto& [what, n] : r.refused) {
    fmt::format_to(std::back_inserter(out), "refused {}: {}\n", what, n);
  }
  for (const auto& [what, n] : r.errors) {
    fmt::format_to(std::back_inserter(out), "failed, {}: {}\n", what, n);
  }
  if (r.retries > 0) fmt::format_to(std::back_inserter(out), "sent again: {}\n", r.retries);
  if (r.unsent > 0) {
    fmt::format_to(std::back_inserter(out), "due, but no connection was free: {}\n", r.unsent);
  }
  if (r.gave_up) out.append("gave up: the server was gone too long\n");
  return out;
}

}  // namespace trunkline::sim
