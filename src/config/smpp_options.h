// How one carrier's SMPP differs from the book: what a submit_sm carries, and how its answers and
// receipts are to be read. Nothing here needs a new connection when it changes.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/time.h"
#include "message/outcome.h"
#include "smpp/message_id.h"

namespace trunkline::config {

// carriers[].smpp.receipts
struct SmppReceipts {
  // Ids are the same if they are after these rules; what is stored and shown is that form.
  smpp::MessageIdRule id_in_response{};
  smpp::MessageIdRule id_in_text{};
  smpp::MessageIdRule id_in_tlv{};  // receipted_message_id
  bool without_esm_class = false;   // smpp::ReceiptOptions
  // Words in `stat` beyond those everybody knows, in upper case.
  struct Word {
    std::string is;
    message::ReceiptState means = message::ReceiptState::unknown;
    friend bool operator==(const Word&, const Word&) = default;
  };
  std::vector<Word> words;
  base::Duration deadline = base::limits::kReceiptWaitMax;  // engine::CarrierLimits

  friend bool operator==(const SmppReceipts&, const SmppReceipts&) = default;
};

struct SmppOptions {
  SmppReceipts receipts;

  friend bool operator==(const SmppOptions&, const SmppOptions&) = default;
};

}  // namespace trunkline::config
