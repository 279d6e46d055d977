// Receipts: whatever a carrier writes, the result is bounded, and it is a receipt only if esm_class
// says so.
#include "base/assert.h"
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

  const auto receipt = parse_receipt(pdu);
  ASSERT(receipt.has_value() == (receipt_kind(pdu.esm_class) != ReceiptKind::none));
  if (!receipt) return 0;
  ASSERT(receipt->id.size() <= kReceiptIdBytesMax && receipt->raw.size() <= kReceiptRawBytesMax);
  ASSERT(receipt->stat.size() <= 32 && receipt->err.size() <= 32);
  ASSERT(receipt->submit_date.size() <= 32 && receipt->done_date.size() <= 32);
  ASSERT(receipt->state <= ReceiptState::skipped);
  ASSERT(receipt->id.find('\0') == std::string::npos);
  ASSERT(receipt->id.find(' ') == std::string::npos || (data[2] & 2) != 0);
  return 0;
}
