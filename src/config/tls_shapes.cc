#include "config/tls_shapes.h"

namespace trunkline::config {
namespace {

constexpr Field kSmppTlsListenerFields[] = {
    {.key = "address",
     .kind = Kind::address,
     .required = true,
     .doc = "Where applications bind over SMPP with TLS (1.2 or 1.3). Port 0 picks a free one; "
            "the ready line names it."},
    {.key = "certificate",
     .kind = Kind::path,
     .required = true,
     .doc = "PEM file: ours, behind it the intermediate authorities. Read again by a reload."},
    {.key = "key",
     .kind = Kind::path,
     .required = true,
     .doc = "PEM file: the certificate's private key, without passphrase."},
    {.key = "client_ca",
     .kind = Kind::path,
     .absent = "applications show no certificate",
     .doc = "PEM file of authorities: an application must show a certificate of one of them "
            "(mutual TLS), besides its password."},
};
}  // namespace

constexpr Shape kSmppTlsListener{
    "smpp_tls listener", "listen.smpp_tls", kSmppTlsListenerFields,
    "SMPP over TLS for applications, beside `listen.smpp` or instead of it. Absent: none."};

namespace {

constexpr Field kCarrierTlsFields[] = {
    {.key = "ca",
     .kind = Kind::path,
     .absent = "the authorities this system trusts; none if there is a `pin`",
     .doc = "PEM file of the authorities the carrier's certificate must come from."},
    {.key = "pin",
     .kind = Kind::key_hash,
     .many = Many::one_or_list,
     .absent = "any key that an authority vouches for",
     .doc = "SHA-256 of the carrier's public key (SubjectPublicKeyInfo). Without `ca` it is "
            "enough, whoever signed the certificate and whatever its name and dates; with `ca` "
            "both must hold. Several: one of them."},
    {.key = "server_name",
     .kind = Kind::host,
     .absent = "`host`",
     .doc = "The name or IP address the certificate must be for, and the name asked for (SNI)."},
    {.key = "certificate",
     .kind = Kind::path,
     .absent = "we show none",
     .doc = "PEM file: ours, for carriers that ask for one (mutual TLS). Read again by a reload."},
    {.key = "key",
     .kind = Kind::path,
     .absent = "we show no certificate",
     .doc = "PEM file: its private key, without passphrase."},
};
}  // namespace

constexpr Shape kCarrierTls{
    "carrier's tls", "carriers[].smpp.tls", kCarrierTlsFields,
    "TLS (1.2 or 1.3) to the carrier. `tls: {}` verifies against this system's authorities; "
    "verification cannot be switched off. A pin is what this prints, behind `sha256:`: "
    "`openssl x509 -in FILE -pubkey -noout | openssl pkey -pubin -outform der | sha256sum`."};

}  // namespace trunkline::config
