#include "config/registrations.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace trunkline::config {
namespace {

const std::string kConfig = R"(
node: { name: eu-1, region: eu }
listen: { http: { address: 127.0.0.1:0 } }
carriers:
  - { name: a, region: eu, smpp: { host: a, port: 1, system_id: a } }
  - name: b
    region: eu
    policy: { by_country: { NL: { senders: { long_number: registered } } } }
    smpp: { host: b, port: 1, system_id: b }
countries:
  AE: { senders: { alphanumeric: registered } }
  NL: { senders: { alphanumeric: some_networks, long_number: allowed }, marketing: registered }
  FR: { senders: { alphanumeric: registered, long_number: refused } }
tenants:
  - name: acme
    default_class: otp
    classes: [ otp, marketing ]
    senders: [ Acme, Bank, "+31612345678" ]
    registrations:
      - { kind: alphanumeric, id: R1, country: AE, senders: [ Acme ], expires: 2027-01-01 }
      - { kind: alphanumeric, id: R2, country: AE, senders: [ Bank ], classes: [ otp ], state: pending }
      - { kind: alphanumeric, id: R3, country: FR, expires: 2026-01-01 }
  - { name: other, default_class: otp, senders: [ Acme ], not_countries: [ FR ] }
  - { name: mute, default_class: otp }
routes:
  - { name: some, match: { country: [ AE, NL, FR ] }, via: [ { carrier: a }, { carrier: b } ] }
)";

Config must_load() {
  Loaded loaded = load({{"x.yaml", kConfig}}, {});
  for (const Finding& finding : loaded.findings) {
    if (finding.severity == Finding::Severity::error) ADD_FAILURE() << to_text(finding);
  }
  return loaded.config.value_or(Config{});
}

const base::Wall kNow = base::parse_rfc3339("2026-11-23T12:00:00Z").value();

TEST(Registrations, WhatIsNeededAndWhatIsThere) {
  const Config config = must_load();
  const auto needs = registrations(config, coverage(config), kNow, {"AE", "FR", "NL"});
  EXPECT_EQ(registrations_text(config, needs), R"(
Registrations
  AE alphanumeric acme             missing: Bank in marketing; takes up to 25 days
  AE alphanumeric acme             pending (alphanumeric R2): Bank in otp; takes up to 25 days
  AE alphanumeric acme             active (alphanumeric R1) until 2027-01-01: Acme
  AE alphanumeric other            missing: Acme; takes up to 25 days
  FR alphanumeric acme             expired (alphanumeric R3) on 2026-01-01: Acme, Bank; ask your carrier how long it takes
  NL alphanumeric acme             missing: Acme, Bank in otp, asked for by some networks; ask your carrier how long it takes
  NL alphanumeric acme             missing: Acme, Bank, for marketing; ask your carrier how long it takes
  NL long number  acme             missing: +31612345678, for marketing; ask your carrier how long it takes
  NL long number  acme             missing: +31612345678, asked for by b; ask your carrier how long it takes
  NL alphanumeric other            missing: Acme, asked for by some networks; ask your carrier how long it takes
)");
}

TEST(Registrations, OfTheCountriesThatAreAskedFor) {
  const Config config = must_load();
  const auto needs = registrations(config, coverage(config), kNow, {"FR"});
  ASSERT_EQ(needs.size(), 1u);
  EXPECT_EQ(
      registrations_json(config, needs),
      R"([{"country":"FR","tenant":"acme","sender_kind":"alphanumeric","senders":["Acme","Bank"],)"
      R"("classes":["marketing","otp"],"asked_by":"country","carriers":[],"registry":null,)"
      R"("state":"expired","registration":"alphanumeric R3","expires":"2026-01-01",)"
      R"("days":null,"source":null}])");
  EXPECT_EQ(registrations(config, coverage(config), kNow, {"GB"}).size(), 0u);
  EXPECT_EQ(registrations_text(config, {}),
            "\nRegistrations\n  none is needed, as far as is known\n");
}

TEST(RegistrationTimes, HaveSourcesAndDays) {
  EXPECT_GT(policy::registration_times().size(), 20u);
  for (const policy::RegistrationTime& one : policy::registration_times()) {
    EXPECT_TRUE(numbering::Country::parse(one.country).has_value()) << one.country;
    EXPECT_TRUE(one.days >= 1 && one.days <= 366) << one.country;
    EXPECT_TRUE(one.source.starts_with("https://")) << one.country;
  }
}

}  // namespace
}  // namespace trunkline::config
