#include "admin/traces.h"

#include <fmt/format.h>

#include "base/limits.h"
#include "telemetry/log.h"

namespace trunkline::admin {
namespace {

namespace limits = base::limits;
using Streamed = io::HttpServer::Streamed;

constexpr auto kPoll = std::chrono::milliseconds(50);
constexpr auto kSignOfLife = std::chrono::seconds(5);

std::string_view kind_of(const PeerName& peer) {
  return peer.kind == PeerName::Kind::carrier ? "carrier" : "account";
}

telemetry::Fields fields(const PeerName& peer, bool bodies, const std::string& by) {
  return {{"kind", std::string(kind_of(peer))},
          {"peer", peer.name},
          {"by", by},
          {"bodies", bodies ? "yes" : "no"}};
}

}  // namespace

std::optional<PeerName> traced_peer(std::string_view path) {
  constexpr std::string_view kEnd = "/trace";
  for (const auto& [prefix, kind] : {std::pair{"/v1/carriers/", PeerName::Kind::carrier},
                                     std::pair{"/v1/accounts/", PeerName::Kind::account}}) {
    std::string_view rest = path;
    if (!rest.starts_with(prefix) || !rest.ends_with(kEnd)) continue;
    rest.remove_prefix(std::string_view(prefix).size());
    if (rest.size() <= kEnd.size()) continue;
    rest.remove_suffix(kEnd.size());
    return PeerName{.kind = kind, .name = std::string(rest)};
  }
  return std::nullopt;
}

Traces::Traces(boost::asio::io_context& context, io::HttpServer& server, Backend& backend,
               std::function<base::Now()> clock)
    : server_(server), backend_(backend), clock_(std::move(clock)), timer_(context) {}

std::optional<io::Problem> Traces::begin(const PeerName& peer, bool bodies, const std::string& by,
                                         const io::HttpTicket& ticket) {
  if (streams_.size() >= limits::kPeerTracesMax) {
    return io::Problem{.code = io::ProblemCode::rate_limited,
                       .detail = fmt::format("{} traces run already", limits::kPeerTracesMax)};
  }
  auto lines = std::make_shared<io::LineQueue>(limits::kPeerTraceBytesMax);
  switch (backend_.begin_trace(peer, bodies, lines)) {
    case TraceBegun::yes:
      break;
    case TraceBegun::unknown_peer:
      return io::Problem{.code = io::ProblemCode::not_found,
                         .detail = fmt::format("the configuration has no such {}", kind_of(peer))};
    case TraceBegun::traced_already:
      return io::Problem{.code = io::ProblemCode::invalid_request,
                         .status = 409,
                         .detail = fmt::format("this {} is being traced already", kind_of(peer))};
  }
  telemetry::log_warning("peer_trace_begun",
                         bodies ? "somebody looks at a peer's traffic, texts and numbers included"
                                : "somebody looks at a peer's traffic, texts and numbers hidden",
                         fields(peer, bodies, by));
  backend_.metrics().counter(telemetry::Metric::peer_traces, {bodies ? "yes" : "no"})->add();
  io::HttpResponse head;
  head.content_type = "application/x-ndjson";
  head.headers = "Cache-Control: no-store\r\n";
  head.body = "\n";
  server_.begin_stream(ticket, std::move(head));
  streams_.push_back({.peer = peer,
                      .bodies = bodies,
                      .by = by,
                      .ticket = ticket,
                      .lines = std::move(lines),
                      .pending = {},
                      .last_written = clock_().mono});
  arm();
  return std::nullopt;
}

void Traces::arm() {
  if (armed_ || streams_.empty()) return;
  armed_ = true;
  timer_.expires_after(kPoll);
  timer_.async_wait([this](const boost::system::error_code& error) {
    armed_ = false;
    if (error) return;
    for (auto it = streams_.begin(); it != streams_.end();) {
      if (serve(*it)) {
        ++it;
      } else {
        end(*it);
        it = streams_.erase(it);
      }
    }
    server_.flush();
    arm();
  });
}

bool Traces::serve(Stream& stream) {
  if (stream.pending.empty()) {
    io::LineQueue::Taken taken = stream.lines->take();
    stream.pending = std::move(taken.lines);
    if (taken.dropped > 0) {
      stream.dropped += taken.dropped;
      stream.pending += fmt::format("{{\"dropped\":{}}}\n", taken.dropped);
    }
  }
  const base::Mono now = clock_().mono;
  if (stream.pending.empty() && now - stream.last_written >= kSignOfLife) stream.pending = "\n";
  // Nothing to write: is the reader still there?
  if (stream.pending.empty()) return server_.stream(stream.ticket, {}) != Streamed::gone;
  switch (server_.stream(stream.ticket, stream.pending)) {
    case Streamed::taken:
      stream.octets += stream.pending.size();
      stream.pending.clear();
      stream.last_written = now;
      return true;
    case Streamed::full:
      return true;
    case Streamed::gone:
      break;
  }
  return false;
}

void Traces::end(const Stream& stream) {
  stream.lines->close();
  backend_.end_trace(stream.peer);
  telemetry::log_warning(
      "peer_trace_ended",
      fmt::format("{} octets were shown, {} lines dropped", stream.octets, stream.dropped),
      fields(stream.peer, stream.bodies, stream.by));
}

void Traces::end_all() {
  timer_.cancel();
  for (const Stream& stream : streams_) {
    end(stream);
    server_.end_stream(stream.ticket);
  }
  streams_.clear();
}

}  // namespace trunkline::admin
