// Reads configuration from disk and secrets from the environment: the effects config/ leaves to
// its caller.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "cells/copy.h"
#include "config/config.h"
#include "config/shared.h"

namespace trunkline::cli {

// One file ("-": standard input), or all *.yaml and *.yml of a directory in name order. At most one
// byte more than config/ accepts is read of each. The error is a sentence.
std::expected<std::vector<config::SourceFile>, std::string> read_config_files(
    const std::string& path);

// The same of a cell that takes some of its files from another: its own, and what it has taken
// last.
struct ConfigFiles {
  std::vector<config::SourceFile> files;  // for config::load()
  std::optional<config::Following> following;
  std::optional<cells::Copy> taken;  // from the cell that is followed
  std::string no_copy;               // why there is none though one was there
};
std::expected<ConfigFiles, std::string> read_all_config_files(const std::string& path);

// ${NAME} from the environment, file:PATH from disk (relative to the working directory, without its
// last line end). A variable that is set and empty counts as set.
config::SecretResolver system_secrets();

// Of number ranges and prices.
config::FileReader system_files();

// All of the above and config::load(). Prints every finding to stderr, one a line; none if there
// is an error. Pass the running configuration on a reload.
std::optional<config::Config> load_config(const std::string& path, const config::Config* previous);

// Writes `text` beside the file and renames it into place, with the file's permissions; a link is
// followed. The error is a sentence; then the file is as it was.
std::expected<void, std::string> replace_file(const std::string& path, const std::string& text);

}  // namespace trunkline::cli
