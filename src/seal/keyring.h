// The secrets of an installation in memory: locked against swapping where the system allows it,
// zeroed when they go. Immutable; a change makes a new one.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "seal/vault.h"

namespace trunkline::seal {

inline constexpr std::size_t kSecretBytes = 32;

struct Root {
  KeyKind kind = KeyKind::month;
  std::uint32_t period = 0;  // months or hours since 1970, below 2^24
  std::array<unsigned char, kSecretBytes> key{};

  // The order of a ring.
  friend bool operator<(const Root& a, const Root& b) {
    return a.kind != b.kind ? a.kind < b.kind : a.period < b.period;
  }
};

class Keyring {
 public:
  // `roots` in ascending order, no two of one kind and period. Copies; the caller zeroes its own.
  Keyring(std::uint64_t generation, std::span<const unsigned char, kSecretBytes> installation,
          std::span<const Root> roots);

  std::uint64_t generation() const { return generation_; }  // rises with every change
  std::span<const unsigned char, kSecretBytes> installation() const;
  std::span<const Root> roots() const;

  const Root* find(KeyKind kind, std::uint32_t period) const;
  // The root of `period`, else the next later, else the latest; nullptr if the kind has none.
  const Root* nearest(KeyKind kind, std::uint32_t period) const;

 private:
  struct Free {
    void operator()(void* block) const;
  };
  template <class T>
  using Block = std::unique_ptr<T[], Free>;

  std::uint64_t generation_;
  std::size_t count_;
  Block<unsigned char> installation_;
  Block<Root> roots_;
};

// An ordinary buffer that is zeroed when it goes.
class ZeroedBytes {
 public:
  explicit ZeroedBytes(std::size_t size) : bytes_(size, '\0') {}
  explicit ZeroedBytes(std::string&& bytes) : bytes_(std::move(bytes)) {}
  ZeroedBytes(ZeroedBytes&&) = default;
  ZeroedBytes& operator=(ZeroedBytes&&) = delete;
  ~ZeroedBytes();
  char* data() { return bytes_.data(); }
  std::size_t size() const { return bytes_.size(); }
  std::string_view view() const { return bytes_; }

 private:
  std::string bytes_;
};

}  // namespace trunkline::seal
