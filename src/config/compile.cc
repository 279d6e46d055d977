#include "config/compile.h"

#include <sodium.h>

#include <algorithm>
#include <map>
#include <unordered_map>

#include "base/assert.h"
#include "base/limits.h"
#include "config/account_values.h"
#include "config/compile_caps.h"
#include "config/compile_cells.h"
#include "config/compile_class.h"
#include "config/compile_limits.h"
#include "config/compile_lookup.h"
#include "config/compile_policy.h"
#include "config/compile_route.h"
#include "config/compile_smpp.h"
#include "config/compile_templates.h"
#include "config/data_files.h"
#include "config/name_table.h"
#include "config/text.h"
#include "message/traffic_class.h"
#include "numbering/country.h"

namespace trunkline::config {
namespace {

constexpr std::size_t kClassesMax = 32;  // sets of classes are 32-bit masks
constexpr double kReserveMax = 0.9;
constexpr std::string_view kDemoCredentials[] = {"tl_demo_key", "tl_demo_admin"};
// Of "demopass", as config/demo.yaml has it.
constexpr std::string_view kDemoPasswordHash =
    "$argon2id$v=19$m=19456,t=2,p=1$j91RNqk6FRFpmynPwxofPg$"
    "PuZoSin3l3SB3Ako5x61Pv0nj1AUIEmS3f1En6rI534";

std::string sha256_hex(std::string_view text) {
  unsigned char digest[crypto_hash_sha256_BYTES];
  crypto_hash_sha256(digest, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  std::string out;
  for (const unsigned char byte : digest) out += fmt::format("{:02x}", byte);
  return out;
}

class Compiler {
 public:
  Compiler(const Value& root, const Config* previous, const FileReader& read_file,
           Findings& findings)
      : root_(root), previous_(previous), data_(read_file, findings), findings_(findings) {
    for (const std::string_view credential : kDemoCredentials) {
      demo_hashes_[sha256_hex(credential)] = credential;
    }
  }

  Config compile() {
    config_.demo = root_.at("demo").boolean();
    const Value& node = root_.at("node");
    config_.node_name = node.at("name").text();
    config_.node_region = node.at("region").text();
    config_.cell = node.at("cell").has_value() ? node.at("cell").text() : config_.node_name;
    config_.store_path = root_.at("store").at("rocksdb").at("path").text();
    listeners();
    admin_tokens();
    name_classes();
    name_carriers();
    name_tenants();
    compile_classes();
    compile_carriers();
    name_regions();
    compile_tenants();
    config_.tables.ranges = data_.ranges(root_.at("numbering").at("ranges"));
    const Value& lookup = root_.at("numbering").at("lookup");
    config_.lookup = compile_lookup(
        lookup, lookup.given && !lookup.bad ? classes_of(lookup.at("class")) : 0, findings_);
    config_.tables.refuses_invalid = config_.lookup && lookup.at("invalid").text() == "refuse";
    compile_prices();
    config_.tables.messages_max = static_cast<std::size_t>(
        root_.at("limits")
            .at("messages")
            .integer(static_cast<std::int64_t>(config_.tables.messages_max)));
    config_.tables.disk_kept_free =
        static_cast<std::uint64_t>(root_.at("limits").at("disk_free_mb").integer(0)) << 20;
    config_.tables.idempotency_retention =
        root_.at("idempotency").at("retention").duration(config_.tables.idempotency_retention);
    config_.tables.policy.demo = config_.demo;
    config_.tables.policy.countries = compile_countries(root_.at("countries"), findings_);
    compile_caps(
        root_, refer_, [this](const std::string& name) { return tenants_.find(name); },
        [this](const std::string& name) { return carriers_.find(name); }, config_.tables.policy,
        findings_);
    compile_routes();
    config_.tables.cell = config_.cell;
    config_.cells =
        compile_cells(root_.at("cells"), config_.cell, config_.admin.has_value(), findings_);
    config_.tables.version = sha256_hex(normalized(root_) + data_.digests()).substr(0, 12);
    config_.tables.policy.version = config_.tables.version;
    return std::move(config_);
  }

 private:
  void error(const Value& at, std::string what, std::string remedy) {
    findings_.error(at.mark, at.path, std::move(what), std::move(remedy));
  }

  // --- listeners and credentials ----------------------------------------------------------------

  void listeners() {
    const Value& listen = root_.at("listen");
    const Value& http = listen.at("http").at("address");
    const Value& smpp = listen.at("smpp").at("address");
    const Value& smpp_tls = listen.at("smpp_tls").at("address");
    const Value& admin = listen.at("admin").at("address");
    if (const auto* endpoint = std::get_if<Endpoint>(&http.scalar)) config_.http = *endpoint;
    if (const auto* endpoint = std::get_if<Endpoint>(&smpp.scalar)) config_.smpp = *endpoint;
    if (const auto* endpoint = std::get_if<Endpoint>(&admin.scalar)) config_.admin = *endpoint;
    std::optional<Endpoint> tls_at;
    if (const auto* endpoint = std::get_if<Endpoint>(&smpp_tls.scalar)) {
      const Value& tls = listen.at("smpp_tls");
      tls_at = *endpoint;
      config_.smpp_tls = TlsListener{.at = *endpoint,
                                     .certificate = file_name(tls.at("certificate")),
                                     .key = file_name(tls.at("key")),
                                     .client_ca = file_name(tls.at("client_ca"))};
    }
    config_.public_url = listen.at("http").at("public_url").text();
    while (config_.public_url.ends_with('/')) config_.public_url.pop_back();
    require_loopback(http);
    require_loopback(smpp);
    require_loopback(smpp_tls);
    require_loopback(admin);
    own_address(smpp, config_.smpp, "http", config_.http);
    own_address(admin, config_.admin, "http", config_.http);
    own_address(smpp_tls, tls_at, "http", config_.http);
    if (config_.smpp) {
      own_address(admin, config_.admin, "smpp", *config_.smpp);
      own_address(smpp_tls, tls_at, "smpp", *config_.smpp);
    }
    if (tls_at) own_address(admin, config_.admin, "smpp_tls", *tls_at);
  }

  FileName file_name(const Value& at) {
    return {.name = at.text(), .place = findings_.locate(at.mark, at.path)};
  }

  void own_address(const Value& at, const std::optional<Endpoint>& one, std::string_view name,
                   const Endpoint& other) {
    if (!one || one->port == 0 || one->port != other.port || one->host != other.host) return;
    error(at, fmt::format("the address is that of listen.{}", name),
          "give each listener its own port");
  }

  void require_loopback(const Value& address) {
    const auto* endpoint = std::get_if<Endpoint>(&address.scalar);
    if (!config_.demo || endpoint == nullptr || is_loopback(endpoint->host)) return;
    error(address,
          fmt::format("a demonstration must not listen on {}: its credentials are published",
                      endpoint->host),
          "use 127.0.0.1, or set demo: false and replace the demo's credentials");
  }

  // Demo credentials and credentials given twice.
  void credential(const Value& hash) {
    const std::string hex = hash.text();
    if (hex.empty()) return;
    const auto demo = demo_hashes_.find(hex);
    if (demo != demo_hashes_.end() && !config_.demo) {
      error(hash, fmt::format("this is the demo's published credential {}", demo->second),
            "make your own with trunkline keys new, or set demo: true");
    }
    const auto [first, is_new] = hashes_.try_emplace(hex, &hash);
    if (!is_new) {
      error(hash, fmt::format("the same credential as {}", first->second->path),
            "make one for each with trunkline keys new");
    }
  }

  void unique_id(const Value& id, std::map<std::string, const Value*>& seen) {
    const std::string name = id.text();
    if (name.empty() || seen.try_emplace(name, &id).second) return;
    error(id, fmt::format("{} is given twice", quote(name)),
          fmt::format("the first is at {}; give each its own", findings_.place(seen[name]->mark)));
  }

  void admin_tokens() {
    const Value& admin = root_.at("admin");
    config_.metrics_open = admin.at("metrics_open").boolean();
    std::map<std::string, const Value*> ids;
    for (const Value& token : admin.at("tokens").items) {
      unique_id(token.at("id"), ids);
      credential(token.at("hash"));
      config_.admin_tokens.push_back(
          {token.at("id").text(), token.at("hash").text(), token.at("role").text()});
    }
  }

  // --- names ------------------------------------------------------------------------------------

  template <class Index>
  void add_name(NameTable<Index>& table, const std::string& name, const Value& at,
                const Value& where, std::string_view noun) {
    if (name.empty()) return;
    switch (table.add(name, where)) {
      case NameTable<Index>::Added::yes:
        return;
      case NameTable<Index>::Added::twice:
        error(at, fmt::format("{} {} is given twice", noun, quote(name)),
              fmt::format("the first is at {}; give each its own name",
                          findings_.place(table.value(name)->mark)));
        return;
      case NameTable<Index>::Added::full:
        error(at, fmt::format("too many names of this kind: {}", table.size()),
              "those removed by reloads count until the process restarts");
        return;
    }
  }

  void name_classes() {
    if (previous_ != nullptr) {
      for (const auto& c : previous_->tables.classes) classes_.keep(c.name);
    }
    // The four of the defaults are always there.
    for (const auto& c : defaults_) classes_.add(c.name, root_.at("classes"));
    for (const Value& c : root_.at("classes").items) {
      class_values_[c.name] = &c;
      const bool is_default =
          std::ranges::find(defaults_, c.name, &message::TrafficClass::name) != defaults_.end();
      if (!is_default) add_name(classes_, c.name, c, c, "class");
    }
  }

  void name_carriers() {
    if (previous_ != nullptr) {
      for (const Carrier& c : previous_->carriers) carriers_.keep(c.name);
    }
    for (const Value& c : root_.at("carriers").items) {
      add_name(carriers_, c.at("name").text(), c.at("name"), c, "carrier");
    }
  }

  void name_tenants() {
    if (previous_ != nullptr) {
      for (const Tenant& t : previous_->tenants) tenants_.keep(t.name);
    }
    for (const Value& t : root_.at("tenants").items) {
      add_name(tenants_, t.at("name").text(), t.at("name"), t, "tenant");
    }
  }

  // None, with a finding, if the name is not defined.
  template <class Index>
  Index refer(const NameTable<Index>& table, const Value& at, std::string_view noun,
              const Value& section) {
    if (!at.has_value() || at.bad) return {};
    const std::string name = at.text();
    const Index found = table.find(name);
    // Where the section itself is wrong, what it lacks is no second mistake.
    if (!found.is_none() || section.bad) return found;
    const auto present = table.present();
    const std::string_view near = nearest(name, present);
    std::string remedy = present.empty() ? fmt::format("define it under {}", section.path)
                                         : fmt::format("defined are: {}", join(present));
    if (!near.empty()) remedy = fmt::format("did you mean {}? {}", quote(near), remedy);
    error(at, fmt::format("{} {} is not defined", noun, quote(name)), remedy);
    return {};
  }
  message::ClassIndex refer_class(const Value& at) {
    return refer(classes_, at, "class", root_.at("classes"));
  }

  std::uint32_t classes_of(const Value& list) {
    std::uint32_t out = 0;
    for (const Value& item : list.items) {
      if (const auto c = refer_class(item); !c.is_none()) out |= 1u << c.at();
    }
    return out;
  }

  // --- classes ----------------------------------------------------------------------------------

  void compile_classes() {
    double reserved = 0;
    for (std::size_t i = 0; i < classes_.size(); ++i) {
      const std::string& name = classes_.name(i);
      message::TrafficClass c{.name = name};
      const auto same = std::ranges::find(defaults_, name, &message::TrafficClass::name);
      if (same != defaults_.end()) c = *same;
      if (classes_.value(name) == nullptr) {
        c = previous_->tables.classes[i];
        c.reserve = 0;  // nothing new comes to use it
        c.removed = true;
      } else if (const auto written = class_values_.find(name); written != class_values_.end()) {
        compile_class(*written->second, c, findings_);
      }
      reserved += c.reserve;
      config_.tables.policy.classes.push_back(name);
      config_.tables.policy.class_rules.push_back({c.kind, c.quiet_hours, c.two_way});
      config_.tables.classes.push_back(std::move(c));
    }
    if (reserved > kReserveMax + 1e-9) {
      error(root_.at("classes"),
            fmt::format("the classes reserve {:.0f}% together; {:.0f}% is the most", reserved * 100,
                        kReserveMax * 100),
            "lower a reserve; what is not written takes its default, such as otp's 30%");
    }
  }

  // --- carriers ---------------------------------------------------------------------------------

  void compile_carriers() {
    for (std::size_t i = 0; i < carriers_.size(); ++i) {
      Carrier carrier{.name = carriers_.name(i)};
      if (previous_ != nullptr && i < previous_->carriers.size()) {
        carrier.region = previous_->carriers[i].region;
      }
      config_.tables.routing.carriers.push_back({carrier.name, carrier.region, true});
      config_.tables.carriers.emplace_back();
      config_.carriers.push_back(std::move(carrier));
    }
    for (const Value& value : root_.at("carriers").items) {
      Carrier carrier{.name = value.at("name").text(),
                      .region = value.at("region").text(),
                      .smpp = smpp(value.at("smpp"))};
      const std::size_t i = carriers_.find(carrier.name).at();
      if (carriers_.value(carrier.name) != &value) continue;  // a name given twice
      config_.tables.carriers[i].rate_per_s = value.at("rate").number();
      const bool told =
          carrier.smpp.options.registered_delivery != smpp::registered_delivery::kNone;
      config_.tables.carriers[i].receipt_deadline =
          told ? carrier.smpp.options.receipts.deadline : base::Duration{};
      text(value.at("smpp").at("text"), carrier.smpp.options.text, i);
      if (const Value& cell = value.at("cell"); cell.has_value()) {
        not_own_cell(cell);
        config_.tables.carriers[i].cell = cell.text();
        carrier.smpp.own_cell = config_.cell;
        if (carrier.smpp.interface_version < 0x34) {
          error(cell,
                "another cell is told by a TLV what came through here, and SMPP 3.3 knows none",
                "raise interface_version");
        }
      }
      config_.tables.routing.carriers[i] = {carrier.name, carrier.region, false};
      if (auto rules = compile_carrier_policy(value, refer_, findings_)) {
        config_.tables.policy.carriers.put(carriers_.find(carrier.name), std::move(*rules));
      }
      config_.carriers[i] = std::move(carrier);
    }
  }

  void not_own_cell(const Value& cell) {
    if (cell.text() != config_.cell) return;
    error(cell, fmt::format("{} is this cell itself", quote(config_.cell)),
          "write the other one's node.cell, or give this one another");
  }

  void text(const Value& value, const gsm::TextOptions& options, std::size_t carrier) {
    config_.tables.carriers[carrier].text = gsm::text_code(options);
    auto& known = config_.text_options;
    if (options == gsm::TextOptions{} || std::ranges::find(known, options) != known.end()) return;
    known.push_back(options);
    if (known.size() <= kTextOptionsMax) return;
    error(
        value,
        fmt::format("{} other ways to write texts; {} is the most", known.size(), kTextOptionsMax),
        "let more carriers have the same");
  }

  SmppCarrier smpp(const Value& value) {
    SmppCarrier smpp;
    smpp.host = value.at("host").text();
    smpp.port = static_cast<std::uint16_t>(value.at("port").integer());
    smpp.system_id = value.at("system_id").text();
    smpp.password = value.at("password").text();
    smpp.system_type = value.at("system_type").text();
    smpp.bind = value.at("bind").text() == "transmitter_receiver"
                    ? SmppCarrier::Bind::transmitter_receiver
                    : SmppCarrier::Bind::transceiver;
    smpp.binds = static_cast<std::uint16_t>(value.at("binds").integer(smpp.binds));
    smpp.window = static_cast<std::uint32_t>(value.at("window").integer(smpp.window));
    smpp.enquire_link = value.at("enquire_link").duration(smpp.enquire_link);
    smpp.bind_timeout = value.at("bind_timeout").duration(smpp.bind_timeout);
    smpp.reconnect_first = value.at("reconnect_first").duration(smpp.reconnect_first);
    smpp.reconnect_max = value.at("reconnect_max").duration(smpp.reconnect_max);
    smpp.default_sender = value.at("default_sender").text();
    smpp.interface_version = interface_version(value.at("interface_version").text());
    smpp.options = compile_smpp_options(value, classes_.present(), findings_);
    if (value.at("tls").given) smpp.tls = carrier_tls(value.at("tls"), smpp.host);
    if (smpp.reconnect_first > smpp.reconnect_max) {
      const bool first = value.at("reconnect_first").given;
      error(value.at(first ? "reconnect_first" : "reconnect_max"),
            fmt::format("the first wait, {}, is longer than the longest, {}",
                        base::format_duration(smpp.reconnect_first),
                        base::format_duration(smpp.reconnect_max)),
            "lower reconnect_first or raise reconnect_max");
    }
    return smpp;
  }

  CarrierTls carrier_tls(const Value& value, const std::string& host) {
    CarrierTls tls;
    tls.ca = file_name(value.at("ca"));
    for (const Value& pin : value.at("pin").items) tls.pins.push_back(pin.text());
    tls.server_name = value.at("server_name").text(host);
    tls.certificate = file_name(value.at("certificate"));
    tls.key = file_name(value.at("key"));
    const bool has_certificate = value.at("certificate").given;
    if (has_certificate != value.at("key").given) {
      error(value.at(has_certificate ? "certificate" : "key"),
            fmt::format("a {} alone is of no use", has_certificate ? "certificate" : "key"),
            fmt::format("add {}:, or remove this", has_certificate ? "key" : "certificate"));
    }
    return tls;
  }

  // --- tenants ----------------------------------------------------------------------------------

  void compile_tenants() {
    for (std::size_t i = 0; i < tenants_.size(); ++i) {
      Tenant tenant{.name = tenants_.name(i)};
      if (previous_ != nullptr && i < previous_->tenants.size()) {
        tenant.default_class = previous_->tenants[i].default_class;
      }
      config_.tables.policy.tenants.push_back({.name = tenant.name, .removed = true});
      config_.tables.routing.residency.push_back(0);
      config_.tenants.push_back(std::move(tenant));
    }
    for (const Value& value : root_.at("tenants").items) {
      policy::Tenant rules{.name = value.at("name").text()};
      const message::TenantIndex index = tenants_.find(rules.name);
      const message::ClassIndex default_class = fill_tenant(value, rules);
      keys(value, index);
      const std::size_t first = config_.accounts.size();
      accounts(value, index, default_class);
      numbers(value, index, first);
      if (tenants_.value(rules.name) != &value) continue;  // a name given twice
      config_.tenants[index.at()].default_class = default_class;
      config_.tables.policy.tenants[index.at()] = std::move(rules);
      config_.tables.routing.residency[index.at()] = regions(value.at("residency"));
    }
    std::ranges::sort(config_.accounts, {}, &SmppAccount::system_id);
    std::ranges::sort(config_.numbers, {}, &InboundNumber::digits);
  }

  message::ClassIndex fill_tenant(const Value& value, policy::Tenant& rules) {
    const Value& default_class = value.at("default_class");
    const Value& classes = value.at("classes");
    const message::ClassIndex index = refer_class(default_class);
    for (const Value& item : classes.items) {
      const message::ClassIndex allowed = refer_class(item);
      if (!allowed.is_none()) rules.classes |= 1u << allowed.at();
    }
    if (!index.is_none() && !classes.given) rules.classes = 1u << index.at();
    if (!index.is_none() && classes.given && !classes.bad &&
        (rules.classes >> index.at() & 1) == 0) {
      error(default_class,
            fmt::format("{} is not among the tenant's classes", quote(default_class.text())),
            "add it to classes, or choose one of them");
    }
    for (const Value& sender : value.at("senders").items) rules.senders.push_back(sender.text());
    compile_limits(value.at("limits"), refer_, rules);
    compile_tenant_policy(value, refer_, rules, findings_);
    compile_templates(value, refer_, config_.tables.policy.class_rules, config_.demo, rules,
                      findings_);
    return index;
  }

  void keys(const Value& tenant, message::TenantIndex index) {
    std::map<std::string, const Value*> ids;
    for (const Value& key : tenant.at("keys").items) {
      unique_id(key.at("id"), ids);
      credential(key.at("hash"));
      config_.keys.push_back({key.at("id").text(), key.at("hash").text(), index});
    }
  }

  // --- SMPP accounts and inbound numbers --------------------------------------------------------

  void accounts(const Value& tenant, message::TenantIndex index,
                message::ClassIndex default_class) {
    for (const Value& value : tenant.at("smpp").items) {
      unique_id(value.at("system_id"), system_ids_);
      SmppAccount account;
      account.system_id = value.at("system_id").text();
      account.password_hash = value.at("password_hash").text();
      if (account.password_hash == kDemoPasswordHash && !config_.demo) {
        error(value.at("password_hash"), "this is the hash of the demo's published password",
              "make your own with trunkline keys password, or set demo: true");
      }
      account.tenant = index;
      account.traffic_class = default_class;
      if (value.at("class").given) account.traffic_class = tenant_class(value.at("class"), tenant);
      for (const Value& item : value.at("service_types").items) {
        account.service_types.push_back(
            {item.at("is").text(), tenant_class(item.at("class"), tenant)});
      }
      account.class_tlv = class_tlv(value.at("class_tlv"), tenant);
      account.consent_tlv = read_tag(value.at("consent_tlv"), findings_);
      for (const Value& item : value.at("addresses").items)
        account.addresses.push_back(item.text());
      for (const Value& item : value.at("senders").items) {
        account.senders.push_back(item.text());
        belongs(item, tenant, "senders");
      }
      account.binds = static_cast<std::uint16_t>(value.at("binds").integer(account.binds));
      account.window = static_cast<std::uint32_t>(value.at("window").integer(account.window));
      account.rate_per_s = value.at("rate").number();
      account.dedup = value.at("dedup").duration(account.dedup);
      account.alphabet = default_alphabet(value.at("alphabet").text());
      read_inbound(value, account);
      if (const Value& cell = value.at("cell"); cell.has_value()) {
        not_own_cell(cell);
        account.cell = cell.text();
      }
      account.receipts = read_receipts(value.at("receipts"), findings_);
      config_.accounts.push_back(std::move(account));
    }
  }

  SmppAccount::ClassTlv class_tlv(const Value& value, const Value& tenant) {
    SmppAccount::ClassTlv out;
    if (!value.given || value.bad) return out;
    out.tag = read_tag(value.at("tag"), findings_);
    std::map<std::string, const Value*> seen;
    for (const Value& item : value.at("values").items) {
      const std::string is = item.at("is").text();
      unique_id(item.at("is"), seen);
      const auto octets = parse_hex_octets(is);
      out.values.push_back({.octets = octets.value_or(is),
                            .is_text = !octets,
                            .traffic_class = tenant_class(item.at("class"), tenant)});
    }
    return out;
  }

  // A class the tenant may send; refused here rather than with every message.
  message::ClassIndex tenant_class(const Value& at, const Value& tenant) {
    const message::ClassIndex found = refer_class(at);
    const Value& classes = tenant.at("classes");
    const bool is_default = at.text() == tenant.at("default_class").text();
    const bool listed = std::ranges::any_of(
        classes.items, [&](const Value& item) { return item.text() == at.text(); });
    if (!found.is_none() && !listed && !is_default) {
      error(at, fmt::format("{} is not among the tenant's classes", quote(at.text())),
            "add it to classes, or choose one of them");
    }
    return found;
  }

  void belongs(const Value& at, const Value& tenant, std::string_view key) {
    const bool listed = std::ranges::any_of(
        tenant.at(key).items, [&](const Value& item) { return item.text() == at.text(); });
    if (listed || at.text().empty() || tenant.at(key).bad) return;
    error(at, fmt::format("{} is not among the tenant's {}", quote(at.text()), key),
          fmt::format("add it to the tenant's {}", key));
  }

  // Each number of the tenant to the account that names it, else to its first account.
  void numbers(const Value& tenant, message::TenantIndex index, std::size_t first) {
    std::map<std::string, std::string> owners;
    std::size_t at = first;
    for (const Value& account : tenant.at("smpp").items) {
      for (const Value& number : account.at("numbers").items) {
        belongs(number, tenant, "numbers");
        const auto [owner, is_new] =
            owners.try_emplace(digits_of(number.text()), account.at("system_id").text());
        if (!is_new) {
          error(number,
                fmt::format("{} goes to account {} already", quote(number.text()),
                            quote(owner->second)),
                "give each number to one account");
        }
      }
      ++at;
    }
    for (const Value& number : tenant.at("numbers").items) {
      const std::string digits = digits_of(number.text());
      if (digits.empty()) continue;
      if (const auto [other, is_new] = inbound_.try_emplace(digits, &number); !is_new) {
        error(number, fmt::format("{} is given twice", quote(number.text())),
              fmt::format("the first is at {}; a number belongs to one tenant",
                          findings_.place(other->second->mark)));
        continue;
      }
      InboundNumber out{.digits = digits, .tenant = index};
      if (const auto owner = owners.find(digits); owner != owners.end()) {
        out.account = owner->second;
      } else if (first < at) {
        out.account = config_.accounts[first].system_id;
      }
      config_.numbers.push_back(std::move(out));
    }
  }

  void compile_prices() {
    const Value& currency = root_.at("currency");
    std::string& name = config_.tables.routing.currency;
    name = currency.text();
    const auto capital = [](char c) { return c >= 'A' && c <= 'Z'; };
    if (!name.empty() && (name.size() != 3 || !std::ranges::all_of(name, capital))) {
      error(currency, quote(name) + " is no currency", "write three capitals, such as EUR");
    }
    for (const Value& value : root_.at("carriers").items) {
      const auto index = carriers_.find(value.at("name").text());
      if (index.is_none()) continue;
      config_.tables.routing.carriers[index.at()].prices =
          data_.prices(value.at("prices"), config_.tables.ranges, name);
    }
  }

  // --- routes -----------------------------------------------------------------------------------

  void compile_routes() {
    std::map<std::string, const Value*> names;
    for (const Value& value : root_.at("routes").items) {
      unique_id(value.at("name"), names);
      routing::Route route{.name = value.at("name").text(), .match = match(value.at("match"))};
      std::map<std::string, const Value*> carriers;
      for (const Value& via : value.at("via").items) {
        const Value& name = via.at("carrier");
        unique_id(name, carriers);
        const auto carrier = refer(carriers_, name, "carrier", root_.at("carriers"));
        if (carrier.is_none()) continue;
        route.via.push_back({carrier, via.at("price").number(-1), via.at("weight").number(1)});
      }
      if (value.at("via").items.size() > routing::kViaMax) {
        error(value.at("via"),
              fmt::format("{} carriers; {} is the most", value.at("via").items.size(),
                          routing::kViaMax),
              "leave out the last ones");
        route.via.resize(std::min(route.via.size(), routing::kViaMax));
      }
      route.strategy = routing::strategy_from_name(value.at("strategy").text())
                           .value_or(routing::Strategy::priority);
      route.sticky = value.at("sticky").boolean();
      if (route.sticky && route.strategy != routing::Strategy::weighted) {
        error(value.at("sticky"),
              fmt::format("strategy {} gives a recipient no carrier of its own",
                          routing::name(route.strategy)),
              "use strategy: weighted, or leave sticky out");
      }
      route.residency = regions(value.at("residency"));
      if (value.at("spill_to").given) route.spill_to = spill_to(value.at("spill_to"));
      const Value& canary = value.at("canary");
      if (canary.given && !canary.bad) {
        const auto carrier =
            refer(carriers_, canary.at("carrier"), "carrier", root_.at("carriers"));
        compile_canary(canary, carrier, classes_of(canary.at("class")), config_, route, findings_);
      }
      check_residency(value, route, config_.tables.routing, findings_);
      config_.route_places.push_back(findings_.locate(value.mark, value.path));
      config_.tables.routing.routes.push_back(std::move(route));
    }
    config_.tables.routing.home_region = config_.node_region;
    routing::finish(config_.tables.routing);
  }

  // --- regions ----------------------------------------------------------------------------------

  // Those that carriers are in, those of carriers that are gone included.
  void name_regions() {
    std::vector<std::string>& names = config_.tables.routing.regions;
    for (const routing::Carrier& carrier : config_.tables.routing.carriers) {
      if (std::ranges::find(names, carrier.region) == names.end()) names.push_back(carrier.region);
    }
    if (names.size() > routing::kRegionsMax) {
      error(
          root_.at("carriers"),
          fmt::format("carriers in {} regions; {} is the most", names.size(), routing::kRegionsMax),
          "use fewer words for regions");
      for (routing::Carrier& carrier : config_.tables.routing.carriers) carrier.region = names[0];
      names.resize(1);
    }
  }

  std::optional<std::uint8_t> region(const Value& item) {
    const auto& names = config_.tables.routing.regions;
    const std::string name = item.text();
    const auto found = std::ranges::find(names, name);
    if (found != names.end()) return static_cast<std::uint8_t>(found - names.begin());
    if (item.bad || root_.at("carriers").bad) return std::nullopt;
    const std::vector<std::string_view> present(names.begin(), names.end());
    const std::string_view near = nearest(name, present);
    std::string remedy =
        present.empty() ? "add a carrier there" : fmt::format("carriers are in: {}", join(present));
    if (!near.empty()) remedy = fmt::format("did you mean {}? {}", quote(near), remedy);
    error(item, fmt::format("no carrier is in region {}", quote(name)), remedy);
    return std::nullopt;
  }

  routing::Regions regions(const Value& list) {
    routing::Regions out = 0;
    for (const Value& item : list.items) {
      if (const auto at = region(item)) out |= routing::Regions{1} << *at;
    }
    if (list.given && !list.bad && list.items.empty()) {
      error(list, "an empty list allows no region at all", "name the regions, or leave it out");
    }
    return out;
  }

  std::vector<std::uint8_t> spill_to(const Value& list) {
    std::vector<std::uint8_t> out;
    for (const Value& item : list.items) {
      const auto at = region(item);
      if (at && std::ranges::find(out, *at) == out.end()) out.push_back(*at);
    }
    return out;
  }

  routing::Match match(const Value& value) {
    routing::Match match;
    for (const Value& item : value.at("country").items) {
      const auto country = numbering::Country::parse(item.text());
      if (!country) continue;
      if (!numbering::has_numbers(*country)) {
        error(item, fmt::format("no numbers belong to country {}", quote(item.text())),
              item.text() == "UK" ? "did you mean \"GB\"?" : "use a code of ISO 3166, such as GB");
      }
      match.countries.push_back(*country);
    }
    std::ranges::sort(match.countries);
    match.networks = match_networks(value, match.countries, config_.tables.ranges, findings_);
    if (value.at("when").given) match.when = match_hours(value.at("when"), findings_);
    for (const Value& item : value.at("class").items) {
      const message::ClassIndex index = refer_class(item);
      if (!index.is_none()) match.classes |= 1u << index.at();
    }
    for (const Value& item : value.at("tenant").items) {
      const auto index = refer(tenants_, item, "tenant", root_.at("tenants"));
      if (!index.is_none()) match.tenants.push_back(index);
    }
    for (const Value& item : value.at("number_type").items) {
      for (unsigned t = 0; t <= static_cast<unsigned>(numbering::NumberType::voicemail); ++t) {
        const auto type = static_cast<numbering::NumberType>(t);
        if (numbering::name(type) == item.text()) match.types |= routing::type_bit(type);
      }
    }
    for (const Value& item : value.at("sender").items) match.senders.push_back(item.text());
    std::ranges::sort(match.senders);
    if (value.at("unicode").given) match.unicode = value.at("unicode").boolean();
    match.segments_min =
        static_cast<std::uint8_t>(value.at("min_segments").integer(match.segments_min));
    match.segments_max =
        static_cast<std::uint8_t>(value.at("max_segments").integer(match.segments_max));
    if (match.segments_min > match.segments_max) {
      error(value.at("max_segments"),
            fmt::format("no text has at least {} and at most {} segments", match.segments_min,
                        match.segments_max),
            "lower min_segments or raise max_segments");
    }
    return match;
  }

  const Value& root_;
  const Config* previous_;
  DataFiles data_;
  Findings& findings_;
  Config config_;
  std::vector<message::TrafficClass> defaults_ = message::default_traffic_classes();
  NameTable<message::ClassIndex> classes_{kClassesMax};
  NameTable<message::CarrierIndex> carriers_{message::CarrierIndex::kNone};
  NameTable<message::TenantIndex> tenants_{message::TenantIndex::kNone};
  const References refer_{
      [this](const Value& at) { return refer_class(at); },
      [this](const Value& at) { return refer(carriers_, at, "carrier", root_.at("carriers")); }};
  std::map<std::string, const Value*> class_values_;
  std::map<std::string, std::string_view> demo_hashes_;
  std::unordered_map<std::string, const Value*> hashes_;
  std::map<std::string, const Value*> system_ids_;
  std::map<std::string, const Value*> inbound_;
};

}  // namespace

Config compile(const Value& root, const Config* previous, const FileReader& read_file,
               Findings& findings) {
  return Compiler(root, previous, read_file, findings).compile();
}

}  // namespace trunkline::config
