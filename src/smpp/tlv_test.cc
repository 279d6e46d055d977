#include "smpp/tlv.h"

#include <gtest/gtest.h>

#include <set>

namespace trunkline::smpp {
namespace {

TEST(Tlv, EveryNameLeadsToItsTagAndBack) {
  std::set<std::string_view> names;
  for (const TlvInfo& info : tlv_table()) {
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_EQ(find_tlv_info(info.tag), &info);
    EXPECT_EQ(tlv_name(info.tag), info.name);
    EXPECT_EQ(tlv_from_name(info.name), info.tag);
    EXPECT_LE(info.min, info.max) << info.name;
  }
  EXPECT_EQ(names.size(), 64u);
}

// The specification's tables, read there and not here.
TEST(Tlv, KnowsNamesAndLengths) {
  struct Row {
    std::uint16_t tag;
    const char* name;
    int min, max;
  };
  for (const Row& row :
       {Row{0x0005, "dest_addr_subunit", 1, 1}, Row{0x0008, "dest_telematics_id", 2, 2},
        Row{0x0010, "source_telematics_id", 1, 1},
        Row{0x001d, "additional_status_info_text", 1, 256},
        Row{0x001e, "receipted_message_id", 1, 65}, Row{0x0204, "user_message_reference", 2, 2},
        Row{0x0381, "callback_num", 4, 19}, Row{0x0423, "network_error_code", 3, 3},
        Row{0x0424, "message_payload", 0, 65535}, Row{0x0428, "congestion_state", 1, 1},
        Row{0x060b, "billing_identification", 1, 1024}, Row{0x0613, "dest_addr_np_country", 1, 5},
        Row{0x130c, "alert_on_message_delivery", 0, 1}, Row{0x1383, "its_session_info", 2, 2}}) {
    const TlvInfo* info = find_tlv_info(row.tag);
    ASSERT_NE(info, nullptr) << row.name;
    EXPECT_EQ(info->name, row.name);
    EXPECT_EQ(info->min, row.min) << row.name;
    EXPECT_EQ(info->max, row.max) << row.name;
  }
}

TEST(Tlv, VendorsTagsHaveTheirNumberAsName) {
  EXPECT_EQ(find_tlv_info(0x1400), nullptr);
  EXPECT_EQ(tlv_name(0x1400), "0x1400");
  EXPECT_EQ(tlv_name(0x0001), "0x0001");
  EXPECT_EQ(tlv_from_name("0x1400"), 0x1400);
  EXPECT_EQ(tlv_from_name("0X3fFf"), 0x3fff);
  for (const char* bad : {"", "0x", "0x12345", "0x14g", "1400", "no_such_tlv", "Message_Payload"}) {
    EXPECT_EQ(tlv_from_name(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace trunkline::smpp
