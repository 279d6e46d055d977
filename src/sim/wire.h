// SMPP 3.4 as a simulated carrier reads and writes it: views into the bytes received, no
// allocation.
//
// Deliberately not smpp/: what the gateway writes is read by a second decoder here, so that one
// mistake cannot hide in both. It is also what keeps the carriers cheap enough to share two cores
// with the gateway under load.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace trunkline::sim::wire {

inline constexpr std::size_t kHeaderBytes = 16;
inline constexpr std::size_t kFrameBytesMax = 70'000;

enum Command : std::uint32_t {
  kGenericNack = 0x80000000,
  kBindReceiver = 0x00000001,
  kBindTransmitter = 0x00000002,
  kSubmitSm = 0x00000004,
  kDeliverSm = 0x00000005,
  kUnbind = 0x00000006,
  kBindTransceiver = 0x00000009,
  kEnquireLink = 0x00000015,
  kDeliverSmResp = 0x80000005,
  kEnquireLinkResp = 0x80000015,
  kResponseBit = 0x80000000,
};

struct Frame {
  std::uint32_t command = 0;
  std::uint32_t status = 0;
  std::uint32_t sequence = 0;
  std::string_view body;
};

enum class Cut : std::uint8_t { frame, incomplete, nonsense };
// Takes the next frame off the front of `input`. `nonsense`: a length no PDU has.
Cut next_frame(std::string_view& input, Frame& out);

struct Bind {
  std::string_view system_id;
  std::string_view password;
  std::uint8_t interface_version = 0;
};
std::optional<Bind> read_bind(std::string_view body);

struct Address {
  std::uint8_t ton = 0;
  std::uint8_t npi = 0;
  std::string_view text;
};

// Which part of how many: from the UDH, or from the sar_ TLVs.
struct Part {
  std::uint16_t reference = 0;
  std::uint8_t total = 1;
  std::uint8_t number = 1;
};

struct Submit {
  Address source;
  Address dest;
  std::uint8_t esm_class = 0;
  std::uint8_t registered_delivery = 0;
  std::uint8_t data_coding = 0;
  std::string_view validity_period;
  Part part;
  std::size_t user_data_octets = 0;  // with the UDH
  std::string_view text;             // without it
};

// `status` is what to answer when it is refused: the sentence in `what` says which rule it broke.
struct SubmitError {
  std::uint32_t status = 0;
  std::string_view what;
};
// nullopt: `error` is set.
std::optional<Submit> read_submit(std::string_view body, SubmitError& error);

// --- writing: each appends one PDU ------------------------------------------------------------

void put_header_only(std::string& out, std::uint32_t command, std::uint32_t status,
                     std::uint32_t sequence);
void put_bind_resp(std::string& out, std::uint32_t bind_command, std::uint32_t status,
                   std::uint32_t sequence, std::string_view system_id);
void put_submit_resp(std::string& out, std::uint32_t status, std::uint32_t sequence,
                     std::string_view message_id);

struct Deliver {
  std::uint32_t sequence = 0;
  Address source;
  Address dest;
  std::string_view text;          // may be empty
  std::string_view receipted_id;  // TLV, if not empty
  std::uint8_t message_state = 0;
};
// A receipt: esm_class 0x04, data_coding 0.
void put_receipt(std::string& out, const Deliver& deliver);

// --- the application's side, of `load` ---------------------------------------------------------

void put_bind(std::string& out, std::uint32_t bind_command, std::uint32_t sequence,
              const Bind& bind);

struct SubmitText {
  std::uint32_t sequence = 0;
  std::string_view service_type;  // at most 5 octets
  Address source;
  Address dest;
  std::uint8_t registered_delivery = 0;
  std::uint8_t data_coding = 0;
  std::string_view text;  // above 254 octets: in message_payload
};
void put_submit(std::string& out, const SubmitText& submit);
void put_deliver_resp(std::string& out, std::uint32_t status, std::uint32_t sequence);

// Of a submit_sm_resp; empty if there is none.
std::string_view read_message_id(std::string_view body);

struct Delivered {
  std::uint8_t esm_class = 0;
  std::string_view receipted_id;  // of the TLV, else behind "id:"
  std::string_view stat;          // behind "stat:"
};
std::optional<Delivered> read_deliver(std::string_view body);

}  // namespace trunkline::sim::wire
