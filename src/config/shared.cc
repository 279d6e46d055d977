#include "config/shared.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>

#include "base/limits.h"
#include "config/compile_cells.h"

namespace trunkline::config {
namespace {

namespace limits = base::limits;

constexpr std::size_t kNameMax = 100;
constexpr std::size_t kVersionOctets = 6;
constexpr std::string_view kOwnKeys[] = {"node", "listen", "store", "cells"};

}  // namespace

bool is_shared_name(std::string_view name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  };
  return name.size() <= kNameMax && !name.starts_with('.') && std::ranges::all_of(name, plain) &&
         (name.ends_with(".yaml") || name.ends_with(".yml"));
}

std::string_view base_name(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == path.npos ? path : path.substr(slash + 1);
}

std::string shared_version(const std::vector<SourceFile>& files) {
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  const auto add = [&](std::string_view text) {
    const std::string size = fmt::format("{}:", text.size());
    for (const std::string_view part : {std::string_view(size), text}) {
      crypto_hash_sha256_update(&state, reinterpret_cast<const unsigned char*>(part.data()),
                                part.size());
    }
  };
  for (const SourceFile& file : files) {
    add(file.name);
    add(file.text);
  }
  unsigned char digest[crypto_hash_sha256_BYTES];
  crypto_hash_sha256_final(&state, digest);
  std::string out;
  for (std::size_t i = 0; i < kVersionOctets; ++i) out += fmt::format("{:02x}", digest[i]);
  return out;
}

std::vector<SourceFile> with_taken(std::vector<SourceFile> own,
                                   const std::vector<SourceFile>& taken, const std::string& from) {
  for (const SourceFile& file : taken) {
    own.push_back({fmt::format("{}:{}", from, file.name), file.text, from});
  }
  // As a directory is read; "eu:" is no directory.
  std::ranges::stable_sort(own, {}, [](const SourceFile& file) {
    const std::string_view name = base_name(file.name);
    return std::string(file.from.empty() ? name : name.substr(file.from.size() + 1));
  });
  return own;
}

void find_own_keys(const Node& root, std::vector<OwnKey>& out) {
  for (const Entry& entry : root.entries) {
    if (std::ranges::find(kOwnKeys, entry.key) != std::end(kOwnKeys)) {
      out.push_back({entry.key, entry.mark});
    }
  }
}

namespace {

// Where they were shared they lie in one directory: none has two of a name.
void refuse_twins(const std::vector<SourceFile>& files, Findings& findings) {
  for (const SourceFile& taken : files) {
    if (taken.from.empty()) continue;
    const std::string_view name = std::string_view(taken.name).substr(taken.from.size() + 1);
    for (std::size_t i = 0; i < files.size(); ++i) {
      if (!files[i].from.empty() || base_name(files[i].name) != name) continue;
      findings.error({.file = static_cast<std::uint16_t>(i), .line = 0}, "",
                     fmt::format("cell {} shares a file {}, too", taken.from, quote(name)),
                     "remove this one if that one takes its place, or rename it");
    }
  }
}

class Sharing {
 public:
  Sharing(const Value& cells, const std::vector<SourceFile>& files, Findings& findings)
      : cells_(cells), files_(files), findings_(findings), is_shared_(files.size()) {
    for (std::size_t i = 0; i < files.size(); ++i) is_shared_[i] = !files[i].from.empty();
  }

  // What `cells.shares` names; null if that is nothing, or something is wrong.
  std::shared_ptr<const SharedFiles> shared() {
    const Value& shares = cells_.at("shares");
    if (shares.items.empty()) return nullptr;
    auto out = std::make_shared<SharedFiles>();
    std::size_t octets = 0;
    for (const Value& item : shares.items) {
      if (item.bad) continue;
      const std::size_t at = find(item.text());
      if (at == files_.size()) {
        no_such_file(item);
        continue;
      }
      is_shared_[at] = true;
      octets += files_[at].text.size();
      out->files.push_back({item.text(), files_[at].text});
    }
    if (out->files.size() > limits::kSharedFilesMax) {
      findings_.error(
          shares.mark, shares.path,
          fmt::format("{} files, {} can be shared", out->files.size(), limits::kSharedFilesMax),
          "put what belongs together into one");
    }
    if (octets > limits::kSharedBytesMax) {
      findings_.error(shares.mark, shares.path,
                      fmt::format("these files are {} octets together, {} can be shared", octets,
                                  limits::kSharedBytesMax),
                      "leave to each cell what only it needs");
    }
    std::ranges::sort(out->files, {}, &SourceFile::name);
    out->version = shared_version(out->files);
    return out;
  }

  void refuse(const std::vector<OwnKey>& own_keys) {
    for (const OwnKey& own : own_keys) {
      if (!is_shared_[own.mark.file]) continue;
      findings_.error(
          own.mark, own.key,
          fmt::format("{} is each cell's own, and this file is shared by all", quote(own.key)),
          files_[own.mark.file].from.empty()
              ? "move it into a file that cells.shares does not name"
              : fmt::format("move it, in the cell {}, into a file that cells.shares "
                            "does not name",
                            files_[own.mark.file].from));
    }
  }

 private:
  std::size_t find(std::string_view name) const {
    const auto same = [&](const SourceFile& file) {
      return file.from.empty() && base_name(file.name) == name;
    };
    return static_cast<std::size_t>(std::ranges::find_if(files_, same) - files_.begin());
  }

  void no_such_file(const Value& item) {
    const auto error = [&](std::string what, std::string remedy) {
      findings_.error(item.mark, item.path, std::move(what), std::move(remedy));
    };
    if (!is_shared_name(item.text())) {
      return error(fmt::format("{} cannot be the name of a shared file", quote(item.text())),
                   "name a file beside this one, without its directory: letters, digits, _ . -, "
                   "and .yaml or .yml at the end");
    }
    if (files_.size() == 1) {
      return error("this configuration is one file, and cannot be shared as a whole",
                   "put what all cells have into files of their own, in one directory with this "
                   "one, and start with --config DIRECTORY");
    }
    std::vector<std::string_view> names;
    for (const SourceFile& file : files_) {
      if (file.from.empty()) names.push_back(base_name(file.name));
    }
    error(fmt::format("{} is no file of this configuration", quote(item.text())),
          fmt::format("its files are: {}", join(names)));
  }

  const Value& cells_;
  const std::vector<SourceFile>& files_;
  Findings& findings_;
  std::vector<bool> is_shared_;  // by file, in either direction
};

}  // namespace

void compile_shared(const Value& cells, const std::vector<SourceFile>& files,
                    const std::vector<OwnKey>& own_keys, Config& config, Findings& findings) {
  refuse_twins(files, findings);
  std::vector<SourceFile> taken;
  for (const SourceFile& file : files) {
    if (file.from.empty()) continue;
    taken.push_back({file.name.substr(file.from.size() + 1), file.text});
  }
  std::ranges::sort(taken, {}, &SourceFile::name);
  if (!taken.empty()) config.taken_version = shared_version(taken);
  Sharing sharing(cells, files, findings);
  if (!cells.bad) config.shared = sharing.shared();
  sharing.refuse(own_keys);
  const Value& from = cells.at("takes_configuration_from");
  if (from.bad || !from.has_value()) return;
  if (config.shared != nullptr) {
    findings.error(from.mark, from.path, "a cell that takes its configuration has none to share",
                   "let one cell share, and all others take it from there");
  }
  if (taken.empty()) {
    findings.warning(from.mark, from.path,
                     fmt::format("nothing has been taken from {} yet: these are this cell's own "
                                 "files only",
                                 quote(from.text())),
                     "start the gateway here once that cell runs; it asks there first");
  }
}

std::optional<Following> following(const std::vector<SourceFile>& own,
                                   const SecretResolver& secrets) {
  Findings untold(own);
  const std::optional<Node> tree = merge_files(own, nullptr, untold);
  if (!tree) return std::nullopt;
  const Value root = check(*tree, secrets, untold);
  const Value& cells = root.at("cells");
  const Value& node = root.at("node");
  if (!cells.given || cells.bad || cells.at("takes_configuration_from").text().empty()) {
    return std::nullopt;
  }
  Following out;
  out.cell = node.at("cell").has_value() ? node.at("cell").text() : node.at("name").text();
  out.store_path = root.at("store").at("rocksdb").at("path").text();
  Findings of_cells(own);
  const auto compiled = compile_cells(cells, out.cell, true, of_cells);
  if (!compiled || of_cells.errors() != 0 || compiled->secret.empty()) return std::nullopt;
  out.cells = *compiled;
  return out;
}

}  // namespace trunkline::config
