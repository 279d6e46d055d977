// Load: `trunkline load`, on the REST API, and with Api::smpp over SMPP.
//
// Open loop: message n is due at start + n/rate whether or not earlier ones were answered, and its
// latency counts from then, so that a stall of the server shows as what it is.
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <map>
#include <string>

#include "base/time.h"
#include "sim/histogram.h"
#include "sim/traffic.h"

namespace trunkline::sim {

struct LoadOptions {
  enum class Api : std::uint8_t {
    rest,    // POST /v1/messages
    kannel,  // GET /cgi-bin/sendsms: the same work for the peer that benchmarks run beside us
    smpp,    // submit_sm; `connections` are binds, `pipeline` is each one's window
  };
  Api api = Api::rest;
  std::string host = "127.0.0.1";
  std::uint16_t port = 8080;
  std::string prefix;     // of the path, without a last slash
  std::string key;        // Bearer; kannel: user:password
  std::string dlr_url;    // kannel: where it reports receipts; empty: it asks for none
  std::string system_id;  // smpp
  std::string password;
  bool receipts = true;  // smpp: asks for them, and waits for them at the end
  TrafficOptions traffic;
  double rate = 0;             // messages a second; 0: as fast as answers come
  std::uint64_t count = 0;     // 0: until `duration` is over
  base::Duration duration{0};  // 0: until `count` is reached
  std::uint32_t connections = 8;
  std::uint32_t pipeline = 1;  // requests outstanding on a connection
  std::uint32_t batch = 1;     // messages a request; above 1: /v1/messages/batch
  bool idempotency = false;    // a key each
  bool retry = false;          // with the same key, until acknowledged or refused
  base::Duration timeout = std::chrono::seconds(30);   // of a request
  base::Duration patience = std::chrono::seconds(60);  // without any answer, retrying; then give up
  std::string ledger;                                  // {t,key,id,to,token} for each acknowledged
  std::string attempted;  // {t,key,to,token} for each, before its first byte leaves
};

struct LoadReport {
  std::uint64_t sent = 0;    // messages, each once however often it was tried
  std::uint64_t unsent = 0;  // due while it ran, but every connection was waiting
  std::uint64_t acknowledged = 0;
  std::uint64_t replayed = 0;                    // … by an answer that says so
  std::map<std::string, std::uint64_t> refused;  // "422 policy_refused" -> messages
  std::map<std::string, std::uint64_t> errors;   // "connection lost" -> messages
  std::uint64_t retries = 0;                     // messages sent again
  double seconds = 0;                            // first byte out to last answer in
  Histogram latency;                             // of acknowledged messages
  bool gave_up = false;                          // the server was gone too long

  // SMPP: of acknowledged messages.
  bool receipts_awaited = false;
  std::map<std::string, std::uint64_t> receipts;  // "DELIVRD" -> messages
  std::uint64_t receipts_missing = 0;
  std::uint64_t receipts_repeated = 0;
  std::uint64_t other_deliveries = 0;  // messages from phones, receipts of no message of this run
  double seconds_with_receipts = 0;    // first byte out to last receipt in
  Histogram receipt_latency;           // from when the message was due

  bool all_acknowledged() const { return acknowledged == sent && receipts_missing == 0; }
};

struct LoadError {
  enum class Kind : std::uint8_t { usage, unreachable, refused, ledger };
  Kind kind = Kind::usage;
  std::string what;
};

// Blocks until all is answered, or `stop` is set and what is outstanding was answered.
std::expected<LoadReport, LoadError> run_load(const LoadOptions& options,
                                              const std::atomic<bool>& stop);

std::string to_json(const LoadReport& report);
std::string to_text(const LoadReport& report);

}  // namespace trunkline::sim
