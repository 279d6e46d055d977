#include "esme/submit.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "message/cells.h"
#include "smpp/status.h"

namespace trunkline::esme {
namespace {

using namespace std::chrono_literals;

constexpr base::Wall kNow = base::wall_from_us(1'800'000'000'000'000);  // 2027-01-15T08:00:00Z

config::Config config() {
  config::Config out;
  out.tables.policy.tenants.push_back(
      {.name = "demo", .senders = {"Acme", "+15005550006", "60333"}});
  out.tables.classes = message::default_traffic_classes();
  out.tenants.push_back({.name = "demo"});
  return out;
}

config::SmppAccount account() {
  config::SmppAccount out;
  out.system_id = "app";
  out.tenant = {0};
  out.traffic_class = {1};
  out.service_types = {{"OTP", {0}}};
  return out;
}

smpp::SmFields submit() {
  smpp::SmFields sm;
  sm.source = {5, 0, "Acme"};
  sm.dest = {1, 1, "447700900123"};
  sm.short_message = "hello";
  return sm;
}

// What was read, or the status, in one line.
std::string read(const smpp::SmFields& sm, const config::SmppAccount& a = account()) {
  const auto out = read_submit(sm, a, config(), kNow);
  if (!out) return smpp::status_name(out.error().status);
  const auto& v = out->payload.verbatim;
  std::string line =
      fmt::format("{} {} class{} {} {} notify{} [{}]", out->payload.to, out->payload.from,
                  out->traffic_class.at(), gsm::name(out->encoding), out->segments, out->notify,
                  out->payload.body);
  if (!v.user_data.empty()) {
    line += fmt::format(" dcs{:#x}{} ", v.data_coding, v.has_udh ? " udh" : "");
    for (const char c : v.user_data) line += fmt::format("{:02x}", static_cast<unsigned char>(c));
  }
  if (out->ttl) line += " ttl " + base::format_duration(*out->ttl);
  if (out->send_at) line += " at " + base::format_rfc3339(*out->send_at);
  return line;
}

TEST(ReadSubmit, PlainAndLong) {
  smpp::SmFields sm = submit();
  EXPECT_EQ(read(sm), "+447700900123 Acme class1 gsm7 1 notify0 [hello]");
  sm.service_type = "otp";
  sm.registered_delivery = 0x11;
  EXPECT_EQ(read(sm), "+447700900123 Acme class0 gsm7 1 notify7 [hello]");
  sm.service_type = "CMT";
  sm.registered_delivery = 2;
  sm.short_message.clear();
  sm.tlvs = {{smpp::tag::kMessagePayload, std::string(161, 'a')}};
  EXPECT_EQ(read(sm), "+447700900123 Acme class1 gsm7 2 notify2 [" + std::string(161, 'a') + "]");
  sm.short_message = "both";
  EXPECT_EQ(read(sm), "ESME_RINVMSGLEN");
}

TEST(ReadSubmit, ClassByAVendorsParameter) {
  config::SmppAccount a = account();
  a.class_tlv = {.tag = 0x1403, .values = {{"Campaign", true, {3}}, {"\x01", false, {2}}}};
  smpp::SmFields sm = submit();
  const auto class_with = [&](std::string value) {
    sm.tlvs = {{0x1403, std::move(value)}};
    return read_submit(sm, a, config(), kNow)->traffic_class.at();
  };
  EXPECT_EQ(class_with("CAMPAIGN"), 3u);
  EXPECT_EQ(class_with(std::string("campaign\0", 9)), 3u);
  EXPECT_EQ(class_with("\x01"), 2u);
  EXPECT_EQ(class_with(std::string("\x01\0", 2)), 1u);  // octets: as they are
  EXPECT_EQ(class_with("campaigns"), 1u);
  sm.service_type = "otp";
  EXPECT_EQ(class_with("else"), 0u);
  EXPECT_EQ(class_with("campaign"), 3u);  // goes before the service type
  a.class_tlv = {};
  EXPECT_EQ(class_with("campaign"), 0u);
}

TEST(ReadSubmit, CellsItCameThrough) {
  const auto read_from = [](std::string cell, std::optional<std::string> told) {
    config::SmppAccount a = account();
    a.cell = std::move(cell);
    smpp::SmFields sm = submit();
    if (told) sm.tlvs.push_back({message::kCellsTlv, *told});
    config::Config here = config();
    here.cell = "eu";
    const auto out = read_submit(sm, a, here, kNow);
    return out ? out->payload.cells : std::string(smpp::status_name(out.error().status));
  };
  EXPECT_EQ(read_from("", "us"), "") << "who is no cell is not believed";
  EXPECT_EQ(read_from("us", {}), "us");
  EXPECT_EQ(read_from("us", std::string("us\0", 3)), "us");
  EXPECT_EQ(read_from("us", "asia,us"), "asia,us");
  EXPECT_EQ(read_from("us", "asia"), "asia,us");
  EXPECT_EQ(read_from("us", "a,b,us,c"), "a,b,us,c");
  EXPECT_EQ(read_from("us", "a,b,c,d"), "ESME_RSERTYPDENIED") << "too many";
  EXPECT_EQ(read_from("us", "asia,eu,us"), "ESME_RSERTYPDENIED") << "a circle";
  for (const std::string bad : {"", ",", "a b", "a,b,c,d,us"}) {
    EXPECT_EQ(read_from("us", bad), "ESME_RINVOPTPARAMVAL") << bad;
  }
}

TEST(ReadSubmit, ConsentByAVendorsParameter) {
  config::SmppAccount a = account();
  smpp::SmFields sm = submit();
  sm.tlvs = {{0x1404, "form 7"}};
  EXPECT_EQ(read_submit(sm, a, config(), kNow)->payload.consent, "");
  a.consent_tlv = 0x1404;
  EXPECT_EQ(read_submit(sm, a, config(), kNow)->payload.consent,
            R"({"given_at":null,"source":"form 7"})");
  sm.tlvs = {{0x1404, std::string("\"x\"\0", 4)}};
  EXPECT_EQ(read_submit(sm, a, config(), kNow)->payload.consent,
            R"({"given_at":null,"source":"\"x\""})");
  for (const std::string& bad : {std::string(), std::string("\x01"), std::string(257, 'x')}) {
    sm.tlvs = {{0x1404, bad}};
    EXPECT_EQ(read(sm, a), "ESME_RINVOPTPARAMVAL");
  }
  sm.tlvs.clear();
  EXPECT_EQ(read_submit(sm, a, config(), kNow)->payload.consent, "");
}

// Every rule there is: whoever adds one says here what applications get.
TEST(StatusOf, EachRule) {
  std::map<std::string, std::string> rules;
  for (const std::string_view rule : policy::kRules) {
    const bool limit = rule.starts_with("limits.");
    const engine::Refusal refusal{.code = limit                    ? "rate_limited"
                                          : rule == "tenant.class" ? "class_not_allowed"
                                                                   : "policy_refused",
                                  .reasons = {{rule, "because"}}};
    rules[std::string(smpp::status_name(status_of(refusal)))] += fmt::format("{} ", rule);
  }
  const std::map<std::string, std::string> expected = {
      {"ESME_RINVSERTYP", "tenant.class carrier.class "},
      {"ESME_RINVSRCADR",
       "tenant.sender country.sender_kind country.registration country.sender_format "
       "carrier.sender_kind carrier.registration "},
      {"ESME_RINVDSTADR",
       "tenant.country destination.country destination.number country.unknown carrier.country "
       "routing.no_route recipient.opted_out "},
      {"ESME_RSUBMITFAIL",
       "tenant.removed tenant.template country.class country.text country.content country.consent "
       "country.quiet_hours country.two_way carrier.text carrier.content carrier.two_way "
       "routing.loop "},
      {"ESME_RTHROTTLED",
       "limits.tenant_cap limits.country_cap limits.carrier_cap limits.tenant_rate "
       "limits.overload "},
  };
  EXPECT_EQ(rules, expected);
  EXPECT_EQ(status_of({.code = "policy_refused"}), smpp::kEsmeRsubmitfail);
}

TEST(ReadSubmit, WhatPartsHaveInCommon) {
  const auto group = [](smpp::SmFields sm, std::string udh, std::string system_id = "app") {
    if (!udh.empty()) {
      sm.esm_class |= smpp::esm_class::kUdhi;
      sm.short_message = udh + sm.short_message;
    }
    const auto read = read_submit(sm, account(), config(), kNow);
    return read->part ? group_of(*read, system_id) : std::string();
  };
  using namespace std::string_literals;
  const std::string first = group(submit(), "\x05\0\x03\x2a\x02\x01"s);
  EXPECT_NE(first, "");
  EXPECT_EQ(first, group(submit(), "\x05\0\x03\x2a\x02\x02"s));
  EXPECT_NE(first, group(submit(), "\x05\0\x03\x2b\x02\x01"s));      // reference
  EXPECT_NE(first, group(submit(), "\x05\0\x03\x2a\x03\x01"s));      // total
  EXPECT_NE(first, group(submit(), "\x06\x08\x04\0\x2a\x02\x01"s));  // of 16 bits
  EXPECT_NE(first, group(submit(), "\x05\0\x03\x2a\x02\x01"s, "other"));
  smpp::SmFields sm = submit();
  sm.dest.addr = "447700900124";
  EXPECT_NE(first, group(sm, "\x05\0\x03\x2a\x02\x01"s));
  sm = submit();
  sm.tlvs = {{smpp::tag::kSarMsgRefNum, "\0\x2a"s},
             {smpp::tag::kSarTotalSegments, "\x02"},
             {smpp::tag::kSarSegmentSeqnum, "\x02"}};
  EXPECT_NE(group(sm, ""), "");
  EXPECT_NE(first, group(sm, ""));
  EXPECT_EQ(read_submit(sm, account(), config(), kNow)->part->index, 2);
  EXPECT_EQ(group(submit(), ""), "");
}

TEST(ReadSubmit, WhatMakesTwins) {
  const auto twin = [](const smpp::SmFields& sm) {
    return twin_of(*read_submit(sm, account(), config(), kNow), sm, "app");
  };
  smpp::SmFields sm = submit();
  const std::string first = twin(sm);
  sm.registered_delivery = 1;  // neither address, reference nor text
  EXPECT_EQ(twin(sm), first);
  sm.short_message = "hello!";
  EXPECT_NE(twin(sm), first);
  sm = submit();
  sm.source = {1, 1, "15005550006"};
  EXPECT_NE(twin(sm), first);
  sm = submit();
  sm.tlvs = {{smpp::tag::kUserMessageReference, std::string("\0\x07", 2)}};
  EXPECT_NE(twin(sm), first);
  EXPECT_EQ(twin(sm), twin(sm));
  // Parts: by their own reference only.
  sm.esm_class = smpp::esm_class::kUdhi;
  sm.short_message = std::string("\x05\0\x03\x2a\x02\x01part", 10);
  const std::string part = twin(sm);
  EXPECT_NE(part, "");
  sm.short_message[5] = 2;
  EXPECT_NE(twin(sm), part);
  sm.tlvs.clear();
  EXPECT_EQ(twin(sm), "");
}

TEST(ReadSubmit, Alphabets) {
  smpp::SmFields sm = submit();
  sm.short_message = std::string("\x00\x1b\x65", 3);  // @ and the euro
  EXPECT_EQ(read(sm), "+447700900123 Acme class1 gsm7 1 notify0 [@€]");
  sm.short_message = "Gr\xfc\xdf";
  config::SmppAccount latin = account();
  latin.alphabet = gsm::DefaultAlphabet::latin1;
  EXPECT_EQ(read(sm, latin), "+447700900123 Acme class1 gsm7 1 notify0 [Grüß]");
  sm.data_coding = 3;
  EXPECT_EQ(read(sm), "+447700900123 Acme class1 gsm7 1 notify0 [Grüß]");
  sm.data_coding = 8;
  sm.short_message = std::string("\x04\x1f\xd8\x3c\xdf\x89", 6);
  EXPECT_EQ(read(sm), "+447700900123 Acme class1 ucs2 1 notify0 [П🎉]");
  sm.data_coding = 4;
  sm.short_message = std::string("\x00\xff", 2);
  EXPECT_EQ(read(sm), "+447700900123 Acme class1 binary 1 notify0 [00ff] dcs0x4 00ff");
  sm.data_coding = 0x10;  // flash
  sm.short_message = "now";
  EXPECT_EQ(read(sm), "+447700900123 Acme class1 gsm7 1 notify0 [now] dcs0x10 6e6f77");
}

TEST(ReadSubmit, PartsGoOnAsTheyCame) {
  smpp::SmFields sm = submit();
  sm.esm_class = 0x43;
  sm.short_message = std::string("\x05\x00\x03\x4d\x02\x01", 6) + "hi";
  EXPECT_EQ(read(sm), "+447700900123 Acme class1 gsm7 1 notify0 [hi] dcs0x0 udh 0500034d02016869");
  sm.short_message += std::string(152, 'x');
  EXPECT_EQ(read(sm), "ESME_RINVMSGLEN") << "154 septets behind a header of 6";
  sm.short_message = std::string("\x05\x00\x03\x4d\x02\x01", 6) + "\xe9";
  sm.data_coding = 3;
  EXPECT_EQ(read(sm), "+447700900123 Acme class1 gsm7 1 notify0 [é] dcs0x0 udh 0500034d020105");
  sm.data_coding = 0;
  sm.short_message = "\x09 damaged";
  EXPECT_EQ(read(sm), "ESME_RINVMSGLEN");

  sm = submit();
  smpp::add_u16(sm.tlvs, smpp::tag::kSarMsgRefNum, 0x012c);
  smpp::add_u8(sm.tlvs, smpp::tag::kSarTotalSegments, 2);
  EXPECT_EQ(read(sm), "ESME_RINVOPTPARAMVAL");
  smpp::add_u8(sm.tlvs, smpp::tag::kSarSegmentSeqnum, 2);
  EXPECT_EQ(read(sm),
            "+447700900123 Acme class1 gsm7 1 notify0 [hello] dcs0x0 udh 060804012c020268656c6c6f");
}

TEST(ReadSubmit, Times) {
  smpp::SmFields sm = submit();
  sm.validity_period = "000000000500000R";
  EXPECT_EQ(read(sm), "+447700900123 Acme class1 gsm7 1 notify0 [hello] ttl 5m");
  sm.schedule_delivery_time = "270115090000000+";
  EXPECT_EQ(read(sm), "ESME_RINVEXPIRY") << "over before it begins";
  sm.validity_period = "270115093000000+";
  EXPECT_EQ(read(sm),
            "+447700900123 Acme class1 gsm7 1 notify0 [hello] ttl 30m at 2027-01-15T09:00:00.000Z");
  sm.schedule_delivery_time = "270114090000000+";
  EXPECT_EQ(read(sm), "+447700900123 Acme class1 gsm7 1 notify0 [hello] ttl 90m");
  sm.schedule_delivery_time = "270515090000000+";
  EXPECT_EQ(read(sm), "ESME_RINVSCHED");
  sm.schedule_delivery_time = "tomorrow";
  EXPECT_EQ(read(sm), "ESME_RINVSCHED");
  sm.schedule_delivery_time.clear();
  sm.validity_period = "R";
  EXPECT_EQ(read(sm), "ESME_RINVEXPIRY");
  sm.validity_period.clear();
  sm.tlvs = {{smpp::tag::kQosTimeToLive, std::string("\0\0\0\x3c", 4)}};
  EXPECT_EQ(read(sm), "+447700900123 Acme class1 gsm7 1 notify0 [hello] ttl 1m");
}

TEST(ReadSubmit, AddressesAndWhatIsNotTaken) {
  smpp::SmFields sm = submit();
  for (const auto& [ton, text, ok] : {std::tuple{1, "+447700900123", true},
                                      {0, "00447700900123", true},
                                      {0, "447700900123", true},
                                      {2, "07700900123", false},
                                      {1, "07700900123", false},
                                      {1, "12", false},
                                      {5, "Acme", false},
                                      {1, "", false}}) {
    sm.dest = {static_cast<std::uint8_t>(ton), 1, text};
    EXPECT_EQ(read(sm) != "ESME_RINVDSTADR", ok) << ton << " " << text;
  }
  sm = submit();
  EXPECT_EQ(read_sender({1, 1, "15005550006"}, {}), "+15005550006");
  EXPECT_EQ(read_sender({0, 1, "15005550006"}, {"+15005550006"}), "+15005550006");
  EXPECT_EQ(read_sender({0, 0, "60333"}, {"60333"}), "60333");
  EXPECT_EQ(read_sender({5, 0, "Acme"}, {}), "Acme");
  config::SmppAccount narrow = account();
  narrow.senders = {"60333"};
  EXPECT_EQ(read(sm, narrow), "ESME_RINVSRCADR");
  sm.source = {3, 0, "60333"};
  EXPECT_EQ(read(sm, narrow), "+447700900123 60333 class1 gsm7 1 notify0 [hello]");
  sm.esm_class = 0x04;
  EXPECT_EQ(read(sm), "ESME_RINVESMCLASS");
  sm.esm_class = 0x01;
  EXPECT_EQ(read(sm), "ESME_RINVESMCLASS");
}

// What a replace_sm makes of the message that `original` was.
std::string replace(const smpp::SmFields& original, const smpp::ReplaceSm& sm,
                    base::Wall scheduled = {}) {
  const auto first = read_submit(original, account(), config(), kNow);
  if (!first) return "no original";
  const auto out = read_replacement(sm, first->payload, scheduled, account(), config(), kNow);
  if (!out) return smpp::status_name(out.error().status);
  std::string line =
      fmt::format("{} {} {} {} notify{} [{}]", out->payload.to, out->payload.from,
                  gsm::name(out->encoding), out->segments, out->notify, out->payload.body);
  if (!out->payload.verbatim.user_data.empty())
    line += fmt::format(" dcs{:#x}", out->payload.verbatim.data_coding);
  if (out->ttl) line += " ttl " + base::format_duration(*out->ttl);
  if (out->send_at) line += " at " + base::format_rfc3339(*out->send_at);
  return line;
}

TEST(ReadReplacement, IsReadAsTheOriginalWas) {
  smpp::ReplaceSm sm;
  sm.source = {5, 0, "Acme"};
  sm.short_message = "other";
  EXPECT_EQ(replace(submit(), sm), "+447700900123 Acme gsm7 1 notify0 [other]");
  sm.registered_delivery = 2;
  smpp::SmFields original = submit();
  original.short_message = std::string("\x04\x1f\x04\x40", 4);
  original.data_coding = 8;
  sm.short_message = std::string("\x04\x14\x04\x30", 4);
  EXPECT_EQ(replace(original, sm), "+447700900123 Acme ucs2 1 notify2 [Да]");
  original.data_coding = 3;
  original.short_message = "a";
  sm.short_message = "\xfc";
  EXPECT_EQ(replace(original, sm), "+447700900123 Acme gsm7 1 notify2 [ü]");
  // To be shown at once, as the original was.
  original.data_coding = 0x10;
  sm.short_message = "now";
  EXPECT_EQ(replace(original, sm), "+447700900123 Acme gsm7 1 notify2 [now] dcs0x10");
  // 5.0: a long one.
  sm.short_message.clear();
  sm.tlvs = {{smpp::tag::kMessagePayload, std::string(161, 'a')}};
  EXPECT_EQ(replace(submit(), sm),
            "+447700900123 Acme gsm7 2 notify2 [" + std::string(161, 'a') + "]");
  sm.short_message = "both";
  EXPECT_EQ(replace(submit(), sm), "ESME_RINVMSGLEN");
}

TEST(ReadReplacement, SourceAndParts) {
  smpp::ReplaceSm sm;
  sm.short_message = "other";
  EXPECT_EQ(replace(submit(), sm), "ESME_RINVSRCADR");
  smpp::SmFields original = submit();
  original.source = {};
  EXPECT_EQ(replace(original, sm), "+447700900123  gsm7 1 notify0 [other]");
  sm.source = {1, 1, "15005550006"};
  EXPECT_EQ(replace(original, sm), "ESME_RINVSRCADR");
  original.source = {0, 1, "15005550006"};
  EXPECT_EQ(replace(original, sm), "+447700900123 +15005550006 gsm7 1 notify0 [other]");
  // A part has to fit the others; a message with ports has to have some again.
  original.esm_class = smpp::esm_class::kUdhi;
  original.short_message = std::string("\x05\x00\x03\x01\x02\x01hi", 8);
  EXPECT_EQ(replace(original, sm), "ESME_RREPLACEFAIL");
  original.short_message = std::string("\x06\x05\x04\x0b\x84\x23\xf0hi", 9);
  EXPECT_EQ(replace(original, sm), "ESME_RINVMSGLEN");
  sm.short_message = std::string("\x06\x05\x04\x0b\x84\x23\xf0yo", 9);
  EXPECT_EQ(replace(original, sm), "+447700900123 +15005550006 gsm7 1 notify0 [yo] dcs0x0");
}

TEST(ReadReplacement, TimesThatAreNotNamedStay) {
  smpp::ReplaceSm sm;
  sm.source = {5, 0, "Acme"};
  sm.short_message = "x";
  sm.validity_period = "000000020000000R";
  EXPECT_EQ(replace(submit(), sm), "+447700900123 Acme gsm7 1 notify0 [x] ttl 2h");
  // It is due in an hour.
  EXPECT_EQ(replace(submit(), sm, kNow + 1h), "+447700900123 Acme gsm7 1 notify0 [x] ttl 1h");
  EXPECT_EQ(replace(submit(), sm, kNow + 3h), "ESME_RINVEXPIRY");
  sm.schedule_delivery_time = "000000001000000R";
  EXPECT_EQ(replace(submit(), sm, kNow + 3h),
            "+447700900123 Acme gsm7 1 notify0 [x] ttl 110m at 2027-01-15T08:10:00.000Z");
  sm.validity_period.clear();
  sm.schedule_delivery_time = "270115075900000+";
  EXPECT_EQ(replace(submit(), sm, kNow + 3h),
            "+447700900123 Acme gsm7 1 notify0 [x] at 2027-01-15T08:00:00.000Z");
  sm.schedule_delivery_time = "later";
  EXPECT_EQ(replace(submit(), sm), "ESME_RINVSCHED");
}

TEST(ReadSubmit, ReplaceIfPresent) {
  const auto replaces = [](const smpp::SmFields& sm) -> std::string {
    const auto out = read_submit(sm, account(), config(), kNow);
    if (!out) return smpp::status_name(out.error().status);
    return out->replaces ? place_of(*out, sm, "app", smpp::Dialect{}) : "no";
  };
  smpp::SmFields sm = submit();
  EXPECT_EQ(replaces(sm), "no");
  sm.replace_if_present_flag = 1;
  const std::string place = replaces(sm);
  sm.short_message = "another";
  sm.registered_delivery = 1;
  sm.validity_period = "000000020000000R";
  EXPECT_EQ(replaces(sm), place);
  smpp::SmFields other = sm;
  other.service_type = "OTP";
  EXPECT_NE(replaces(other), place);
  other = sm;
  other.dest.addr = "447700900124";
  EXPECT_NE(replaces(other), place);
  other = sm;
  other.source = {1, 1, "15005550006"};
  EXPECT_NE(replaces(other), place);
  other = sm;
  other.esm_class = smpp::esm_class::kUdhi;
  other.short_message = std::string("\x05\x00\x03\x01\x02\x01hi", 8);
  EXPECT_EQ(replaces(other), "no");
  sm.replace_if_present_flag = 2;
  EXPECT_EQ(replaces(sm), "ESME_RINVSUBREP");
}

}  // namespace
}  // namespace trunkline::esme
