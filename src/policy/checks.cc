#include "policy/checks.h"

namespace trunkline::policy {

ClassRules rules_of(const Table& table, message::ClassIndex traffic_class) {
  const std::size_t at = traffic_class.at();
  return at < table.class_rules.size() ? table.class_rules[at] : ClassRules{};
}

bool Checks::is_brief(Action action, std::string_view rule) {
  if (opinion_.explains() || (action == Action::refuse && !opinion_.names_only())) return false;
  if (action == Action::warn) opinion_.warn(rule, "");
  if (action == Action::refuse) opinion_.refuse(rule, "");
  return true;
}

Action Checks::softened(Action action) const {
  const bool soft = action == Action::refuse && table_.demo && numbering::is_fictional(facts_.to);
  return soft ? Action::warn : action;
}

// --- senders
// --------------------------------------------------------------------------------------

void Checks::sender(SenderKind kind, SenderRule rule, Action unregistered) {
  const std::string_view kRule = rules_.sender_kind;
  switch (rule) {
    case SenderRule::allowed:
      if (is_brief(Action::allow, kRule)) break;
      opinion_.allow(kRule, "{} takes {} senders", who(), name(kind));
      break;
    case SenderRule::unknown:
      break;
    case SenderRule::refused:
      if (is_brief(softened(Action::refuse), kRule)) break;
      opinion_.act(softened(Action::refuse), kRule,
                   "{} takes no {} senders{}; give another `from`, or none{}", who(), name(kind),
                   basis(), correct("senders"));
      break;
    case SenderRule::registered:
      registration(kind, unregistered);
      break;
    case SenderRule::some_networks:
      if (is_brief(Action::warn, kRule)) break;
      opinion_.warn(kRule, "some networks of {} take {} senders only if they are registered", who(),
                    name(kind));
      break;
    case SenderRule::route:
      if (is_brief(Action::warn, kRule)) break;
      opinion_.warn(kRule, "whether {} senders are taken in {} depends on the carrier", name(kind),
                    who());
      break;
    case SenderRule::replaced: {
      const Action action = softened(tenant_.keep_sender ? Action::refuse : Action::warn);
      if (is_brief(action, kRule)) break;
      opinion_.act(action, kRule, "{} senders are shown as others in {}{}", name(kind), who(),
                   tenant_.keep_sender
                       ? fmt::format("{}, and tenant {} keeps its senders", basis(), tenant_.name)
                       : "");
      break;
    }
  }
}

void Checks::registration(SenderKind kind, Action unregistered) {
  const std::string_view kRule = rules_.registration;
  const Covering found = covering_registration(tenant_, facts_.traffic_class, facts_.country,
                                               facts_.from, facts_.now, carrier());
  if (found.active != nullptr) {
    if (is_brief(Action::allow, kRule)) return;
    opinion_.allow(kRule, "sender {} is registered in {}: {} {}", facts_.from,
                   facts_.country.code(), found.active->kind, found.active->id);
    return;
  }
  const Action action = softened(unregistered);
  if (is_brief(action, kRule)) return;
  const std::string where = registry().empty() ? "" : fmt::format(" ({})", registry());
  if (found.inactive == nullptr) {
    opinion_.act(action, kRule,
                 "{} takes {} senders only if they are registered{}{}, and tenant {} has no "
                 "registration of {} there; add it to the tenant's registrations",
                 who(), name(kind), where, basis(), tenant_.name, facts_.from);
    return;
  }
  const Registration& r = *found.inactive;
  const std::string why = r.state != Registration::State::active
                              ? fmt::format("is {}", name(r.state))
                              : fmt::format("expired on {}", to_string(*r.expires));
  opinion_.act(action, kRule,
               "{} takes {} senders only if they are registered{}{}, and registration {} of "
               "tenant {} {}; renew it, and correct it in the tenant's registrations",
               who(), name(kind), where, basis(), r.id, tenant_.name, why);
}

// --- texts
// ----------------------------------------------------------------------------------------

void Checks::unicode(Text rule) {
  if (!facts_.unicode || rule < Text::route) return;
  if (rule != Text::no) {
    if (is_brief(Action::warn, rules_.text)) return;
    opinion_.warn(rules_.text, "not every network of {} takes texts in Unicode", who());
  } else if (!is_brief(Action::refuse, rules_.text)) {
    opinion_.refuse(rules_.text, "{} takes no texts in Unicode; write it in the GSM alphabet",
                    who());
  }
}

void Checks::links(Links rule) {
  const std::string_view kRule = rules_.content;
  const Content& c = facts_.content;
  if (rule == Links::refused && c.has(Content::kLink)) {
    if (is_brief(Action::refuse, kRule)) return;
    opinion_.refuse(kRule, "texts to {} may hold no links{}", who(), basis());
  } else if (rule == Links::no_shorteners && c.has(Content::kShortLink)) {
    if (is_brief(Action::refuse, kRule)) return;
    opinion_.refuse(kRule,
                    "texts to {} may hold no links of public shorteners{}; write your own "
                    "domain",
                    who(), basis());
  } else if (rule == Links::registered && c.has(Content::kLink)) {
    if (is_brief(Action::warn, kRule)) return;
    opinion_.warn(kRule, "networks of {} drop links they do not know", who());
  }
}

void Checks::phone_numbers() {
  if (!facts_.content.has(Content::kPhoneNumber)) return;
  if (is_brief(Action::refuse, rules_.content)) return;
  opinion_.refuse(rules_.content, "texts to {} may hold no phone numbers{}", who(), basis());
}

void Checks::opt_out() {
  if (facts_.content.has(Content::kOptOut)) return;
  if (is_brief(Action::refuse, rules_.content)) return;
  opinion_.refuse(rules_.content,
                  "marketing to {} must say how to get no more of it, such as STOP{}", who(),
                  basis());
}

void Checks::one_way(bool refuses) {
  if (!class_.two_way) return;
  const Action action = refuses ? Action::refuse : Action::warn;
  if (is_brief(action, rules_.two_way)) return;
  opinion_.act(action, rules_.two_way, "no answers come from {}{}, and class {} waits for them",
               who(), basis(), table_.classes[facts_.traffic_class.at()]);
}

}  // namespace trunkline::policy
