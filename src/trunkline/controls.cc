#include "trunkline/controls.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <set>

#include "config/coverage.h"
#include "config/registrations.h"
#include "gsm/text_options.h"
#include "smpp/pdu.h"

namespace trunkline::cli {
namespace {

using policy::SenderKind;

constexpr std::size_t kCountriesMax = 40;  // of the table for people
constexpr std::array kSenderKinds{SenderKind::alphanumeric, SenderKind::long_number,
                                  SenderKind::short_code, SenderKind::toll_free};

std::string_view word_of(policy::Kept kept) {
  static constexpr std::string_view kWords[] = {"not known", "as given", "if registered",
                                                "by route", "overwritten"};
  return kWords[static_cast<std::size_t>(kept)];
}
std::string_view word_of(policy::Known known) {
  static constexpr std::string_view kWords[] = {"not known", "yes", "no"};
  return kWords[static_cast<std::size_t>(known)];
}
std::string_view word_of(gsm::Carriage carriage) {
  static constexpr std::string_view kWords[] = {"udh", "udh16", "sar", "payload"};
  return kWords[static_cast<std::size_t>(carriage)];
}

std::string_view receipts_of(const config::Carrier& carrier, const engine::CarrierLimits& limits) {
  namespace asked = smpp::registered_delivery;
  if (limits.receipt_deadline == base::Duration::zero()) return "none";
  const std::uint8_t of = carrier.smpp.options.registered_delivery;
  const bool also = (of & asked::kIntermediate) != 0;
  switch (of & 3) {
    case asked::kFinal:
      return also ? "final and intermediate" : "final";
    case asked::kOnFailure:
      return also ? "failures and intermediate" : "failures";
    default:
      return also ? "intermediate" : "none";
  }
}

std::string_view tls_of(const config::SmppCarrier& smpp) {
  if (!smpp.tls) return "no";
  const bool mutual = !smpp.tls->certificate.name.empty();
  if (!smpp.tls->pins.empty()) return mutual ? "pinned, mutual" : "pinned";
  return mutual ? "yes, mutual" : "yes";
}

std::string alphabets_of(const gsm::TextOptions& text) {
  std::string out;
  const auto add = [&](bool is, std::string_view name) {
    if (is) out += fmt::format("{}{}", out.empty() ? "" : ", ", name);
  };
  add(text.gsm7, "GSM");
  add(text.latin1, "Latin 1");
  add(text.ucs2, "UCS-2");
  return out;
}

// Of all terms of a carrier, or of those in one country. Null: it says nothing.
const policy::CarrierTerms* terms_of(const config::Config& config, message::CarrierIndex carrier) {
  const policy::CarrierRules* const rules = config.tables.policy.carriers.find(carrier);
  return rules == nullptr ? nullptr : &rules->terms;
}

std::string senders_of(const policy::CarrierTerms* terms) {
  std::string out;
  for (const SenderKind kind : kSenderKinds) {
    const policy::SenderRule rule = terms == nullptr
                                        ? policy::SenderRule::unknown
                                        : terms->senders[static_cast<std::size_t>(kind)];
    if (rule == policy::SenderRule::unknown) continue;
    out += fmt::format("{}{}: {}", out.empty() ? "" : "; ", policy::name(kind), policy::name(rule));
  }
  return out.empty() ? "any" : out;
}

std::vector<std::string> caps_of(const config::Config& config, message::CarrierIndex carrier) {
  std::vector<std::string> out;
  const policy::CapTable& caps = config.tables.policy.caps;
  for (const std::uint32_t at : caps.of_carrier(carrier)) {
    out.push_back(policy::to_string(caps.all()[at]));
  }
  return out;
}

std::string share(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return "-";
  return fmt::format("{:.1f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

// Rows of cells with a name before them; as wide as needed.
class Table {
 public:
  void row(std::string name, std::vector<std::string> cells) {
    rows_.push_back({std::move(name), std::move(cells)});
  }
  std::string text() const {
    std::vector<std::size_t> widths;
    std::size_t first = 0;
    for (const Row& row : rows_) {
      first = std::max(first, row.name.size());
      widths.resize(std::max(widths.size(), row.cells.size()));
      for (std::size_t i = 0; i < row.cells.size(); ++i) {
        widths[i] = std::max(widths[i], row.cells[i].size());
      }
    }
    std::string out;
    for (const Row& row : rows_) {
      std::string line = fmt::format("{:<{}}", row.name, first);
      for (std::size_t i = 0; i < row.cells.size(); ++i) {
        line += fmt::format("  {:<{}}", row.cells[i], widths[i]);
      }
      line.erase(line.find_last_not_of(' ') + 1);
      out += line + "\n";
    }
    return out;
  }

 private:
  struct Row {
    std::string name;
    std::vector<std::string> cells;
  };
  std::vector<Row> rows_;
};

}  // namespace

Controls::Controls(const config::Config& config, std::vector<message::CarrierIndex> carriers,
                   base::Wall now)
    : config_(config), now_(now) {
  for (const message::CarrierIndex carrier : carriers) {
    carriers_.push_back({.index = carrier, .takes = 0, .leaves = {}});
  }
  const auto& tenants = config.tables.policy.tenants;
  for (std::size_t i = 0; i < tenants.size(); ++i) {
    if (!tenants[i].removed) tenants_[tenants[i].name] = {static_cast<std::uint16_t>(i)};
  }
}

void Controls::add(const TrafficRow& row, const numbering::Destination& to) {
  Country& country = countries_[to.number.country];
  ++country.messages;
  if (!row.from.empty()) ++country.senders[static_cast<std::size_t>(policy::sender_kind(row.from))];
  const auto tenant =
      row.tenant.empty() && tenants_.size() == 1 ? tenants_.begin() : tenants_.find(row.tenant);
  message::ClassIndex traffic_class;
  if (tenant != tenants_.end()) {
    traffic_class = row.traffic_class.empty() ? config_.tenants[tenant->second.at()].default_class
                                              : config_.find_class(row.traffic_class);
  }
  if (traffic_class.is_none()) {
    ++unjudged_;
    return;
  }
  const policy::Facts facts{.tenant = tenant->second,
                            .traffic_class = traffic_class,
                            .to = row.to,
                            .country = to.number.country,
                            .from = row.from,
                            .now = row.at.value_or(now_),
                            .unicode = row.unicode,
                            .segments = row.segments};
  for (Carrier& carrier : carriers_) {
    const std::uint32_t rules = policy::objections(config_.tables.policy, carrier.index, facts);
    if (rules == 0) {
      ++carrier.takes;
    } else {
      ++carrier.leaves[policy::kRules[static_cast<std::size_t>(std::countr_zero(rules))]];
    }
  }
}

// Of the countries of the traffic; what carriers ask for only if it is one of these.
std::vector<config::RegistrationNeed> Controls::needs() const {
  std::set<std::string> only;
  for (const auto& [country, seen] : countries_) {
    if (country != numbering::Country{}) only.insert(country.code());
  }
  if (only.empty()) return {};
  auto all = config::registrations(config_, config::coverage(config_), now_, only);
  std::erase_if(all, [&](const config::RegistrationNeed& need) {
    return need.asks == config::RegistrationNeed::Asks::carriers &&
           std::ranges::none_of(carriers_, [&](const Carrier& carrier) {
             return need.carriers.contains(config_.carriers[carrier.index.at()].name);
           });
  });
  return all;
}

void Controls::append_json(base::JsonWriter& json) const {
  const auto integer = [&](std::string_view key, std::uint64_t value) {
    json.key(key).integer(static_cast<std::int64_t>(value));
  };
  const auto senders = [&](const policy::CarrierTerms* terms) {
    json.begin_object();
    for (const SenderKind kind : kSenderKinds) {
      const auto rule = terms == nullptr ? policy::SenderRule::unknown
                                         : terms->senders[static_cast<std::size_t>(kind)];
      json.key(policy::name(kind));
      rule == policy::SenderRule::unknown ? json.null() : json.string(policy::name(rule));
    }
    json.end_object();
  };
  json.begin_object();
  integer("unjudged", unjudged_);
  json.key("carriers").begin_array();
  for (const Carrier& carrier : carriers_) {
    const config::Carrier& c = config_.carriers[carrier.index.at()];
    const engine::CarrierLimits& limits = config_.tables.carriers[carrier.index.at()];
    const policy::CarrierTerms* const terms = terms_of(config_, carrier.index);
    const gsm::TextOptions& text = c.smpp.options.text;
    json.begin_object().key("name").string(c.name).key("region").string(c.region);
    integer("takes", carrier.takes);
    json.key("leaves").begin_array();
    for (const auto& [rule, messages] : carrier.leaves) {
      json.begin_object().key("rule").string(rule);
      integer("messages", messages);
      json.end_object();
    }
    json.end_array().key("rate");
    limits.rate_per_s == 0 ? json.null() : json.number(limits.rate_per_s);
    integer("binds", c.smpp.binds);
    integer("window", c.smpp.window);
    json.key("caps").begin_array();
    for (const std::string& cap : caps_of(config_, carrier.index)) json.string(cap);
    json.end_array();
    json.key("tls").string(tls_of(c.smpp)).key("receipts").string(receipts_of(c, limits));
    json.key("alphabets").string(alphabets_of(text));
    json.key("unicode").boolean(text.ucs2 && (terms == nullptr || terms->unicode));
    json.key("parts").string(word_of(text.carriage));
    integer("max_segments", terms == nullptr ? 255 : terms->max_segments);
    json.key("two_way").boolean(terms == nullptr || terms->two_way).key("senders");
    senders(terms);
    json.end_object();
  }
  json.end_array().key("countries").begin_array();
  for (const auto& [country, seen] : countries_) {
    const policy::CountryRules* const rules = config_.tables.policy.countries.find(country);
    json.begin_object().key("country").string_or_null(country.code());
    integer("messages", seen.messages);
    json.key("senders").begin_array();
    for (const SenderKind kind : kSenderKinds) {
      const std::size_t at = static_cast<std::size_t>(kind);
      if (seen.senders[at] == 0) continue;
      json.begin_object().key("kind").string(policy::name(kind));
      integer("messages", seen.senders[at]);
      json.key("rule").string(
          policy::name(rules == nullptr ? policy::SenderRule::unknown : rules->senders[at]));
      json.end_object();
    }
    json.end_array();
    json.key("shown").string(word_of(rules == nullptr ? policy::Kept::unknown : rules->kept));
    json.key("two_way").string(word_of(rules == nullptr ? policy::Known::unknown : rules->two_way));
    json.key("unicode").string(
        policy::name(rules == nullptr ? policy::Text::assumed : rules->unicode));
    json.key("concatenation")
        .string(policy::name(rules == nullptr ? policy::Text::assumed : rules->concatenation));
    json.end_object();
  }
  json.end_array().key("registrations").raw(config::registrations_json(config_, needs()));
  json.end_object();
}

std::string Controls::text_of_country(numbering::Country country, const Country& seen) const {
  const policy::CountryRules* const rules = config_.tables.policy.countries.find(country);
  std::string out;
  for (const SenderKind kind : kSenderKinds) {
    const std::size_t at = static_cast<std::size_t>(kind);
    if (seen.senders[at] == 0) continue;
    out += fmt::format(
        "{}{} {}: {}", out.empty() ? "" : "; ", seen.senders[at], policy::name(kind),
        policy::name(rules == nullptr ? policy::SenderRule::unknown : rules->senders[at]));
  }
  return out.empty() ? "-" : out;
}

std::string Controls::text(const std::vector<std::string>& columns) const {
  Table table;
  const auto row = [&](std::string name, auto&& cell) {
    std::vector<std::string> cells;
    for (const Carrier& carrier : carriers_) cells.emplace_back(cell(carrier));
    table.row(std::move(name), std::move(cells));
  };
  const auto config_of = [&](const Carrier& c) -> const config::Carrier& {
    return config_.carriers[c.index.at()];
  };
  const auto limits_of = [&](const Carrier& c) -> const engine::CarrierLimits& {
    return config_.tables.carriers[c.index.at()];
  };
  const auto terms = [&](const Carrier& c) { return terms_of(config_, c.index); };
  table.row("controls", columns);
  std::uint64_t judged = 0;
  for (const auto& [country, seen] : countries_) judged += seen.messages;
  judged -= unjudged_;
  row("takes of it", [&](const Carrier& c) { return share(c.takes, judged); });
  std::set<std::string_view> rules;
  for (const Carrier& c : carriers_) {
    for (const auto& [rule, messages] : c.leaves) rules.insert(rule);
  }
  for (const std::string_view rule : rules) {
    row(fmt::format("  not: {}", rule), [&](const Carrier& c) {
      const auto found = c.leaves.find(rule);
      return found == c.leaves.end() ? std::string("-") : std::to_string(found->second);
    });
  }
  row("region", [&](const Carrier& c) { return config_of(c).region; });
  row("rate", [&](const Carrier& c) {
    const double rate = limits_of(c).rate_per_s;
    return rate == 0 ? std::string("any") : fmt::format("{}/s", rate);
  });
  row("binds x window", [&](const Carrier& c) {
    return fmt::format("{} x {}", config_of(c).smpp.binds, config_of(c).smpp.window);
  });
  row("caps", [&](const Carrier& c) {
    const auto caps = caps_of(config_, c.index);
    return caps.empty() ? std::string("none") : fmt::format("{}", fmt::join(caps, "; "));
  });
  row("TLS", [&](const Carrier& c) { return tls_of(config_of(c).smpp); });
  row("receipts", [&](const Carrier& c) { return receipts_of(config_of(c), limits_of(c)); });
  row("alphabets", [&](const Carrier& c) { return alphabets_of(config_of(c).smpp.options.text); });
  row("unicode", [&](const Carrier& c) {
    const auto* const t = terms(c);
    return config_of(c).smpp.options.text.ucs2 && (t == nullptr || t->unicode) ? "yes" : "no";
  });
  row("segments", [&](const Carrier& c) {
    const auto* const t = terms(c);
    return t == nullptr || t->max_segments == 255 ? std::string("any")
                                                  : fmt::format("up to {}", t->max_segments);
  });
  row("parts", [&](const Carrier& c) { return word_of(config_of(c).smpp.options.text.carriage); });
  row("answers", [&](const Carrier& c) {
    const auto* const t = terms(c);
    return t == nullptr || t->two_way ? "yes" : "no";
  });
  row("senders", [&](const Carrier& c) { return senders_of(terms(c)); });
  std::string out = "\n" + table.text();
  if (unjudged_ != 0) {
    out += fmt::format(
        "{} messages are of a tenant or class that the configuration does not have\n", unjudged_);
  }

  Table places;
  places.row("country", {"messages", "answers", "unicode", "long texts", "sender shown",
                         "senders of this traffic"});
  std::size_t shown = 0;
  for (const auto& [country, seen] : countries_) {
    if (++shown > kCountriesMax) break;
    const policy::CountryRules* const own = config_.tables.policy.countries.find(country);
    const bool none = own == nullptr;
    places.row(country.code().empty() ? "-" : country.code(),
               {std::to_string(seen.messages),
                std::string(word_of(none ? policy::Known::unknown : own->two_way)),
                std::string(policy::name(none ? policy::Text::assumed : own->unicode)),
                std::string(policy::name(none ? policy::Text::assumed : own->concatenation)),
                std::string(word_of(none ? policy::Kept::unknown : own->kept)),
                text_of_country(country, seen)});
  }
  out += "\n" + places.text();
  if (countries_.size() > kCountriesMax) {
    out += fmt::format("and {} more\n", countries_.size() - kCountriesMax);
  }
  return out + config::registrations_text(config_, needs());
}

}  // namespace trunkline::cli
