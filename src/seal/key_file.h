// The key file: the one place on disk with the secrets. docs/store_format.md shows it octet by
// octet.
//
//   file  := "TLKEYS" 0x00 | version u8 | generation u64 | installation secret 32 octets |
//            count u32 | entry* | BLAKE2b-256 of everything before
//   entry := kind u8 | period u32 | root 32 octets
//
// A change writes FILE.new and syncs it, overwrites FILE with zeros and syncs that, renames
// FILE.new over FILE and syncs the directory: whenever the power fails, one of the two is whole,
// and open finishes what was begun. Overwriting destroys the old roots on file systems that write
// in place; on copy-on-write file systems, snapshots, backups and behind an SSD's wear levelling,
// remains may survive until the medium itself forgets them.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "seal/keyring.h"

namespace trunkline::seal {

inline constexpr std::uint8_t kKeyFileVersion = 1;
inline constexpr std::size_t kKeyFileBytesMax =
    8 * 1024 * 1024;  // 200,000 roots; larger is refused

ZeroedBytes encode_key_file(const Keyring& ring);
// The error says what is wrong with the bytes.
std::expected<Keyring, std::string> decode_key_file(std::string_view bytes);

struct KeyFileError {
  bool missing = false;  // there is none; nothing else is wrong
  std::string text;
};
// Reads it, and finishes a rewriting that a crash interrupted.
std::expected<Keyring, KeyFileError> load_key_file(const std::string& path);
// On error the old file is still what counts.
std::expected<void, std::string> save_key_file(const std::string& path, const Keyring& ring);

}  // namespace trunkline::seal
