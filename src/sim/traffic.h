// The messages a load run sends: message number n is the same whenever it is asked for, so a retry
// needs to remember nothing but its number.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace trunkline::sim {

// "otp:10,transactional:60" -> names with weights; a name alone weighs 1.
struct Weighted {
  std::string name;
  std::uint32_t weight = 1;
};
// The error is a sentence.
std::expected<std::vector<Weighted>, std::string> parse_weights(std::string_view text);

void append_percent(std::string& out, std::string_view text);

struct TrafficOptions {
  std::vector<Weighted> classes;         // empty: none is named, the tenant's default holds
  std::vector<Weighted> segments;        // names are numbers, 1 to 10; empty: 1
  std::vector<std::string> to_prefixes;  // filled up with digits; empty: fictional numbers
  std::string from;                      // empty: none
  double unicode = 0;                    // share of texts that need UCS-2
  std::uint64_t run = 0;                 // tokens of two runs never meet
};

class Traffic {
 public:
  // The error is a sentence.
  static std::expected<Traffic, std::string> make(const TrafficOptions& options);

  // 20 characters: what finds a message again in every ledger. Also its idempotency key.
  void append_token(std::string& out, std::uint64_t n) const;
  void append_to(std::string& out, std::uint64_t n) const;
  // {"to":…,"class":…,"from":…,"body":…} with "idempotency_key" if asked for.
  void append_json(std::string& out, std::uint64_t n, bool with_key) const;
  // The class, of SMPP the service_type; empty if none is named.
  std::string_view class_of(std::uint64_t n) const;
  // The text as SMPP carries it. True: UTF-16, data_coding 8; else the default alphabet's septets.
  bool append_octets(std::string& out, std::uint64_t n) const;
  // {"t","key","id","to","token"} and a newline, as a client's ledger has it; without an id if that
  // is empty.
  void append_line(std::string& out, std::string_view time, std::uint64_t n, bool with_key,
                   std::string_view id) const;
  // &from=…&to=…&text=…, percent-encoded.
  void append_query(std::string& out, std::uint64_t n) const;

 private:
  // True: there is a character that needs UCS-2.
  bool append_body(std::string& out, std::uint64_t n) const;
  explicit Traffic(const TrafficOptions& options) : options_(options) {}
  std::uint64_t bits(std::uint64_t n, std::uint64_t purpose) const;
  const std::string& pick(const std::vector<Weighted>& from, std::uint64_t bits) const;

  TrafficOptions options_;
  std::vector<std::size_t> segment_counts_;
};

}  // namespace trunkline::sim
