// Whether there is room for what a tenant hands in: memory, the tenant's rates, and time enough for
// its turn to come.
#include "engine/impl.h"

namespace trunkline::engine {
namespace {

constexpr base::Duration kOverloadRetryAfter = std::chrono::seconds(5);
constexpr base::Duration kDiskRetryAfter = std::chrono::seconds(30);
constexpr base::Duration kRetryAfterMin = std::chrono::seconds(1);
constexpr base::Duration kRetryAfterMax = std::chrono::hours(1);

std::string rate_text(std::string_view tenant, double rate, std::string_view unit,
                      std::string_view of_class) {
  return fmt::format("tenant {} may send {} {} a second{}{}", tenant, rate, unit,
                     of_class.empty() ? "" : " of class ", of_class);
}

}  // namespace

// --- rates ---------------------------------------------------------------------------------------

// All of what is handed in, or the limit that is reached for longest.
std::optional<Refusal> Engine::Impl::refuse_at_rates(TenantIndex tenant,
                                                     std::span<const Asked> asked, Step& s) {
  Account& account = accounts_[tenant.at()];
  base::Duration longest{};
  std::string text;
  const auto look = [&](Account::Rate& rate, std::string_view of_class) {
    for (const bool of_segments : {false, true}) {
      queue::Allowance& a = of_segments ? rate.segments : rate.messages;
      const base::Duration wait = a.wait(s.now.mono);
      if (wait <= longest) continue;
      longest = wait;
      text = rate_text(tenant_name(tenant), a.rate_per_s(), of_segments ? "segments" : "messages",
                       of_class);
    }
  };
  look(account.all, "");
  account.each_class(asked, [&](Account::Rate& rate, const Asked&, ClassIndex c) {
    look(rate, tables_->classes[c.at()].name);
  });
  if (longest > base::Duration::zero()) {
    return Refusal{.code = "rate_limited",
                   .reasons = {{"limits.tenant_rate", std::move(text)}},
                   .retry_after = longest,
                   .version = {}};
  }
  account.take(asked, s.now.mono);
  return std::nullopt;
}

// What is asked about is not counted.
void Engine::Impl::explain_rates(const Question& question, Explained& told, Mono now) const {
  const Account& account = accounts_[question.tenant.at()];
  const auto tell = [&](const Account::Rate& rate, std::string_view of_class) {
    for (const bool of_segments : {false, true}) {
      queue::Allowance a = of_segments ? rate.segments : rate.messages;
      if (!a.limited()) continue;
      const base::Duration wait = a.wait(now);
      std::string text = rate_text(tenant_name(question.tenant), a.rate_per_s(),
                                   of_segments ? "segments" : "messages", of_class);
      const bool reached = wait > base::Duration::zero();
      if (reached) {
        text += fmt::format("; that is reached, there is room again in {}",
                            base::format_duration(std::chrono::ceil<std::chrono::seconds>(wait)));
      }
      told.verdict.reasons.push_back({"limits.tenant_rate", std::move(text)});
      if (!reached || told.verdict.kind == policy::Verdict::Kind::refuse) continue;
      told.verdict.kind = policy::Verdict::Kind::refuse;
      told.verdict.code = "rate_limited";
    }
  };
  tell(account.all, "");
  for (const auto& [c, rate] : account.classes) {
    if (c == question.traffic_class) tell(rate, tables_->classes[c.at()].name);
  }
}

// --- memory --------------------------------------------------------------------------------------

// Shed from the least urgent class up, evenly between the soft and the hard limit.
std::optional<Refusal> Engine::Impl::refuse_for_memory(std::size_t fresh, std::uint8_t most_urgent,
                                                       ClassIndex first, Step& s) const {
  const std::size_t soft = tables_->messages_max;
  if (hot_count_ + fresh <= soft) return std::nullopt;
  const std::size_t classes = order_.by_priority.size();
  const auto position = static_cast<std::size_t>(std::ranges::count_if(
      order_.shares, [&](const queue::ClassShare& share) { return share.priority < most_urgent; }));
  const std::size_t hard =
      soft * (limits::kHotMessagesHard / 1'000) / (limits::kHotMessagesSoft / 1'000);
  const std::size_t span = hard - soft;
  const std::size_t room = hard - span * std::min(position + 1, classes) / classes +
                           (position == 0 ? span / classes : 0);
  if (hot_count_ + fresh <= room) return std::nullopt;
  note_shed(first, fresh, s);
  return Refusal{
      .code = "rate_limited",
      .reasons = {{"limits.overload", "the gateway is full for this class; try again later"}},
      .retry_after = kOverloadRetryAfter,
      .version = {}};
}

// --- disk ----------------------------------------------------------------------------------------

std::optional<Refusal> Engine::Impl::refuse_for_disk(std::size_t fresh, std::uint8_t most_urgent,
                                                     ClassIndex first, Step& s) const {
  if (!disk_.closes(most_urgent, order_)) return std::nullopt;
  note_shed(first, fresh, s);
  return Refusal{.code = "rate_limited",
                 .reasons = {{"limits.overload", disk_.text()}},
                 .retry_after = kDiskRetryAfter,
                 .version = {}};
}

void Engine::Impl::note_shed(ClassIndex c, std::size_t count, Step& s) const {
  s.out.notes.push_back({Note::Metric::shed, {}, c, {}, {}, {}, static_cast<std::int64_t>(count)});
}

// All or nothing: a batch half refused for speed could not be retried under its key.
std::optional<Refusal> Engine::Impl::admit_all(const Accept& event, Step& s) {
  asked_.clear();
  std::size_t fresh = 0;
  std::uint8_t most_urgent = 255;
  for (std::size_t i = 0; i < event.items.size(); ++i) {
    const message::Submission& item = event.items[i];
    const auto* known = i < event.known.size() ? &event.known[i] : nullptr;
    if (item.key && known_key(item.key->key, known) != nullptr) continue;
    ++fresh;
    most_urgent = std::min(most_urgent, tables_->classes[item.traffic_class.at()].priority);
    auto found = std::ranges::find(asked_, item.traffic_class, &Asked::traffic_class);
    if (found == asked_.end()) found = asked_.insert(found, {item.traffic_class, 0, 0});
    ++found->messages;
    found->segments += item.segments;
  }
  if (fresh == 0) return std::nullopt;
  const message::Submission& first = event.items.front();
  if (auto full = refuse_for_memory(fresh, most_urgent, first.traffic_class, s)) return full;
  if (auto full = refuse_for_disk(fresh, most_urgent, first.traffic_class, s)) return full;
  return refuse_at_rates(first.tenant, asked_, s);
}

// --- time ----------------------------------------------------------------------------------------

// How long a message of the class would wait for its turn at the carrier; nothing: not known.
std::optional<base::Duration> Engine::Impl::wait_at(CarrierIndex carrier, ClassIndex c,
                                                    TenantIndex tenant, Mono deadline) const {
  const queue::CarrierQueue& q = carriers_[carrier.at()];
  const double ahead = q.ahead(order_, c, tenant, deadline);
  if (ahead < 1) return base::Duration::zero();
  const double capacity = q.capacity();
  if (capacity <= 0) return std::nullopt;
  const double us = (ahead + 1) / capacity * 1e6;
  constexpr double kMost = 1e15;  // 30 years
  return base::Duration(static_cast<std::int64_t>(std::min(us, kMost)));
}

// What of a message's wait at the carriers of its plan is too long, at the one where it is least;
// not positive: nothing. Nothing where none of them is there, or their pace is not known.
std::optional<Engine::Impl::Excess> Engine::Impl::excess_wait(std::span<const CarrierIndex> plan,
                                                              ClassIndex own, base::Duration ttl,
                                                              TenantIndex tenant, Mono now) const {
  const auto limit_of = [&](ClassIndex c, base::Duration lives) {
    const base::Duration most = tables_->classes[c.at()].max_wait;
    return most > base::Duration::zero() ? std::min(most, lives) : lives;
  };
  std::optional<Excess> least;
  for (const CarrierIndex carrier : plan) {
    if (carrier.is_none()) break;
    if (is_removed(carrier) || !carriers_[carrier.at()].alive()) continue;
    std::optional<Excess> here;
    for (const ClassIndex c : order_.by_priority) {
      const bool is_own = c == own;
      if (!is_own && carriers_[carrier.at()].lanes()[c.at()].empty()) continue;
      const base::Duration lives = is_own ? ttl : tables_->classes[c.at()].ttl;
      const auto wait = wait_at(carrier, c, tenant, now + lives);
      if (!wait) return std::nullopt;
      const base::Duration by = *wait - limit_of(c, lives);
      if (!here || by > here->by) here = Excess{by, *wait, c};
      if (is_own) break;
    }
    if (here && (!least || here->by < least->by)) least = here;
    if (least && least->by <= base::Duration::zero()) break;
  }
  return least;
}

std::string Engine::Impl::text_of(const Excess& excess, ClassIndex own) const {
  const auto in_words = [](base::Duration d) {
    return base::format_duration(std::chrono::ceil<std::chrono::seconds>(d));
  };
  if (excess.whose == own) {
    return fmt::format(
        "it would wait about {} for its turn at the carriers of its route, and may wait for {} at "
        "most; try again later",
        in_words(excess.wait), in_words(excess.wait - excess.by));
  }
  return fmt::format(
      "the carriers of its route have no room even for class {}, whose messages would wait about "
      "{}; try again later",
      tables_->classes[excess.whose.at()].name, in_words(excess.wait));
}

// It would expire in the line, or wait there for longer than its class wants. Of classes that are
// more urgent, messages of this tenant would not have to wait for too long either: whoever is
// refused, nobody less urgent is accepted there meanwhile.
std::optional<Refusal> Engine::Impl::refuse_for_wait(const message::Submission& item,
                                                     const Decided& decided, Step& s) const {
  if (decided.hold_until > s.now.wall || item.send_at.value_or(s.now.wall) > s.now.wall)
    return std::nullopt;
  const ClassIndex own = decided.traffic_class;
  const auto excess =
      excess_wait(decided.plan, own, item.ttl.value_or(tables_->classes[own.at()].ttl), item.tenant,
                  s.now.mono);
  if (!excess || excess->by <= base::Duration::zero()) return std::nullopt;
  note_shed(own, 1, s);
  return Refusal{.code = "rate_limited",
                 .reasons = {{"limits.overload", text_of(*excess, own)}},
                 .retry_after = std::clamp(excess->by, kRetryAfterMin, kRetryAfterMax),
                 .version = tables_->version};
}

// How long a message that is asked about would wait for its turn at each carrier, and whether that
// is too long.
void Engine::Impl::explain_wait(const Question& question, Explained& told, Now now) const {
  if (disk_.closes(tables_->classes[question.traffic_class.at()].priority, order_)) {
    told.verdict.reasons.push_back({"limits.overload", disk_.text()});
    if (told.verdict.kind != policy::Verdict::Kind::refuse) {
      told.verdict.kind = policy::Verdict::Kind::refuse;
      told.verdict.code = "rate_limited";
    }
  }
  if (question.at > now.wall || told.verdict.kind == policy::Verdict::Kind::hold) return;
  std::array<CarrierIndex, routing::kPlanMax> plan{};
  std::size_t count = 0;
  const base::Duration ttl = tables_->classes[question.traffic_class.at()].ttl;
  for (auto& candidate : told.routing.candidates) {
    if (candidate.rank == 0 || count == plan.size()) continue;
    plan[count++] = candidate.carrier;
    if (!candidate.now.value_or("").empty()) continue;
    const auto wait =
        wait_at(candidate.carrier, question.traffic_class, question.tenant, now.mono + ttl);
    if (!wait || *wait < std::chrono::seconds(1)) continue;
    candidate.now =
        fmt::format("a line of about {}",
                    base::format_duration(std::chrono::ceil<std::chrono::seconds>(*wait)));
  }
  const auto excess = excess_wait(plan, question.traffic_class, ttl, question.tenant, now.mono);
  if (!excess || excess->by <= base::Duration::zero()) return;
  told.verdict.reasons.push_back({"limits.overload", text_of(*excess, question.traffic_class)});
  if (told.verdict.kind == policy::Verdict::Kind::refuse) return;
  told.verdict.kind = policy::Verdict::Kind::refuse;
  told.verdict.code = "rate_limited";
}

}  // namespace trunkline::engine
