#include "wire/tls_context.h"

#include <fmt/format.h>
#include <openssl/pem.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <system_error>

#include "wire/openssl.h"

namespace trunkline::wire {
namespace {

// A client that has not shown who it is may send a chain of certificates this long.
constexpr long kClientChainBytesMax = 32 * 1024;
constexpr std::size_t kFileBytesMax = 4 * 1024 * 1024;

using Certificates = std::vector<OpensslPtr<X509>>;

TlsError error(TlsSetting setting, std::string what, std::string remedy) {
  return {.setting = setting, .what = std::move(what), .remedy = std::move(remedy)};
}

std::expected<std::string, TlsError> read_file(TlsSetting setting, const std::string& path) {
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  std::string text;
  if (in) {
    std::string buffer(64 * 1024, '\0');
    while (in.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || in.gcount() > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(in.gcount()));
      if (text.size() > kFileBytesMax) break;
    }
  }
  if (!in.is_open() || in.bad()) {
    const std::string why = std::generic_category().message(errno != 0 ? errno : EIO);
    return std::unexpected(error(setting, fmt::format("{}: cannot be read: {}", path, why),
                                 "name a PEM file that this user may read"));
  }
  if (text.size() > kFileBytesMax) {
    return std::unexpected(error(setting, fmt::format("{}: more than 4 MiB", path),
                                 "name a PEM file of certificates or of a key"));
  }
  return text;
}

int no_passphrase(char*, int, int, void*) { return -1; }

std::expected<Certificates, TlsError> read_certificates(TlsSetting setting,
                                                        const std::string& path) {
  const auto text = read_file(setting, path);
  if (!text) return std::unexpected(text.error());
  const OpensslPtr<BIO> bio(BIO_new_mem_buf(text->data(), static_cast<int>(text->size())));
  Certificates out;
  while (X509* one = PEM_read_bio_X509_AUX(bio.get(), nullptr, no_passphrase, nullptr)) {
    out.emplace_back(one);
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string why = openssl_error();
  if (!at_end) {
    return std::unexpected(error(
        setting, fmt::format("{}: certificate {} cannot be read: {}", path, out.size() + 1, why),
        "write it anew; every certificate is in PEM, from -----BEGIN CERTIFICATE----- on"));
  }
  if (out.empty()) {
    const bool is_key = text->find("PRIVATE KEY-----") != std::string::npos;
    return std::unexpected(
        error(setting, fmt::format("{}: holds {}", path, is_key ? "a key" : "no certificate"),
              "name a PEM file with -----BEGIN CERTIFICATE-----"));
  }
  return out;
}

std::expected<OpensslPtr<EVP_PKEY>, TlsError> read_key(const std::string& path) {
  constexpr auto kKey = TlsSetting::key;
  auto text = read_file(kKey, path);
  if (!text) return std::unexpected(text.error());
  const OpensslPtr<BIO> bio(BIO_new_mem_buf(text->data(), static_cast<int>(text->size())));
  OpensslPtr<EVP_PKEY> key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  const bool encrypted = text->find("ENCRYPTED") != std::string::npos;
  const bool none = text->find("PRIVATE KEY-----") == std::string::npos;
  OPENSSL_cleanse(text->data(), text->size());
  if (key) return key;
  const std::string why = openssl_error();
  if (encrypted) {
    return std::unexpected(
        error(kKey, fmt::format("{}: the key is encrypted, and nobody is there to be asked", path),
              "write it without passphrase, readable by this user only: openssl pkey -in FILE"));
  }
  return std::unexpected(
      none
          ? error(kKey, fmt::format("{}: holds no key", path),
                  "name a PEM file with -----BEGIN PRIVATE KEY-----")
          : error(kKey, fmt::format("{}: the key cannot be read: {}", path, why), "write it anew"));
}

int compare(const ASN1_TIME* time, base::Wall now) {
  auto seconds = static_cast<std::time_t>(base::to_us(now) / 1'000'000);
  return X509_cmp_time(time, &seconds);
}

}  // namespace

TlsContext::TlsContext(bool is_server)
    : is_server_(is_server),
      native_(SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method())) {
  if (native_ == nullptr) throw std::bad_alloc();
  SSL_CTX_set_min_proto_version(native_, TLS1_2_VERSION);
  SSL_CTX_set_options(native_, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(native_, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(native_, 0);
  // Many connections say nothing for a long time.
  SSL_CTX_set_mode(native_, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_cert_verify_callback(native_, verify_peer, nullptr);
}

TlsContext::~TlsContext() { SSL_CTX_free(native_); }

std::expected<void, TlsError> TlsContext::load_identity(const std::string& certificate,
                                                        const std::string& key, base::Wall now) {
  constexpr auto kCertificate = TlsSetting::certificate;
  auto chain = read_certificates(kCertificate, certificate);
  if (!chain) return std::unexpected(chain.error());
  const auto secret = read_key(key);
  if (!secret) return std::unexpected(secret.error());
  X509* own = chain->front().get();
  if (X509_check_private_key(own, secret->get()) != 1) {
    ERR_clear_error();
    return std::unexpected(error(
        TlsSetting::key,
        fmt::format("{}: the key is not that of the first certificate in {}", key, certificate),
        "name the key the certificate was made for; where a file holds several "
        "certificates, ours comes first"));
  }
  bool taken = SSL_CTX_use_certificate(native_, own) == 1;
  const std::string refusal = taken ? "" : openssl_error();
  if (!taken) {
    return std::unexpected(error(kCertificate,
                                 fmt::format("{}: cannot be used: {}", certificate, refusal),
                                 "make one with a key of at least 2048 bits (RSA) or 256 (EC)"));
  }
  for (std::size_t i = 1; i < chain->size(); ++i) {
    taken = taken && SSL_CTX_add1_chain_cert(native_, (*chain)[i].get()) == 1;
  }
  taken = taken && SSL_CTX_use_PrivateKey(native_, secret->get()) == 1;
  if (!taken) {
    return std::unexpected(
        error(kCertificate, fmt::format("{}: cannot be used: {}", certificate, openssl_error()),
              "make it anew, and look at what stands behind our certificate"));
  }
  const ASN1_TIME* end = X509_get0_notAfter(own);
  if (compare(end, now) < 0) {
    warnings_.push_back(error(
        kCertificate, fmt::format("{}: the certificate expired on {}", certificate, date_of(end)),
        "peers will refuse it; renew it and reload (SIGHUP)"));
  } else if (compare(end, now + kTlsExpiryWarning) < 0) {
    warnings_.push_back(error(
        kCertificate, fmt::format("{}: the certificate expires on {}", certificate, date_of(end)),
        "renew it and reload (SIGHUP)"));
  } else if (compare(X509_get0_notBefore(own), now) > 0) {
    warnings_.push_back(error(kCertificate,
                              fmt::format("{}: the certificate is valid from {} on only",
                                          certificate, date_of(X509_get0_notBefore(own))),
                              "peers will refuse it until then; look at this machine's clock"));
  }
  return {};
}

std::expected<void, TlsError> TlsContext::load_authority(const std::string& path) {
  const auto authorities = read_certificates(TlsSetting::authority, path);
  if (!authorities) return std::unexpected(authorities.error());
  X509_STORE* store = SSL_CTX_get_cert_store(native_);
  for (const auto& one : *authorities) {
    const bool named = !is_server_ || SSL_CTX_add_client_CA(native_, one.get()) == 1;
    if (named && X509_STORE_add_cert(store, one.get()) == 1) continue;
    return std::unexpected(error(TlsSetting::authority,
                                 fmt::format("{}: cannot be used: {}", path, openssl_error()),
                                 "name a PEM file of authorities' certificates"));
  }
  // An intermediate authority that was named is trusted as it is.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(native_), X509_V_FLAG_PARTIAL_CHAIN);
  return {};
}

TlsContext::Result TlsContext::server(const TlsServerFiles& files, base::Wall now) {
  ERR_clear_error();
  std::shared_ptr<TlsContext> out(new TlsContext(/*is_server=*/true));
  if (auto done = out->load_identity(files.certificate, files.key, now); !done) {
    return std::unexpected(done.error());
  }
  if (!files.client_authority.empty()) {
    if (auto done = out->load_authority(files.client_authority); !done) {
      return std::unexpected(done.error());
    }
    SSL_CTX_set_verify(out->native_, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    SSL_CTX_set_max_cert_list(out->native_, kClientChainBytesMax);
  }
  return out;
}

TlsContext::Result TlsContext::client(const TlsClientFiles& files, base::Wall now) {
  ERR_clear_error();
  std::shared_ptr<TlsContext> out(new TlsContext(/*is_server=*/false));
  out->client_ = files;
  if (!files.certificate.empty()) {
    if (auto done = out->load_identity(files.certificate, files.key, now); !done) {
      return std::unexpected(done.error());
    }
  }
  if (!files.authority.empty()) {
    if (auto done = out->load_authority(files.authority); !done) {
      return std::unexpected(done.error());
    }
  } else if (files.pins.empty()) {
    if (SSL_CTX_set_default_verify_paths(out->native_) != 1) {
      return std::unexpected(error(TlsSetting::authority,
                                   "the system's authorities cannot be read: " + openssl_error(),
                                   "install ca-certificates, or name an authority's file"));
    }
  }
  SSL_CTX_set_verify(out->native_, SSL_VERIFY_PEER, nullptr);
  return out;
}

}  // namespace trunkline::wire
