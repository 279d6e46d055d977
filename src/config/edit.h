// Finding credentials in a configuration file, and taking one out without touching anything else.
//
// Works on the text and not on a loaded configuration, so that a key can be revoked whatever else
// is wrong with the file.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "config/config.h"

namespace trunkline::config {

struct KeyPlace {
  std::string owner;  // the tenant's name; empty: a token of `admin`
  std::string id;
  int line = 0;    // from 1
  int column = 0;  // from 1, in bytes
};

// In the order written. The error is the YAML's: "FILE:LINE:COLUMN: error: …".
std::expected<std::vector<KeyPlace>, std::string> find_keys(const SourceFile& file);

// The file's text without that one credential: comments and layout stay, and both texts have been
// parsed and compared to be sure. The error is a sentence, for a layout that is not understood.
std::expected<std::string, std::string> remove_key(const SourceFile& file, const KeyPlace& key);

}  // namespace trunkline::config
