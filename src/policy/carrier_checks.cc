// What a carrier itself asks for. Most have no rules, and cost nothing.
#include "policy/checks.h"

namespace trunkline::policy {
namespace {

class CarrierChecks : private Checks {
 public:
  CarrierChecks(message::CarrierIndex carrier, const CarrierRules* rules, const Table& table,
                const Tenant& tenant, const Facts& facts, Opinion& opinion)
      : Checks(kNames, table, tenant, facts, opinion), carrier_(carrier), own_(rules) {}

  void run() {
    const bool with_sender = !facts_.from.empty();
    const bool is_asked = own_ != nullptr && with_sender && from_terms();
    if (with_sender && !is_asked) registered_elsewhere();
    if (own_ != nullptr) rest();
  }

 private:
  static constexpr Rules kNames{"carrier.sender_kind", "carrier.registration", "carrier.text",
                                "carrier.content", "carrier.two_way"};

  std::string who() const override {
    return own_ == nullptr ? "the carrier" : fmt::format("carrier {}", own_->name);
  }
  std::string basis() const override { return {}; }
  std::string correct(std::string_view) const override { return {}; }
  message::CarrierIndex carrier() const override { return carrier_; }

  const CarrierTerms& terms() const { return own_->terms_in(facts_.country); }

  // Whether it asked for a registration.
  bool from_terms() {
    const SenderKind kind = sender_kind(facts_.from);
    const SenderRule rule = terms().senders[static_cast<std::size_t>(kind)];
    sender(kind, rule, Action::refuse);
    return rule == SenderRule::registered || rule == SenderRule::refused;
  }

  // The country wants senders registered, and what the tenant has there counts with others only.
  void registered_elsewhere() {
    const bool limited = std::ranges::any_of(
        tenant_.registrations, [](const Registration& r) { return !r.carriers.empty(); });
    if (!limited) return;
    const CountryRules* country = table_.countries.find(facts_.country);
    if (country == nullptr) return;
    const SenderKind kind = sender_kind(facts_.from);
    if (country->senders[static_cast<std::size_t>(kind)] != SenderRule::registered) return;
    const auto covering = [&](message::CarrierIndex with) {
      return covering_registration(tenant_, facts_.traffic_class, facts_.country, facts_.from,
                                   facts_.now, with)
          .active;
    };
    const Registration* r = covering({});
    if (r == nullptr || covering(carrier_) != nullptr) return;
    if (is_brief(softened(Action::refuse), "carrier.registration")) return;
    opinion_.act(softened(Action::refuse), "carrier.registration",
                 "registration {} of tenant {} does not count with {}", r->id, tenant_.name, who());
  }

  void rest() {
    const CarrierTerms& t = terms();
    if (t.classes != 0 && (t.classes >> facts_.traffic_class.at() & 1) == 0 &&
        !is_brief(Action::refuse, "carrier.class")) {
      opinion_.refuse("carrier.class", "{} takes no class {}{}", who(),
                      table_.classes[facts_.traffic_class.at()], there());
    }
    if (!own_->goes_to(facts_.country) && !is_brief(Action::refuse, "carrier.country")) {
      opinion_.refuse("carrier.country", "{} does not go to {}", who(), facts_.country.code());
    }
    unicode(t.unicode ? Text::yes : Text::no);
    if (facts_.segments > t.max_segments && !is_brief(Action::refuse, kNames.text)) {
      opinion_.refuse(
          kNames.text, "{} takes {} of a text{}, and this one has {}", who(),
          t.max_segments == 1 ? "one segment" : fmt::format("{} segments", t.max_segments), there(),
          facts_.segments);
    }
    if (!t.two_way) one_way(/*refuses=*/true);
    if (!facts_.content.has(Content::kRead)) return;
    links(t.links);
    if (t.no_phone_numbers) phone_numbers();
    if (t.opt_out && class_.kind == ClassKind::marketing) opt_out();
  }

  std::string there() const {
    return &terms() == &own_->terms ? "" : fmt::format(" in {}", facts_.country.code());
  }

  message::CarrierIndex carrier_;
  const CarrierRules* own_;  // null: only what others say of it
};

}  // namespace

void check_carrier(const Table& table, message::CarrierIndex carrier, const Tenant& tenant,
                   const Facts& facts, Opinion& opinion) {
  const CarrierRules* rules = table.carriers.find(carrier);
  if (rules == nullptr && tenant.registrations.empty()) return;
  CarrierChecks(carrier, rules, table, tenant, facts, opinion).run();
}

}  // namespace trunkline::policy
