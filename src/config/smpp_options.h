// How one carrier's SMPP differs from the book: what a submit_sm carries, and how its answers and
// receipts are to be read. Nothing here needs a new connection when it changes.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/time.h"
#include "gsm/text_options.h"
#include "message/outcome.h"
#include "smpp/message_id.h"
#include "smpp/pdu.h"
#include "smpp/status.h"

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

struct TonNpi {
  std::uint8_t ton = 0;
  std::uint8_t npi = 0;
  friend bool operator==(const TonNpi&, const TonNpi&) = default;
};

// The first rule whose `match` an address begins with puts `to` in its place. International numbers
// begin with "+" here; one that no rule matches loses it.
struct SmppRewrite {
  std::string match;
  std::string to;
  int ton = -1;  // of what comes out; -1: as for what went in
  int npi = -1;
  friend bool operator==(const SmppRewrite&, const SmppRewrite&) = default;
};

// carriers[].smpp.source
struct SmppSource {
  TonNpi international{smpp::ton::kInternational, smpp::npi::kIsdn};
  TonNpi number{smpp::ton::kUnknown, smpp::npi::kIsdn};  // of more than 8 digits, without "+"
  TonNpi short_code{smpp::ton::kNetwork, smpp::npi::kUnknown};
  TonNpi alphanumeric{smpp::ton::kAlphanumeric, smpp::npi::kUnknown};
  std::vector<SmppRewrite> rewrite;
  friend bool operator==(const SmppSource&, const SmppSource&) = default;
};

// carriers[].smpp.destination
struct SmppDestination {
  TonNpi international{smpp::ton::kInternational, smpp::npi::kIsdn};
  std::vector<SmppRewrite> rewrite;
  friend bool operator==(const SmppDestination&, const SmppDestination&) = default;
};

// carriers[].smpp.tlvs[]: a TLV of every submit_sm.
struct SmppTlv {
  std::uint16_t tag = 0;
  enum class Type : std::uint8_t { cstring, text, hex, int8, int16, int32 } type = Type::cstring;
  // Its value, piece by piece.
  struct Piece {
    enum class From : std::uint8_t {
      literal,   // `text` itself
      metadata,  // the value under the key `text`
      sender,
      to,  // without "+"
      traffic_class,
      tenant,
      id,  // msg_...
    } from = From::literal;
    std::string text;
    friend bool operator==(const Piece&, const Piece&) = default;
  };
  std::vector<Piece> value;
  bool required = false;  // without its value the carrier is not given the message
  friend bool operator==(const SmppTlv&, const SmppTlv&) = default;
};

// Ways to write a text over all carriers, the usual one not counted: each costs every message some
// microseconds at acceptance.
inline constexpr std::size_t kTextOptionsMax = 8;

// The octets of a TLV whose value is `text`. nullopt: not a value of that type.
std::optional<std::string> tlv_octets(SmppTlv::Type type, std::string_view text);

struct SmppOptions {
  SmppReceipts receipts;
  smpp::StatusProfile statuses;
  SmppSource source;
  SmppDestination destination;
  std::string service_type;
  std::uint8_t protocol_id = 0;
  struct Priority {
    std::string traffic_class;
    std::uint8_t flag = 0;
    friend bool operator==(const Priority&, const Priority&) = default;
  };
  std::vector<Priority> priority_flag;  // 0 where a class is not named
  std::uint8_t registered_delivery = smpp::registered_delivery::kFinal;
  enum class Validity : std::uint8_t { relative, absolute, none } validity = Validity::relative;
  std::vector<SmppTlv> tlvs;
  gsm::TextOptions text;
  gsm::DataCodings data_coding;  // text.data_coding

  friend bool operator==(const SmppOptions&, const SmppOptions&) = default;
};

}  // namespace trunkline::config
