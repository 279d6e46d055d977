#include "smpp/status.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace trunkline::smpp {
namespace {

using C = StatusClass;
using A = StatusAction;

// clang-format off
constexpr auto kTable = std::to_array<StatusInfo>({
    {0x00000000, "ESME_ROK", "No error", C::ok, A::accept, false},
    {0x00000001, "ESME_RINVMSGLEN", "Message length invalid", C::msg, A::fail, false},
    {0x00000002, "ESME_RINVCMDLEN", "Command length invalid", C::protocol, A::fail, true},
    {0x00000003, "ESME_RINVCMDID", "Invalid command id", C::protocol, A::fail, true},
    {0x00000004, "ESME_RINVBNDSTS", "Incorrect bind status", C::session, A::rebind, true},
    {0x00000005, "ESME_RALYBND", "Already bound", C::session, A::rebind, false},
    {0x00000006, "ESME_RINVPRTFLG", "Invalid priority flag", C::config, A::fix_and_fail, false},
    {0x00000007, "ESME_RINVREGDLVFLG", "Invalid registered_delivery", C::config, A::fix_and_fail, false},
    {0x00000008, "ESME_RSYSERR", "System error", C::transient, A::transient, true},
    {0x0000000a, "ESME_RINVSRCADR", "Invalid source address", C::sender, A::reroute, false},
    {0x0000000b, "ESME_RINVDSTADR", "Invalid destination address", C::rcpt, A::fail, false},
    {0x0000000c, "ESME_RINVMSGID", "Message id invalid", C::op, A::fail, false},
    {0x0000000d, "ESME_RBINDFAIL", "Bind failed", C::session, A::park_route, true},
    {0x0000000e, "ESME_RINVPASWD", "Invalid password", C::config, A::park_route, true},
    {0x0000000f, "ESME_RINVSYSID", "Invalid system_id", C::config, A::park_route, true},
    {0x00000011, "ESME_RCANCELFAIL", "Cancel failed", C::op, A::fail, false},
    {0x00000013, "ESME_RREPLACEFAIL", "Replace failed", C::op, A::fail, false},
    {0x00000014, "ESME_RMSGQFUL", "Message queue full", C::queue_full, A::queue_full, true},
    {0x00000015, "ESME_RINVSERTYP", "Invalid service_type", C::config, A::fix_and_fail, false},
    {0x00000033, "ESME_RINVNUMDESTS", "Invalid number of destinations", C::config, A::fail, false},
    {0x00000034, "ESME_RINVDLNAME", "Invalid distribution list", C::config, A::fail, false},
    {0x00000040, "ESME_RINVDESTFLAG", "Invalid dest_flag", C::protocol, A::fail, false},
    {0x00000042, "ESME_RINVSUBREP", "Invalid submit-with-replace", C::config, A::fail, false},
    {0x00000043, "ESME_RINVESMCLASS", "Invalid esm_class", C::config, A::fix_and_fail, false},
    {0x00000044, "ESME_RCNTSUBDL", "Cannot submit to DL", C::config, A::fail, false},
    {0x00000045, "ESME_RSUBMITFAIL", "Submit failed", C::transient, A::transient, true},
    {0x00000048, "ESME_RINVSRCTON", "Invalid source TON", C::config, A::fix_and_fail, false},
    {0x00000049, "ESME_RINVSRCNPI", "Invalid source NPI", C::config, A::fix_and_fail, false},
    {0x00000050, "ESME_RINVDSTTON", "Invalid destination TON", C::config, A::fix_and_fail, false},
    {0x00000051, "ESME_RINVDSTNPI", "Invalid destination NPI", C::config, A::fix_and_fail, false},
    {0x00000053, "ESME_RINVSYSTYP", "Invalid system_type", C::config, A::park_route, true},
    {0x00000054, "ESME_RINVREPFLAG", "Invalid replace flag", C::config, A::fix_and_fail, false},
    {0x00000055, "ESME_RINVNUMMSGS", "Invalid number of messages", C::op, A::fail, false},
    {0x00000058, "ESME_RTHROTTLED", "Throttled", C::throttle, A::throttled, false},
    {0x00000061, "ESME_RINVSCHED", "Invalid schedule time", C::config, A::fix_and_fail, false},
    {0x00000062, "ESME_RINVEXPIRY", "Invalid validity period", C::config, A::fix_and_fail, false},
    {0x00000063, "ESME_RINVDFTMSGID", "Invalid predefined message", C::config, A::fail, false},
    {0x00000064, "ESME_RX_T_APPN", "Receiver temporary app error", C::transient, A::transient, true},
    {0x00000065, "ESME_RX_P_APPN", "Receiver permanent app error", C::msg, A::fail, false},
    {0x00000066, "ESME_RX_R_APPN", "Receiver reject", C::msg, A::fail, false},
    {0x00000067, "ESME_RQUERYFAIL", "Query_sm failed", C::op, A::fail, false},
    {0x000000c0, "ESME_RINVOPTPARSTREAM", "Error in optional part", C::config, A::fix_and_fail, false},
    {0x000000c1, "ESME_ROPTPARNOTALLWD", "Optional parameter not allowed", C::config, A::fix_and_fail, false},
    {0x000000c2, "ESME_RINVPARLEN", "Invalid parameter length", C::config, A::fix_and_fail, false},
    {0x000000c3, "ESME_RMISSINGOPTPARAM", "Expected optional parameter missing", C::config, A::fix_and_fail, false},
    {0x000000c4, "ESME_RINVOPTPARAMVAL", "Invalid optional parameter value", C::config, A::fix_and_fail, false},
    {0x000000fe, "ESME_RDELIVERYFAILURE", "Delivery failure (data_sm_resp)", C::transient, A::transient, true},
    {0x000000ff, "ESME_RUNKNOWNERR", "Unknown error", C::transient, A::transient, true},
    {0x00000100, "ESME_RSERTYPUNAUTH", "Service_type not authorised", C::config, A::park_route, false},
    {0x00000101, "ESME_RPROHIBITED", "Operation prohibited", C::config, A::park_route, false},
    {0x00000102, "ESME_RSERTYPUNAVAIL", "Service_type unavailable", C::transient, A::transient, false},
    {0x00000103, "ESME_RSERTYPDENIED", "Service_type denied", C::config, A::reroute, false},
    {0x00000104, "ESME_RINVDCS", "Invalid data coding", C::config, A::fix_and_fail, false},
    {0x00000105, "ESME_RINVSRCADDRSUBUNIT", "Invalid source subunit", C::config, A::fail, false},
    {0x00000106, "ESME_RINVDSTADDRSUBUNIT", "Invalid dest subunit", C::config, A::fail, false},
    {0x00000107, "ESME_RINVBCASTFREQINT", "Broadcast frequency", C::op, A::fail, false},
    {0x00000108, "ESME_RINVBCASTALIAS_NAME", "Broadcast alias", C::op, A::fail, false},
    {0x00000109, "ESME_RINVBCASTAREAFMT", "Broadcast area format", C::op, A::fail, false},
    {0x0000010a, "ESME_RINVNUMBCAST_AREAS", "Broadcast areas", C::op, A::fail, false},
    {0x0000010b, "ESME_RINVBCASTCNTTYPE", "Broadcast content type", C::op, A::fail, false},
    {0x0000010c, "ESME_RINVBCASTMSGCLASS", "Broadcast class", C::op, A::fail, false},
    {0x0000010d, "ESME_RBCASTFAIL", "Broadcast_sm failed", C::op, A::fail, false},
    {0x0000010e, "ESME_RBCASTQUERYFAIL", "Query_broadcast failed", C::op, A::fail, false},
    {0x0000010f, "ESME_RBCASTCANCELFAIL", "Cancel_broadcast failed", C::op, A::fail, false},
    {0x00000110, "ESME_RINVBCAST_REP", "Broadcast repetitions", C::op, A::fail, false},
    {0x00000111, "ESME_RINVBCASTSRVGRP", "Broadcast service group", C::op, A::fail, false},
    {0x00000112, "ESME_RINVBCASTCHANIND", "Broadcast channel indicator", C::op, A::fail, false},
});
// clang-format on

static_assert(std::ranges::is_sorted(kTable, {}, &StatusInfo::code));

constexpr std::string_view kPrefix = "ESME_";

bool same_letters(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::optional<std::uint32_t> from_hex(std::string_view digits) {
  std::uint32_t code = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, code, 16);
  if (error != std::errc{} || stop != end || digits.size() > 8) return std::nullopt;
  return code;
}

}  // namespace

std::string_view to_string(StatusClass c) {
  switch (c) {
    case C::ok:
      return "ok";
    case C::msg:
      return "msg";
    case C::protocol:
      return "protocol";
    case C::session:
      return "session";
    case C::config:
      return "config";
    case C::sender:
      return "sender";
    case C::rcpt:
      return "rcpt";
    case C::op:
      return "op";
    case C::transient:
      return "transient";
    case C::throttle:
      return "throttle";
    case C::queue_full:
      return "queue_full";
    case C::unknown:
      break;
  }
  return "unknown";
}

std::string_view to_string(StatusAction a) {
  switch (a) {
    case A::accept:
      return "accept";
    case A::throttled:
      return "throttled";
    case A::queue_full:
      return "queue_full";
    case A::transient:
      return "transient";
    case A::reroute:
      return "reroute";
    case A::fail:
      return "fail";
    case A::park_route:
      return "park_route";
    case A::rebind:
      return "rebind";
    case A::fix_and_fail:
      break;
  }
  return "fix_and_fail";
}

std::span<const StatusInfo> status_table() { return kTable; }

const StatusInfo* find_status(std::uint32_t code) {
  const auto* it = std::ranges::lower_bound(kTable, code, {}, &StatusInfo::code);
  return it != kTable.end() && it->code == code ? it : nullptr;
}

StatusAction status_action(std::uint32_t code) {
  const StatusInfo* info = find_status(code);
  return info == nullptr ? A::transient : info->action;
}

StatusClass status_class(std::uint32_t code) {
  const StatusInfo* info = find_status(code);
  return info == nullptr ? C::unknown : info->cls;
}

StatusVerdict status_verdict(std::uint32_t code) {
  const StatusInfo* info = find_status(code);
  if (info == nullptr) return {.unmapped = true};
  return {.action = info->action,
          .cls = info->cls,
          .counts_against_health = info->counts_against_health};
}

void StatusProfile::set(std::uint32_t code, StatusAction action) {
  const auto it = std::ranges::lower_bound(lines_, code, {}, &Line::code);
  if (it != lines_.end() && it->code == code) {
    it->action = action;
  } else {
    lines_.insert(it, {code, action});
  }
}

StatusVerdict StatusProfile::verdict(std::uint32_t code) const {
  StatusVerdict verdict = status_verdict(code);
  const auto it = std::ranges::lower_bound(lines_, code, {}, &Line::code);
  if (it == lines_.end() || it->code != code) return verdict;
  verdict.unmapped = false;
  if (verdict.action == it->action) return verdict;
  verdict.action = it->action;
  // Only what speaks of the carrier itself may trip its breaker.
  verdict.counts_against_health = it->action == A::transient || it->action == A::rebind ||
                                  it->action == A::park_route || it->action == A::queue_full;
  return verdict;
}

std::optional<StatusAction> status_action_from_name(std::string_view name) {
  for (const A action : {A::accept, A::throttled, A::queue_full, A::transient, A::reroute, A::fail,
                         A::park_route, A::rebind, A::fix_and_fail}) {
    if (to_string(action) == name) return action;
  }
  return std::nullopt;
}

std::string status_name(std::uint32_t code) {
  const StatusInfo* info = find_status(code);
  return info == nullptr ? fmt::format("{:#010x}", code) : std::string(info->name);
}

std::optional<std::uint32_t> status_from_name(std::string_view name) {
  if (name.starts_with("0x") || name.starts_with("0X")) return from_hex(name.substr(2));
  for (const StatusInfo& info : kTable) {
    if (same_letters(name, info.name) || same_letters(name, info.name.substr(kPrefix.size()))) {
      return info.code;
    }
  }
  return std::nullopt;
}

}  // namespace trunkline::smpp
