#include "service/tls_files.h"

#include <algorithm>

namespace trunkline::service {
namespace {

using Severity = config::Finding::Severity;

// `by_setting`: the setting that names the certificate, the key, the authorities.
void add(std::vector<config::Finding>& findings, Severity severity, const wire::TlsError& error,
         const config::FileName& certificate, const config::FileName& key,
         const config::FileName& authority) {
  const config::FileName& at = error.setting == wire::TlsSetting::certificate ? certificate
                               : error.setting == wire::TlsSetting::key       ? key
                                                                              : authority;
  config::Finding finding = at.place;
  finding.severity = severity;
  finding.what = error.what;
  finding.remedy = error.remedy;
  findings.push_back(std::move(finding));
}

}  // namespace

bool TlsFiles::good() const {
  return std::ranges::none_of(findings,
                              [](const auto& f) { return f.severity == Severity::error; });
}

std::string TlsFiles::errors() const {
  std::string out;
  for (const config::Finding& finding : findings) {
    if (finding.severity != Severity::error) continue;
    out += fmt::format("{}{}", out.empty() ? "" : "\n", config::to_text(finding));
  }
  return out;
}

TlsFiles read_tls_files(const config::Config& config, base::Wall now) {
  TlsFiles out;
  const auto take =
      [&](wire::TlsContext::Result made, const config::FileName& certificate,
          const config::FileName& key,
          const config::FileName& authority) -> std::shared_ptr<const wire::TlsContext> {
    if (!made) {
      add(out.findings, Severity::error, made.error(), certificate, key, authority);
      return nullptr;
    }
    for (const wire::TlsError& warning : (*made)->warnings()) {
      add(out.findings, Severity::warning, warning, certificate, key, authority);
    }
    return std::move(*made);
  };
  if (config.smpp_tls) {
    const config::TlsListener& l = *config.smpp_tls;
    out.smpp_listener = take(wire::TlsContext::server({.certificate = l.certificate.name,
                                                       .key = l.key.name,
                                                       .client_authority = l.client_ca.name},
                                                      now),
                             l.certificate, l.key, l.client_ca);
  }
  if (config.lookup && config.lookup->tls) {
    const config::Lookup& l = *config.lookup;
    out.lookup = take(wire::TlsContext::client({.authority = l.ca.name,
                                                .pins = {},
                                                .server_name = l.host,
                                                .certificate = {},
                                                .key = {}},
                                               now),
                      l.ca, l.ca, l.ca);
  }
  for (const config::Carrier& carrier : config.carriers) {
    out.carriers.emplace_back();
    if (!carrier.smpp.tls) continue;
    const config::CarrierTls& t = *carrier.smpp.tls;
    out.carriers.back() = take(wire::TlsContext::client({.authority = t.ca.name,
                                                         .pins = t.pins,
                                                         .server_name = t.server_name,
                                                         .certificate = t.certificate.name,
                                                         .key = t.key.name},
                                                        now),
                               t.certificate, t.key, t.ca);
  }
  return out;
}

}  // namespace trunkline::service
