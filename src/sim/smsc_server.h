// The sockets of one simulated carrier.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <expected>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "sim/smsc.h"

namespace trunkline::sim {

// Listens on an address the scenario gives. The error is a sentence.
std::expected<boost::asio::ip::tcp::acceptor, std::string> listen_on(boost::asio::io_context& io,
                                                                     const Listen& at);
std::string to_text(const boost::asio::ip::tcp::endpoint& endpoint);

// On the io_context's one thread.
class SmscServer {
 public:
  SmscServer(boost::asio::io_context& io, const CarrierSpec& spec, std::uint64_t seed,
             std::uint64_t first_id, LineFile& ledger);
  ~SmscServer();
  SmscServer(const SmscServer&) = delete;
  SmscServer& operator=(const SmscServer&) = delete;

  // Accepts connections; after stop(), on the same port as before.
  std::expected<void, std::string> start();
  // Refuses connections and resets those there are.
  void stop();
  void kill_links();
  // What only time brings about; call it a few times a second.
  void tick();
  void finish();

  bool running() const { return acceptor_.is_open(); }
  std::string address() const { return address_; }
  const CarrierSpec& spec() const { return spec_; }
  Smsc& smsc() { return smsc_; }

 private:
  struct Connection;
  void accept();
  void read(const std::shared_ptr<Connection>& connection);
  void on_read(const std::shared_ptr<Connection>& connection, std::size_t bytes);
  void pump();
  void flush(Smsc::LinkId id);
  void drop(Smsc::LinkId id, bool by_reset);
  void arm();

  boost::asio::io_context& io_;
  CarrierSpec spec_;
  Smsc smsc_;
  boost::asio::ip::tcp::acceptor acceptor_;
  Listen listen_;  // with the port that was picked
  std::string address_;
  std::unordered_map<Smsc::LinkId, std::shared_ptr<Connection>> connections_;
  std::vector<Smsc::LinkId> touched_;
  boost::asio::steady_timer timer_;
  base::Mono armed_for_ = base::Mono::max();
};

}  // namespace trunkline::sim
