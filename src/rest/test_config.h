// The configuration the tests of this folder work with, and a golden-file helper.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "config/config.h"
#include "seal/digest.h"

namespace trunkline::rest {

inline std::shared_ptr<const config::Config> test_config() {
  const std::string yaml =
      fmt::format(R"(
node: {{ name: n1, region: eu }}
listen: {{ http: {{ address: 127.0.0.1:0 }} }}
store: {{ rocksdb: {{ path: ./data }} }}
carriers:
  - {{ name: alpha, region: eu, smpp: {{ host: 127.0.0.1, port: 12775, system_id: t, password: p }} }}
  - {{ name: beta, region: us, smpp: {{ host: 127.0.0.1, port: 12776, system_id: t, password: p }} }}
routes:
  - {{ name: all, via: [ {{ carrier: alpha }}, {{ carrier: beta }} ] }}
tenants:
  - name: demo
    default_class: transactional
    classes: [ otp, transactional, support ]
    keys: [ {{ id: k, hash: "sha256:{}" }} ]
    senders: [ Acme ]
    templates:
      - {{ name: login, class: otp, body: "Your code is {{{{code}}}}.", fields: {{ code: code }} }}
      - {{ name: order, body: "{{{{who}}}}: order {{{{n}}}}, {{{{at}}}}", fields: {{ who: text, n: number, at: link }} }}
  - name: other
    default_class: otp
    classes: [ otp ]
    keys: [ {{ id: k, hash: "sha256:{}" }} ]
)",
                  seal::sha256_hex("key-of-demo"), seal::sha256_hex("key-of-other"));
  auto loaded = config::load({{"test.yaml", yaml}}, [](std::string_view) {
    return std::expected<std::string, std::string>(std::unexpected("no secrets here"));
  });
  for (const config::Finding& finding : loaded.findings) {
    if (finding.severity == config::Finding::Severity::error) ADD_FAILURE() << to_text(finding);
  }
  return std::make_shared<const config::Config>(std::move(loaded.config.value()));
}

inline std::string read_file(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

// TRUNKLINE_UPDATE_GOLDEN=1 writes what is, instead of comparing.
inline void expect_golden(const std::string& path, const std::string& actual) {
  if (std::getenv("TRUNKLINE_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << actual;
    return;
  }
  EXPECT_EQ(read_file(path), actual);
}

}  // namespace trunkline::rest
