// Policy and routing brought together: who of a route's carriers may take a message by the
// carrier's own rules, and without leading it back where it came from. Of each carrier, the text is
// looked at as it would have it.
//
// Pure; refers to what it is made of. Asks nothing of carriers while nobody has rules.
#pragma once

#include <string>
#include <vector>

#include "engine/tables.h"
#include "message/decision.h"
#include "message/submission.h"

namespace trunkline::engine {

class Suited final : public routing::Objections {
 public:
  // `texts` and `cells`: as Submission::plans and Submission::cells.
  Suited(const Tables& tables, const policy::Facts& facts,
         const std::vector<message::TextPlan>& texts, std::string_view cells)
      : tables_(tables), facts_(facts), texts_(texts), cells_(cells) {}

  bool any(message::CarrierIndex carrier) const override;
  std::string text(message::CarrierIndex carrier) const override;

  // Has anybody rules that could speak against this message?
  bool matters() const;
  // From now on the text as carriers without options of their own have it.
  void plain_text() { own_text_ = false; }

  policy::Facts facts_for(message::CarrierIndex carrier) const;
  // All of the route that objections speak against: names and first rules; and in words.
  std::vector<message::ExcludedCarrier> excluded(const routing::Route& route) const;
  std::vector<policy::Reason> reasons(const routing::Route& route) const;

 private:
  const Tables& tables_;
  const policy::Facts& facts_;
  const std::vector<message::TextPlan>& texts_;
  // Would it lead back to a cell that the message came through?
  bool leads_back(message::CarrierIndex carrier) const;
  policy::Reason why_not_back(message::CarrierIndex carrier) const;

  std::string_view cells_;
  bool own_text_ = true;
};

// routing::plan() with the carriers' own rules. `suited` may be changed: what it says afterwards
// fits the plan.
routing::Plan plan_suited(const Tables& tables, Suited& suited, routing::Facts facts,
                          const std::vector<message::TextPlan>& texts,
                          const routing::Measures* measures = nullptr);

}  // namespace trunkline::engine
