#include "engine/scenario_test.h"

#include <gtest/gtest.h>

#include "engine/receipt_owners.h"
#include "message/journal.h"
#include "message/record.h"

namespace trunkline::engine {
namespace {

using message::Cause;
using message::OutcomeKind;
using message::ReceiptState;

constexpr std::string_view kOutcomes[] = {"accepted", "throttled", "transient", "reroute",
                                          "fail",     "park",      "not_sent",  "in_doubt"};
constexpr Cause kUsualCause[] = {Cause::carrier_accepted, Cause::carrier_throttled,
                                 Cause::carrier_refused,  Cause::carrier_refused,
                                 Cause::carrier_refused,  Cause::carrier_refused,
                                 Cause::link_lost_unsent, Cause::response_timeout};
constexpr std::string_view kReceiptStates[] = {"intermediate", "delivered", "undelivered",
                                               "unknown"};

template <class Enum, std::size_t N>
Enum from_name(const std::string_view (&names)[N], std::string_view text) {
  const auto* const found = std::ranges::find(names, text);
  if (found == std::end(names)) ADD_FAILURE() << "what is '" << text << "'?";
  return static_cast<Enum>(found == std::end(names) ? 0 : found - names);
}

Cause cause_named(std::string_view text) {
  for (std::size_t i = 0; i < message::kCauseCount; ++i) {
    if (message::name(static_cast<Cause>(i)) == text) return static_cast<Cause>(i);
  }
  ADD_FAILURE() << "cause '" << text << "'?";
  return Cause::none;
}

base::Duration duration(std::string_view text) {
  const bool negative = text.starts_with('-');
  const auto parsed = base::parse_duration(negative ? text.substr(1) : text);
  EXPECT_TRUE(parsed.has_value()) << text;
  return negative ? -parsed.value_or(base::Duration{}) : parsed.value_or(base::Duration{});
}

base::Hash128 hash_text(std::string_view text) { return base::hash128(text, 1); }

std::vector<std::string> split_at(std::string_view text, char separator) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end != 0) out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string bits_text(std::uint32_t bits) {
  std::string out;
  for (unsigned i = 0; i < 32; ++i) {
    if (bits >> i & 1) out += fmt::format("{}{}", out.empty() ? "" : ",", i + 1);
  }
  return out;
}

}  // namespace

// --- reading the script --------------------------------------------------------------------------

std::string Scenario::Words::get(const std::string& key, std::string otherwise) const {
  const auto found = named.find(key);
  return found == named.end() ? otherwise : found->second;
}
long Scenario::Words::number(const std::string& key, long otherwise) const {
  const auto found = named.find(key);
  return found == named.end() ? otherwise : std::strtol(found->second.c_str(), nullptr, 10);
}

Scenario::Words Scenario::split(std::string_view line) {
  Words words;
  for (const std::string& word : split_at(line, ' ')) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) {
      words.plain.push_back(word);
    } else {
      words.named[word.substr(0, equals)] = word.substr(equals + 1);
    }
  }
  return words;
}

std::string Scenario::run(std::string_view text) {
  start_ = base::Mono{std::chrono::hours(1)};
  now_ = {start_, base::wall_from_us(1'800'000'000'000'000)};
  told_at_ = start_;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.starts_with(' ')) continue;
    result_ += std::string(line) + "\n";
    if (line.empty() || line.starts_with('#')) continue;
    SCOPED_TRACE(std::string(line));
    instruction(line);
  }
  return result_;
}

void Scenario::instruction(std::string_view line) {
  const std::vector<std::string> parts = split_at(line, ';');
  const Words w = split(parts.front());
  if (configure(w)) return;
  prepare();
  const std::string& verb = w.plain.front();
  const auto word = [&](std::size_t i) { return i < w.plain.size() ? w.plain[i] : std::string(); };
  if (verb == "up") {
    step(LinkUp{carrier_named(word(1)), static_cast<std::uint16_t>(std::stoi(word(2))),
                static_cast<std::uint32_t>(w.number("window", 10))});
  } else if (verb == "down") {
    step(LinkDown{carrier_named(word(1)), static_cast<std::uint16_t>(std::stoi(word(2)))});
  } else if (verb == "submit") {
    submit({w}, false);
  } else if (verb == "batch") {
    std::vector<Words> items{w};
    for (std::size_t i = 1; i < parts.size(); ++i) items.push_back(split("submit " + parts[i]));
    submit(items, true);
  } else if (verb == "answer") {
    answer(w);
  } else if (verb == "receipt") {
    receipt(w);
  } else if (verb == "inbound") {
    step(Inbound{
        .token = next_token_++, .tenant = tenant_of(w), .account = word(1), .sealed = "mo"});
  } else if (verb == "told") {
    Told told;
    for (const auto& [at, text] : disk_.notices[word(1)]) told.done.push_back({word(1), at});
    step(std::move(told));
  } else if (verb == "cancel") {
    cancel(w);
  } else if (verb == "redact") {
    redact(w);
  } else if (verb == "replace") {
    replace(w);
  } else if (verb == "query") {
    asked_[next_token_] = {word(1)};
    step(Query{next_token_++, tenant_of(w), ids_.at(word(1))});
  } else if (verb == "explain") {
    explain(w);
  } else if (verb == "list") {
    list(w);
  } else if (verb == "advance") {
    advance(now_.mono + duration(word(1)));
  } else if (verb == "wall") {
    now_.wall += duration(word(1));
  } else if (verb == "tick") {
    step(Tick{});
  } else if (verb == "begin") {
    grouped_ = true;
  } else if (verb == "end") {
    grouped_ = false;
    commit();
  } else if (verb == "crash") {
    grouped_ = false;
    stand_up();
  } else if (verb == "show") {
    show(word(1));
  } else if (verb == "stats") {
    stats();
  } else if (verb == "journal") {
    say(disk_.journal.empty()
            ? "empty"
            : fmt::format("{} to {}", disk_.journal.front().first, disk_.journal.back().first));
  } else if (verb == "order") {
    order(w);
  } else if (verb == "opt-out") {
    opt_out(w);
  } else if (verb == "operate") {
    operate(w);
  } else if (verb == "disk") {
    step(DiskRoom{std::stoull(word(1)) << 20, std::stoull(word(2)) << 20});
  } else if (verb == "drain") {
    step(Drain{});
  } else if (verb == "reload") {
    step(Reload{tables()});
  } else {
    ADD_FAILURE() << "instruction?";
  }
}

bool Scenario::configure(const Words& w) {
  const std::string& verb = w.plain.front();
  const std::string name = w.plain.size() > 1 ? w.plain[1] : "";
  if (verb == "remove") {
    if (name == "routes") {
      config_.routing.routes.clear();
      return true;
    }
    const std::string& what = w.plain[2];
    if (name == "carrier") config_.routing.carriers[carrier_named(what).at()].removed = true;
    if (name == "class") config_.classes[class_named(what).at()].removed = true;
    for (policy::Tenant& tenant : config_.policy.tenants) {
      if (name == "tenant" && tenant.name == what) tenant.removed = true;
    }
    // Without an engine that knows them: as after a restart, when nobody remembers the name.
    return true;
  }
  if (verb == "forget") {
    if (name == "tenant") {
      std::erase_if(config_.policy.tenants, [&](const auto& t) { return t.name == w.plain[2]; });
    } else if (name == "carrier") {
      auto& all = config_.routing.carriers;
      const auto at = carrier_named(w.plain[2]);
      EXPECT_EQ(at.at() + 1, all.size()) << "only the last can be forgotten";
      all.pop_back();
      config_.carriers.pop_back();
      for (routing::Route& route : config_.routing.routes) {
        std::erase_if(route.via, [&](const routing::Via& via) { return via.carrier == at; });
      }
    }
    return true;
  }
  if (config_.classes.empty()) config_.classes = message::default_traffic_classes();
  if (configure_policy(w)) return true;
  if (verb == "class") {
    auto found = std::ranges::find(config_.classes, name, &message::TrafficClass::name);
    if (found == config_.classes.end()) {
      config_.classes.push_back({.name = name});
      found = config_.classes.end() - 1;
    }
    message::TrafficClass& c = *found;
    c.priority = static_cast<std::uint8_t>(w.number("priority", c.priority));
    if (w.has("ttl")) c.ttl = duration(w.get("ttl"));
    c.obeys_opt_outs = w.get("opt_outs") != "operator_only";
    if (w.has("reserve")) c.reserve = std::stod(w.get("reserve"));
    if (w.has("in_doubt")) {
      c.in_doubt =
          w.get("in_doubt") == "hold" ? message::InDoubtRule::hold : message::InDoubtRule::resend;
    }
    if (w.has("on_undelivered")) {
      c.on_undelivered = w.get("on_undelivered") == "reroute" ? message::UndeliveredRule::reroute
                                                              : message::UndeliveredRule::end;
    }
    if (w.has("no_receipt")) {
      c.no_receipt = message::NoReceiptRule::resend;
      c.no_receipt_after = duration(w.get("no_receipt"));
    }
    c.retry.attempts = static_cast<std::uint8_t>(w.number("attempts", c.retry.attempts));
    if (w.has("first")) c.retry.refused.first = duration(w.get("first"));
    if (w.has("max")) c.retry.refused.max = duration(w.get("max"));
    c.retry.in_doubt = c.retry.refused;
    if (w.has("doubt_first")) c.retry.in_doubt.first = duration(w.get("doubt_first"));
    c.retry.tries_per_carrier =
        static_cast<std::uint8_t>(w.number("tries", c.retry.tries_per_carrier));
    c.weight = static_cast<double>(w.number("weight", static_cast<long>(c.weight)));
    if (w.has("max_wait")) c.max_wait = duration(w.get("max_wait"));
    if (w.has("tenant_rate")) c.tenant_rate_per_s = std::stod(w.get("tenant_rate"));
    if (w.has("timeout")) c.response_timeout = duration(w.get("timeout"));
    return true;
  }
  if (verb == "carrier") {
    const double rate = std::stod(w.get("rate", "0"));
    const double burst = std::stod(w.get("burst", "0"));
    const CarrierLimits limits{rate, burst, duration(w.get("receipts", "72h")),
                               static_cast<std::uint64_t>(w.number("text", 0)), w.get("cell")};
    const auto found = std::ranges::find(config_.routing.carriers, name, &routing::Carrier::name);
    if (found == config_.routing.carriers.end()) {
      config_.routing.carriers.push_back({.name = name, .region = w.get("region", "eu")});
      config_.carriers.push_back(limits);
    } else {
      found->removed = false;
      config_.carriers[static_cast<std::size_t>(found - config_.routing.carriers.begin())] = limits;
    }
    carrier_rules(w);
    return true;
  }
  if (verb == "tenant") {
    policy::Tenant tenant{.name = name,
                          .classes = w.has("classes") ? 0u : ~0u,
                          .senders = split_at(w.get("senders"), ','),
                          .allowed = {.messages_per_s = std::stod(w.get("rate", "0"))}};
    tenant.allowed.segments_per_s = std::stod(w.get("segments_rate", "0"));
    if (w.has("burst")) tenant.allowed.burst = duration(w.get("burst"));
    for (const std::string& of : split_at(w.get("class_rates"), ',')) {
      const auto parts = split_at(of, ':');
      tenant.allowed_of_classes.push_back(
          {class_named(parts[0]),
           {.messages_per_s = std::stod(parts[1]), .segments_per_s = std::stod(parts[2])}});
    }
    for (const std::string& c : split_at(w.get("classes"), ','))
      tenant.classes |= 1u << class_named(c).at();
    auto& all = config_.policy.tenants;
    const auto found = std::ranges::find(all, name, &policy::Tenant::name);
    if (found == all.end()) {
      all.push_back(tenant);
    } else {
      *found = tenant;
    }
    return true;
  }
  if (verb == "route") {
    routing::Route route{.name = fmt::format("r{}", config_.routing.routes.size() + 1)};
    if (name != "*") {
      for (const std::string& c : split_at(name, ','))
        route.match.classes |= 1u << class_named(c).at();
    }
    for (std::size_t i = 2; i < w.plain.size(); ++i)
      route.via.push_back({carrier_named(w.plain[i])});
    route.canary = canary(w);
    config_.routing.routes.push_back(route);
    return true;
  }
  if (verb == "options") {
    options_.journal_trim_bytes = static_cast<std::uint64_t>(
        w.number("trim", static_cast<long>(options_.journal_trim_bytes)));
    if (w.has("retention"))
      config_.idempotency_retention = *base::parse_duration(w.get("retention"));
    config_.messages_max =
        static_cast<std::size_t>(w.number("messages", static_cast<long>(config_.messages_max)));
    return true;
  }
  return false;
}

// What the script did not say: two carriers, two tenants, one route over both.
void Scenario::prepare() {
  if (configured_) return;
  configured_ = true;
  if (config_.routing.carriers.empty()) {
    configure(split("carrier alpha"));
    configure(split("carrier beta"));
  }
  if (config_.policy.tenants.empty()) {
    configure(split("tenant demo"));
    configure(split("tenant other"));
  }
  if (config_.routing.routes.empty()) {
    std::string route = "route *";
    for (const routing::Carrier& c : config_.routing.carriers) route += " " + c.name;
    configure(split(route));
  }
  stand_up();
}

std::shared_ptr<const Tables> Scenario::tables() const {
  auto copy = std::make_shared<Tables>(config_);
  routing::finish(copy->routing);
  copy->policy.classes.clear();
  for (const message::TrafficClass& c : copy->classes) copy->policy.classes.push_back(c.name);
  return copy;
}

void Scenario::stand_up() {
  const bool first = disk_.epoch == 0;
  ++disk_.epoch;
  options_.epoch = disk_.epoch;
  engine_ = std::make_unique<Engine>(tables(), options_);
  submits_.clear();
  answered_.clear();
  asked_.clear();
  for (const auto& [seq, bytes] : disk_.journal) {
    const auto record = message::decode_journal_record(bytes);
    ASSERT_TRUE(record.has_value()) << record.error();
    engine_->restore(*record, now_);
  }
  restore_opt_outs();
  out_ = {};
  out_.commit.seq = disk_.next_seq;
  out_.commit.epoch = disk_.epoch;
  out_.commit.time = now_.wall;
  engine_->restored(now_, out_);
  if (!first || !out_.commit.empty()) commit();
}

// --- instructions --------------------------------------------------------------------------------

message::Submission Scenario::submission(const Words& w) {
  const std::string& name = w.plain[1];
  message::Submission item{.to = *numbering::Number::from_digits(447700900000)};
  item.tenant = tenant_of(w);
  item.traffic_class = class_named(w.get("class", "transactional"));
  std::string to = w.get("to");
  if (to.empty()) {
    to =
        numbers_.contains(name) ? numbers_[name] : fmt::format("+4477009001{:02}", numbers_.size());
  }
  numbers_.emplace(name, to);
  item.to = *numbering::parse_e164(to);
  item.to_hash = hash_of(to);
  item.from = w.get("from");
  item.region = w.get("region");
  item.segments = static_cast<std::uint8_t>(w.number("segments", 1));
  if (w.has("unicode")) item.encoding = static_cast<std::uint8_t>(gsm::Encoding::ucs2);
  for (const std::string& text : split_at(w.get("plans"), ',')) {
    const std::vector<std::string> parts = split_at(text, ':');
    item.plans.push_back({std::stoull(parts.at(0)),
                          /*encoding=*/parts.size() > 2 ? std::uint8_t{0} : std::uint8_t{1},
                          static_cast<std::uint8_t>(std::stoi(parts.at(1)))});
  }
  if (w.has("ttl")) item.ttl = duration(w.get("ttl"));
  if (w.has("at")) item.send_at = now_.wall + duration(w.get("at"));
  item.sealed = "sealed:" + name;
  if (w.has("account")) {
    item.ingress = message::Ingress::smpp;
    item.account = w.get("account");
    item.notify = static_cast<std::uint8_t>(w.number("notify", 3));
  }
  if (w.has("key")) item.key = {hash_text(w.get("key")), hash_text(w.get("fp", "same"))};
  if (w.has("window")) item.key->window = duration(w.get("window"));
  if (w.has("part")) {
    item.part = {hash_text("part:" + w.get("of", "it")),
                 static_cast<std::uint8_t>(w.number("part", 1)),
                 static_cast<std::uint8_t>(w.number("total", 1))};
  }
  if (w.has("replaces")) item.replaces = hash_text(w.get("replaces"));
  item.cells = w.get("cells");
  if (w.has("alias")) item.alias = static_cast<std::uint32_t>(w.number("alias", 0));
  return item;
}

void Scenario::submit(const std::vector<Words>& items, bool is_batch) {
  Accept accept;
  accept.token = next_token_++;
  accept.is_batch = is_batch;
  const Words& head = items.front();
  std::vector<std::string> names;
  for (std::size_t i = is_batch ? 1 : 0; i < items.size(); ++i) {
    accept.items.push_back(submission(items[i]));
    names.push_back(items[i].plain[1]);
  }
  if (is_batch && head.has("key")) {
    accept.batch_key = {hash_text(head.get("key")), hash_text(head.get("fp", "same"))};
    if (engine_->needs_key(accept.batch_key->key))
      accept.known_batch = look_up(accept.batch_key->key);
  }
  accept.known.resize(accept.items.size());
  for (std::size_t i = 0; i < accept.items.size(); ++i) {
    const auto& key = accept.items[i].key;
    if (key && engine_->needs_key(key->key)) accept.known[i] = look_up(key->key);
    look_up_parts(accept, i);
    look_up_earlier(accept, i);
  }
  asked_[accept.token] = names;
  step(std::move(accept));
}

void Scenario::look_up_parts(Accept& accept, std::size_t at) const {
  const auto& part = accept.items[at].part;
  if (!part || !engine_->needs_parts(part->group)) return;
  accept.known_parts.resize(accept.items.size());
  KnownParts& known = accept.known_parts[at];
  known.key = look_up(part->group);
  if (!known.key) return;
  const base::MessageId id = known.key->answers.front().message;
  if (!id.is_null() && !engine_->is_hot(id)) known.record = record_of(id);
}

void Scenario::explain(const Words& w) {
  const message::Submission item = submission(w);
  step(Explain{.token = next_token_++,
               .question = {.tenant = item.tenant,
                            .traffic_class = item.traffic_class,
                            .to = item.to,
                            .to_hash = item.to_hash,
                            .from = item.from,
                            .region = item.region,
                            .unicode = w.has("unicode"),
                            .segments = item.segments,
                            .at = now_.wall,
                            .plans = item.plans}});
}

void Scenario::answer(const Words& w) {
  const std::string& name = w.plain[1];
  const bool late = std::ranges::find(w.plain, "late") != w.plain.end();
  const Submit* submit = nullptr;
  base::Mono written{};
  for (const auto& [key, candidate] : submits_) {
    if (key.first != name) continue;
    if (w.has("attempt") && key.second != w.number("attempt", 0)) continue;
    submit = &candidate;
    written = written_[key];
  }
  ASSERT_NE(submit, nullptr) << "no such attempt";
  SubmitResult result{.ref = submit->ref};
  result.outcome.kind = from_name<OutcomeKind>(kOutcomes, w.plain[2]);
  result.outcome.cause = w.has("cause")
                             ? cause_named(w.get("cause"))
                             : kUsualCause[static_cast<std::size_t>(result.outcome.kind)];
  result.outcome.raw = w.get("raw");
  result.outcome.late = late;
  if (result.outcome.kind != OutcomeKind::not_sent) result.written_at = written;
  const std::uint32_t set =
      w.has("segment") ? 1u << (w.number("segment", 1) - 1) : submit->segment_set;
  const bool several = (set & (set - 1)) != 0;
  for (std::uint8_t segment = 1; segment <= submit->segments; ++segment) {
    if ((set >> (segment - 1) & 1) == 0) continue;
    SubmitResult one = result;
    one.segment = segment;
    ASSERT_TRUE(late || answered_.emplace(name, submit->ref.attempt, segment).second)
        << "answered twice";
    if (result.outcome.kind == OutcomeKind::accepted && w.get("id") != "none") {
      const std::string id = w.get("id", name);
      one.outcome.carrier_message_id = several ? fmt::format("{}.{}", id, segment) : id;
    }
    step(std::move(one));
  }
}

void Scenario::receipt(const Words& w) {
  Receipt event;
  event.token = next_token_++;
  event.carrier = carrier_named(w.get("carrier", config_.routing.carriers.front().name));
  event.carrier_message_id = w.get("id");
  event.to_hash = w.has("to") ? hash_of(w.get("to")) : 0;
  event.state = from_name<ReceiptState>(kReceiptStates, w.plain[1]);
  event.raw = w.get("raw");
  const std::string& carrier = config_.routing.carriers[event.carrier.at()].name;
  ASSERT_TRUE(find_receipt_owners(*engine_, disk_, carrier, now_.wall, event).has_value());
  step(std::move(event));
}

void Scenario::cancel(const Words& w) {
  Cancel event;
  event.token = next_token_++;
  event.tenant = tenant_of(w);
  event.id = ids_.at(w.plain[1]);
  asked_[event.token] = {w.plain[1]};
  if (w.has("key")) {
    event.key = {hash_text(w.get("key")), hash_text(w.get("fp", "same"))};
    if (engine_->needs_key(event.key->key)) event.known = look_up(event.key->key);
  }
  event.cold_record = cold_record(event.id);
  step(std::move(event));
}

void Scenario::show(const std::string& name) {
  const std::string bytes = record_of(ids_.at(name));
  const auto record = message::decode_record(bytes);
  ASSERT_TRUE(record.has_value()) << record.error();
  const message::Progress p = message::fold(*record);
  std::string line = fmt::format("{} {} attempt={} {}", name, message::name(p.state), p.attempt,
                                 message::name(p.attempt_state));
  const auto bits = [&](std::string_view what, std::uint32_t value) {
    if (value != 0) line += fmt::format(" {}={}", what, bits_text(value));
  };
  bits("accepted", p.accepted);
  bits("in_doubt", p.in_doubt);
  bits("delivered", p.delivered);
  bits("failed", p.failed);
  if (p.possible_duplicate) line += " possible_duplicate";
  const auto seconds = [&](base::Wall at) {
    return std::chrono::duration<double>(at - record->envelope.accepted_at).count();
  };
  const bool is_changed = std::ranges::any_of(record->events, [](const message::Event& e) {
    return e.kind == message::EventKind::replaced;
  });
  if (is_changed) {
    line += fmt::format(" {} segments={} due={:.0f}s expires={:.0f}s notify={} events={}",
                        record->envelope.sealed, record->envelope.segments,
                        seconds(record->envelope.due_at), seconds(record->envelope.expires_at),
                        record->envelope.notify, p.events);
  }
  say(line);
}

// --- driving the engine --------------------------------------------------------------------------

void Scenario::advance(base::Mono until) {
  while (true) {
    base::Mono next = engine_->next_deadline();
    for (const auto& [id, cold] : disk_.cold) {
      // In a group what is due stays due, whatever is done about it.
      const base::Mono due = now_.to_mono(cold.due_at);
      if (!grouped_ || due > now_.mono) next = std::min(next, due);
    }
    next = std::max(next, now_.mono);
    if (next > until) break;
    now_.wall += next - now_.mono;
    now_.mono = next;
    thaw_due();
    step(Tick{});
  }
  now_.wall += until - now_.mono;
  now_.mono = until;
  thaw_due();
}

void Scenario::thaw_due() {
  Thaw thaw;
  for (const auto& [id, cold] : disk_.cold) {
    if (cold.due_at <= now_.wall) thaw.records.push_back(cold.record);
  }
  if (!thaw.records.empty()) step(std::move(thaw));
}

void Scenario::step(Event event) {
  engine_->step(std::move(event), now_, out_);
  // Names first: what follows refers to them.
  for (const Effect& effect : out_.after_commit) {
    const auto* answer = std::get_if<AcceptAnswer>(&effect);
    if (answer == nullptr) continue;
    const std::vector<std::string>& names = asked_[answer->token];
    for (std::size_t i = 0; i < answer->items.size() && i < names.size(); ++i) {
      if (answer->items[i].kind == ItemAnswer::Kind::accepted)
        ids_.insert_or_assign(names[i], answer->items[i].id);
    }
  }
  if (!grouped_) commit();
}

void Scenario::commit() {
  Output out = std::move(out_);
  out_ = {};
  if (!out.commit.empty()) make_durable(out.commit);
  out_.commit.seq = disk_.next_seq;
  out_.commit.epoch = disk_.epoch;
  out_.commit.time = now_.wall;
  for (Effect& effect : out.after_commit) perform(effect);
  if (!out.commit.empty()) engine_->step(CommitDone{out.commit.seq}, now_, out_);
  if (!out_.commit.empty() || !out_.after_commit.empty()) commit();
}

void Scenario::perform(Effect& effect) {
  const auto reasons = [](const Refusal& refusal) {
    std::string out = refusal.code;
    for (const policy::Reason& reason : refusal.reasons) out += fmt::format(" {}", reason.rule);
    if (refusal.retry_after != base::Duration{})
      out += fmt::format(" retry_after={}", base::format_duration(refusal.retry_after));
    return out;
  };
  if (auto* ready = std::get_if<NoticeReady>(&effect)) {
    EXPECT_TRUE(disk_.notices[ready->key.account].contains(ready->key.at));
  } else if (const auto* order = std::get_if<OrderAnswer>(&effect)) {
    say(order->done ? "<- in force" : "<- too many orders");
  } else if (const auto* changed = std::get_if<ChangeOptOutsAnswer>(&effect)) {
    told(*changed);
  } else if (const auto* operated = std::get_if<SurgeryAnswer>(&effect)) {
    told(*operated);
  } else if (const auto* trial = std::get_if<CanaryTold>(&effect)) {
    told(trial->canary);
  } else if (std::holds_alternative<ToldAnswer>(effect)) {
    say("<- told");
  } else if (auto* submit = std::get_if<Submit>(&effect)) {
    const std::string name = name_of(submit->id);
    std::string line =
        fmt::format("=> {}/{} {} #{}", config_.routing.carriers[submit->carrier.at()].name,
                    submit->link, name, submit->ref.attempt);
    if (submit->segments > 1)
      line += fmt::format(" segments {} of {}", bits_text(submit->segment_set), submit->segments);
    if (submit->possible_duplicate) line += " possible_duplicate";
    if (submit->sealed != "sealed:" + name) line += " " + submit->sealed;
    say(line);
    submits_.insert_or_assign({name, submit->ref.attempt}, *submit);
    written_[{name, submit->ref.attempt}] = now_.mono;
    for (std::uint8_t segment = 1; segment <= submit->segments; ++segment)
      answered_.erase({name, submit->ref.attempt, segment});
  } else if (auto* answer = std::get_if<AcceptAnswer>(&effect)) {
    const std::vector<std::string> names = asked_[answer->token];
    if (answer->key_mismatch) say("<- key mismatch");
    if (answer->replayed) say("<- replayed");
    for (std::size_t i = 0; i < answer->items.size(); ++i) {
      const ItemAnswer& item = answer->items[i];
      std::string line = fmt::format("<- {} ", i < names.size() ? names[i] : "?");
      switch (item.kind) {
        case ItemAnswer::Kind::accepted:
          line += "accepted";
          break;
        case ItemAnswer::Kind::replaced:
          line += "replaces " + name_of(item.id);
          break;
        case ItemAnswer::Kind::replayed:
          line +=
              fmt::format("is {}, {}", name_of(item.id), item.record.empty() ? "not hot" : "hot");
          break;
        case ItemAnswer::Kind::refused:
          line += "refused " + reasons(item.refusal);
          break;
        case ItemAnswer::Kind::replayed_refusal:
          line += "was refused " + reasons(item.refusal);
          break;
        case ItemAnswer::Kind::key_mismatch:
          line += "key mismatch";
          break;
      }
      say(line);
    }
  } else if (auto* canceled = std::get_if<CancelAnswer>(&effect)) {
    static constexpr std::string_view kKinds[] = {"canceled", "not_cancelable", "not_found",
                                                  "key_mismatch"};
    say(fmt::format("<- {} {}{}{}", asked_[canceled->token].front(),
                    kKinds[static_cast<std::size_t>(canceled->kind)],
                    canceled->replayed ? " replayed" : "",
                    canceled->record.empty() ? "" : " with record"));
  } else if (auto* redacted = std::get_if<RedactAnswer>(&effect)) {
    told(*redacted);
  } else if (auto* replaced = std::get_if<ReplaceAnswer>(&effect)) {
    static constexpr std::string_view kKinds[] = {"replaced", "not_replaceable", "not_found",
                                                  "refused "};
    say(fmt::format(
        "<- {} {}{}", asked_[replaced->token].front(),
        kKinds[static_cast<std::size_t>(replaced->kind)],
        replaced->kind == ReplaceAnswer::Kind::refused ? reasons(replaced->refusal) : ""));
  } else if (auto* queried = std::get_if<QueryAnswer>(&effect)) {
    const std::string& name = asked_[queried->token].front();
    if (queried->record.empty()) return say(fmt::format("<- {} not hot", name));
    const auto record = message::decode_record(queried->record);
    ASSERT_TRUE(record.has_value());
    say(fmt::format("<- {} {}", name, message::name(message::fold(*record).state)));
  } else if (auto* told = std::get_if<ExplainAnswer>(&effect)) {
    for (const policy::Reason& reason : told->explained.verdict.reasons)
      say(fmt::format("<- {}: {}", reason.rule, reason.text));
    for (const std::string& line : routing::to_lines(config_.routing, told->explained.routing))
      say("<- " + line);
  } else if (auto* listed = std::get_if<ListAnswer>(&effect)) {
    std::string line = "<-";
    for (const std::string& bytes : listed->records) {
      const auto envelope = message::decode_envelope(bytes);
      ASSERT_TRUE(envelope.has_value());
      line += " " + name_of(envelope->id);
    }
    if (listed->resume) line += ", more before " + name_of(*listed->resume);
    say(line);
  } else {
    say("<- receipt acknowledged");
  }
}

void Scenario::say(std::string line) {
  if (told_at_ != now_.mono) {
    told_at_ = now_.mono;
    result_ +=
        fmt::format("    @{:.3f}\n", static_cast<double>((now_.mono - start_).count()) / 1e6);
  }
  result_ += "    " + line + "\n";
}

// --- looking things up ---------------------------------------------------------------------------

std::optional<message::KeyRecord> Scenario::look_up(const base::Hash128& key) const {
  const auto found = disk_.keys.find({key.high, key.low});
  if (found == disk_.keys.end() || found->second.expires_at <= now_.wall) return std::nullopt;
  return found->second;
}

std::string Scenario::name_of(const base::MessageId& id) const {
  for (const auto& [name, known] : ids_) {
    if (known == id) return name;
  }
  return id.rest();
}

// Hot first, then what is on disk.
std::string Scenario::record_of(const base::MessageId& id) const {
  Output out;
  for (std::size_t tenant = 0; tenant < config_.policy.tenants.size(); ++tenant) {
    engine_->step(Query{0, {static_cast<std::uint16_t>(tenant)}, id}, now_, out);
    const auto& answer = std::get<QueryAnswer>(out.after_commit.back());
    if (!answer.record.empty()) return answer.record;
  }
  EXPECT_TRUE(out.commit.empty()) << "looking changed something";
  if (const auto archived = disk_.archive.find(id); archived != disk_.archive.end())
    return archived->second;
  if (const auto cold = disk_.cold.find(id); cold != disk_.cold.end()) return cold->second.record;
  return {};
}

message::TenantIndex Scenario::tenant_of(const Words& w) const {
  const std::string name = w.get("tenant", config_.policy.tenants.front().name);
  for (std::size_t i = 0; i < config_.policy.tenants.size(); ++i) {
    if (config_.policy.tenants[i].name == name) return {static_cast<std::uint16_t>(i)};
  }
  ADD_FAILURE() << "tenant " << name;
  return {0};
}

message::ClassIndex Scenario::class_named(const std::string& name) const {
  for (std::size_t i = 0; i < config_.classes.size(); ++i) {
    if (config_.classes[i].name == name) return {static_cast<std::uint8_t>(i)};
  }
  ADD_FAILURE() << "class " << name;
  return {0};
}

message::CarrierIndex Scenario::carrier_named(const std::string& name) const {
  for (std::size_t i = 0; i < config_.routing.carriers.size(); ++i) {
    if (config_.routing.carriers[i].name == name) return {static_cast<std::uint16_t>(i)};
  }
  ADD_FAILURE() << "carrier " << name;
  return {0};
}

std::uint64_t Scenario::hash_of(const std::string& name_or_number) const {
  const auto known = numbers_.find(name_or_number);
  const std::string& number = known == numbers_.end() ? name_or_number : known->second;
  return base::hash128(number, 2).low;
}

}  // namespace trunkline::engine
