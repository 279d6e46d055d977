// What a scenario says of carriers' own rules.
#include <gtest/gtest.h>

#include "engine/scenario_test.h"

namespace trunkline::engine {

// takes=CLASS,... max_segments=N unicode=no alphanumeric=refused
void Scenario::carrier_rules(const Words& w) {
  if (!w.has("takes") && !w.has("max_segments") && !w.has("unicode") && !w.has("alphanumeric")) {
    return;
  }
  policy::CarrierRules rules{.name = w.plain[1]};
  std::string classes = w.get("takes");
  while (!classes.empty()) {
    const std::size_t comma = std::min(classes.find(','), classes.size());
    rules.terms.classes |= 1u << class_named(classes.substr(0, comma)).at();
    classes.erase(0, comma + 1);
  }
  rules.terms.max_segments = static_cast<std::uint8_t>(w.number("max_segments", 255));
  rules.terms.unicode = w.get("unicode") != "no";
  if (w.get("alphanumeric") == "refused") rules.terms.senders[0] = policy::SenderRule::refused;
  config_.policy.carriers.put(carrier_named(w.plain[1]), std::move(rules));
}

bool Scenario::configure_policy(const Words& w) {
  if (w.plain.front() == "cap") {
    cap(w);
  } else if (w.plain.front() == "quiet") {
    quiet(w);
  } else {
    return false;
  }
  return true;
}

void Scenario::quiet(const Words& w) {
  policy::CountryRules rules{.country = *numbering::Country::parse(w.plain[1])};
  rules.quiet = policy::parse_window(w.plain[2]).value();
  rules.marketing = policy::Marketing::allowed;
  rules.configured = policy::CountryRules::kQuiet | policy::CountryRules::kMarketing;
  config_.policy.countries.put(std::move(rules));
  config_.policy.class_rules.clear();
  for (const auto& c : config_.classes) {
    config_.policy.class_rules.push_back({c.kind, c.quiet_hours, c.two_way});
  }
}

void Scenario::opt_out(const Words& w) {
  const std::string tenant = w.get("tenant");
  ChangeOptOuts change{.token = next_token_++, .own = !w.has("cell")};
  change.entries.push_back(
      {.tenant = tenant == "all" ? "" : config_.policy.tenants[tenant_of(w).at()].name,
       .sender = w.get("from"),
       .to_hash = hash_of(w.plain[1]),
       .out = std::ranges::find(w.plain, "back") == w.plain.end(),
       .cell = w.get("cell"),
       .by = "api",
       .sealed = "sealed"});
  if (w.has("cell")) {
    change.entries[0].at =
        base::wall_from_us(1'800'000'000'000'000) + base::parse_duration(w.get("at", "0s")).value();
  }
  if (w.has("key")) {
    change.key = message::KeyRef{.key = base::hash128(w.get("key"), 1),
                                 .fingerprint = base::hash128(w.get("fp"), 2)};
    if (engine_->needs_key(change.key->key)) change.known = look_up(change.key->key);
  }
  step(std::move(change));
}

void Scenario::restore_opt_outs() {
  for (const auto& [change, bytes] : disk_.opt_outs) {
    engine_->restore_opt_out(change, message::decode_opt_out(bytes).value());
  }
}

void Scenario::told(const ChangeOptOutsAnswer& answer) {
  using Kind = ChangeOptOutsAnswer::Kind;
  say(fmt::format("<- {}{} changed, change {}",
                  answer.kind == Kind::replayed       ? "replayed "
                  : answer.kind == Kind::key_mismatch ? "key mismatch "
                  : answer.kind == Kind::full         ? "full "
                                                      : "",
                  answer.changed, answer.latest_change));
}

void Scenario::cap(const Words& w) {
  using policy::Cap;
  const std::string& whose = w.plain[1];
  Cap cap{.name = w.plain[2]};
  std::size_t owner = 0;
  if (whose == "tenant") owner = tenant_of(split("x tenant=" + cap.name)).at();
  if (whose == "carrier") {
    cap.owner = Cap::Owner::carrier;
    owner = carrier_named(cap.name).at();
  }
  if (whose == "country") {
    cap.owner = Cap::Owner::country;
    owner = numbering::Country::parse(cap.name)->packed();
  }
  cap.segments = w.has("segments");
  cap.most = static_cast<std::uint64_t>(w.number(cap.segments ? "segments" : "messages", 1));
  if (w.get("per") == "minute") cap.per = Cap::Per::minute;
  if (w.get("per") == "hour") cap.per = Cap::Per::hour;
  const std::string by = w.get("by");
  if (by.contains("recipient")) cap.by |= Cap::kRecipient;
  if (by.contains("sender")) cap.by |= Cap::kSender;
  if (by.contains("tenant")) cap.by |= Cap::kTenant;
  cap.rolling = std::ranges::find(w.plain, "rolling") != w.plain.end();
  std::vector<std::string> classes;
  for (const auto& c : config_.classes) classes.push_back(c.name);
  config_.policy.caps.add(std::move(cap), owner, classes);
}

}  // namespace trunkline::engine
