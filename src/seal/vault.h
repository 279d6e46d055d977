// Seals what nobody may read on disk (promise P8, record-format rule 1) and destroys what must be
// forgotten. A blob carries the id of its key; destroying the key erases every copy of the blob.
//
//   blob   := version u8 | key id 16 octets | nonce 24 octets | XChaCha20-Poly1305 ciphertext, tag
//   key id := kind u8 | period u24 | scope 12 octets
//
// Kind `month` keys belong to (tenant, number, month): scope is a keyed hash of tenant and number,
// period counts months since 1970-01. Kind `hour` keys are for one-time passwords: period counts
// hours since 1970, and the period's root is destroyed once no message sealed under it can still be
// sent. Keys are derived from a random root per (kind, period) that lives in the key file; a later
// key service may hold a key per scope under the same key ids, without touching a stored blob.
//
// The key file (key_file.h) is the only place with roots: 0600, rewritten atomically and fsynced,
// old copy overwritten. It is not in the store, because a delete in a log-structured store erases
// nothing.
//
// Threads: seal, open_blob, number_hash, hash from any thread; ensure_roots and
// destroy_hours_before from one. A process that forks must not go on sealing in the child.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/time.h"

namespace trunkline::seal {

enum class KeyKind : std::uint8_t { month = 1, hour = 2 };  // PERSISTED

enum class OpenError {
  malformed,  // not a blob of ours
  no_key,     // its key was destroyed, or belongs to another installation
  tampered,   // authentication failed
};

// What open() does where there is no key file. New keys beside old data would make all of it
// unreadable for ever, so whoever has data passes `refuse`.
enum class MissingKeys : std::uint8_t { create, refuse };

inline constexpr std::size_t kBlobOverhead = 1 + 16 + 24 + 16;  // octets a blob is longer

class Vault {
 public:
  // Opens the key file and makes sure of the roots of `now`. The error says what, where and how to
  // mend it (missing, permissions, damage, a newer version).
  static std::expected<std::unique_ptr<Vault>, std::string> open(const std::string& key_file,
                                                                 base::Wall now,
                                                                 MissingKeys missing);
  // Keys in memory only: simulation and tests. Deterministic for a seed.
  static std::unique_ptr<Vault> in_memory(std::uint64_t seed);
  ~Vault();

  // Seals `plain` for (tenant, number, the period of `now`). `context` is authenticated but not
  // stored: the same must be given to open_blob().
  std::string seal(KeyKind kind, std::string_view tenant, std::uint64_t number_hash, base::Wall now,
                   std::string_view plain, std::string_view context) const;
  std::expected<std::string, OpenError> open_blob(std::string_view blob,
                                                  std::string_view context) const;

  // Keyed, so that a stolen disk cannot be searched by trying all numbers. Stable for the
  // installation's life. Not per tenant: a carrier's receipt names a number and no tenant, and must
  // give the same value. What is kept per tenant (sealing keys, the archive's index) adds the
  // tenant itself.
  std::uint64_t number_hash(std::uint64_t digits) const;
  // For idempotency keys and fingerprints: 128 bits, keyed, domain-separated by `purpose`.
  base::Hash128 hash(std::string_view purpose, std::string_view bytes) const;

  // Tells installations apart without giving anything away: a store remembers it and refuses to
  // open with another installation's keys. 16 hexadecimal digits.
  std::string fingerprint() const;

  // Makes sure the roots for `now` and the next period exist and are on disk, so that seal() never
  // waits for a disk. Call every few minutes. Should they be missing nevertheless, seal() takes the
  // latest root there is.
  std::expected<void, std::string> ensure_roots(base::Wall now);
  // Destroys the hour roots of periods that ended at or before `t`, except the latest root; how
  // many that were. On error (disk) none is destroyed.
  std::expected<std::size_t, std::string> destroy_hours_before(base::Wall t);

 private:
  struct State;
  explicit Vault(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace trunkline::seal
