// What a TLS connection is made with: certificate, key, whom to trust. Read from files once, shared
// by any number of connections; another one takes its place when the files are read again.
//
// TLS 1.2 and later. No compression, no renegotiation, no resumption, no early data: connections
// are few and long. Verification cannot be switched off: a side that verifies the other holds it
// against an authority, or a pin, or both.
//
// Threads: any, once made.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "base/time.h"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX

namespace trunkline::wire {

// Which setting is to blame.
enum class TlsSetting : std::uint8_t { certificate, key, authority };

// A sentence about a file, without what is in it, and what mends it.
struct TlsError {
  TlsSetting setting = TlsSetting::certificate;
  std::string what;
  std::string remedy;
};

// Paths of PEM files.
struct TlsServerFiles {
  std::string certificate;  // ours, those of intermediate authorities behind it
  std::string key;
  std::string client_authority;  // not empty: clients must show a certificate of one of these

  friend bool operator==(const TlsServerFiles&, const TlsServerFiles&) = default;
};

struct TlsClientFiles {
  // Whom the server's certificate must come from. Empty: the system's authorities; none at all if
  // there are pins, for a pin alone says who it is.
  std::string authority;
  // SHA-256 of the SubjectPublicKeyInfo (RFC 7469 2.4), 64 hexadecimal digits in lower case: one of
  // them must be the server's.
  std::vector<std::string> pins;
  // What the certificate must be for, where an authority vouches for it: a DNS name or an IP
  // address. A DNS name is also sent as SNI.
  std::string server_name;
  std::string certificate;  // ours, if the server asks for one
  std::string key;

  friend bool operator==(const TlsClientFiles&, const TlsClientFiles&) = default;
};

class TlsContext {
 public:
  using Result = std::expected<std::shared_ptr<const TlsContext>, TlsError>;

  // Reads the files; blocks as long as that takes. `now`: for warnings() only.
  static Result server(const TlsServerFiles& files, base::Wall now);
  static Result client(const TlsClientFiles& files, base::Wall now);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  bool is_server() const { return is_server_; }
  // That our certificate has expired, or is about to.
  const std::vector<TlsError>& warnings() const { return warnings_; }

  // --- for TlsChannel
  ssl_ctx_st* native() const { return native_; }
  const TlsClientFiles& client_files() const { return client_; }

 private:
  explicit TlsContext(bool is_server);
  std::expected<void, TlsError> load_identity(const std::string& certificate,
                                              const std::string& key, base::Wall now);
  std::expected<void, TlsError> load_authority(const std::string& path);

  const bool is_server_;
  ssl_ctx_st* native_ = nullptr;
  TlsClientFiles client_;
  std::vector<TlsError> warnings_;
};

// A certificate about to expire is warned of this long before.
inline constexpr auto kTlsExpiryWarning = std::chrono::days(14);

}  // namespace trunkline::wire
