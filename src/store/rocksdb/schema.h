// Where everything lies in the database: column families and keys. PERSISTED.
//
//   meta     "format" u64 | "shard" u64 | "epoch" u64 | "trim" u64 | "archive_before" u64 |
//            "installation" text | "lost" first u64 -> last u64
//   journal  shard u16 | seq u64 -> journal record
//   archive  'r' tenant 0x00 id -> record
//   recipients  't' tenant 0x00 to_hash u64 | id -> empty: the archive by recipient
//   keys     key 16 octets -> key record
//   cold     'i' id -> cold entry;  'n' tenant 0x00 id -> empty;  't' tenant 0x00 to_hash u64 | id
//            -> empty;  'd' due u64 | id -> empty;  'k' receipt key -> id
//   notices  account 0x00 seq u64 | index u32 -> notice
//
//   cold also  'p' tenant 0x00 to_hash u64 | sender u64 -> change u64: opt-outs by number;
//            'q' change u64 -> opt-out;  's' peer -> cursor
//
// Numbers are big endian, so that the database's order is theirs. A tenant's name may hold
// anything: whoever walks a prefix compares the whole length, so "a" never sees the records of
// "a\0b".
#pragma once

#include <rocksdb/slice.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/id.h"
#include "base/time.h"
#include "message/notice.h"
#include "message/opt_out.h"

namespace trunkline::store {

inline constexpr std::uint32_t kFormat = 1;

enum class Family : std::uint8_t { meta, journal, archive, recipients, keys, cold, notices };
inline constexpr std::size_t kFamilyCount = 7;
// As the database knows them; meta is its "default".
inline constexpr std::array<const char*, kFamilyCount> kFamilyNames{
    "default", "journal", "archive", "recipients", "keys", "cold", "notices"};

inline rocksdb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view view(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

// --- meta
inline constexpr std::string_view kMetaFormat = "format";
inline constexpr std::string_view kMetaShard = "shard";
inline constexpr std::string_view kMetaEpoch = "epoch";
inline constexpr std::string_view kMetaTrim = "trim";
inline constexpr std::string_view kMetaArchiveBefore = "archive_before";  // ms
inline constexpr std::string_view kMetaInstallation = "installation";
inline constexpr std::string_view kMetaLost = "lost";
std::string lost_key(std::uint64_t first);
std::string number_value(std::uint64_t value);
std::optional<std::uint64_t> parse_number(std::string_view value);

// --- journal
inline constexpr std::size_t kJournalKeyBytes = 10;
std::string journal_key(std::uint16_t shard, std::uint64_t seq);
// The seq, if it is a key of that shard.
std::optional<std::uint64_t> parse_journal_key(std::uint16_t shard, std::string_view key);

// --- archive, cold
inline constexpr char kRecordPrefix = 'r';
inline constexpr char kRecipientPrefix = 't';
inline constexpr char kIdPrefix = 'i';
inline constexpr char kTenantPrefix = 'n';
inline constexpr char kDuePrefix = 'd';
inline constexpr char kReceiptPrefix = 'k';
inline constexpr char kOwnersPrefix = 'o';
inline constexpr char kOptOutPlacePrefix = 'p';
inline constexpr char kOptOutPrefix = 'q';
inline constexpr char kPeerPrefix = 's';

// Everything of a tenant under `prefix`; ids follow.
std::string tenant_key(char prefix, std::string_view tenant);
std::string recipient_key(std::string_view tenant, std::uint64_t to_hash);
std::string with_id(std::string key, const base::MessageId& id);
std::string cold_id_key(const base::MessageId& id);
std::string due_key(base::Wall due);  // an id follows; sorts before every later due time
std::string receipt_index_key(const base::Hash128& key);
std::string owners_key(const base::Hash128& key);
std::string hash_key(const base::Hash128& key);
std::string notice_key(std::string_view account, const message::NoticeAt& at);
// The place, if it is a key of that account.
std::optional<message::NoticeAt> parse_notice_key(std::string_view account, std::string_view key);
// Everything before: tenant_key(kOptOutPlacePrefix, tenant).
std::string opt_out_place_key(std::string_view tenant, const message::OptOutPlace& place);
message::OptOutPlace opt_out_place_at_end(std::string_view key);  // the last 16 octets
std::string opt_out_key(std::uint64_t change);
std::uint64_t change_of(std::string_view opt_out_key);
std::string peer_key(std::string_view peer);
// The last 16 octets.
base::MessageId id_at_end(std::string_view key);

}  // namespace trunkline::store
