// The part of a configuration that is the same in all cells. One cell has it (`cells.shares` names
// its files), the others take it from there (`cells.takes_configuration_from`): as it is written,
// so that each fills in its own secrets, and as though the files lay among their own.
//
// Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/check.h"
#include "config/config.h"
#include "config/findings.h"
#include "config/yaml_tree.h"

namespace trunkline::config {

// The name of a file that can be shared: letters, digits and _ . -, at the end .yaml or .yml, at
// most 100 octets, and nothing hidden. It names no directory.
bool is_shared_name(std::string_view name);
// "routes.yaml" of "/etc/trunkline/routes.yaml".
std::string_view base_name(std::string_view path);
// Of names and texts; `files` by name.
std::string shared_version(const std::vector<SourceFile>& files);

// What a cell's own files say of whom it takes the rest from.
struct Following {
  Cells cells;       // takes_from is one of its peers
  std::string cell;  // this one
  std::string store_path;
};
// None: from nobody, or so much is wrong there that load() will say it.
std::optional<Following> following(const std::vector<SourceFile>& own,
                                   const SecretResolver& secrets);

// The cell's own files and those taken from `from`, by name, for load(). In findings the latter are
// called "eu:routes.yaml".
std::vector<SourceFile> with_taken(std::vector<SourceFile> own,
                                   const std::vector<SourceFile>& taken, const std::string& from);

// --- for load.cc
// A key of one file that says what only this cell is: `node`, `listen`, `store`, `cells`.
struct OwnKey {
  std::string key;
  Mark mark;
};
// All files as one tree; none if one of them cannot be read as YAML. `own_keys`, if it is not null,
// are those of all files.
std::optional<Node> merge_files(const std::vector<SourceFile>& files, std::vector<OwnKey>* own_keys,
                                Findings& findings);
void find_own_keys(const Node& root, std::vector<OwnKey>& out);
// What is wrong with files that were taken, and with those that `config` shares; fills in
// Config::shared and taken_version.
void compile_shared(const Value& cells, const std::vector<SourceFile>& files,
                    const std::vector<OwnKey>& own_keys, Config& config, Findings& findings);

}  // namespace trunkline::config
