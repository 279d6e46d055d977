// RocksDB's write-ahead log, read by ourselves: only where it is damaged.
//
// RocksDB 7.8 can read up to damage, but not on behind it: kSkipAnyCorruptedRecords fails as soon
// as the damage hits a record of more than one block, which a group commit usually is. So what lies
// behind is read here: to tell a torn tail from damage in the middle, and to salvage.
//
//   log := block of 32 KiB*         block := fragment*, then zeros where no header fits
//   fragment := masked crc32c u32 of type and payload | length u16 | type u8 | payload
//               (little endian; type 1 whole, 2 first, 3 middle, 4 last)
//
// Threads: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace trunkline::store {

// Calls batch(bytes) for each write batch all of whose fragments are whole, in order, whatever lies
// between. The view lives during the call. Memory: the largest batch. Returns how many places could
// not be read, a torn end among them; zeros to the end are none.
std::size_t read_log(std::istream& log, const std::function<void(std::string_view)>& batch);

// The logs of a database, oldest first.
std::vector<std::string> log_files(const std::string& db_path);

// The same for every log, oldest first.
std::size_t read_logs(const std::string& db_path,
                      const std::function<void(std::string_view)>& batch);

// The first sequence number of a batch and how many it takes; zeros if it is none.
struct BatchHeader {
  std::uint64_t sequence = 0;
  std::uint32_t count = 0;
};
BatchHeader batch_header(std::string_view batch);

}  // namespace trunkline::store
