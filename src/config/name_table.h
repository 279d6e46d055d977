// Names to the indices by which everything compiled speaks of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "config/check.h"

namespace trunkline::config {

// The index of each name. Names known before keep theirs; new ones follow.
template <class Index>
class NameTable {
 public:
  explicit NameTable(std::size_t max) : max_(max) {}

  // Names of the configuration before, in order of their index.
  void keep(std::string name) {
    names_.push_back(name);
    index_.emplace(std::move(name), Entry{names_.size() - 1, nullptr});
  }
  // A name of this configuration. Null if it was given before, or there is no room.
  enum class Added : std::uint8_t { yes, twice, full };
  Added add(const std::string& name, const Value& at) {
    const auto [found, is_new] = index_.try_emplace(name, Entry{names_.size(), nullptr});
    if (found->second.value != nullptr) return Added::twice;
    if (is_new && names_.size() >= max_) {
      index_.erase(found);
      return Added::full;
    }
    if (is_new) names_.push_back(name);
    found->second.value = &at;
    return Added::yes;
  }

  std::size_t size() const { return names_.size(); }
  const std::string& name(std::size_t i) const { return names_[i]; }
  // Where the name stands in this configuration; null if it is not in it any more.
  const Value* value(const std::string& name) const {
    const auto found = index_.find(name);
    return found == index_.end() ? nullptr : found->second.value;
  }
  // None if the name is not in this configuration.
  Index find(const std::string& name) const {
    const auto found = index_.find(name);
    if (found == index_.end() || found->second.value == nullptr) return {};
    return {static_cast<decltype(Index::value)>(found->second.at)};
  }
  std::vector<std::string_view> present() const {
    std::vector<std::string_view> out;
    for (const std::string& name : names_) {
      if (value(name) != nullptr) out.emplace_back(name);
    }
    return out;
  }

 private:
  struct Entry {
    std::size_t at = 0;
    const Value* value = nullptr;
  };
  std::size_t max_;
  std::vector<std::string> names_;
  std::unordered_map<std::string, Entry> index_;
};

}  // namespace trunkline::config
