// Every metric of the process: one table for code and docs (docs/metrics.md is made from it).
//
// Labels are closed words: a carrier, a class, a country, a result. Never a number, an id, a body
// or anything else a client can choose freely.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace trunkline::telemetry {

enum class Kind : std::uint8_t { counter, gauge, histogram };
std::string_view name(Kind kind);  // as Prometheus writes it

enum class Metric : std::uint8_t {
  messages_accepted,
  submits,
  submit_duration,
  accept_to_submit,
  receipts,
  submit_to_receipt,
  queue_depth,
  queue_oldest,
  retries,
  in_doubt,
  possible_duplicates,
  carrier_up,
  carrier_rate_limit,
  carrier_orders,
  canaries,
  lookups,
  lookup_duration,
  throttled,
  ejections,
  receipts_unmatched,
  unmapped_statuses,
  smpp_alert_notifications,
  webhook_attempts,
  policy_decisions,
  opt_outs,
  store_commit,
  shed,
  esme_binds,
  esme_sessions,
  esme_responses,
  notices,
  peer_traces,
  build_info,
};
inline constexpr std::size_t kMetricCount = 33;
inline constexpr std::size_t kLabelsMax = 4;

struct MetricInfo {
  Metric id;
  std::string_view name;
  Kind kind;
  std::array<std::string_view, kLabelsMax> labels;  // empty from the first unused one on
  std::string_view help;

  constexpr std::size_t label_count() const {
    std::size_t n = 0;
    while (n < kLabelsMax && !labels[n].empty()) ++n;
    return n;
  }
};

inline constexpr std::array<MetricInfo, kMetricCount> kCatalog{{
    {Metric::messages_accepted,
     "trunkline_messages_accepted_total",
     Kind::counter,
     {"ingress", "class", "region"},
     "Messages accepted: durable and acknowledged to the client."},
    {Metric::submits,
     "trunkline_submits_total",
     Kind::counter,
     {"carrier", "country", "class", "result"},
     "Segments submitted to a carrier, by its answer."},
    {Metric::submit_duration,
     "trunkline_submit_duration_seconds",
     Kind::histogram,
     {"carrier"},
     "From the first octet of a submit written to the carrier's answer."},
    {Metric::accept_to_submit,
     "trunkline_accept_to_submit_seconds",
     Kind::histogram,
     {"class", "carrier"},
     "From acceptance (or the end of a hold) to the first octet written to the carrier."},
    {Metric::receipts,
     "trunkline_receipts_total",
     Kind::counter,
     {"carrier", "country", "class", "state"},
     "Delivery receipts matched to a message."},
    {Metric::submit_to_receipt,
     "trunkline_submit_to_receipt_seconds",
     Kind::histogram,
     {"carrier", "class"},
     "From the carrier's acceptance to its final receipt."},
    {Metric::queue_depth,
     "trunkline_queue_depth",
     Kind::gauge,
     {"carrier", "class"},
     "Messages waiting in the lane."},
    {Metric::queue_oldest,
     "trunkline_queue_oldest_seconds",
     Kind::gauge,
     {"carrier", "class"},
     "Age of the oldest message among those that are next of their tenants in the lane."},
    {Metric::retries,
     "trunkline_retries_total",
     Kind::counter,
     {"reason"},
     "Attempts after the first, by why they were made."},
    {Metric::in_doubt,
     "trunkline_in_doubt_total",
     Kind::counter,
     {},
     "Attempts whose bytes left and that were not answered."},
    {Metric::possible_duplicates,
     "trunkline_possible_duplicates_total",
     Kind::counter,
     {},
     "Messages sent again though an earlier attempt may have been accepted."},
    {Metric::carrier_up,
     "trunkline_carrier_up",
     Kind::gauge,
     {"carrier"},
     "1 while at least one link of the carrier is bound."},
    {Metric::carrier_rate_limit,
     "trunkline_carrier_rate_limit",
     Kind::gauge,
     {"carrier"},
     "Submits a second in force, after adaptation to throttling; 0 is unlimited."},
    {Metric::carrier_orders,
     "trunkline_carrier_orders",
     Kind::gauge,
     {"carrier", "order"},
     "1 while an operator's order about the carrier, or about it in a country, is in force."},
    {Metric::canaries,
     "trunkline_canaries",
     Kind::gauge,
     {"carrier", "route", "outcome"},
     "Carriers that a route tries out, and what came of it; 1."},
    {Metric::lookups,
     "trunkline_lookups_total",
     Kind::counter,
     {"result"},
     "Numbers to be looked up before routing, by what came of it."},
    {Metric::lookup_duration,
     "trunkline_lookup_duration_seconds",
     Kind::histogram,
     {},
     "From asking the look-up provider to its answer, or to none."},
    {Metric::throttled,
     "trunkline_throttled_total",
     Kind::counter,
     {"carrier"},
     "Submits the carrier refused because it was too fast or its queue was full."},
    {Metric::ejections,
     "trunkline_ejections_total",
     Kind::counter,
     {"carrier", "cause", "scope"},
     "Times that new messages were turned away from a carrier because it fared badly."},
    {Metric::receipts_unmatched,
     "trunkline_receipts_unmatched_total",
     Kind::counter,
     {"carrier"},
     "Receipts for which no message was found."},
    {Metric::unmapped_statuses,
     "trunkline_unmapped_statuses_total",
     Kind::counter,
     {"carrier"},
     "Answers to submits with a status that neither SMPP nor the carrier's configuration gives a "
     "meaning; the log names the line that is missing."},
    {Metric::smpp_alert_notifications,
     "trunkline_smpp_alert_notifications_total",
     Kind::counter,
     {"carrier"},
     "alert_notification PDUs of a carrier: a phone can be reached again. Read and passed over."},
    {Metric::webhook_attempts,
     "trunkline_webhook_attempts_total",
     Kind::counter,
     {"result"},
     "Webhook deliveries tried, by result."},
    {Metric::policy_decisions,
     "trunkline_policy_decisions_total",
     Kind::counter,
     {"rule", "decision"},
     "Policy rules that refused or held a message."},
    {Metric::opt_outs,
     "trunkline_opt_outs",
     Kind::gauge,
     {},
     "Entries of numbers that must not be written to, those that were taken back included."},
    {Metric::store_commit,
     "trunkline_store_commit_seconds",
     Kind::histogram,
     {},
     "Time of one group commit, fsync included."},
    {Metric::shed,
     "trunkline_shed_total",
     Kind::counter,
     {"class"},
     "Messages refused because the gateway was overloaded."},
    {Metric::esme_binds,
     "trunkline_esme_binds_total",
     Kind::counter,
     {"result"},
     "Binds of applications: accepted, refused, ended in the TLS handshake (tls), or closed at "
     "once for overload."},
    {Metric::esme_sessions,
     "trunkline_esme_sessions",
     Kind::gauge,
     {},
     "Connections of applications that are bound."},
    {Metric::esme_responses,
     "trunkline_esme_responses_total",
     Kind::counter,
     {"command", "status"},
     "Answers to requests of applications, by command_status."},
    {Metric::notices,
     "trunkline_notices_total",
     Kind::counter,
     {"result"},
     "Receipts and inbound messages told to applications: confirmed, retried, refused for good, "
     "expired before the application fetched them."},
    {Metric::peer_traces,
     "trunkline_peer_traces_total",
     Kind::counter,
     {"bodies"},
     "Live traces of a peer that were begun, with texts and whole numbers or without."},
    {Metric::build_info,
     "trunkline_build_info",
     Kind::gauge,
     {"version", "commit"},
     "Always 1; the labels say what is running."},
}};

constexpr const MetricInfo& info(Metric metric) {
  return kCatalog[static_cast<std::size_t>(metric)];
}

// The text of docs/metrics.md.
std::string reference_markdown();

}  // namespace trunkline::telemetry
