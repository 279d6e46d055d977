#include "seal/keyring.h"

#include <sodium.h>

#include <algorithm>
#include <new>
#include <string>

#include "base/assert.h"

namespace trunkline::seal {
namespace {

template <class T>
T* allocate(std::size_t count) {
  void* block = sodium_allocarray(std::max<std::size_t>(count, 1), sizeof(T));
  if (block == nullptr) throw std::bad_alloc();
  return static_cast<T*>(block);
}

}  // namespace

void Keyring::Free::operator()(void* block) const { sodium_free(block); }

Keyring::Keyring(std::uint64_t generation,
                 std::span<const unsigned char, kSecretBytes> installation,
                 std::span<const Root> roots)
    : generation_(generation),
      count_(roots.size()),
      installation_(allocate<unsigned char>(kSecretBytes)),
      roots_(allocate<Root>(roots.size())) {
  ASSERT(std::ranges::adjacent_find(roots, [](const Root& a, const Root& b) { return !(a < b); }) ==
         roots.end());
  std::ranges::copy(installation, installation_.get());
  std::uninitialized_copy(roots.begin(), roots.end(), roots_.get());
}

std::span<const unsigned char, kSecretBytes> Keyring::installation() const {
  return std::span<const unsigned char, kSecretBytes>(installation_.get(), kSecretBytes);
}

std::span<const Root> Keyring::roots() const { return {roots_.get(), count_}; }

const Root* Keyring::find(KeyKind kind, std::uint32_t period) const {
  const Root* found = nearest(kind, period);
  return found != nullptr && found->period == period ? found : nullptr;
}

const Root* Keyring::nearest(KeyKind kind, std::uint32_t period) const {
  const std::span<const Root> all = roots();
  Root wanted;
  wanted.kind = kind;
  wanted.period = period;
  const auto at = std::lower_bound(all.begin(), all.end(), wanted);
  if (at != all.end() && at->kind == kind) return &*at;
  if (at != all.begin() && std::prev(at)->kind == kind) return &*std::prev(at);
  return nullptr;
}

ZeroedBytes::~ZeroedBytes() { sodium_memzero(bytes_.data(), bytes_.size()); }

}  // namespace trunkline::seal
