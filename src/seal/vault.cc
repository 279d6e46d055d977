#include "seal/vault.h"

#include <sodium.h>

#include <atomic>
#include <mutex>
#include <shared_mutex>

#include "base/assert.h"
#include "base/bytes.h"
#include "seal/key_file.h"
#include "seal/keyring.h"
#include "seal/nonce.h"

namespace trunkline::seal {
namespace {

constexpr std::uint8_t kBlobVersion = 1;
constexpr std::size_t kScopeBytes = 12;
constexpr std::size_t kKeyIdBytes = 1 + 3 + kScopeBytes;
constexpr std::size_t kNonceAt = 1 + kKeyIdBytes;
constexpr std::size_t kCipherAt = kNonceAt + kNonceBytes;
constexpr std::size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::uint32_t kPeriodsMax = 1u << 24;
static_assert(kNonceBytes == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
static_assert(kSecretBytes == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
static_assert(kBlobOverhead == kCipherAt + kTagBytes);

using Secret = std::array<unsigned char, kSecretBytes>;
using Secrets = std::span<const unsigned char, kSecretBytes>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

void start_sodium() { ASSERT(sodium_init() >= 0); }

std::uint32_t period_of(KeyKind kind, base::Wall t) {
  std::int64_t period = 0;
  if (kind == KeyKind::hour) {
    period = std::chrono::floor<std::chrono::hours>(t.time_since_epoch()).count();
  } else {
    const std::chrono::year_month_day day{
        std::chrono::sys_days{std::chrono::floor<std::chrono::days>(t.time_since_epoch())}};
    period = (static_cast<int>(day.year()) - 1970) * 12 +
             static_cast<std::int64_t>(static_cast<unsigned>(day.month())) - 1;
  }
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(period, 0, kPeriodsMax - 1));
}

// Keyed BLAKE2b over length-prefixed parts, so that no two lists of parts run together.
class KeyedHash {
 public:
  KeyedHash(Secrets key, std::size_t size) {
    crypto_generichash_init(&state_, key.data(), key.size(), size);
  }
  KeyedHash& text(std::string_view part) {
    number(part.size());
    return raw(part);
  }
  KeyedHash& number(std::uint64_t value) {
    unsigned char wide[8];
    for (int i = 0; i < 8; ++i) wide[i] = static_cast<unsigned char>(value >> (56 - 8 * i));
    crypto_generichash_update(&state_, wide, sizeof(wide));
    return *this;
  }
  KeyedHash& raw(std::string_view part) {
    crypto_generichash_update(&state_, bytes_of(part), part.size());
    return *this;
  }
  template <std::size_t N>
  std::array<unsigned char, N> take() {
    std::array<unsigned char, N> out;
    crypto_generichash_final(&state_, out.data(), N);
    sodium_memzero(&state_, sizeof(state_));  // it held the key
    return out;
  }

 private:
  crypto_generichash_state state_;
};

std::uint64_t big_endian(const unsigned char* at) {
  std::uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = (value << 8) | at[i];
  return value;
}

// What the tag covers besides the ciphertext: the blob's header, then the context.
class AssociatedData {
 public:
  AssociatedData(std::string_view header, std::string_view context) {
    size_ = header.size() + context.size();
    char* to = small_.data();
    if (size_ > small_.size()) {
      large_.resize(size_);
      to = large_.data();
    }
    std::ranges::copy(context, std::ranges::copy(header, to).out);
    data_ = to;
  }
  const unsigned char* data() const { return reinterpret_cast<const unsigned char*>(data_); }
  std::size_t size() const { return size_; }

 private:
  std::array<char, 96> small_;
  std::string large_;
  const char* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace

struct Vault::State {
  State(std::string file, Keyring keys, bool memory)
      : path(std::move(file)),
        in_memory(memory),
        first_ring(0, keys.installation(), {}),
        scope_key(KeyedHash(keys.installation(), crypto_shorthash_siphashx24_KEYBYTES)
                      .text("scope")
                      .take<crypto_shorthash_siphashx24_KEYBYTES>()),
        ring(std::move(keys)) {}

  const std::string path;
  const bool in_memory;
  const Keyring first_ring;  // the installation secret, readable without the mutex
  const std::array<unsigned char, crypto_shorthash_siphashx24_KEYBYTES> scope_key;
  mutable std::shared_mutex mutex;  // guards the ring; held for a look-up and a copy of 32 octets
  Keyring ring;
  // In memory, roots are derived from the installation secret, and nonces count: both so that the
  // same calls give the same blobs.
  std::atomic<std::uint32_t> hours_destroyed_before{0};
  mutable std::atomic<std::uint64_t> next_nonce{1};

  Secrets installation() const { return first_ring.installation(); }

  Secret memory_root(KeyKind kind, std::uint32_t period) const {
    return KeyedHash(installation(), kSecretBytes)
        .text("root")
        .number(static_cast<std::uint64_t>(kind))
        .number(period)
        .take<kSecretBytes>();
  }

  // The root to seal under, and its period.
  std::uint32_t root_to_seal(KeyKind kind, std::uint32_t period, Secret& root) const {
    if (in_memory) {
      root = memory_root(kind, period);
      return period;
    }
    const std::shared_lock lock(mutex);
    const Root* found = ring.nearest(kind, period);
    ASSERT(found != nullptr);  // open() and destroy_hours_before() leave at least one
    root = found->key;
    return found->period;
  }

  bool root_to_open(KeyKind kind, std::uint32_t period, Secret& root) const {
    if (in_memory) {
      if (kind == KeyKind::hour && period < hours_destroyed_before) return false;
      root = memory_root(kind, period);
      return true;
    }
    const std::shared_lock lock(mutex);
    const Root* found = ring.find(kind, period);
    if (found != nullptr) root = found->key;
    return found != nullptr;
  }

  // Replaces `root` by the key of one key id.
  static void derive(Secret& root, std::string_view key_id) {
    static constexpr unsigned char kPersonal[crypto_generichash_blake2b_PERSONALBYTES + 1] =
        "trunkline seal 1";
    static constexpr unsigned char kSalt[crypto_generichash_blake2b_SALTBYTES] = {};
    Secret key;
    crypto_generichash_blake2b_salt_personal(key.data(), key.size(), bytes_of(key_id),
                                             key_id.size(), root.data(), root.size(), kSalt,
                                             kPersonal);
    root = key;
    sodium_memzero(key.data(), key.size());
  }

  // SipHash-2-4 with 128 bits of output: a keyed hash as good as any for 96 bits of scope, at a
  // tenth of BLAKE2b's price, which every sealed message would pay.
  void scope(std::string_view tenant, std::uint64_t number_hash, std::string& out) const {
    std::array<char, 64> small;
    std::string large;
    char* input = small.data();
    const std::size_t size = sizeof(number_hash) + tenant.size();
    if (size > small.size()) {
      large.resize(size);
      input = large.data();
    }
    for (std::size_t i = 0; i < 8; ++i) input[i] = static_cast<char>(number_hash >> (56 - 8 * i));
    std::ranges::copy(tenant, input + 8);
    unsigned char hash[crypto_shorthash_siphashx24_BYTES];
    crypto_shorthash_siphashx24(hash, reinterpret_cast<const unsigned char*>(input), size,
                                scope_key.data());
    out.append(reinterpret_cast<const char*>(hash), kScopeBytes);
  }

  void nonce(unsigned char* out) const {
    if (!in_memory) return fill_nonce(out);
    std::memset(out, 0, kNonceBytes);
    const std::uint64_t n = next_nonce.fetch_add(1, std::memory_order_relaxed);
    std::memcpy(out, &n, sizeof(n));
  }

  // First to disk, then into use.
  std::expected<void, std::string> replace(std::vector<Root>& roots) {
    Keyring next(ring.generation() + 1, installation(), roots);
    sodium_memzero(roots.data(), roots.size() * sizeof(Root));
    if (auto saved = save_key_file(path, next); !saved) return saved;
    const std::unique_lock lock(mutex);
    ring = std::move(next);
    return {};
  }
};

Vault::Vault(std::unique_ptr<State> state) : state_(std::move(state)) {}
Vault::~Vault() = default;

std::expected<std::unique_ptr<Vault>, std::string> Vault::open(const std::string& key_file,
                                                               base::Wall now,
                                                               MissingKeys missing) {
  start_sodium();
  auto ring = load_key_file(key_file);
  if (!ring) {
    if (!ring.error().missing) return std::unexpected(ring.error().text);
    if (missing == MissingKeys::refuse) {
      return std::unexpected(fmt::format(
          "{}, but there is data sealed with its keys; restore it from your backup, or move the "
          "data away to begin anew",
          ring.error().text));
    }
    Secret installation;
    randombytes_buf(installation.data(), installation.size());
    ring = Keyring(0, installation, {});
    sodium_memzero(installation.data(), installation.size());
  }
  std::unique_ptr<Vault> vault(
      new Vault(std::make_unique<State>(key_file, std::move(*ring), false)));
  if (auto ensured = vault->ensure_roots(now); !ensured) return std::unexpected(ensured.error());
  return vault;
}

std::unique_ptr<Vault> Vault::in_memory(std::uint64_t seed) {
  start_sodium();
  Secret installation{};
  for (std::size_t i = 0; i < 8; ++i) {
    installation[i] = static_cast<unsigned char>(seed >> (8 * i));
  }
  return std::unique_ptr<Vault>(
      new Vault(std::make_unique<State>("", Keyring(0, installation, {}), true)));
}

std::string Vault::seal(KeyKind kind, std::string_view tenant, std::uint64_t number_hash,
                        base::Wall now, std::string_view plain, std::string_view context) const {
  Secret key;
  const std::uint32_t period = state_->root_to_seal(kind, period_of(kind, now), key);
  std::string blob;
  blob.reserve(kBlobOverhead + plain.size());
  base::ByteWriter writer(blob);
  writer.u8(kBlobVersion);
  writer.u8(static_cast<std::uint8_t>(kind));
  writer.u8(static_cast<std::uint8_t>(period >> 16));
  writer.u16(static_cast<std::uint16_t>(period & 0xffff));
  state_->scope(tenant, number_hash, blob);
  blob.resize(kBlobOverhead + plain.size());

  State::derive(key, std::string_view(blob).substr(1, kKeyIdBytes));
  unsigned char* out = bytes_of(blob);
  state_->nonce(out + kNonceAt);
  const AssociatedData about(std::string_view(blob).substr(0, kNonceAt), context);
  crypto_aead_xchacha20poly1305_ietf_encrypt(out + kCipherAt, nullptr, bytes_of(plain),
                                             plain.size(), about.data(), about.size(), nullptr,
                                             out + kNonceAt, key.data());
  sodium_memzero(key.data(), key.size());
  return blob;
}

std::expected<std::string, OpenError> Vault::open_blob(std::string_view blob,
                                                       std::string_view context) const {
  base::ByteReader in(blob);
  const std::uint8_t version = in.u8();
  const auto kind = static_cast<KeyKind>(in.u8());
  const std::uint32_t high = in.u8();
  const std::uint32_t period = high << 16 | in.u16();
  if (blob.size() < kBlobOverhead || version != kBlobVersion ||
      (kind != KeyKind::month && kind != KeyKind::hour)) {
    return std::unexpected(OpenError::malformed);
  }
  Secret key;
  if (!state_->root_to_open(kind, period, key)) return std::unexpected(OpenError::no_key);
  State::derive(key, blob.substr(1, kKeyIdBytes));
  const AssociatedData about(blob.substr(0, kNonceAt), context);
  std::string plain(blob.size() - kBlobOverhead, '\0');
  const int bad = crypto_aead_xchacha20poly1305_ietf_decrypt(
      bytes_of(plain), nullptr, nullptr, bytes_of(blob) + kCipherAt, blob.size() - kCipherAt,
      about.data(), about.size(), bytes_of(blob) + kNonceAt, key.data());
  sodium_memzero(key.data(), key.size());
  if (bad != 0) return std::unexpected(OpenError::tampered);
  return plain;
}

std::uint64_t Vault::number_hash(std::uint64_t digits) const {
  const auto hash = KeyedHash(state_->installation(), 16).text("number").number(digits).take<16>();
  return big_endian(hash.data());
}

base::Hash128 Vault::hash(std::string_view purpose, std::string_view bytes) const {
  const auto hash =
      KeyedHash(state_->installation(), 16).text("hash").text(purpose).text(bytes).take<16>();
  return {big_endian(hash.data()), big_endian(hash.data() + 8)};
}

std::string Vault::fingerprint() const {
  const base::Hash128 id = hash("installation", "");
  return fmt::format("{:016x}", id.high);
}

std::expected<void, std::string> Vault::ensure_roots(base::Wall now) {
  if (state_->in_memory) return {};
  // Only this thread changes the ring, so it may read it unlocked.
  const std::span<const Root> have = state_->ring.roots();
  std::vector<Root> missing;
  for (const KeyKind kind : {KeyKind::month, KeyKind::hour}) {
    const std::uint32_t first = period_of(kind, now);
    for (std::uint32_t period = first; period <= std::min(first + 1, kPeriodsMax - 1); ++period) {
      if (state_->ring.find(kind, period) != nullptr) continue;
      Root& root = missing.emplace_back();
      root.kind = kind;
      root.period = period;
      randombytes_buf(root.key.data(), root.key.size());
    }
  }
  if (missing.empty()) return {};
  std::vector<Root> all(have.size() + missing.size());
  std::merge(have.begin(), have.end(), missing.begin(), missing.end(), all.begin());
  sodium_memzero(missing.data(), missing.size() * sizeof(Root));
  return state_->replace(all);
}

std::expected<std::size_t, std::string> Vault::destroy_hours_before(base::Wall t) {
  const std::uint32_t end = period_of(KeyKind::hour, t);
  if (state_->in_memory) {
    const std::uint32_t before = state_->hours_destroyed_before;
    if (end <= before) return 0;
    state_->hours_destroyed_before = end;
    return end - before;
  }
  const std::span<const Root> have = state_->ring.roots();
  std::vector<Root> kept;
  kept.reserve(have.size());
  for (const Root& root : have) {
    // Hours come last in the ring; the latest of them stays, so that seal() always has one.
    if (root.kind != KeyKind::hour || root.period >= end || &root == &have.back()) {
      kept.push_back(root);
    }
  }
  const std::size_t destroyed = have.size() - kept.size();
  if (destroyed == 0) return 0;
  if (auto replaced = state_->replace(kept); !replaced) return std::unexpected(replaced.error());
  return destroyed;
}

}  // namespace trunkline::seal
