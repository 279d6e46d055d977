// What accept_damage does: everything readable of a damaged database into a fresh one.
#pragma once

#include <cstdint>
#include <string>

#include "store/rocksdb/database.h"

namespace trunkline::store {

struct Salvaged {
  Contents contents;   // of the fresh database
  std::string report;  // what was lost, one sentence after another; empty: nothing
};

// Reads tables and logs of the database `from`, each as far as it can be read and on behind damage
// (its files stay as they are), and writes a fresh one to `to.path`, which must not exist.
// `known_head`: the highest seq the watermark names, 0 if unknown. On error there is no `to.path`.
Result<Salvaged> salvage(const Database::Setup& from, const Database::Setup& to,
                         std::uint64_t known_head);

}  // namespace trunkline::store
