#include "wire/tls_channel.h"

#include <fmt/format.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <cstring>

#include "base/assert.h"
#include "wire/openssl.h"

namespace trunkline::wire {
namespace {

// A buffer that grew in a burst is given back.
constexpr std::size_t kOutputKept = 32 * 1024;

bool is_address(const std::string& name) {
  boost::system::error_code failed;
  (void)boost::asio::ip::make_address(name, failed);
  return !failed;
}

// Why a certificate was refused that `error` is OpenSSL's word for.
std::string refusal(int error, X509* certificate, const TlsContext& context) {
  const std::string whose = context.is_server() ? "the client's" : "the server's";
  const std::string expected = context.client_files().server_name;
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return fmt::format(
          "{} certificate expired on {}; it has to be renewed there, or this "
          "machine's clock is wrong",
          whose, date_of(X509_get0_notAfter(certificate)));
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return fmt::format("{} certificate is valid from {} on only; look at this machine's clock",
                         whose, date_of(X509_get0_notBefore(certificate)));
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return fmt::format(
          "the server's certificate is for {}, not for {}; if that is the server "
          "that is meant, set tls.server_name to one of its names",
          names_of(certificate), expected);
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      if (context.is_server()) {
        return "the client's certificate is not from an authority in smpp_tls.client_ca";
      }
      return fmt::format(
          "the server's certificate (for {}) is not from a trusted authority; set "
          "tls.ca to the file of its authority, or tls.pin to sha256:{} after "
          "asking the carrier whether that is its key",
          names_of(certificate), spki_sha256(certificate));
    default:
      return fmt::format("{} certificate is refused: {}", whose,
                         X509_verify_cert_error_string(error));
  }
}

// What the peer's alert, or what it sent instead of TLS, means.
std::string reason_text(int reason, bool is_server) {
  switch (reason) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
      return is_server ? "the client does not speak TLS here"
                       : "the server does not speak TLS here; look at the port, or remove tls";
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
      return "the peer speaks no version of TLS that we do (1.2 and 1.3)";
    case SSL_R_NO_SHARED_CIPHER:
      return "no cipher that both sides know; the certificate's kind of key (RSA, EC) may be the "
             "reason";
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return "the client showed no certificate, and smpp_tls.client_ca asks for one";
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
      return "the peer asks for a certificate of ours; set tls.certificate and tls.key";
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
      return is_server ? "the client found nothing in common"
                       : "the server refused the handshake: it may ask for a certificate of ours "
                         "(tls.certificate and tls.key), or know no cipher that we do";
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
      return "the peer refused our certificate: it does not know the authority it comes from; its "
             "file may lack the intermediate authorities";
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
      return "the peer refused our certificate: it has expired; renew it and reload";
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
      return "the peer refused our certificate: it was revoked";
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
      return "the peer refused our certificate: its name, its use or its authority is not what the "
             "peer expects";
    case SSL_R_TLSV1_UNRECOGNIZED_NAME:
      return "the server does not know the name we asked for; set tls.server_name";
    default:
      return {};
  }
}

}  // namespace

// In place of OpenSSL's own: the chain, if an authority is to vouch for it, then the pins.
int verify_peer(X509_STORE_CTX* store, void*) {
  const auto* ssl = static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto& channel = *static_cast<TlsChannel*>(SSL_get_app_data(ssl));
  const TlsContext& context = *channel.context_;
  const TlsClientFiles& wanted = context.client_files();
  const bool by_authority = context.is_server() || !wanted.authority.empty() || wanted.pins.empty();
  X509* leaf = X509_STORE_CTX_get0_cert(store);
  if (by_authority && X509_verify_cert(store) != 1) {
    X509* at = X509_STORE_CTX_get_current_cert(store);
    const int error = X509_STORE_CTX_get_error(store);
    const bool about_leaf = at == nullptr || error == X509_V_ERR_HOSTNAME_MISMATCH ||
                            error == X509_V_ERR_IP_ADDRESS_MISMATCH;
    channel.refusal_ = refusal(error, about_leaf ? leaf : at, context);
    return 0;
  }
  if (wanted.pins.empty() || context.is_server()) return 1;
  const std::string pin = spki_sha256(leaf);
  if (std::ranges::find(wanted.pins, pin) != wanted.pins.end()) {
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
  }
  channel.refusal_ = fmt::format(
      "the server's key is sha256:{}, not what tls.pin says; if the carrier confirms that its key "
      "has changed, set tls.pin to that",
      pin);
  X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
  return 0;
}

// --- octets to and from OpenSSL -----------------------------------------------------------------

int TlsChannel::bio_read(BIO* bio, char* to, int size) {
  auto& self = *static_cast<TlsChannel*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (self.input_.empty()) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const std::size_t taken = std::min(self.input_.size(), static_cast<std::size_t>(size));
  std::memcpy(to, self.input_.data(), taken);
  self.input_.remove_prefix(taken);
  return static_cast<int>(taken);
}

int TlsChannel::bio_write(BIO* bio, const char* from, int size) {
  auto& self = *static_cast<TlsChannel*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  self.output_.append(from, static_cast<std::size_t>(size));
  return size;
}

long TlsChannel::bio_control(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD* TlsChannel::bio_method() {
  static const OpensslPtr<BIO_METHOD> method = [] {
    OpensslPtr<BIO_METHOD> made(
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "TlsChannel"));
    if (!made) throw std::bad_alloc();
    BIO_meth_set_read(made.get(), &TlsChannel::bio_read);
    BIO_meth_set_write(made.get(), &TlsChannel::bio_write);
    BIO_meth_set_ctrl(made.get(), &TlsChannel::bio_control);
    return made;
  }();
  return method.get();
}

// --- life ---------------------------------------------------------------------------------------

TlsChannel::TlsChannel(std::shared_ptr<const TlsContext> context) : context_(std::move(context)) {}
TlsChannel::~TlsChannel() { SSL_free(ssl_); }

bool TlsChannel::begin() {
  if (ssl_ != nullptr) return true;
  ERR_clear_error();
  ssl_ = SSL_new(context_->native());
  BIO* bio = ssl_ != nullptr ? BIO_new(bio_method()) : nullptr;
  if (bio == nullptr) {
    fail("out of memory for TLS");
    return false;
  }
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_, bio, bio);
  SSL_set_app_data(ssl_, this);
  if (context_->is_server()) {
    SSL_set_accept_state(ssl_);
    return true;
  }
  SSL_set_connect_state(ssl_);
  const TlsClientFiles& files = context_->client_files();
  const std::string& name = files.server_name;
  bool set = true;
  if (is_address(name)) {
    set = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_), name.c_str()) == 1;
  } else if (!name.empty()) {
    set =
        SSL_set_tlsext_host_name(ssl_, name.c_str()) == 1 && SSL_set1_host(ssl_, name.c_str()) == 1;
  }
  if (!set) fail(fmt::format("{} cannot be a server's name; set tls.server_name", name));
  return set;
}

void TlsChannel::start() {
  if (!context_->is_server() && state_ == State::handshaking && begin()) advance();
}

void TlsChannel::advance() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_);
  if (result == 1) {
    state_ = State::established;
  } else {
    fail_with(result);
  }
}

void TlsChannel::receive(std::string_view octets) {
  if (state_ == State::ended || state_ == State::failed) return;
  if (input_.empty()) {
    kept_.clear();
    input_ = octets;
  } else {
    kept_ = std::string(input_).append(octets);
    input_ = kept_;
  }
  if (state_ != State::handshaking || !begin()) return;
  advance();
  // What came behind the handshake waits for read().
  std::string rest(input_);
  kept_ = std::move(rest);
  input_ = kept_;
}

std::size_t TlsChannel::read(char* to, std::size_t size) {
  if (state_ != State::established) return 0;
  ERR_clear_error();
  std::size_t got = 0;
  const int result = SSL_read_ex(ssl_, to, size, &got);
  if (result == 1) return got;
  fail_with(result);
  return 0;
}

bool TlsChannel::write(std::string_view octets) {
  ASSERT(octets.size() <= kRecordBytes);
  if (state_ != State::established) return false;
  ERR_clear_error();
  std::size_t taken = 0;
  const int result = SSL_write_ex(ssl_, octets.data(), octets.size(), &taken);
  if (result == 1) return true;
  fail_with(result);
  if (state_ == State::established) fail("TLS took nothing");  // its output never makes it wait
  return false;
}

void TlsChannel::end() {
  if (state_ != State::established && state_ != State::ended) return;
  ERR_clear_error();
  (void)SSL_shutdown(ssl_);
  ERR_clear_error();
}

void TlsChannel::sent(std::size_t octets) {
  sent_ += octets;
  ASSERT(sent_ <= output_.size());
  if (sent_ < output_.size()) return;
  sent_ = 0;
  output_.clear();
  if (output_.capacity() > kOutputKept) output_.shrink_to_fit();
}

std::string TlsChannel::describe() const {
  if (ssl_ == nullptr) return {};
  return fmt::format("{}, {}", SSL_get_version(ssl_), SSL_get_cipher_name(ssl_));
}

// --- what went wrong ----------------------------------------------------------------------------

void TlsChannel::fail(std::string why) {
  state_ = State::failed;
  why_ = std::move(why);
}

// After a call of OpenSSL that gave `result`. The state stays as it is if there is just nothing to
// read.
void TlsChannel::fail_with(int result) {
  const bool was_up = state_ == State::established;
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ:
      return;
    case SSL_ERROR_ZERO_RETURN:
      state_ = State::ended;
      return;
    default:
      break;
  }
  const int reason = ERR_GET_REASON(ERR_peek_error());
  std::string text = refusal_;
  if (text.empty()) text = reason_text(reason, context_->is_server());
  if (text.empty()) text = openssl_error();
  ERR_clear_error();
  fail(fmt::format("TLS{}: {}", was_up ? "" : " handshake", text));
}

}  // namespace trunkline::wire
