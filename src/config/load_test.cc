#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/limits.h"
#include "config/config.h"
#include "config/scalar.h"
#include "config/text.h"
#include "smpp/tlv.h"

namespace trunkline::config {
namespace {

using namespace std::chrono_literals;

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in.good()) << path;
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string testdata(const std::string& name) {
  return read_file(std::string(TRUNKLINE_TESTDATA) + "/" + name);
}

std::expected<std::string, std::string> resolver(std::string_view reference) {
  if (reference == "${PASSWORD}") return "s3cret";
  if (reference == "${A}") return "a";
  if (reference == "file:/run/secret") return "filed";
  return std::unexpected(fmt::format("{} is not set", reference));
}

std::expected<std::string, std::string> data_file(const std::string& path) {
  if (path == "ranges.csv")
    return "prefix,country,mccmnc,name\n4477,GB,23430,\n4479,NO,,Acme Mobile\n";
  if (path == "prices.csv") return "country,price\nGB,0.02\n";
  return std::unexpected(path + " is not there");
}

Loaded load_text(const std::string& text, const Config* previous = nullptr) {
  return load({{"x.yaml", text}}, resolver, previous, data_file);
}

Config must_load(const std::vector<SourceFile>& files, const Config* previous = nullptr) {
  Loaded loaded = load(files, resolver, previous, data_file);
  for (const Finding& finding : loaded.findings) {
    if (finding.severity == Finding::Severity::error) ADD_FAILURE() << to_text(finding);
  }
  return loaded.config.value_or(Config{});
}

Config must_load(const std::string& text, const Config* previous = nullptr) {
  return must_load(std::vector<SourceFile>{{"x.yaml", text}}, previous);
}

const std::string kBase =
    "node: { name: eu-1, region: eu }\n"
    "listen: { http: { address: 127.0.0.1:0 } }\n";

std::string carrier(std::string_view name) {
  return fmt::format("{{ name: {}, region: eu, smpp: {{ host: h, port: 1, system_id: {} }} }}",
                     name, name);
}

// --- values -------------------------------------------------------------------------------------

TEST(Load, EveryKeyReachesItsPlace) {
  const Loaded loaded = load_text(testdata("full.yaml"));
  ASSERT_EQ(loaded.findings.size(), 2u);  // its carriers differ, so that each default shows
  EXPECT_TRUE(loaded.findings[1].what.contains("take texts differently"));
  ASSERT_TRUE(loaded.config.has_value());
  const Config& c = *loaded.config;
  EXPECT_TRUE(c.demo);
  EXPECT_EQ(c.node_name, "eu-1");
  EXPECT_EQ(c.node_region, "eu");
  EXPECT_EQ(c.cell, "europe");
  EXPECT_EQ(c.tables.carriers[0].cell, "world");
  EXPECT_EQ(c.carriers[0].smpp.own_cell, "europe");
  EXPECT_EQ(c.accounts[1].cell, "america");
  EXPECT_EQ(c.http.host, "::1");
  EXPECT_EQ(c.http.port, 8080);
  EXPECT_EQ(c.public_url, "https://sms.example.com/gateway");
  ASSERT_TRUE(c.admin.has_value());
  EXPECT_EQ(to_string(*c.admin), "127.0.0.1:9090");
  EXPECT_TRUE(c.metrics_open);
  EXPECT_EQ(c.store_path, "/var/lib/trunkline");
  ASSERT_EQ(c.admin_tokens.size(), 2u);
  EXPECT_EQ(c.admin_tokens[0].id, "ops");
  EXPECT_EQ(c.admin_tokens[0].sha256_hex, std::string(64, 'a'));
  EXPECT_EQ(c.admin_tokens[0].role, "operator");
  EXPECT_EQ(c.admin_tokens[1].role, "viewer");
  ASSERT_EQ(c.keys.size(), 3u);
  EXPECT_EQ(c.keys[2].id, "two");
  EXPECT_EQ(c.keys[2].tenant.at(), 1u);
  EXPECT_EQ(c.keys[2].sha256_hex, std::string(64, '3'));
}

TEST(Load, Classes) {
  const Config c = must_load(testdata("full.yaml"));
  const auto& classes = c.tables.classes;
  ASSERT_EQ(classes.size(), 6u);
  const auto defaults = message::default_traffic_classes();
  const message::TrafficClass& otp = classes[0];
  EXPECT_EQ(otp.weight, 5);
  EXPECT_EQ(otp.max_wait, 40s);
  EXPECT_DOUBLE_EQ(otp.tenant_rate_per_s, 30);
  EXPECT_EQ(otp.name, "otp");
  EXPECT_EQ(otp.priority, 2);
  EXPECT_EQ(otp.ttl, 90s);
  EXPECT_DOUBLE_EQ(otp.reserve, 0.125);
  EXPECT_EQ(otp.in_doubt, message::InDoubtRule::hold);
  EXPECT_EQ(otp.on_undelivered, message::UndeliveredRule::end);
  EXPECT_EQ(otp.retry.attempts * 10 + otp.retry.tries_per_carrier, 93);
  EXPECT_EQ(otp.ttl_max, 3min);
  EXPECT_EQ(otp.retry.in_doubt.first, 4s);
  EXPECT_EQ(otp.retry.refused.first, 1500ms);
  EXPECT_EQ(otp.response_timeout, 7s);
  EXPECT_EQ(otp.no_receipt, message::NoReceiptRule::resend);
  EXPECT_EQ(otp.no_receipt_after, 20s);
  for (std::size_t i = 1; i < 4; ++i) {
    EXPECT_EQ(classes[i].name, defaults[i].name);
    EXPECT_EQ(classes[i].ttl, defaults[i].ttl);
    EXPECT_EQ(classes[i].in_doubt, defaults[i].in_doubt);
    EXPECT_EQ(classes[i].retry.refused.max, defaults[i].retry.refused.max);
  }
  EXPECT_EQ(classes[4].name, "alerts");
  EXPECT_EQ(classes[4].priority, 1);
  EXPECT_EQ(classes[4].weight, message::TrafficClass{}.weight);
  EXPECT_EQ(classes[4].ttl, 1h);
  EXPECT_EQ(classes[4].retry.attempts, message::TrafficClass{}.retry.attempts);
  EXPECT_EQ(classes[5].name, "plain");
  EXPECT_EQ(classes[5].ttl, message::TrafficClass{}.ttl);
  EXPECT_EQ(c.tables.policy.classes, (std::vector<std::string>{"otp", "transactional", "support",
                                                               "marketing", "alerts", "plain"}));
  EXPECT_EQ(c.find_class("alerts").at(), 4u);
  EXPECT_TRUE(c.find_class("nothing").is_none());
}

TEST(Load, TlsListener) {
  const Config c = must_load(testdata("full.yaml"));
  ASSERT_TRUE(c.smpp_tls.has_value());
  EXPECT_EQ(to_string(c.smpp_tls->at), "127.0.0.1:3550");
  EXPECT_EQ(c.smpp_tls->certificate.name, "/etc/tls/sms.pem");
  EXPECT_EQ(c.smpp_tls->key.name, "/etc/tls/sms.key");
  EXPECT_EQ(c.smpp_tls->client_ca.name, "/etc/tls/apps.pem");
  const Finding& place = c.smpp_tls->key.place;
  EXPECT_EQ(place.file, "x.yaml");
  EXPECT_EQ(place.path, "listen.smpp_tls.key");
  EXPECT_EQ(place.line, 7);
  EXPECT_EQ(place.column, 76);
}

TEST(Load, ACarriersNameIsItsHostUnlessGiven) {
  const Config c = must_load(kBase +
                             "carriers: [ { name: a, region: eu, smpp: { host: smsc.example.com, "
                             "port: 1, system_id: a, tls: {} } } ]\n");
  EXPECT_EQ(c.carriers[0].smpp.tls, (CarrierTls{.server_name = "smsc.example.com"}));
}

TEST(Load, Carriers) {
  const std::string kPin = "abababababababababababababababababababababababababababababababab";
  const Config c = must_load(testdata("full.yaml"));
  ASSERT_EQ(c.carriers.size(), 3u);
  EXPECT_EQ(c.carriers[0].name, "alpha");
  EXPECT_EQ(c.carriers[0].region, "eu");
  const SmppOptions& options = c.carriers[0].smpp.options;
  EXPECT_EQ(c.carriers[0].smpp,
            (SmppCarrier{.host = "smsc.example.com",
                         .port = 2775,
                         .system_id = "tl",
                         .password = "s3cret",
                         .system_type = "VMA",
                         .interface_version = 0x50,
                         .bind = SmppCarrier::Bind::transmitter_receiver,
                         .binds = 3,
                         .window = 70,
                         .enquire_link = 11s,
                         .bind_timeout = 12s,
                         .reconnect_first = 300ms,
                         .reconnect_max = 13s,
                         .default_sender = "+15005550006",
                         .options = options,
                         .tls = CarrierTls{.ca = {"/etc/tls/carrier.pem", {}},
                                           .pins = {kPin, std::string(64, '1')},
                                           .server_name = "smsc-1.example.com",
                                           .certificate = {"/etc/tls/tl.pem", {}},
                                           .key = {"/etc/tls/tl.key", {}}},
                         .own_cell = "europe"}));
  using Base = smpp::MessageIdRule::Base;
  EXPECT_EQ(options.receipts.id_in_response, (smpp::MessageIdRule{.base = Base::hex}));
  EXPECT_EQ(options.receipts.id_in_text, (smpp::MessageIdRule{.base = Base::decimal}));
  EXPECT_EQ(options.receipts.id_in_tlv,
            (smpp::MessageIdRule{.strip_zeros = true, .fold_case = true}));
  EXPECT_TRUE(options.receipts.without_esm_class);
  EXPECT_EQ(options.receipts.words,
            (std::vector<SmppReceipts::Word>{{"HANDED_OVER", message::ReceiptState::intermediate},
                                             {"LOST", message::ReceiptState::undelivered}}));
  const auto action = [&](std::uint32_t code) { return options.statuses.verdict(code).action; };
  EXPECT_EQ(action(0x400), smpp::StatusAction::reroute);
  EXPECT_EQ(action(smpp::kEsmeRxRAppn), smpp::StatusAction::transient);
  EXPECT_EQ(action(smpp::kEsmeRsyserr), smpp::StatusAction::park_route);
  EXPECT_EQ(options.source.international, (TonNpi{2, 8}));
  EXPECT_EQ(options.source.number, (TonNpi{6, 9}));
  EXPECT_EQ(options.source.short_code, (TonNpi{4, 3}));
  EXPECT_EQ(options.source.alphanumeric, (TonNpi{7, 4}));
  EXPECT_EQ(options.source.rewrite, (std::vector<SmppRewrite>{{"+44", "0", 2}, {"Ac", "", -1, 1}}));
  EXPECT_EQ(options.destination.international, (TonNpi{0, 3}));
  EXPECT_EQ(options.destination.rewrite, (std::vector<SmppRewrite>{{"+", "00", 1, 1}}));
  EXPECT_EQ(options.service_type, "CMT");
  EXPECT_EQ(options.protocol_id, 64);
  EXPECT_EQ(options.priority_flag, (std::vector<SmppOptions::Priority>{{"otp", 3}, {"alerts", 1}}));
  EXPECT_EQ(options.registered_delivery, smpp::registered_delivery::kOnFailure);
  EXPECT_EQ(options.validity, SmppOptions::Validity::absolute);
  using From = SmppTlv::Piece::From;
  ASSERT_EQ(options.tlvs.size(), 3u);
  EXPECT_EQ(options.tlvs[0],
            (SmppTlv{.tag = 0x1400, .value = {{From::metadata, "pe_id"}}, .required = true}));
  EXPECT_EQ(options.tlvs[1], (SmppTlv{.tag = smpp::tag::kSourceNetworkType,
                                      .type = SmppTlv::Type::int8,
                                      .value = {{From::literal, "1"}}}));
  EXPECT_EQ(options.tlvs[2].value, (std::vector<SmppTlv::Piece>{{From::literal, "{"},
                                                                {From::sender, ""},
                                                                {From::literal, "/"},
                                                                {From::to, ""},
                                                                {From::traffic_class, ""},
                                                                {From::tenant, ""},
                                                                {From::id, ""}}));
  EXPECT_EQ(options.text,
            (gsm::TextOptions{.latin1 = true,
                              .ucs2 = false,
                              .single_shift = {gsm::Language::turkish, gsm::Language::spanish},
                              .locking_shift = {gsm::Language::urdu},
                              .transliteration = gsm::Transliteration::diacritics,
                              .carriage = gsm::Carriage::udh16,
                              .packed = true}));
  EXPECT_EQ(options.data_coding,
            (gsm::DataCodings{.gsm7 = 0xf1, .latin1 = 0, .ucs2 = 24, .binary = 2}));
  EXPECT_EQ(c.carriers[1].smpp.options.data_coding, gsm::DataCodings{});
  EXPECT_EQ(c.text_options, std::vector{options.text});
  EXPECT_EQ(c.tables.carriers[0].text, gsm::text_code(options.text));
  EXPECT_EQ(c.tables.carriers[1].text, 0u);
  EXPECT_EQ(c.tables.carriers[0].receipt_deadline, 36h);
  EXPECT_EQ(c.tables.carriers[1].receipt_deadline, 72h);
  EXPECT_EQ(c.carriers[0].smpp.tls->key.place.path, "carriers[0].smpp.tls.key");
  // The table's defaults are those of the struct.
  EXPECT_EQ(c.carriers[1].smpp,
            (SmppCarrier{.host = "192.0.2.1", .port = 2776, .system_id = "1234"}));
  EXPECT_DOUBLE_EQ(c.tables.carriers[0].rate_per_s, 200);
  EXPECT_DOUBLE_EQ(c.tables.carriers[1].rate_per_s, 1.5);
  EXPECT_EQ(c.tables.routing.carriers[1].name, "beta");
  EXPECT_EQ(c.tables.routing.carriers[1].region, "us");
  EXPECT_FALSE(c.tables.routing.carriers[1].removed);
}

TEST(Load, RoutesAndTenants) {
  const Config c = must_load(testdata("full.yaml"));
  const auto& routes = c.tables.routing.routes;
  ASSERT_EQ(routes.size(), 3u);
  EXPECT_EQ(routes[0].name, "gb");
  ASSERT_EQ(routes[0].match.countries.size(), 2u);
  EXPECT_EQ(routes[0].match.countries[0].code(), "GB");  // sorted
  EXPECT_EQ(routes[0].match.countries[1].code(), "NO");
  EXPECT_EQ(c.tables.ranges.size(), 2u);
  EXPECT_EQ(c.tables.routing.currency, "EUR");
  EXPECT_EQ(c.tables.messages_max, 250'000u);
  EXPECT_TRUE(c.tables.idempotency_retention == 36h && c.tables.disk_kept_free == 200u << 20);
  const numbering::Country gb = *numbering::Country::parse("GB");
  EXPECT_EQ(c.tables.routing.carriers[0].prices.at(gb, 0, {}), 0.02);
  EXPECT_TRUE(c.tables.routing.carriers[1].prices.empty());
  std::vector<std::string> networks;
  for (const numbering::NetworkId id : routes[0].match.networks) {
    networks.emplace_back(c.tables.ranges.network(id).name);
  }
  EXPECT_EQ(networks, (std::vector<std::string>{"Vodafone UK", "EE", "Telenor", "Acme Mobile"}));
  ASSERT_TRUE(routes[0].match.when.has_value());
  EXPECT_EQ(*routes[0].match.when, (routing::Hours{.days = 0b1000001,
                                                   .from = 22 * 60 + 30,
                                                   .to = 6 * 60,
                                                   .utc_offset = std::chrono::minutes(330)}));
  EXPECT_FALSE(routes[1].match.when.has_value());
  EXPECT_EQ(routes[0].match.classes, 0b010001u);
  EXPECT_EQ(routes[0].match.tenants,
            (std::vector<message::TenantIndex>{{std::uint16_t{1}}, {std::uint16_t{0}}}));
  ASSERT_EQ(routes[0].via.size(), 2u);
  EXPECT_EQ(routes[0].via[0].carrier.at(), 1u);
  EXPECT_DOUBLE_EQ(routes[0].via[0].price, 0.045);
  EXPECT_LT(routes[0].via[1].price, 0);
  EXPECT_DOUBLE_EQ(routes[0].via[0].weight, 2.5);
  EXPECT_DOUBLE_EQ(routes[0].via[1].weight, 1);
  EXPECT_EQ(routes[0].strategy, routing::Strategy::weighted);
  EXPECT_EQ(routes[1].strategy, routing::Strategy::priority);
  EXPECT_TRUE(routes[0].sticky);
  EXPECT_EQ(routes[0].residency, 0b11u);  // eu is 0, us is 1
  EXPECT_EQ(routes[0].spill_to, std::vector<std::uint8_t>{1});
  EXPECT_FALSE(routes[1].spill_to.has_value());
  EXPECT_EQ(routes[0].match.types, routing::type_bit(numbering::NumberType::mobile) |
                                       routing::type_bit(numbering::NumberType::voip));
  EXPECT_EQ(routes[0].match.senders, (std::vector<std::string>{"Acme", "Bank"}));  // sorted
  EXPECT_EQ(routes[0].match.unicode, false);
  EXPECT_FALSE(routes[1].match.unicode.has_value());
  EXPECT_EQ(routes[0].match.segments_min, 2);
  EXPECT_EQ(routes[0].match.segments_max, 9);
  EXPECT_EQ(c.cells, (Cells{"s3cret of all the cells", {{"us", "10.0.0.2", 9090}}, {}, "us"}));
  ASSERT_TRUE(c.lookup.has_value());
  EXPECT_TRUE(c.lookup->tls);
  EXPECT_EQ(c.lookup->host, "lookup.example.com");
  EXPECT_EQ(c.lookup->port, 8443);
  EXPECT_EQ(c.lookup->target, "/v1/{number}?full=1");
  EXPECT_EQ(c.lookup->body, R"({"to":"{e164}"})");
  EXPECT_EQ(c.lookup->ca.name, "/etc/tls/lookup.pem");
  EXPECT_EQ(c.lookup->timeout, std::chrono::milliseconds(300));
  EXPECT_EQ(c.lookup->cache, std::chrono::hours(2));
  EXPECT_EQ(c.lookup->cache_size, 5000u);
  EXPECT_EQ(c.lookup->rate_per_s, 20);
  EXPECT_EQ(c.lookup->concurrency, 3u);
  EXPECT_EQ(c.lookup->countries.size(), 2u);
  EXPECT_EQ(c.lookup->classes, 0b010001u);
  EXPECT_EQ(c.lookup->answer.mccmnc, "/network/code");
  EXPECT_EQ(c.lookup->answer.invalid.size(), 2u);
  EXPECT_TRUE(c.tables.refuses_invalid);
  ASSERT_TRUE(routes[0].canary.has_value());
  const routing::Canary& canary = *routes[0].canary;
  EXPECT_EQ(canary.carrier.at(), 2u);
  EXPECT_DOUBLE_EQ(canary.price, 0.02);
  EXPECT_DOUBLE_EQ(canary.share, 0.125);
  EXPECT_EQ(canary.classes, 0b010001u);
  EXPECT_DOUBLE_EQ(canary.less_delivered, 0.03);
  EXPECT_DOUBLE_EQ(canary.more_refused, 0.02);
  EXPECT_DOUBLE_EQ(canary.more_late, 0.20);
  EXPECT_DOUBLE_EQ(canary.risk, 0.02);
  EXPECT_EQ(canary.length, std::chrono::hours(36));
  EXPECT_TRUE(canary.take_over);
  EXPECT_NE(canary.fingerprint, 0u);
  EXPECT_FALSE(routes[1].canary.has_value());
  EXPECT_EQ(c.tables.routing.residency, (std::vector<routing::Regions>{0b01, 0}));
  EXPECT_EQ(routes[1].match.countries.size(), 1u);
  EXPECT_EQ(routes[2].match.classes, 0u);
  EXPECT_TRUE(routes[2].match.countries.empty());

  const auto& tenants = c.tables.policy.tenants;
  ASSERT_EQ(tenants.size(), 2u);
  EXPECT_EQ(tenants[0].classes, 0b111001u);
  EXPECT_EQ(tenants[0].senders, (std::vector<std::string>{"Acme", "+15005550006", "80123"}));
  EXPECT_DOUBLE_EQ(tenants[0].allowed.messages_per_s, 5.5);
  EXPECT_DOUBLE_EQ(tenants[0].allowed.segments_per_s, 11);
  EXPECT_EQ(tenants[0].allowed.burst, 3s);
  const auto& of_classes = tenants[0].allowed_of_classes;
  ASSERT_EQ(of_classes.size(), 2u);
  EXPECT_DOUBLE_EQ(of_classes[0].second.messages_per_s, 2);
  EXPECT_EQ(of_classes[1].first.at(), 4u);
  EXPECT_DOUBLE_EQ(of_classes[1].second.segments_per_s, 4);
  EXPECT_EQ(of_classes[1].second.burst, 1min);
  EXPECT_EQ(tenants[1].classes, 0b010000u);  // only its default
  EXPECT_EQ(c.tenants[1].default_class.at(), 4u);
  EXPECT_EQ(c.tables.policy.version, c.tables.version);
}

TEST(Load, ARouteHasSoManyCarriersAndNoMore) {
  std::string yaml = "carriers:\n";
  std::string via;
  for (std::size_t i = 0; i <= routing::kViaMax; ++i) {
    yaml += fmt::format(
        "  - {{ name: c{0}, region: eu, smpp: {{ host: h{0}, port: 1, system_id: a }} }}\n", i);
    via += fmt::format("{{ carrier: c{} }}, ", i);
  }
  yaml += fmt::format("routes:\n  - {{ name: r, via: [ {} ] }}\n", via);
  const Loaded loaded = load_text(kBase + yaml);
  EXPECT_FALSE(loaded.config.has_value());
  ASSERT_FALSE(loaded.findings.empty());
  const bool told = std::ranges::any_of(loaded.findings, [](const Finding& finding) {
    return finding.what == "33 carriers; 32 is the most";
  });
  EXPECT_TRUE(told);
}

TEST(Load, SmppAccountsAndNumbers) {
  const Config c = must_load(testdata("full.yaml"));
  ASSERT_EQ(c.accounts.size(), 2u);
  const SmppAccount* app = c.find_account("app");
  ASSERT_NE(app, nullptr);
  EXPECT_EQ(app->tenant.at(), 0u);
  EXPECT_EQ(app->traffic_class, c.find_class("otp"));  // the tenant's default
  EXPECT_EQ(app->receipts, SmppAccount::Receipts{});
  const SmppAccount* shop = c.find_account("shop");
  ASSERT_NE(shop, nullptr);
  EXPECT_EQ(shop->traffic_class, c.find_class("alerts"));
  EXPECT_EQ(shop->service_types,
            (std::vector<SmppAccount::ServiceType>{{"OTP", c.find_class("otp")},
                                                   {"CAMP", c.find_class("marketing")}}));
  EXPECT_EQ(shop->addresses,
            (std::vector<std::string>{"192.0.2.7", "10.0.0.0/8", "2001:db8::/32"}));
  EXPECT_EQ(shop->senders, std::vector<std::string>{"Acme"});
  EXPECT_EQ(shop->binds, 3u);
  EXPECT_EQ(shop->window, 20u);
  EXPECT_DOUBLE_EQ(shop->rate_per_s, 50);
  EXPECT_EQ(shop->alphabet, gsm::DefaultAlphabet::latin1);
  EXPECT_EQ(shop->receipts.window, 7u);
  EXPECT_EQ(shop->receipts.keep, std::chrono::hours(24));
  EXPECT_TRUE(shop->receipts.seconds);
  EXPECT_EQ(shop->receipts.text_size, 20u);
  EXPECT_EQ(shop->receipts.id, SmppAccount::Receipts::Id::decimal10);
  EXPECT_EQ(shop->receipts.utc_offset, std::chrono::minutes(-210));
  EXPECT_FALSE(shop->receipts.tlvs);
  EXPECT_TRUE(shop->receipts.as_data_sm);
  EXPECT_EQ(shop->class_tlv.tag, 0x1403);
  EXPECT_EQ(shop->class_tlv.values, (std::vector<SmppAccount::ClassTlv::Value>{
                                        {"CAMPAIGN", true, c.find_class("marketing")},
                                        {"\x0a\x01", false, c.find_class("otp")}}));
  EXPECT_EQ(shop->dedup, std::chrono::minutes(10));
  EXPECT_EQ(shop->outbind, (SmppAccount::Outbind{"app.example.com", 2775, "tl", "s3cret"}));
  EXPECT_TRUE(shop->inbound_joined);
  EXPECT_EQ(shop->inbound_wait, std::chrono::minutes(2));
  EXPECT_EQ(c.find_account("shopp"), nullptr);

  ASSERT_NE(c.find_number("80123"), nullptr);
  EXPECT_EQ(c.find_number("80123")->account, "shop");
  EXPECT_EQ(c.find_number("15005550006")->account, "shop");  // the first account
  EXPECT_EQ(c.find_number("8012"), nullptr);
}

TEST(Load, TheDemoIsClean) {
  const Loaded loaded = load(
      {{"demo.yaml", read_file(std::string(TRUNKLINE_TESTDATA) + "/../../../config/demo.yaml")}},
      resolver);
  for (const Finding& finding : loaded.findings) ADD_FAILURE() << to_text(finding);
  ASSERT_TRUE(loaded.config.has_value());
  EXPECT_TRUE(loaded.config->demo);
  EXPECT_EQ(to_string(loaded.config->http), "127.0.0.1:8080");
  EXPECT_EQ(to_string(loaded.config->admin.value()), "127.0.0.1:9090");
  EXPECT_EQ(loaded.config->tables.policy.tenants[0].classes, 0b1111u);
}

TEST(Load, Secrets) {
  struct Row {
    std::string written;
    std::string meant;
  };
  for (const Row& row : {Row{"plain", "plain"}, Row{"${A}", "a"}, Row{"x${A}y${A}", "xaya"},
                         Row{"$${A}", "${A}"}, Row{"$5", "$5"}, Row{"a$", "a$"},
                         Row{"file:/run/secret", "filed"}, Row{"x file:", "x file:"}}) {
    const auto got = expand_secret(row.written, resolver);
    ASSERT_TRUE(got.has_value()) << row.written;
    EXPECT_EQ(*got, row.meant);
  }
  for (const std::string bad : {"${", "${}", "${A", "${1}", "${A-B}", "file:", "${B}", "file:x"}) {
    EXPECT_FALSE(expand_secret(bad, resolver).has_value()) << bad;
  }
  EXPECT_FALSE(expand_secret("${A}", nullptr).has_value());
}

TEST(Load, NoFindingShowsASecret) {
  const Loaded loaded = load_text(
      "node: { name: n, region: eu }\n"
      "carriers: [ { name: a, region: eu, smpp: { host: h, port: 1, system_id: "
      "hunter2hunter2hunter2, "
      "password: [hunter2], system_type: x } } ]\n"
      "tenants: [ { name: t, default_class: otp, keys: [ { id: k, hash: tl_hunter2 } ] } ]\n");
  EXPECT_GE(loaded.findings.size(), 4u);
  for (const Finding& finding : loaded.findings) {
    EXPECT_FALSE(to_text(finding).contains("hunter2")) << to_text(finding);
  }
}

// --- several files ------------------------------------------------------------------------------

TEST(Load, FilesMerge) {
  const Config c = must_load({{"10-base.yaml", kBase + "classes: { a: { ttl: 1h } }\n"},
                              {"20-alpha.yaml", "carriers:\n  - " + carrier("alpha") + "\n"},
                              {"30-beta.yaml", "carriers:\n  - " + carrier("beta") +
                                                   "\nclasses: { a: { priority: 7 }, b: {} }\n"},
                              {"40-empty.yaml", "# nothing yet\n"}});
  ASSERT_EQ(c.carriers.size(), 2u);
  EXPECT_EQ(c.carriers[1].name, "beta");
  EXPECT_EQ(c.tables.classes[4].ttl, 1h);
  EXPECT_EQ(c.tables.classes[4].priority, 7);
  EXPECT_EQ(c.tables.classes[5].name, "b");
}

TEST(Load, AKeyInTwoFilesIsAnError) {
  const Loaded loaded = load({{"a.yaml", kBase + "demo: true\n"},
                              {"b.yaml", "demo: false\nnode: { region: us }\nlisten: [ x ]\n"}},
                             resolver);
  ASSERT_EQ(loaded.findings.size(), 3u);
  EXPECT_EQ(
      to_text(loaded.findings[0]),
      "b.yaml:1:1: error: \"demo\" is given twice (demo); keep one; the first is at a.yaml:3");
  EXPECT_EQ(loaded.findings[1].path, "node.region");
  EXPECT_EQ(loaded.findings[2].path, "listen");
}

TEST(Load, SyntaxErrorsOfAllFiles) {
  const Loaded loaded =
      load({{"a.yaml", "a: [\n"}, {"b.yaml", "\tb\n"}, {"c.yaml", kBase}}, resolver);
  ASSERT_EQ(loaded.findings.size(), 2u);
  EXPECT_EQ(loaded.findings[0].file, "a.yaml");
  EXPECT_EQ(loaded.findings[1].file, "b.yaml");
  EXPECT_FALSE(load({}, resolver).config.has_value());
}

// --- the version --------------------------------------------------------------------------------

TEST(Load, TheVersionIsOfWhatIsMeant) {
  const std::string tail = "carriers: [ " + carrier("a") + " ]\n";
  const std::string version = must_load(kBase + tail).tables.version;
  EXPECT_EQ(version.size(), 12u);
  for (const std::string& same :
       {"# a comment\n" + kBase + tail, tail + kBase, kBase + tail + "demo: false\n",
        kBase + tail + "store: { rocksdb: { path: \"./data\" } }\n"}) {
    EXPECT_EQ(must_load(same).tables.version, version) << same;
  }
  for (const std::string& other :
       {kBase + "carriers: [ " + carrier("b") + " ]\n",
        kBase + tail + "classes: { otp: { ttl: 4m } }\n", kBase + tail + "demo: true\n"}) {
    EXPECT_NE(must_load(other).tables.version, version) << other;
  }
}

TEST(Load, TheVersionGivesNoSecretAway) {
  const auto with = [&](std::string_view password) {
    return must_load(kBase + fmt::format("carriers: [ {{ name: a, region: eu, smpp: {{ host: h, "
                                         "port: 1, system_id: a, password: \"{}\" }} }} ]\n",
                                         password))
        .tables.version;
  };
  EXPECT_EQ(with("one"), with("two"));
  EXPECT_NE(with("${A}"), with("${PASSWORD}"));
}

// --- reload -------------------------------------------------------------------------------------

std::string reload_text(const std::string& carriers, const std::string& tenants,
                        const std::string& classes) {
  std::string out = kBase + "carriers:\n";
  std::istringstream c(carriers);
  for (std::string name; c >> name;) out += "  - " + carrier(name) + "\n";
  out += "tenants:\n";
  std::istringstream t(tenants);
  for (std::string name; t >> name;) {
    out += fmt::format("  - {{ name: {}, default_class: otp }}\n", name);
  }
  return out + "classes: { " + classes + " }\n";
}

TEST(Reload, IndexesStay) {
  const Config first =
      must_load(reload_text("a b c", "t u v", "x: { ttl: 1h, reserve: 10% }, y: {}"));
  const Config second = must_load(reload_text("d c a", "w v t", "y: { ttl: 2h }, z: {}"), &first);

  ASSERT_EQ(second.carriers.size(), 4u);
  const std::vector<std::string> carriers = {"a", "b", "c", "d"};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(second.carriers[i].name, carriers[i]);
    EXPECT_EQ(second.tables.routing.carriers[i].name, carriers[i]);
    EXPECT_EQ(second.tables.routing.carriers[i].removed, i == 1);
    EXPECT_EQ(second.carriers[i].smpp.host.empty(), i == 1);
  }
  EXPECT_EQ(second.carriers[1].region, "eu");
  EXPECT_EQ(second.tables.carriers.size(), 4u);

  const std::vector<std::string> tenants = {"t", "u", "v", "w"};
  ASSERT_EQ(second.tenants.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(second.tenants[i].name, tenants[i]);
    EXPECT_EQ(second.tables.policy.tenants[i].name, tenants[i]);
    EXPECT_EQ(second.tables.policy.tenants[i].removed, i == 1);
  }
  EXPECT_EQ(second.tenants[1].default_class.at(), 0u);
  EXPECT_EQ(second.tables.policy.tenants[1].classes, 0u);

  ASSERT_EQ(second.tables.classes.size(), 7u);
  EXPECT_EQ(second.tables.classes[4].name, "x");
  EXPECT_TRUE(second.tables.classes[4].removed);
  EXPECT_EQ(second.tables.classes[4].ttl, 1h);
  EXPECT_EQ(second.tables.classes[4].reserve, 0);
  EXPECT_TRUE(second.find_class("x").is_none());
  EXPECT_EQ(second.tables.classes[5].ttl, 2h);
  EXPECT_EQ(second.find_class("z").at(), 6u);
  EXPECT_EQ(second.tables.policy.classes[4], "x");

  // And back: what returns has its old index.
  const Config third = must_load(reload_text("b a c d", "u", "x: {}"), &second);
  EXPECT_EQ(third.carriers.size(), 4u);
  EXPECT_EQ(third.carriers[1].smpp.host, "h");
  EXPECT_FALSE(third.tables.routing.carriers[1].removed);
  EXPECT_FALSE(third.tables.policy.tenants[1].removed);
  EXPECT_TRUE(third.tables.policy.tenants[0].removed);
  EXPECT_EQ(third.find_class("x").at(), 4u);
  EXPECT_TRUE(third.tables.classes[5].removed);
}

TEST(Reload, TheVersionDoesNotRememberThePast) {
  const std::string text = reload_text("b", "t", "");
  const Config first = must_load(reload_text("a b c", "t u", "x: {}"));
  EXPECT_EQ(must_load(text, &first).tables.version, must_load(text).tables.version);
}

TEST(Reload, WhatIsRemovedCannotBeReferredTo) {
  const Config first = must_load(reload_text("a b", "t", "x: {}"));
  const Loaded loaded =
      load_text(kBase + "carriers: [ " + carrier("a") +
                    " ]\ntenants: [ { name: u, default_class: x } ]\n"
                    "routes: [ { name: r, match: { tenant: t }, via: [ { carrier: b } ] } ]\n",
                &first);
  EXPECT_FALSE(loaded.config.has_value());
  ASSERT_EQ(loaded.findings.size(), 3u);
  EXPECT_TRUE(loaded.findings[0].what.contains("class \"x\" is not defined"));
  EXPECT_TRUE(loaded.findings[1].what.contains("tenant \"t\" is not defined"));
  EXPECT_TRUE(loaded.findings[2].what.contains("carrier \"b\" is not defined"));
}

TEST(Reload, ClassesRunOut) {
  std::string classes;
  for (int i = 0; i < 28; ++i) classes += fmt::format("c{}: {{}}, ", i);
  const Config first = must_load(reload_text("a", "t", classes));
  EXPECT_EQ(first.tables.classes.size(), 32u);
  EXPECT_TRUE(load_text(reload_text("a", "t", classes), &first).config.has_value());
  EXPECT_FALSE(load_text(reload_text("a", "t", "d: {}"), &first).config.has_value());
  EXPECT_FALSE(load_text(reload_text("a", "t", classes + "d: {}")).config.has_value());
}

// --- hostile text -------------------------------------------------------------------------------

std::string first_error(const std::string& text) {
  const Loaded loaded = load_text(text);
  EXPECT_FALSE(loaded.config.has_value());
  return loaded.findings.empty() ? "" : to_text(loaded.findings[0]);
}

std::string repeat(std::string_view piece, std::size_t times) {
  std::string out;
  out.reserve(piece.size() * times);
  for (std::size_t i = 0; i < times; ++i) out += piece;
  return out;
}

TEST(Hostile, BytesThatAreNoText) {
  EXPECT_EQ(first_error("a: 1\nb: \"x\xff\"\n"),
            "x.yaml:2:6: error: byte 0xff is not UTF-8; save the file as UTF-8");
  EXPECT_TRUE(first_error("a: \xc3").contains("x.yaml:1:4: error: byte 0xc3"));
  EXPECT_TRUE(first_error("a: \xed\xa0\x80").contains("not UTF-8"));      // a surrogate
  EXPECT_TRUE(first_error("a: \xc0\xaf").contains("not UTF-8"));          // overlong
  EXPECT_TRUE(first_error("a: \xf4\x90\x80\x80").contains("not UTF-8"));  // above U+10FFFF
  EXPECT_TRUE(first_error(std::string("a: x\0y", 6)).contains("control character 0x00"));
  EXPECT_TRUE(first_error("a: 1\n\x04"
                          "b: 2\n")
                  .contains("x.yaml:2:1: error: control"));
  EXPECT_TRUE(first_error("\xff\xfe"
                          "a")
                  .contains("not UTF-8"));  // UTF-16
}

TEST(Hostile, AByteOrderMarkAndCrLfAreFine) {
  std::string text = "\xef\xbb\xbf";
  for (const char c : kBase) text += c == '\n' ? std::string("\r\n") : std::string(1, c);
  EXPECT_EQ(must_load(text).node_name, "eu-1");
  EXPECT_TRUE(first_error("\xef\xbb\xbfnod: \"x\"\n" + kBase).starts_with("x.yaml:1:1: error"));
  EXPECT_TRUE(first_error("\xef\xbb\xbfnod: \"x\n" + kBase).contains("x.yaml:1:6: error: a quote"));
}

TEST(Hostile, JsonIsYaml) {
  EXPECT_EQ(must_load(R"({"node":{"name":"n","region":"eu"},"demo":true,
                         "listen":{"http":{"address":"127.0.0.1:0"}}})")
                .node_name,
            "n");
}

TEST(Hostile, Depth) {
  EXPECT_TRUE(first_error(repeat("[", 1'000'000)).contains("nested more than 64 deep"));
  EXPECT_TRUE(first_error(repeat("[\n", 2'000'000)).contains("nested more than 64 deep"));
  EXPECT_TRUE(first_error(repeat("{a: ", 250'000)).contains("nested more than 64 deep"));
  EXPECT_TRUE(first_error(repeat("- ", 500'000)).contains("nested more than 32 deep"));
  EXPECT_TRUE(first_error(repeat("? ", 500'000)).contains("nested more than 32 deep"));
  EXPECT_TRUE(first_error("a: " + repeat("[", 40) + repeat("]", 40)).contains("more than 32 deep"));
  std::string stairs;
  for (std::size_t i = 0; i < 1000; ++i) stairs += repeat(" ", i) + "a:\n";
  EXPECT_TRUE(first_error(stairs).contains("nested more than 32 deep"));
  // Quotes and comments hide brackets that are none.
  EXPECT_EQ(must_load(kBase + "# " + repeat("[", 1000) + "\nstore: { rocksdb: { path: \"" +
                      repeat("[", 1000) + "\" } } # " + repeat("{", 100) + "\n")
                .store_path.size(),
            1000u);
}

TEST(Hostile, Aliases) {
  std::string bomb = "a0: &a0 [ x, x, x, x, x, x, x, x, x, x ]\n";
  for (int i = 1; i < 12; ++i) {
    bomb += fmt::format("a{}: &a{} [ {}x ]\n", i, i, repeat(fmt::format("*a{}, ", i - 1), 10));
  }
  EXPECT_TRUE(first_error(bomb).contains("holds too many values"));
  // An honest use.
  const Config c = must_load(
      kBase +
      "carriers:\n  - { name: a, region: eu, smpp: &s { host: h, port: 1, system_id: a } }\n"
      "  - { name: b, region: eu, smpp: *s }\n");
  EXPECT_EQ(c.carriers[1].smpp.host, "h");
}

TEST(Hostile, Large) {
  EXPECT_TRUE(first_error(std::string(base::limits::kConfigBytesMax + 1, '#')).contains("bytes"));
  EXPECT_FALSE(load_text(repeat("\n", 5'000'000)).config.has_value());
  EXPECT_FALSE(load_text("a: \"" + repeat("x ", 2'500'000) + "\"").config.has_value());
  EXPECT_TRUE(first_error("a:\n" + repeat("x,", 600'000)).contains("x.yaml:2:1: error: a line of"));
  EXPECT_FALSE(load_text(repeat("&a ", 100'000)).config.has_value());
  // A great many mistakes: as many told as anybody reads, and how many are left.
  std::string keys;
  for (int i = 0; i < 20'000; ++i) keys += fmt::format("key{}: 1\n", i);
  const Loaded loaded = load_text(keys);
  ASSERT_EQ(loaded.findings.size(), 501u);
  EXPECT_EQ(loaded.findings.back().what, "19502 more errors are not shown");
}

TEST(Hostile, ManyTenants) {
  std::string text = kBase + "tenants:\n";
  for (int i = 0; i < 5'000; ++i) {
    text += fmt::format(
        "  - {{ name: t{}, default_class: otp, classes: [ otp ], senders: [ S{} ], keys: [ {{ id: "
        "k, "
        "hash: \"sha256:{:064x}\" }} ], limits: {{ rate: 100/s }} }}\n",
        i, i, i);
  }
  EXPECT_EQ(must_load(text).keys.size(), 5'000u);
}

// --- words --------------------------------------------------------------------------------------

TEST(Text, Nearest) {
  const std::vector<std::string_view> names = {"alpha", "beta", "binds", "window", "x"};
  EXPECT_EQ(nearest("alhpa", names), "alpha");
  EXPECT_EQ(nearest("Alpha", names), "alpha");
  EXPECT_EQ(nearest("bind", names), "binds");
  EXPECT_EQ(nearest("windows", names), "window");
  EXPECT_EQ(nearest("betta", names), "beta");
  EXPECT_EQ(nearest("omega", names), "");
  EXPECT_EQ(nearest("y", names), "");
  EXPECT_EQ(nearest("", names), "");
  EXPECT_EQ(nearest(std::string(1000, 'a'), names), "");
}

TEST(Text, Values) {
  struct Row {
    Kind kind;
    std::string_view text;
    bool ok;
  };
  for (const Row& row : {
           Row{Kind::host, "a", true},
           Row{Kind::host, "a-b.example", true},
           Row{Kind::host, "a..b", false},
           Row{Kind::host, "a.", false},
           Row{Kind::host, "::1", true},
           Row{Kind::host, "1.2.3.4", true},
           Row{Kind::host, "1.2.3", false},
           Row{Kind::host, "1.2.3.256", false},
           Row{Kind::host, "a_b", false},
           Row{Kind::host, "", false},
           Row{Kind::address, "h:0", true},
           Row{Kind::address, "h:-1", false},
           Row{Kind::address, "h:", false},
           Row{Kind::address, ":1", false},
           Row{Kind::address, "[::1]:65535", true},
           Row{Kind::address, "::1:80", false},
           Row{Kind::rate, "200/s", true},
           Row{Kind::rate, "0.5/s", true},
           Row{Kind::rate, ".5/s", false},
           Row{Kind::rate, "1e3/s", false},
           Row{Kind::rate, "-1/s", false},
           Row{Kind::rate, "inf/s", false},
           Row{Kind::rate, "200 /s", false},
           Row{Kind::percent, "100%", true},
           Row{Kind::percent, "%", false},
           Row{Kind::duration, "0s", true},
           Row{Kind::duration, "+5m", false},
           Row{Kind::duration, "99999999999999999999d", false},
           Row{Kind::integer, "9223372036854775808", false},
           Row{Kind::integer, "0x10", false},
           Row{Kind::url, "http://h", true},
           Row{Kind::url, "https://h:8443/a/b", true},
           Row{Kind::url, "https://", false},
           Row{Kind::url, "ftp://h", false},
           Row{Kind::url, "https://h/?q", false},
           Row{Kind::sender, "Acme", true},
           Row{Kind::sender, "+447700900123", true},
           Row{Kind::sender, "+4477009001234567", false},
           Row{Kind::sender, "123", true},
           Row{Kind::sender, "12", false},
           Row{Kind::name, "-a", false},
           Row{Kind::text, "true", false},  // a boolean of YAML; quotes make it text
       }) {
    EXPECT_EQ(parse_scalar(row.kind, row.text, false).has_value(), row.ok) << row.text;
  }
  EXPECT_TRUE(is_loopback("127.8.8.8"));
  EXPECT_TRUE(is_loopback("localhost"));
  EXPECT_FALSE(is_loopback("127.example.com") || is_loopback("0.0.0.0"));
}

}  // namespace
}  // namespace trunkline::config
