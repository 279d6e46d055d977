// What countries and carriers ask alike of a message. Whose words they are, and what they rest on,
// is the derived class's. Inside of policy/ only.
#pragma once

#include "policy/opinion.h"

namespace trunkline::policy {

class Checks {
 protected:
  // Names of rules, by who speaks.
  struct Rules {
    std::string_view sender_kind;
    std::string_view registration;
    std::string_view text;
    std::string_view content;
    std::string_view two_way;
  };

  Checks(const Rules& rules, const Table& table, const Tenant& tenant, const Facts& facts,
         Opinion& opinion)
      : rules_(rules),
        table_(table),
        class_(rules_of(table, facts.traffic_class)),
        tenant_(tenant),
        facts_(facts),
        opinion_(opinion) {}
  ~Checks() = default;

  virtual std::string who() const = 0;                      // "GB"
  virtual std::string basis() const = 0;                    // " (verified 2026-07-22)", or nothing
  virtual std::string correct(std::string_view) const = 0;  // ", or correct countries.GB.senders"
  virtual std::string_view registry() const { return {}; }  // where senders are registered
  virtual message::CarrierIndex carrier() const { return {}; }

  // Nobody reads the text of what is allowed: then it is not made.
  bool is_brief(Action action, std::string_view rule);
  // What is asked of senders, where nobody is there to ask.
  Action softened(Action action) const;

  void sender(SenderKind kind, SenderRule rule, Action unregistered);
  void registration(SenderKind kind, Action unregistered);
  void unicode(Text rule);
  void links(Links rule);
  void phone_numbers();
  void opt_out();
  // Answers do not come; `refuses`: that is sure.
  void one_way(bool refuses);

  const Rules& rules_;
  const Table& table_;
  const ClassRules class_;
  const Tenant& tenant_;
  const Facts& facts_;
  Opinion& opinion_;
};

}  // namespace trunkline::policy
