// Collects what the rules say. Inside of policy/ only.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "policy/policy.h"

namespace trunkline::policy {

// What is kept of what the rules say. `names`: no texts, only which rules refused.
enum class Detail : std::uint8_t { names, reasons, all };

class Opinion {
 public:
  Opinion(Verdict& verdict, Detail detail) : verdict_(verdict), detail_(detail) {}

  bool explains() const { return detail_ == Detail::all; }
  bool names_only() const { return detail_ == Detail::names; }

  // The first refusal decides the code.
  template <class... Args>
  void refuse_as(std::string_view code, std::string_view rule, fmt::format_string<Args...> text,
                 Args&&... args) {
    if (verdict_.kind != Verdict::Kind::refuse) verdict_.code = code;
    verdict_.kind = Verdict::Kind::refuse;
    verdict_.refusals |= bit_of(rule);
    if (!names_only()) add(rule, fmt::format(text, std::forward<Args>(args)...));
  }
  template <class... Args>
  void refuse(std::string_view rule, fmt::format_string<Args...> text, Args&&... args) {
    refuse_as("policy_refused", rule, text, std::forward<Args>(args)...);
  }
  template <class... Args>
  void hold(base::Wall until, std::string_view rule, fmt::format_string<Args...> text,
            Args&&... args) {
    if (verdict_.kind == Verdict::Kind::allow) verdict_.kind = Verdict::Kind::hold;
    verdict_.hold_until = std::max(verdict_.hold_until, until);
    add(rule, fmt::format(text, std::forward<Args>(args)...));
  }
  template <class... Args>
  void warn(std::string_view rule, fmt::format_string<Args...> text, Args&&... args) {
    verdict_.warnings |= bit_of(rule);
    if (explains()) {
      add(rule, fmt::format("warning: {}", fmt::format(text, std::forward<Args>(args)...)));
    }
  }
  template <class... Args>
  void allow(std::string_view rule, fmt::format_string<Args...> text, Args&&... args) {
    if (explains()) add(rule, fmt::format(text, std::forward<Args>(args)...));
  }
  template <class... Args>
  void act(Action action, std::string_view rule, fmt::format_string<Args...> text, Args&&... args) {
    switch (action) {
      case Action::allow:
        return allow(rule, text, std::forward<Args>(args)...);
      case Action::warn:
        return warn(rule, text, std::forward<Args>(args)...);
      case Action::refuse:
        return refuse(rule, text, std::forward<Args>(args)...);
    }
  }
  // Of the reasons that follow; empty: the configuration's.
  void rest_on(std::string_view version) { version_ = version; }

 private:
  void add(std::string_view rule, std::string text) {
    verdict_.reasons.push_back({rule, std::move(text), std::string(version_)});
  }

  Verdict& verdict_;
  Detail detail_;
  std::string_view version_;
};

void check_country(const Table& table, const Tenant& tenant, const Facts& facts, Opinion& opinion);
// What the carrier's own rules say.
void check_carrier(const Table& table, message::CarrierIndex carrier, const Tenant& tenant,
                   const Facts& facts, Opinion& opinion);

ClassRules rules_of(const Table& table, message::ClassIndex traffic_class);

// The registration that covers the sender (empty: none given) there; `inactive`: one that would,
// were it in force. `carrier`: only those that count with it; none: with any.
struct Covering {
  const Registration* active = nullptr;
  const Registration* inactive = nullptr;
};
Covering covering_registration(const Tenant& tenant, message::ClassIndex traffic_class,
                               numbering::Country country, std::string_view from, base::Wall now,
                               message::CarrierIndex carrier = {});

}  // namespace trunkline::policy
