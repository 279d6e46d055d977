// From the fields of a submit_sm, data_sm or one destination of a submit_multi to what the engine
// takes, or to the command_status that says why not. Pure.
//
// SMPP 3.4 sections 4.4, 4.5, 4.7 and 5.2; TS 23.040 for the user data header.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "config/config.h"
#include "gsm/encoding.h"
#include "gsm/udh.h"
#include "message/record.h"
#include "numbering/number.h"
#include "smpp/pdu.h"

namespace trunkline::esme {

struct Submit {
  message::Payload payload;
  numbering::Number to;
  message::ClassIndex traffic_class;
  gsm::Encoding encoding = gsm::Encoding::gsm7;
  std::uint8_t segments = 1;
  std::uint8_t notify = 0;  // message::notify
  std::optional<base::Duration> ttl;
  std::optional<base::Wall> send_at;
  // Of a message that the client cut itself: which part, and whether SAR says so.
  std::optional<gsm::Concatenation> part;
  bool part_by_sar = false;
};

// What the parts of one message have in common, and nothing else has: account, addresses, reference
// and total.
std::string group_of(const Submit& submit, std::string_view system_id);

// What makes two submits of the account the same message: reference, addresses, text. Empty: this
// one is never another's duplicate, being a part without a reference of its own.
std::string twin_of(const Submit& submit, const smpp::SmFields& sm, std::string_view system_id);

// Why not: the status of the response, and a word for the log.
struct Refusal {
  std::uint32_t status = 0;
  std::string_view why;
};

std::expected<Submit, Refusal> read_submit(const smpp::SmFields& sm,
                                           const config::SmppAccount& account,
                                           const config::Config& config, base::Wall now);

// The E.164 number an address means: TON international or unknown, with or without "+" or "00".
std::optional<numbering::Number> read_number(const smpp::Address& address);

// The sender as the configuration writes it: "+447700900123", "60333", "Acme". A number whose type
// is unknown is the one of `senders` that has its digits, if there is one.
std::string read_sender(const smpp::Address& address, const std::vector<std::string>& senders);

}  // namespace trunkline::esme
