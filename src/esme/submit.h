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
#include "engine/event.h"
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
  // replace_if_present_flag: it takes the place of an earlier one, see place_of().
  bool replaces = false;
};

// What the parts of one message have in common, and nothing else has: account, addresses, reference
// and total.
std::string group_of(const Submit& submit, std::string_view system_id);

// What makes two submits of the account the same message: reference, addresses, text. Empty: this
// one is never another's duplicate, being a part without a reference of its own.
std::string twin_of(const Submit& submit, const smpp::SmFields& sm, std::string_view system_id);

// What a message that may be replaced by a later submit, and that submit, have in common: account,
// addresses and service_type, and the dialect, for it says what ids look like.
std::string place_of(const Submit& submit, const smpp::SmFields& sm, std::string_view system_id,
                     const smpp::Dialect& dialect);

// Why not: the status of the response, and a word for the log.
struct Refusal {
  std::uint32_t status = 0;
  std::string_view why;
};

// `scheduled`: when it is due if `sm` says nothing of that.
std::expected<Submit, Refusal> read_submit(const smpp::SmFields& sm,
                                           const config::SmppAccount& account,
                                           const config::Config& config, base::Wall now,
                                           base::Wall scheduled = {});

// What replace_sm makes of a message, read as the original was: it carries neither data_coding nor
// esm_class. Its source address must be the original's. Times that it does not name are not set.
std::expected<Submit, Refusal> read_replacement(const smpp::ReplaceSm& sm,
                                                const message::Payload& original,
                                                base::Wall scheduled,
                                                const config::SmppAccount& account,
                                                const config::Config& config, base::Wall now);

// Of a refusal by policy or limits.
std::uint32_t status_of(const engine::Refusal& refusal);

// The E.164 number an address means: TON international or unknown, with or without "+" or "00".
std::optional<numbering::Number> read_number(const smpp::Address& address);

// The sender as the configuration writes it: "+447700900123", "60333", "Acme". A number whose type
// is unknown is the one of `senders` that has its digits, if there is one.
std::string read_sender(const smpp::Address& address, const std::vector<std::string>& senders);

}  // namespace trunkline::esme
