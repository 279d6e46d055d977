// OpenSSL's objects, owned. For this folder's own files.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace trunkline::wire {

struct OpensslFree {
  void operator()(BIO* p) const { BIO_free(p); }
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(SSL* p) const { SSL_free(p); }
  void operator()(X509* p) const { X509_free(p); }
  void operator()(BIO_METHOD* p) const { BIO_meth_free(p); }
};
template <class T>
using OpensslPtr = std::unique_ptr<T, OpensslFree>;

// The SHA-256 of its SubjectPublicKeyInfo, 64 hexadecimal digits in lower case.
std::string spki_sha256(X509* certificate);
// "2026-11-23"; empty if it cannot be told.
std::string date_of(const ASN1_TIME* time);
// The names a certificate is for, "smsc.example.com, 192.0.2.1"; cut when there are many.
std::string names_of(X509* certificate);
// SSL_CTX_set_cert_verify_callback's: for connections of TlsChannel.
int verify_peer(X509_STORE_CTX* store, void*);
// The first error OpenSSL noted in this thread, as it says it; all are forgotten.
std::string openssl_error();

}  // namespace trunkline::wire
