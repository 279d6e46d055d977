// Collects what the rules say. Inside of policy/ only.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "policy/policy.h"

namespace trunkline::policy {

class Opinion {
 public:
  Opinion(Verdict& verdict, bool explain) : verdict_(verdict), explain_(explain) {}

  bool explains() const { return explain_; }

  // The first refusal decides the code.
  template <class... Args>
  void refuse_as(std::string_view code, std::string_view rule, fmt::format_string<Args...> text,
                 Args&&... args) {
    if (verdict_.kind != Verdict::Kind::refuse) verdict_.code = code;
    verdict_.kind = Verdict::Kind::refuse;
    add(rule, fmt::format(text, std::forward<Args>(args)...));
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
    const auto* const at = std::ranges::find(kRules, rule);
    if (at != kRules.end()) verdict_.warnings |= 1u << (at - kRules.begin());
    if (explain_) {
      add(rule, fmt::format("warning: {}", fmt::format(text, std::forward<Args>(args)...)));
    }
  }
  template <class... Args>
  void allow(std::string_view rule, fmt::format_string<Args...> text, Args&&... args) {
    if (explain_) add(rule, fmt::format(text, std::forward<Args>(args)...));
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
  bool explain_;
  std::string_view version_;
};

void check_country(const Table& table, const Tenant& tenant, const Facts& facts, Opinion& opinion);

// The registration that covers the sender (empty: none given) there; `inactive`: one that would,
// were it in force.
struct Covering {
  const Registration* active = nullptr;
  const Registration* inactive = nullptr;
};
Covering covering_registration(const Tenant& tenant, message::ClassIndex traffic_class,
                               numbering::Country country, std::string_view from, base::Wall now);

}  // namespace trunkline::policy
