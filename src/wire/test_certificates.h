// Test only: authorities and certificates made on the spot, as PEM files in a directory of the
// test's own.
#pragma once

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <string>

#include "wire/openssl.h"

namespace trunkline::wire::test {

struct Certificate {
  std::string file;      // PEM
  std::string key_file;  // PEM
  std::string pin;
  OpensslPtr<X509> x509;
  OpensslPtr<EVP_PKEY> key;
};

class Certificates {
 public:
  struct Wanted {
    std::string name;      // the files' and the subject's
    std::string alt = {};  // "DNS:smsc.example.com,IP:127.0.0.1"
    bool is_authority = false;
    long from_days = -1;
    long to_days = 100;
  };

  Certificates() {
    std::string pattern = testing::TempDir() + "tls-XXXXXX";
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  ~Certificates() { std::filesystem::remove_all(directory_); }

  std::string path(const std::string& name) const { return directory_ + "/" + name; }

  // `issuer` null: signed by itself.
  Certificate make(const Wanted& wanted, const Certificate* issuer = nullptr) {
    Certificate out;
    out.key.reset(EVP_EC_gen("P-256"));
    out.x509.reset(X509_new());
    X509* x = out.x509.get();
    X509_set_version(x, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial_);
    X509_gmtime_adj(X509_getm_notBefore(x), wanted.from_days * 86'400);
    X509_gmtime_adj(X509_getm_notAfter(x), wanted.to_days * 86'400);
    X509_set_pubkey(x, out.key.get());
    X509_NAME* name = X509_get_subject_name(x);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(wanted.name.c_str()), -1, -1,
                               0);
    const Certificate& signer = issuer != nullptr ? *issuer : out;
    X509_set_issuer_name(x, X509_get_subject_name(signer.x509.get()));
    extend(x, signer.x509.get(), NID_basic_constraints,
           wanted.is_authority ? "critical,CA:TRUE" : "CA:FALSE");
    if (!wanted.alt.empty()) extend(x, signer.x509.get(), NID_subject_alt_name, wanted.alt);
    EXPECT_NE(X509_sign(x, signer.key.get(), EVP_sha256()), 0);
    out.file = path(wanted.name + ".pem");
    out.key_file = path(wanted.name + ".key");
    out.pin = spki_sha256(x);
    with_file(out.file, [&](FILE* file) { return PEM_write_X509(file, x); });
    with_file(out.key_file, [&](FILE* file) {
      return PEM_write_PrivateKey(file, out.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
    return out;
  }

  std::string write(const std::string& name, const std::string& text) const {
    with_file(path(name), [&](FILE* file) {
      return std::fwrite(text.data(), 1, text.size(), file) == text.size();
    });
    return path(name);
  }

 private:
  static void extend(X509* x, X509* issuer, int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, x, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    ASSERT_NE(extension, nullptr) << value;
    X509_add_ext(x, extension, -1);
    X509_EXTENSION_free(extension);
  }

  template <class Write>
  static void with_file(const std::string& path, Write write) {
    FILE* file = std::fopen(path.c_str(), "wb");
    ASSERT_NE(file, nullptr) << path;
    EXPECT_TRUE(write(file));
    std::fclose(file);
  }

  std::string directory_;
  long serial_ = 0;
};

}  // namespace trunkline::wire::test
