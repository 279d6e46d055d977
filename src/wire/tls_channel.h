// One side of a TLS connection without its socket: octets of the peer in, octets for the peer out,
// plain text on the other side. Handshake, verification and the words for what went wrong.
//
// Costs next to nothing until the first octet comes or goes. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "wire/tls_context.h"

// OpenSSL's
struct bio_method_st;
struct bio_st;
struct ssl_st;
struct x509_store_ctx_st;

namespace trunkline::wire {

class TlsChannel {
 public:
  enum class State : std::uint8_t {
    handshaking,
    established,
    ended,   // the peer will send no more, and said so
    failed,  // why() tells
  };

  // What write() takes at most: one TLS record.
  static constexpr std::size_t kRecordBytes = 16 * 1024;
  // While more than this is owed to the peer, nothing further should be read from it: it can make
  // us answer without reading the answers.
  static constexpr std::size_t kOutputMax = 64 * 1024;

  explicit TlsChannel(std::shared_ptr<const TlsContext> context);
  ~TlsChannel();
  TlsChannel(const TlsChannel&) = delete;
  TlsChannel& operator=(const TlsChannel&) = delete;

  State state() const { return state_; }
  bool is_established() const { return state_ == State::established; }
  // What went wrong, and how to mend it where that is known.
  const std::string& why() const { return why_; }

  // A client's first octets. Of no effect for a server.
  void start();
  // From the peer. While the handshake lasts everything is taken; afterwards `octets` must stay
  // until read() returned 0.
  void receive(std::string_view octets);
  // Plain text. 0: none for now; see state().
  std::size_t read(char* to, std::size_t size);

  // At most kRecordBytes become one record in output(). False: the state is another now, and no
  // octet of it is in output().
  bool write(std::string_view octets);
  // Tells the peer that no more will come; of no effect unless established.
  void end();

  // For the peer. Valid until anything else is called.
  std::string_view output() const { return std::string_view(output_).substr(sent_); }
  void sent(std::size_t octets);

  // "TLSv1.3, TLS_AES_256_GCM_SHA384"; once established.
  std::string describe() const;

 private:
  friend int verify_peer(x509_store_ctx_st* store, void*);
  static int bio_read(bio_st* bio, char* to, int size);
  static int bio_write(bio_st* bio, const char* from, int size);
  static long bio_control(bio_st* bio, int command, long number, void* pointer);
  static bio_method_st* bio_method();

  bool begin();
  void advance();
  void fail(std::string why);
  void fail_with(int result);

  const std::shared_ptr<const TlsContext> context_;
  ssl_st* ssl_ = nullptr;
  State state_ = State::handshaking;
  std::string_view input_;  // of the peer, not yet taken by OpenSSL
  std::string kept_;        // where input_ lies if not at the caller's
  std::string output_;
  std::size_t sent_ = 0;  // of output_
  std::string refusal_;   // why the peer's certificate was refused, if it was
  std::string why_;
};

}  // namespace trunkline::wire
