// command_status: what the codes are called, and what a sender does about each.
//
// SMPP 3.4 section 5.1.3 and 5.0 section 4.7.6. The action is the default for a submit_sm_resp; a
// carrier's profile may override it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace trunkline::smpp {

// Those the code itself uses; status_table() has all.
inline constexpr std::uint32_t kEsmeRok = 0x00000000;
inline constexpr std::uint32_t kEsmeRinvmsglen = 0x00000001;
inline constexpr std::uint32_t kEsmeRinvcmdlen = 0x00000002;
inline constexpr std::uint32_t kEsmeRinvcmdid = 0x00000003;
inline constexpr std::uint32_t kEsmeRinvbndsts = 0x00000004;
inline constexpr std::uint32_t kEsmeRalybnd = 0x00000005;
inline constexpr std::uint32_t kEsmeRsyserr = 0x00000008;
inline constexpr std::uint32_t kEsmeRinvsrcadr = 0x0000000a;
inline constexpr std::uint32_t kEsmeRinvdstadr = 0x0000000b;
inline constexpr std::uint32_t kEsmeRinvmsgid = 0x0000000c;
inline constexpr std::uint32_t kEsmeRbindfail = 0x0000000d;
inline constexpr std::uint32_t kEsmeRinvpaswd = 0x0000000e;
inline constexpr std::uint32_t kEsmeRinvsysid = 0x0000000f;
inline constexpr std::uint32_t kEsmeRcancelfail = 0x00000011;
inline constexpr std::uint32_t kEsmeRreplacefail = 0x00000013;
inline constexpr std::uint32_t kEsmeRmsgqful = 0x00000014;
inline constexpr std::uint32_t kEsmeRinvsertyp = 0x00000015;
inline constexpr std::uint32_t kEsmeRinvnumdests = 0x00000033;
inline constexpr std::uint32_t kEsmeRinvdlname = 0x00000034;
inline constexpr std::uint32_t kEsmeRinvdestflag = 0x00000040;
inline constexpr std::uint32_t kEsmeRinvsubrep = 0x00000042;
inline constexpr std::uint32_t kEsmeRinvesmclass = 0x00000043;
inline constexpr std::uint32_t kEsmeRcntsubdl = 0x00000044;
inline constexpr std::uint32_t kEsmeRsubmitfail = 0x00000045;
inline constexpr std::uint32_t kEsmeRinvsystyp = 0x00000053;
inline constexpr std::uint32_t kEsmeRthrottled = 0x00000058;
inline constexpr std::uint32_t kEsmeRinvsched = 0x00000061;
inline constexpr std::uint32_t kEsmeRinvexpiry = 0x00000062;
inline constexpr std::uint32_t kEsmeRxTAppn = 0x00000064;
inline constexpr std::uint32_t kEsmeRxPAppn = 0x00000065;
inline constexpr std::uint32_t kEsmeRxRAppn = 0x00000066;
inline constexpr std::uint32_t kEsmeRqueryfail = 0x00000067;
inline constexpr std::uint32_t kEsmeRinvoptparstream = 0x000000c0;
inline constexpr std::uint32_t kEsmeRoptparnotallwd = 0x000000c1;
inline constexpr std::uint32_t kEsmeRinvparlen = 0x000000c2;
inline constexpr std::uint32_t kEsmeRmissingoptparam = 0x000000c3;
inline constexpr std::uint32_t kEsmeRinvoptparamval = 0x000000c4;
inline constexpr std::uint32_t kEsmeRdeliveryfailure = 0x000000fe;
inline constexpr std::uint32_t kEsmeRunknownerr = 0x000000ff;
inline constexpr std::uint32_t kEsmeRprohibited = 0x00000101;
inline constexpr std::uint32_t kEsmeRsertypdenied = 0x00000103;
inline constexpr std::uint32_t kEsmeRinvdcs = 0x00000104;
inline constexpr std::uint32_t kEsmeRbcastfail = 0x0000010d;
inline constexpr std::uint32_t kVendorStatusFirst = 0x00000400;
inline constexpr std::uint32_t kVendorStatusLast = 0x000004ff;

enum class StatusClass : std::uint8_t {
  ok,
  msg,         // this text or its shape
  protocol,    // our PDU
  session,     // the bind
  config,      // our settings for this carrier
  sender,      // this sender on this carrier
  rcpt,        // this recipient
  op,          // query, cancel, replace, broadcast
  transient,   // the carrier, for now
  throttle,    // our rate
  queue_full,  // the carrier's queue, or the recipient's
  unknown,     // vendor's or reserved
};

enum class StatusAction : std::uint8_t {
  accept,        // done; wait for the receipt
  throttled,     // same carrier, slower; no attempt consumed
  queue_full,    // same carrier, later and with a smaller window; no attempt consumed
  transient,     // at most two tries here, then the next route
  reroute,       // never this carrier again for this message
  fail,          // final
  park_route,    // stop using the carrier until somebody looks
  rebind,        // new session; this message was not accepted and is safe to resend
  fix_and_fail,  // one automatic repair if a profile knows it, else final and an alert
};
std::string_view to_string(StatusClass c);
std::string_view to_string(StatusAction a);

struct StatusInfo {
  std::uint32_t code;
  std::string_view name;         // "ESME_RTHROTTLED"
  std::string_view description;  // for people
  StatusClass cls;
  StatusAction action;
  bool counts_against_health;  // does it say something about the carrier, rather than about us
};

// All standard codes, rising.
std::span<const StatusInfo> status_table();
// nullptr: vendor's or reserved.
const StatusInfo* find_status(std::uint32_t code);

// Codes that are not in the table are StatusAction::transient, StatusClass::unknown.
StatusAction status_action(std::uint32_t code);
StatusClass status_class(std::uint32_t code);

// What to do about a code, and whether anybody said so.
struct StatusVerdict {
  StatusAction action = StatusAction::transient;
  StatusClass cls = StatusClass::unknown;
  bool counts_against_health = true;
  // Neither the table nor the carrier's profile knows it (vendors' codes mostly): the default
  // action. To be counted and shown, so that somebody writes the line that is missing.
  bool unmapped = false;
  friend bool operator==(const StatusVerdict&, const StatusVerdict&) = default;
};

// The standard table with what one carrier means by its own codes, or means differently.
class StatusProfile {
 public:
  // The later one of two for the same code counts.
  void set(std::uint32_t code, StatusAction action);
  StatusVerdict verdict(std::uint32_t code) const;
  friend bool operator==(const StatusProfile&, const StatusProfile&) = default;

 private:
  struct Line {
    std::uint32_t code;
    StatusAction action;
    friend bool operator==(const Line&, const Line&) = default;
  };
  std::vector<Line> lines_;  // by code
};
StatusVerdict status_verdict(std::uint32_t code);  // without a profile
// "reroute" and the other words of to_string.
std::optional<StatusAction> status_action_from_name(std::string_view name);

// "ESME_RTHROTTLED", or "0x00000400" for a code without a name.
std::string status_name(std::uint32_t code);
// The inverse: a name (any case, "ESME_" may be left out) or hex with 0x, 1 to 8 digits.
std::optional<std::uint32_t> status_from_name(std::string_view name);

}  // namespace trunkline::smpp
