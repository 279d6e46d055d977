#include "store/codec.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>

namespace trunkline::store {
namespace {

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

// testdata/version1.txt: a name and hexadecimal octets a line.
std::string golden(const std::string& wanted) {
  std::ifstream in(TRUNKLINE_TESTDATA "/version1.txt");
  for (std::string name, text; in >> name >> text;) {
    if (name == wanted) return text;
  }
  return {};
}

std::string from_hex(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    out.push_back(static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  }
  return out;
}

message::KeyRecord key_record() {
  message::KeyRecord record;
  record.fingerprint = {0x1111, 0x2222};
  record.expires_at = base::wall_from_us(1'800'000'000'000'000);
  record.kind = message::KeyKind::batch;
  record.answers = {{{0x01a3185c50000003, 0x000500019d35aa0f}, ""}, {{}, "(sealed refusal)"}};
  return record;
}

message::ColdPut cold_put() {
  return {"demo",
          {0x01a3185c50000003, 0x000500019d35aa0f},
          0xb50284dd176c5d17,
          base::wall_from_us(1'800'000'600'000'000),
          {{1, 2}, {3, 4}},
          "(record)"};
}

// Written by version 1: every version reads it for ever, and this one still writes it so.
TEST(Codec, KeyRecordVersionOne) {
  std::string bytes;
  encode_key_record(key_record(), bytes);
  EXPECT_EQ(hex(bytes), golden("key_record"));
  const std::string stored = from_hex(golden("key_record"));
  const auto record = decode_key_record(stored);
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->fingerprint, key_record().fingerprint);
  EXPECT_EQ(record->expires_at, key_record().expires_at);
  EXPECT_EQ(record->kind, message::KeyKind::batch);
  ASSERT_EQ(record->answers.size(), 2u);
  EXPECT_EQ(record->answers[0].message, key_record().answers[0].message);
  EXPECT_TRUE(record->answers[1].message.is_null());
  EXPECT_EQ(record->answers[1].sealed_refusal, "(sealed refusal)");
  EXPECT_EQ(key_record_expiry(stored), record->expires_at);
}

TEST(Codec, ColdEntryVersionOne) {
  std::string bytes;
  encode_cold_entry(cold_put(), bytes);
  EXPECT_EQ(hex(bytes), golden("cold_entry"));
  const std::string stored = from_hex(golden("cold_entry"));
  const auto entry = decode_cold_entry(stored);
  ASSERT_TRUE(entry.has_value());
  EXPECT_EQ(entry->tenant, "demo");
  EXPECT_EQ(entry->to_hash, cold_put().to_hash);
  EXPECT_EQ(entry->due_at, cold_put().due_at);
  EXPECT_EQ(entry->receipt_keys, cold_put().receipt_keys);
  EXPECT_EQ(entry->record, "(record)");
}

std::vector<message::ReceiptOwner> owners() {
  return {{"", {}, 0, base::wall_from_us(1'900'000'000'000'000), 0, 0},
          {"demo",
           {0x0102030405060708, 0x090a0b0c0d0e0f10},
           0xb50284dd176c5d17,
           base::wall_from_us(1'800'000'000'000'000),
           2,
           3}};
}

TEST(Codec, OwnersVersionTwo) {
  std::string bytes;
  encode_owners(owners(), bytes);
  EXPECT_EQ(hex(bytes), golden("owners"));
  const std::string stored = from_hex(golden("owners"));
  const auto read = decode_owners(stored);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(*read, owners());
  EXPECT_EQ(key_record_expiry(stored), owners()[0].until);
}

TEST(Codec, CutsAndNewerVersionsAreErrors) {
  std::string key;
  encode_key_record(key_record(), key);
  for (std::size_t cut = 0; cut < key.size(); ++cut) {
    EXPECT_FALSE(decode_key_record(key.substr(0, cut)).has_value()) << cut;
  }
  EXPECT_FALSE(decode_key_record(key + "x").has_value());
  std::string cold;
  encode_cold_entry(cold_put(), cold);
  for (std::size_t cut = 0; cut < cold.size() - cold_put().record.size(); ++cut) {
    EXPECT_FALSE(decode_cold_entry(cold.substr(0, cut)).has_value()) << cut;
  }
  const auto kept = owners();
  std::string owned;
  encode_owners(kept, owned);
  for (std::size_t cut = 0; cut < owned.size(); ++cut) {
    EXPECT_FALSE(decode_owners(owned.substr(0, cut)).has_value()) << cut;
  }
  EXPECT_FALSE(decode_owners(owned + "x").has_value());
  key[0] = cold[0] = owned[0] = 3;
  EXPECT_NE(decode_key_record(key).error().find("version 3"), std::string::npos);
  EXPECT_NE(decode_cold_entry(cold).error().find("version 3"), std::string::npos);
  EXPECT_NE(decode_owners(owned).error().find("version 3"), std::string::npos);
  EXPECT_EQ(key_record_expiry(owned), std::nullopt);
  EXPECT_EQ(key_record_expiry(key), std::nullopt);
}

TEST(Codec, CountsThatNoInputCouldFillAreErrors) {
  message::KeyRecord none = key_record();
  none.answers.clear();
  std::string key;
  encode_key_record(none, key);
  key.back() = 0x7f;
  EXPECT_FALSE(decode_key_record(key).has_value());
  message::ColdPut bare;
  std::string cold;
  encode_cold_entry(bare, cold);
  cold.back() = 0x7f;
  EXPECT_FALSE(decode_cold_entry(cold).has_value());
}

}  // namespace
}  // namespace trunkline::store
