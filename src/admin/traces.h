// Live traces of peers, as answers that go on: GET /v1/carriers/NAME/trace and
// /v1/accounts/NAME/trace, with ?bodies=1 for texts and whole numbers. Lines of JSON; what a slow
// reader makes us drop is told in the stream as {"dropped":N}; an empty line now and then shows
// that it lives. Each begin and end is in the log, with who, whom and how much was to be seen.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "admin/admin_server.h"
#include "io/problem.h"

namespace trunkline::admin {

// Whom a path asks to trace; none if it is another path.
std::optional<PeerName> traced_peer(std::string_view path);

// One thread: that of the server.
class Traces {
 public:
  Traces(boost::asio::io_context& context, io::HttpServer& server, Backend& backend,
         std::function<base::Now()> clock);

  // None: the ticket is answered, for as long as the client stays. `by`: the token's id.
  std::optional<io::Problem> begin(const PeerName& peer, bool bodies, const std::string& by,
                                   const io::HttpTicket& ticket);
  void end_all();

 private:
  struct Stream {
    PeerName peer;
    bool bodies = false;
    std::string by;
    io::HttpTicket ticket;
    std::shared_ptr<io::LineQueue> lines;
    std::string pending;  // taken from the queue, not yet by the client
    std::uint64_t octets = 0;
    std::uint64_t dropped = 0;
    base::Mono last_written{};
  };
  void arm();
  bool serve(Stream& stream);  // false: the client is gone
  void end(const Stream& stream);

  io::HttpServer& server_;
  Backend& backend_;
  const std::function<base::Now()> clock_;
  boost::asio::steady_timer timer_;
  std::list<Stream> streams_;
  bool armed_ = false;
};

}  // namespace trunkline::admin
