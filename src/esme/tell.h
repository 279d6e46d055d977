// What an application is told, as a deliver_sm: a receipt for its message (SMPP 3.4 Appendix B and
// sections 4.6 and 5.3), or a message from a phone. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/config.h"
#include "gsm/encoding.h"
#include "message/notice.h"
#include "message/record.h"
#include "smpp/pdu.h"
#include "smpp/receipt.h"

namespace trunkline::esme {

// The id the application knows a message by: 32 hexadecimal digits, or for a peer of SMPP 3.3 the
// last 8 of them, which are the message's alias.
std::string message_id_for(const base::MessageId& id, const smpp::Dialect& dialect);

// What message_id_for() wrote for a peer of 3.3, with or without zeros in front.
std::optional<std::uint32_t> read_alias(std::string_view text);

// `payload` null: its key was destroyed meanwhile; the addresses are empty then. `alphabet`: what
// the application takes data_coding 0 for.
smpp::DeliverSm make_deliver_sm(const message::Notice& notice, const message::Payload* payload,
                                const config::SmppAccount::Receipts& style,
                                const smpp::Dialect& dialect,
                                gsm::DefaultAlphabet alphabet = gsm::DefaultAlphabet::gsm);

// A message from a phone whose parts were joined, in the alphabet the account reads, or UCS-2.
// `payload.body` of binary messages is an octet a character.
smpp::DeliverSm make_joined_sm(const message::Payload& payload, gsm::Encoding encoding,
                               gsm::DefaultAlphabet alphabet);

// The same as a data_sm: the text is in message_payload. For peers of 3.4 and later.
smpp::DataSm as_data_sm(smpp::DeliverSm sm);

// message_state of query_sm_resp and of receipts (5.2.28).
smpp::ReceiptState smpp_state(message::State state);
// The carrier's error of a receipt ("stat:UNDELIV err:012"), where it is a number of three digits.
unsigned error_of(std::string_view raw);

smpp::Address address_of(std::string_view number_or_sender);

}  // namespace trunkline::esme
