#include "base/limits.h"
#include "config/check.h"
#include "config/compile.h"
#include "config/config.h"
#include "config/findings.h"
#include "config/shared.h"
#include "config/yaml_tree.h"

namespace trunkline::config {

std::optional<Node> merge_files(const std::vector<SourceFile>& files, std::vector<OwnKey>* own_keys,
                                Findings& findings) {
  if (files.empty()) {
    findings.error({}, "", "there is no configuration file", "name a file, or a directory of them");
    return std::nullopt;
  }
  std::size_t budget = base::limits::kConfigNodesMax;
  std::optional<Node> whole;
  bool complete = true;
  for (std::size_t i = 0; i < files.size(); ++i) {
    auto root = parse_yaml(files[i], static_cast<std::uint16_t>(i), budget, findings);
    if (root && own_keys != nullptr) find_own_keys(*root, *own_keys);
    if (!root) {
      complete = false;
    } else if (!whole) {
      whole = std::move(root);
    } else {
      merge(*whole, std::move(*root), "", findings);
    }
  }
  if (!complete) return std::nullopt;
  return whole;
}

Loaded load(const std::vector<SourceFile>& files, const SecretResolver& secrets,
            const Config* previous, const FileReader& read_file, std::optional<base::Wall> now) {
  Findings findings(files);
  Loaded loaded;
  std::vector<OwnKey> own_keys;
  if (const std::optional<Node> tree = merge_files(files, &own_keys, findings)) {
    const Value root = check(*tree, secrets, findings);
    Config config = compile(root, previous, read_file, findings);
    compile_shared(root.at("cells"), files, own_keys, config, findings);
    advise(root, config, findings);
    if (now && findings.errors() == 0) advise_on_dates(root, config, *now, findings);
    if (findings.errors() == 0) loaded.config = std::move(config);
  }
  loaded.findings = findings.take();
  return loaded;
}

const SmppAccount* Config::find_account(std::string_view system_id) const {
  const auto found = std::ranges::lower_bound(accounts, system_id, {}, &SmppAccount::system_id);
  return found == accounts.end() || found->system_id != system_id ? nullptr : &*found;
}

const InboundNumber* Config::find_number(std::string_view digits) const {
  const auto found = std::ranges::lower_bound(numbers, digits, {}, &InboundNumber::digits);
  return found == numbers.end() || found->digits != digits ? nullptr : &*found;
}

message::ClassIndex Config::find_class(std::string_view name) const {
  for (std::size_t i = 0; i < tables.classes.size(); ++i) {
    if (tables.classes[i].name == name && !tables.classes[i].removed) {
      return {static_cast<std::uint8_t>(i)};
    }
  }
  return {};
}

}  // namespace trunkline::config
