#include "config/compile_class.h"

#include <fmt/format.h>

namespace trunkline::config {
namespace {

void compile_kind(const Value& value, message::TrafficClass& c) {
  const std::string kind = value.at("kind").text();
  for (const auto one : {message::ClassKind::otp, message::ClassKind::transactional,
                         message::ClassKind::support, message::ClassKind::marketing}) {
    if (message::name(one) == kind) c.kind = one;
  }
  c.quiet_hours = value.at("quiet_hours").has_value() ? value.at("quiet_hours").boolean()
                                                      : c.kind == message::ClassKind::marketing;
  c.two_way = value.at("two_way").boolean();
  c.obeys_opt_outs = value.at("opt_outs").text() != "operator_only";
}

// What follows when it is not known, or known to be bad, what became of an attempt.
void compile_outcome_rules(const Value& value, message::TrafficClass& c, Findings& findings) {
  if (const std::string rule = value.at("in_doubt").text(); !rule.empty()) {
    c.in_doubt = rule == "hold" ? message::InDoubtRule::hold : message::InDoubtRule::resend;
  }
  if (const std::string rule = value.at("on_undelivered").text(); !rule.empty()) {
    c.on_undelivered =
        rule == "reroute" ? message::UndeliveredRule::reroute : message::UndeliveredRule::end;
  }
  if (const std::string rule = value.at("no_receipt").text(); !rule.empty()) {
    c.no_receipt = rule == "resend" ? message::NoReceiptRule::resend : message::NoReceiptRule::wait;
  }
  const Value& after = value.at("no_receipt_after");
  c.no_receipt_after = after.duration(c.ttl / message::kNoReceiptPartOfTtl);
  if (after.given && c.no_receipt_after >= c.ttl) {
    findings.error(
        after.mark, after.path,
        fmt::format("the message would be sent again {} after a carrier took it, and "
                    "its ttl is {}",
                    base::format_duration(c.no_receipt_after), base::format_duration(c.ttl)),
        "nothing is sent after the ttl: lower no_receipt_after or raise ttl");
  } else if (after.given && c.no_receipt == message::NoReceiptRule::wait) {
    findings.error(after.mark, after.path, "nothing is sent again for want of a receipt",
                   "write no_receipt: resend, or leave no_receipt_after out");
  }
}

void compile_backoff(const Value& value, message::Backoff& out, Findings& findings) {
  out.first = value.at("first").duration(out.first);
  out.max = value.at("max").duration(out.max);
  if (out.first <= out.max) return;
  const bool default_max = !value.at("max").given;
  const Value& at = default_max ? value.at("first") : value.at("max");
  findings.error(at.mark, at.path,
                 fmt::format("the first wait, {}, is longer than the longest, {}{}",
                             base::format_duration(out.first), base::format_duration(out.max),
                             default_max ? " by default" : ""),
                 "lower first or raise max");
}

void compile_retry(const Value& retry, message::RetrySchedule& out, Findings& findings) {
  out.attempts = static_cast<std::uint8_t>(retry.at("attempts").integer(out.attempts));
  out.tries_per_carrier =
      static_cast<std::uint8_t>(retry.at("tries_per_carrier").integer(out.tries_per_carrier));
  compile_backoff(retry, out.refused, findings);
  out.in_doubt = out.refused;
  const Value& in_doubt = retry.at("in_doubt");
  if (in_doubt.given) compile_backoff(in_doubt, out.in_doubt, findings);
}

}  // namespace

void compile_class(const Value& value, message::TrafficClass& out, Findings& findings) {
  if (value.fields.empty()) return;
  compile_kind(value, out);
  out.priority = static_cast<std::uint8_t>(value.at("priority").integer(out.priority));
  out.weight =
      static_cast<double>(value.at("weight").integer(static_cast<std::int64_t>(out.weight)));
  out.ttl = value.at("ttl").duration(out.ttl);
  out.ttl_max = value.at("ttl_max").duration();
  if (out.ttl_max < out.ttl) {
    const Value& at = value.at(value.at("ttl_max").given ? "ttl_max" : "ttl");
    findings.error(at.mark, at.path,
                   fmt::format("messages that say nothing live for {}, and may say {} at most",
                               base::format_duration(out.ttl), base::format_duration(out.ttl_max)),
                   "lower ttl or raise ttl_max");
  }
  out.reserve = value.at("reserve").number(out.reserve);
  out.response_timeout = value.at("response_timeout").duration(out.response_timeout);
  out.max_wait = value.at("max_wait").duration(out.max_wait);
  out.tenant_rate_per_s = value.at("tenant_rate").number(out.tenant_rate_per_s);
  out.patience = value.at("patience").duration(out.patience);
  compile_outcome_rules(value, out, findings);
  compile_retry(value.at("retry"), out.retry, findings);
}

}  // namespace trunkline::config
