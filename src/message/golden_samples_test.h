// Test support: the values behind testdata/version1.txt, every field different from its default.
#pragma once

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "message/journal.h"
#include "message/record.h"

#ifndef TRUNKLINE_TESTDATA  // only where the header is compiled by itself
#define TRUNKLINE_TESTDATA "testdata"
#endif

namespace trunkline::message::golden {

using namespace std::chrono_literals;

inline constexpr base::Wall kAccepted = base::wall_from_us(1'800'000'000'123'456);

inline std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

inline std::string from_hex(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    out.push_back(static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  }
  return out;
}

// testdata/version1.txt: a name and hexadecimal octets a line.
inline std::map<std::string, std::string> version1() {
  std::ifstream in(TRUNKLINE_TESTDATA "/version1.txt");
  std::map<std::string, std::string> out;
  for (std::string name, text; in >> name >> text;) out[name] = from_hex(text);
  return out;
}

inline Payload payload() {
  return {"+447700900123", "Acme", "Grüße! Your code is 123456", R"({"order":17})",
          "https://example.com/cb"};
}

inline Envelope envelope() {
  Envelope e;
  e.id = {0x01a3185c5000'0003, 0x0005'0001'9d35aa0f};
  e.tenant = "demo";
  e.traffic_class = "otp";
  e.country = "GB";
  e.region = "eu";
  e.to_hash = 0xb50284dd176c5d17;
  e.accepted_at = kAccepted;
  e.due_at = kAccepted + 10s;
  e.expires_at = kAccepted + 310s;
  e.ingress = Ingress::smpp;
  e.encoding = 1;
  e.segments = 2;
  e.reference = 0x7f;
  e.plan = {"alpha", "beta"};
  e.sealed = "(sealed payload)";
  e.account = "shop";
  e.notify = notify::kDelivered | notify::kFailed;
  return e;
}

inline std::vector<Event> events() {
  Event accepted;
  accepted.time = kAccepted;

  Event held;
  held.kind = EventKind::held;
  held.state = State::scheduled;
  held.time = kAccepted + 1ms;
  held.cause = Cause::send_at;

  Event started;
  started.kind = EventKind::started;
  started.state = State::submitting;
  started.time = kAccepted + 10s;
  started.attempt = 1;
  started.carrier = "alpha";

  Event answered;
  answered.kind = EventKind::answered;
  answered.state = State::submitted;
  answered.time = kAccepted + 10s + 20ms;
  answered.attempt = 1;
  answered.segment = 2;
  answered.attempt_state = AttemptState::submitted;
  answered.cause = Cause::carrier_accepted;
  answered.possible_duplicate = true;
  answered.only_missing = true;
  answered.carrier = "alpha";
  answered.carrier_message_id = "00AF3C";
  answered.raw = "ESME_ROK 0x00000000";

  Event receipt;
  receipt.kind = EventKind::receipt;
  receipt.state = State::delivered;
  receipt.time = kAccepted - 5s;  // a carrier's clock
  receipt.attempt = 1;
  receipt.attempt_state = AttemptState::delivered;
  receipt.cause = Cause::receipt_matched_by_id;
  receipt.raw = "stat:DELIVRD err:000";
  return {accepted, held, started, answered, receipt};
}

inline std::string record() {
  std::string out;
  encode_envelope(envelope(), out);
  for (const Event& event : events()) encode_event(event, kAccepted, out);
  return out;
}

inline EarlyReceipt early_receipt() {
  return {receipt_key("alpha", "00AF3C"),
          "alpha",
          "00AF3C",
          0xb50284dd176c5d17,
          1,
          kAccepted + 12s,
          "stat:DELIVRD"};
}

inline Commit commit() {
  Commit commit;
  commit.seq = 0x0102030405060708;
  commit.epoch = 9;
  commit.time = kAccepted + 11s;
  append_message(commit, record());
  std::string event;
  encode_event(events()[3], kAccepted, event);
  append_event(commit, envelope().id, event);
  append_gone(commit, envelope().id);
  append_early_receipt(commit, early_receipt());
  append_early_receipt_gone(commit, early_receipt().key);
  return commit;
}
inline constexpr std::uint16_t kShard = 3;
inline constexpr std::uint64_t kWatermark = 0x0102030405060707;

inline std::string journal_record() { return encode_journal_record(commit(), kShard, kWatermark); }

}  // namespace trunkline::message::golden
