// Receipts: whatever a carrier writes, the result is bounded, and it is a receipt only if esm_class
// says so.
#include "base/assert.h"
#include "smpp/message_id.h"
#include "smpp/receipt.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace trunkline::smpp;
  if (size < 3) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 3, size - 3);
  DeliverSm pdu;
  pdu.esm_class = data[0];
  pdu.data_coding = data[1];
  if ((data[2] & 1) != 0) {
    pdu.tlvs.push_back({tag::kMessagePayload, text});
  } else {
    pdu.short_message = text;
  }
  if ((data[2] & 2) != 0) pdu.tlvs.push_back({tag::kReceiptedMessageId, text.substr(0, 70)});
  if ((data[2] & 4) != 0) pdu.tlvs.push_back({tag::kMessageState, text.substr(0, 1)});
  if ((data[2] & 8) != 0) pdu.tlvs.push_back({tag::kNetworkErrorCode, text.substr(0, 3)});

  const DataSm data_sm{.esm_class = pdu.esm_class,
                       .data_coding = pdu.data_coding,
                       .tlvs = {{tag::kMessagePayload, text}}};
  if (pdu.short_message.empty() && pdu.tlvs.size() == 1) {
    ASSERT(parse_receipt(data_sm) == parse_receipt(pdu));
  }
  if (const auto guess = parse_receipt(pdu, {.without_esm_class = true})) {
    ASSERT(receipt_kind(pdu.esm_class) != ReceiptKind::none || !guess->id.empty() ||
           find(pdu.tlvs, tag::kReceiptedMessageId) != nullptr);
  }

  const auto receipt = parse_receipt(pdu);
  ASSERT(receipt.has_value() == (receipt_kind(pdu.esm_class) != ReceiptKind::none));
  if (!receipt) return 0;
  ASSERT(receipt->id.size() <= kReceiptIdBytesMax && receipt->raw.size() <= kReceiptRawBytesMax);
  ASSERT(receipt->stat.size() <= 32 && receipt->err.size() <= 32);
  ASSERT(receipt->submit_date.size() <= 32 && receipt->done_date.size() <= 32);
  ASSERT(receipt->state <= ReceiptState::skipped);
  ASSERT(receipt->id.find('\0') == std::string::npos);
  for (const auto base :
       {MessageIdRule::Base::text, MessageIdRule::Base::hex, MessageIdRule::Base::decimal}) {
    const MessageIdRule rule{.base = base};
    const std::string normal = normal_message_id(receipt->id, rule);
    ASSERT(normal.size() <= receipt->id.size());
    if (base != MessageIdRule::Base::decimal) ASSERT(normal_message_id(normal, rule) == normal);
  }
  ASSERT(receipt->id.find(' ') == std::string::npos || (data[2] & 2) != 0);
  return 0;
}
