#include "message/journal.h"

#include <gtest/gtest.h>

#include "base/crc32c.h"
#include "message/golden_samples_test.h"

namespace trunkline::message {
namespace {

std::string text_of(const JournalRecord& record) {
  std::string out =
      fmt::format("shard {} epoch {} seq {:x} watermark {:x} time {}\n", record.shard, record.epoch,
                  record.seq, record.watermark, base::format_rfc3339(record.time));
  for (const Entry& entry : record.entries) {
    switch (entry.type) {
      case EntryType::message:
        out += fmt::format("message {} octets\n", entry.record.size());
        break;
      case EntryType::event:
        out += fmt::format("event {} {} octets\n", entry.id.rest(), entry.event.size());
        break;
      case EntryType::gone:
        out += fmt::format("gone {}\n", entry.id.rest());
        break;
      case EntryType::early_receipt:
        out += fmt::format("early_receipt {:016x}{:016x} {} {} {:016x} {} {} {}\n",
                           entry.receipt.key.high, entry.receipt.key.low, entry.receipt.carrier,
                           entry.receipt.carrier_message_id, entry.receipt.to_hash,
                           entry.receipt.state, base::format_rfc3339(entry.receipt.time),
                           entry.receipt.raw);
        break;
      case EntryType::early_receipt_gone:
        out += fmt::format("early_receipt_gone {:016x}{:016x}\n", entry.receipt.key.high,
                           entry.receipt.key.low);
        break;
      case EntryType::order:
        out += fmt::format(
            "{} {} '{}' from {} until {} by {}: {}\n", name(entry.order.kind),
            entry.order.of.carrier, entry.order.of.country, base::format_rfc3339(entry.order.since),
            base::format_rfc3339(entry.order.until), entry.order.by, entry.order.reason);
        break;
      case EntryType::cap_count:
        out += fmt::format("cap_count {:x} {:x} {} {}\n", entry.cap.cap, entry.cap.key,
                           base::format_rfc3339(entry.cap.begin), entry.cap.count);
        break;
      case EntryType::canary:
        out += fmt::format("canary {} {} {:x} {} from {} until {}: {} ({} octets)\n",
                           entry.canary.route, entry.canary.carrier, entry.canary.fingerprint,
                           name(entry.canary.state), base::format_rfc3339(entry.canary.since),
                           base::format_rfc3339(entry.canary.ended), entry.canary.reason,
                           entry.canary.evidence.size());
        break;
    }
  }
  return out;
}

TEST(Journal, KeepsAnOperatorsOrder) {
  Commit commit{.seq = 1, .epoch = 1, .time = golden::kAccepted};
  append_order(commit, {.of = {.carrier = "alpha", .country = "GB"},
                        .kind = OrderKind::suspend,
                        .since = golden::kAccepted,
                        .until = golden::kAccepted + std::chrono::hours(1),
                        .reason = "invoices",
                        .by = "ops"});
  const auto record = decode_journal_record(encode_journal_record(commit, 0, 0));
  ASSERT_TRUE(record.has_value());
  EXPECT_NE(text_of(*record).find("suspend alpha 'GB' from 2027-01-15T08:00:00.123Z until "
                                  "2027-01-15T09:00:00.123Z by ops: invoices\n"),
            std::string::npos)
      << text_of(*record);
}

TEST(Journal, KeepsWhatIsCounted) {
  Commit commit{.seq = 1, .epoch = 1, .time = golden::kAccepted};
  append_cap_count(commit, {~std::uint64_t{0}, 7, golden::kAccepted, 300});
  const auto record = decode_journal_record(encode_journal_record(commit, 0, 0));
  ASSERT_TRUE(record.has_value());
  EXPECT_NE(text_of(*record).find("cap_count ffffffffffffffff 7 2027-01-15T08:00:00.123Z 300\n"),
            std::string::npos)
      << text_of(*record);
}

TEST(Journal, KeepsACanary) {
  Commit commit{.seq = 1, .epoch = 1, .time = golden::kAccepted};
  append_canary(commit, {.route = "gb",
                         .carrier = "gamma",
                         .fingerprint = 0xfeed,
                         .state = CanaryState::rolled_back,
                         .since = golden::kAccepted,
                         .ended = golden::kAccepted + std::chrono::hours(1),
                         .reason = "it delivers 50.0% of 22",
                         .evidence = "12345"});
  const auto record = decode_journal_record(encode_journal_record(commit, 0, 0));
  ASSERT_TRUE(record.has_value());
  EXPECT_NE(text_of(*record).find("canary gb gamma feed rolled_back from 2027-01-15T08:00:00.123Z "
                                  "until 2027-01-15T09:00:00.123Z: it delivers 50.0% of 22 "
                                  "(5 octets)\n"),
            std::string::npos)
      << text_of(*record);
}

// Written by version 1: every version reads it for ever, and this one still writes it so.
TEST(Journal, ReadsAndWritesVersionOne) {
  const std::string bytes = golden::version1()["journal_record"];
  const auto record = decode_journal_record(bytes);
  ASSERT_TRUE(record.has_value()) << record.error() << "\n"
                                  << golden::hex(golden::journal_record());
  EXPECT_EQ(
      text_of(*record),
      R"(shard 3 epoch 9 seq 102030405060708 watermark 102030405060707 time 2027-01-15T08:00:11.123Z
message 217 octets
event msg_01a3185c50000003000500019d35aa0f 44 octets
gone msg_01a3185c50000003000500019d35aa0f
early_receipt e1d687c1ada7bc0866e519c23e82c73d alpha 00AF3C b50284dd176c5d17 1 2027-01-15T08:00:12.123Z stat:DELIVRD
early_receipt_gone e1d687c1ada7bc0866e519c23e82c73d
)");
  EXPECT_EQ(record->entries.at(0).record, golden::version1()["record"]);
  std::string event;
  encode_event(golden::events()[3], golden::kAccepted, event);
  EXPECT_EQ(record->entries.at(1).event, event);
  EXPECT_EQ(golden::hex(golden::journal_record()), golden::hex(bytes));
}

TEST(Journal, AnEmptyRecordIsARecord) {
  Commit commit;
  commit.seq = 1;
  commit.trim_before = 1;
  const auto record = decode_journal_record(encode_journal_record(commit, 0, 0));
  ASSERT_TRUE(record.has_value()) << record.error();
  EXPECT_EQ(record->seq, 1u);
  EXPECT_TRUE(record->entries.empty());
}

TEST(Journal, NoticesEveryChangedBitAndEveryCut) {
  const std::string bytes = golden::journal_record();
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string changed = bytes;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(decode_journal_record(changed).has_value()) << bit;
  }
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    EXPECT_FALSE(decode_journal_record(std::string_view(bytes).substr(0, cut)).has_value()) << cut;
  }
  EXPECT_FALSE(decode_journal_record(bytes + '\0').has_value());
}

TEST(Journal, SaysWhatIsWrong) {
  struct Row {
    std::size_t at;
    char value;
    const char* word;
  };
  for (const Row& row : {Row{0, 'X', "magic"}, Row{1, 2, "version 2"}, Row{5, 0, "octets"},
                         Row{9, 0, "checksum"}, Row{30, 'x', "checksum"}}) {
    std::string bytes = golden::journal_record();
    bytes[row.at] = row.value;
    const auto record = decode_journal_record(bytes);
    ASSERT_FALSE(record.has_value()) << row.word;
    EXPECT_NE(record.error().find(row.word), std::string::npos) << record.error();
  }
  EXPECT_NE(decode_journal_record("").error(), "");
}

// The checksum alone does not make an entry sound.
TEST(Journal, RefusesUnknownEntriesAndValues) {
  const auto decodes = [](const std::string& entries, std::uint32_t count) {
    Commit commit;
    commit.entries = entries;
    commit.entry_count = count;
    return decode_journal_record(encode_journal_record(commit, 0, 0)).has_value();
  };
  Commit commit;
  append_gone(commit, {1, 2});
  EXPECT_TRUE(decodes(commit.entries, 1));
  EXPECT_FALSE(decodes(commit.entries, 0));
  EXPECT_FALSE(decodes(commit.entries, 2));
  EXPECT_FALSE(decodes(commit.entries, 0xffffffff));
  std::string unknown = commit.entries;
  unknown[0] = 6;
  EXPECT_FALSE(decodes(unknown, 1));
  EXPECT_FALSE(decodes(std::string("\x03\x02xx", 4), 1)) << "an id of two octets";
  Commit early;
  EarlyReceipt receipt = golden::early_receipt();
  receipt.state = 4;
  append_early_receipt(early, receipt);
  EXPECT_FALSE(decodes(early.entries, 1)) << "a state of receipt nobody knows";
}

TEST(Journal, EarlyReceiptsSayWhoContestsThem) {
  for (const bool contested : {false, true}) {
    Commit commit;
    EarlyReceipt receipt = golden::early_receipt();
    receipt.contested = contested;
    append_early_receipt(commit, receipt);
    const std::string bytes = encode_journal_record(commit, 0, 0);
    const auto record = decode_journal_record(bytes);
    ASSERT_TRUE(record.has_value());
    const EarlyReceipt& read = record->entries.front().receipt;
    EXPECT_EQ(read.contested, contested);
    EXPECT_EQ(read.state, receipt.state);
    EXPECT_EQ(read.raw, receipt.raw);
  }
}

// On disk as an index, so the values are for ever.
TEST(Journal, ReceiptKeysStay) {
  const auto text = [](const base::Hash128& key) {
    return fmt::format("{:016x}{:016x}", key.high, key.low);
  };
  EXPECT_EQ(text(receipt_key("alpha", "00AF3C")), "e1d687c1ada7bc0866e519c23e82c73d");
  EXPECT_EQ(text(receipt_key("alpha", "00af3c")), text(receipt_key("alpha", "00AF3C")));
  EXPECT_NE(text(receipt_key("beta", "00AF3C")), text(receipt_key("alpha", "00AF3C")));
  EXPECT_EQ(text(receipt_number_key("alpha", 0xb50284dd176c5d17)),
            "afa94bcadd558eb9474e878d4d8a051d");
  EXPECT_NE(text(receipt_key("alpha0", "0AF3C")), text(receipt_key("alpha", "00AF3C")));
}

}  // namespace
}  // namespace trunkline::message
