// The files besides the YAML that a configuration is made of: number ranges and prices.
#pragma once

#include <optional>
#include <string>

#include "config/check.h"
#include "config/config.h"
#include "config/findings.h"
#include "numbering/ranges.h"
#include "routing/prices.h"

namespace trunkline::config {

class DataFiles {
 public:
  // Both outlive this.
  DataFiles(const FileReader& read, Findings& findings) : read_(read), findings_(findings) {}

  // Of the file that `path` names; none, with findings, if it is wrong; none if it names none.
  numbering::Ranges ranges(const Value& path);

  // The same for prices; `currency` as in PriceList::parse.
  routing::PriceList prices(const Value& path, const numbering::Ranges& ranges,
                            std::string& currency);

  // What was read, as hashes: part of what the configuration is.
  const std::string& digests() const { return digests_; }

 private:
  std::optional<std::string> read(const Value& path);

  const FileReader& read_;
  Findings& findings_;
  std::string digests_;
};

}  // namespace trunkline::config
