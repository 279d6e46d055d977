#include "wire/openssl.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/x509v3.h>

#include <array>

namespace trunkline::wire {

namespace {

constexpr int kNamesMax = 5;

// From a certificate: whatever it holds, what is logged is printable.
std::string printable(const unsigned char* data, int size) {
  std::string out;
  for (int i = 0; i < size && i < 100; ++i) {
    out.push_back(data[i] >= 0x20 && data[i] < 0x7f ? static_cast<char>(data[i]) : '?');
  }
  return out;
}

}  // namespace

std::string spki_sha256(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (size <= 0) return {};
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned digest_size = 0;
  const bool done = EVP_Digest(der, static_cast<std::size_t>(size), digest.data(), &digest_size,
                               EVP_sha256(), nullptr) == 1;
  OPENSSL_free(der);
  std::string out;
  for (unsigned i = 0; done && i < digest_size; ++i) out += fmt::format("{:02x}", digest[i]);
  return out;
}

std::string date_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return fmt::format("{:04}-{:02}-{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
}

std::string names_of(X509* certificate) {
  std::string out;
  auto* names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  const int count = names == nullptr ? 0 : sk_GENERAL_NAME_num(names);
  for (int i = 0; i < count; ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    if (i == kNamesMax) {
      out += fmt::format(" and {} more", count - i);
      break;
    }
    std::string text = "?";
    if (name->type == GEN_DNS) {
      text = printable(ASN1_STRING_get0_data(name->d.dNSName), ASN1_STRING_length(name->d.dNSName));
    } else if (name->type == GEN_IPADD) {
      const int size = ASN1_STRING_length(name->d.iPAddress);
      std::array<char, INET6_ADDRSTRLEN> buffer{};
      const int family = size == 4 ? AF_INET : size == 16 ? AF_INET6 : -1;
      if (family != -1 && inet_ntop(family, ASN1_STRING_get0_data(name->d.iPAddress), buffer.data(),
                                    buffer.size()) != nullptr) {
        text = buffer.data();
      }
    }
    out += fmt::format("{}{}", out.empty() ? "" : ", ", text);
  }
  GENERAL_NAMES_free(names);
  if (!out.empty()) return out;
  X509_NAME* subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return "nothing that is named";
  const ASN1_STRING* text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
  return printable(ASN1_STRING_get0_data(text), ASN1_STRING_length(text));
}

std::string openssl_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "no reason given";
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : fmt::format("error {:#x}", code);
}

}  // namespace trunkline::wire
