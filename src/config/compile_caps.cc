#include "config/compile_caps.h"

#include <algorithm>
#include <set>

#include "config/compile_templates.h"
#include "config/text.h"

namespace trunkline::config {
namespace {

using policy::Cap;

class CapCompiler {
 public:
  CapCompiler(const References& refer, policy::Table& table, Findings& findings)
      : refer_(refer), table_(table), findings_(findings) {}

  void daily(const Value& value, const std::string& name, std::size_t owner) {
    if (!value.given || value.bad) return;
    Cap cap{.owner = Cap::Owner::tenant, .name = name};
    cap.most = static_cast<std::uint64_t>(value.integer());
    add(value, std::move(cap), owner);
  }

  // One-time passwords to one number in an hour. A cap of the tenant's own that counts the same
  // goes before the one by default.
  void per_number(const Value& otp, const std::string& name, std::size_t owner) {
    const Value& value = otp.at("per_number");
    const policy::Tenant& tenant = table_.tenants[owner];
    const std::int64_t by_default = tenant.otp_templates ? kOtpPerNumber : 0;
    Cap cap{.owner = Cap::Owner::tenant, .name = name};
    const std::int64_t most = value.bad ? 0 : value.integer(by_default);
    cap.most = static_cast<std::uint64_t>(most);
    cap.per = Cap::Per::hour;
    cap.by = Cap::kRecipient;
    for (std::size_t i = 0; i < table_.class_rules.size(); ++i) {
      const bool is_otp = table_.class_rules[i].kind == message::ClassKind::otp;
      if (is_otp && (tenant.classes >> i & 1) != 0) cap.classes |= 1u << i;
    }
    if (most == 0 || cap.classes == 0) return;
    const auto same = [&](std::uint32_t at) {
      const Cap& own = table_.caps.all()[at];
      return own.by == cap.by && own.classes == cap.classes && own.countries.empty();
    };
    const auto own = table_.caps.of_tenant({static_cast<std::uint16_t>(owner)});
    if (!value.given && std::ranges::any_of(own, same)) return;
    add(value, std::move(cap), owner);
  }

  void all(const Value& list, Cap::Owner whose, const std::string& name, std::size_t owner) {
    give(read_all(list), whose, name, owner);
  }

  using Read = std::vector<std::pair<const Value*, Cap>>;
  Read read_all(const Value& list) {
    Read out;
    for (const Value& value : list.items) {
      if (value.bad || value.fields.empty()) continue;
      if (auto cap = read(value)) out.emplace_back(&value, std::move(*cap));
    }
    return out;
  }
  void give(const Read& caps, Cap::Owner whose, const std::string& name, std::size_t owner) {
    for (const auto& [value, read] : caps) {
      Cap cap = read;
      cap.owner = whose;
      cap.name = name;
      add(*value, std::move(cap), owner);
    }
  }

 private:
  std::optional<Cap> read(const Value& value) {
    const Value& messages = value.at("messages");
    const Value& segments = value.at("segments");
    if (messages.given == segments.given) {
      findings_.error(value.mark, value.path,
                      messages.given ? "both messages and segments are given"
                                     : "neither messages nor segments are given",
                      "say the most of one of the two, such as messages: 1000");
      return std::nullopt;
    }
    Cap cap;
    cap.segments = segments.given;
    const Value& most = segments.given ? segments : messages;
    if (most.bad) return std::nullopt;
    cap.most = static_cast<std::uint64_t>(most.integer());
    const std::string per = value.at("per").text();
    cap.per = per == "minute" ? Cap::Per::minute : per == "hour" ? Cap::Per::hour : Cap::Per::day;
    constexpr std::string_view kBy[] = {"tenant", "sender", "recipient", "country", "class"};
    for (const Value& item : value.at("by").items) {
      const auto* const by = std::ranges::find(kBy, item.text());
      if (by != std::end(kBy)) cap.by |= static_cast<std::uint8_t>(1u << (by - std::begin(kBy)));
    }
    for (const Value& item : value.at("classes").items) {
      const message::ClassIndex index = refer_.traffic_class(item);
      if (!index.is_none()) cap.classes |= 1u << index.at();
    }
    countries(value, cap);
    resets(value.at("resets"), cap);
    return cap;
  }

  void countries(const Value& value, Cap& cap) {
    if (value.shape->find("countries") == nullptr) return;
    for (const Value& item : value.at("countries").items) {
      const auto country = numbering::Country::parse(item.text());
      if (!country) continue;
      if (!numbering::has_numbers(*country)) {
        findings_.error(item.mark, item.path,
                        fmt::format("no number belongs to {}", quote(item.text())),
                        "write the country as ISO 3166 has it, such as GB");
        continue;
      }
      cap.countries.push_back(*country);
    }
    std::ranges::sort(cap.countries);
  }

  void resets(const Value& value, Cap& cap) {
    const std::string zone = value.text();
    if (value.bad || zone.empty() || zone == "UTC") return;
    if (zone == "rolling") {
      cap.rolling = true;
      return;
    }
    cap.zone = numbering::find_zone(zone);
    cap.zone_name = zone;
    if (cap.zone) return;
    findings_.error(value.mark, value.path, fmt::format("{} is no time zone", quote(zone)),
                    "write UTC, rolling, or a name of the IANA database such as Europe/London");
  }

  void add(const Value& value, Cap cap, std::size_t owner) {
    const std::size_t before = table_.caps.all().size();
    table_.caps.add(std::move(cap), owner, table_.classes);
    const std::uint64_t id = table_.caps.all()[before].id;
    if (ids_.insert(id).second || !told_.insert(value.path).second) return;
    findings_.error(value.mark, value.path, "a cap that counts the same is given already",
                    "keep the lower one");
  }

  const References& refer_;
  policy::Table& table_;
  Findings& findings_;
  std::set<std::uint64_t> ids_;
  std::set<std::string> told_;
};

}  // namespace

void compile_caps(const Value& root, const References& refer,
                  const std::function<message::TenantIndex(const std::string&)>& tenant,
                  const std::function<message::CarrierIndex(const std::string&)>& carrier,
                  policy::Table& table, Findings& findings) {
  CapCompiler caps(refer, table, findings);
  for (const Value& value : root.at("tenants").items) {
    const std::string name = value.at("name").text();
    const message::TenantIndex index = tenant(name);
    const Value& limits = value.at("limits");
    if (index.is_none() || limits.fields.empty()) continue;
    caps.daily(limits.at("daily"), name, index.at());
    caps.all(limits.at("caps"), Cap::Owner::tenant, name, index.at());
    if (!value.at("otp").bad) caps.per_number(value.at("otp"), name, index.at());
  }
  for (const Value& value : root.at("carriers").items) {
    const std::string name = value.at("name").text();
    const message::CarrierIndex index = carrier(name);
    const Value& policy = value.at("policy");
    if (index.is_none() || policy.fields.empty()) continue;
    caps.all(policy.at("caps"), Cap::Owner::carrier, name, index.at());
  }
  const Value* common = nullptr;
  std::set<std::string> own;
  for (const Value& value : root.at("countries").items) {
    if (value.fields.empty()) continue;
    const Value& list = value.at("caps");
    if (value.name == "default") {
      common = &list;
      continue;
    }
    const auto country = numbering::Country::parse(value.name);
    if (!country || !list.given) continue;
    own.insert(value.name);
    caps.all(list, Cap::Owner::country, value.name, country->packed());
  }
  if (common == nullptr || common->items.empty()) return;
  const auto read = caps.read_all(*common);
  for (char a = 'A'; a <= 'Z'; ++a) {
    for (char b = 'A'; b <= 'Z'; ++b) {
      const char letters[] = {a, b};
      const numbering::Country country = *numbering::Country::parse({letters, 2});
      if (!numbering::has_numbers(country) || own.contains(country.code())) continue;
      caps.give(read, Cap::Owner::country, country.code(), country.packed());
    }
  }
}

}  // namespace trunkline::config
