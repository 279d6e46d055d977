#include "sim/verify.h"

#include <algorithm>
#include <boost/json.hpp>
#include <fstream>
#include <functional>
#include <optional>
#include <string_view>
#include <unordered_map>

// No header of ours but verify.h: see there.

namespace trunkline::sim {
namespace {

namespace json = boost::json;

constexpr std::size_t kExamplesOfAKind = 5;

// Two independent 64-bit hashes instead of the token: millions fit into memory, and a collision is
// as likely as a disk that lies.
struct Key {
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  bool operator==(const Key&) const = default;
};
struct KeyHash {
  std::size_t operator()(const Key& k) const noexcept { return k.a; }
};
Key key_of(std::string_view text) {
  std::uint64_t b = 0xcbf29ce484222325ull;
  for (const char c : text) b = (b ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
  return {std::hash<std::string_view>{}(text), b};
}

std::uint32_t number_hash(std::string_view number) {
  std::uint32_t h = 0x811c9dc5u;
  for (const char c : number) {
    if (c >= '0' && c <= '9') h = (h ^ static_cast<unsigned char>(c)) * 0x01000193u;
  }
  return h;
}

enum Flag : std::uint16_t {
  kAccepted = 1,
  kAttempted = 2,
  kAnsweredOk = 4,    // some carrier said ok
  kFlagged = 8,       // possible_duplicate
  kEndedUnsent = 16,  // expired, failed, canceled, rejected
  kUncertain = 32,
  kMisdirected = 64,
};

struct Token {
  std::uint32_t to = 0;     // of the client's ledger
  std::uint16_t taken = 0;  // by carriers
  std::uint16_t flags = 0;
};

struct Bad {
  std::string what;
};

// Calls `each` for every line that has an end, and returns whether there was one without.
bool for_lines(const std::string& path, const std::function<void(const json::object&)>& each) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Bad{path + ": cannot be read"};
  std::string line;
  std::uint64_t number = 0;
  while (std::getline(file, line)) {
    if (file.eof()) return !line.empty();  // a writer was killed in the middle of it
    number += 1;
    if (line.empty()) continue;
    unsigned char buffer[4096];  // grows on the heap where a line needs more
    json::monotonic_resource memory(buffer, sizeof buffer);
    json::error_code error;
    const json::value value = json::parse(line, error, &memory);
    if (error || !value.is_object()) {
      throw Bad{path + ":" + std::to_string(number) + ": is no JSON object"};
    }
    try {
      each(value.get_object());
    } catch (const Bad& bad) {
      throw Bad{path + ":" + std::to_string(number) + ": " + bad.what};
    }
  }
  if (file.bad()) throw Bad{path + ": reading failed"};
  return false;
}

std::string_view text(const json::object& line, std::string_view key) {
  const json::value* v = line.if_contains(key);
  if (v == nullptr || v->is_null()) return {};
  if (!v->is_string()) throw Bad{"\"" + std::string(key) + "\" is not a string"};
  return v->get_string();
}

bool truth(const json::object& line, std::string_view key) {
  const json::value* v = line.if_contains(key);
  return v != nullptr && v->is_bool() && v->get_bool();
}

// What follows "#tl:" in a text.
std::string_view token_in(std::string_view body) {
  const std::size_t mark = body.find("#tl:");
  if (mark == std::string_view::npos) return {};
  body.remove_prefix(mark + 4);
  const std::size_t end =
      body.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-");
  return body.substr(0, end);
}

class Verifier {
 public:
  Verdict run(const VerifyInput& input) {
    for (const std::string& path : input.accepted) {
      read(path, [&](const json::object& l) { accepted(l); });
    }
    for (const std::string& path : input.attempted) {
      read(path, [&](const json::object& l) { token_of(l).flags |= kAttempted; });
    }
    for (const std::string& path : input.carriers) {
      read(path, [&](const json::object& l) { carrier(l); });
    }
    for (const std::string& path : input.messages) {
      read(path, [&](const json::object& l) { message(l); });
    }
    for (const auto& [key, token] : tokens_) judge(key, token);
    if (out_.accepted == 0) throw Bad{"nothing was acknowledged: there is nothing to verify"};
    name_examples(input);
    return std::move(out_);
  }

 private:
  void read(const std::string& path, const std::function<void(const json::object&)>& each) {
    if (for_lines(path, each)) out_.torn += 1;
  }

  Token& token_of(const json::object& line) {
    const std::string_view token = text(line, "token");
    if (token.empty()) throw Bad{"there is no \"token\""};
    return tokens_[key_of(token)];
  }

  void accepted(const json::object& line) {
    Token& token = token_of(line);
    token.flags |= kAccepted;
    token.to = number_hash(text(line, "to"));
    if (const std::string_view id = text(line, "id"); !id.empty()) {
      ids_.emplace(key_of(id), key_of(text(line, "token")));
    }
  }

  void carrier(const json::object& line) {
    const std::string_view resp = text(line, "resp");
    if (resp.empty()) throw Bad{"there is no \"resp\""};
    if (text(line, "token").empty()) {
      out_.untokened += 1;
      return;
    }
    if (resp != "ok" && resp != "none") {
      out_.refused_submits += 1;
      return;
    }
    if (truth(line, "partial")) {
      out_.partial += 1;
      return;
    }
    Token& token = token_of(line);
    if (token.taken < UINT16_MAX) token.taken += 1;
    if (resp == "ok") token.flags |= kAnsweredOk;
    if ((token.flags & kAccepted) != 0 && token.to != number_hash(text(line, "to"))) {
      token.flags |= kMisdirected;
    }
  }

  void message(const json::object& line) {
    Token* found = nullptr;
    if (const auto id = ids_.find(key_of(text(line, "id"))); id != ids_.end()) {
      found = &tokens_[id->second];
    } else if (const auto it = tokens_.find(key_of(token_in(text(line, "body"))));
               it != tokens_.end()) {
      found = &it->second;  // its answer never reached the client
    }
    if (found == nullptr) return;  // not of these clients
    Token& token = *found;
    const std::string_view status = text(line, "status");
    if (truth(line, "possible_duplicate")) token.flags |= kFlagged;
    if (status == "uncertain") token.flags |= kUncertain;
    if (status == "expired" || status == "failed" || status == "canceled" || status == "rejected") {
      token.flags |= kEndedUnsent;
    }
  }

  void judge(const Key& key, const Token& t) {
    const bool was_accepted = (t.flags & kAccepted) != 0;
    out_.accepted += was_accepted ? 1 : 0;
    out_.delivered_to_carriers += t.taken > 0 ? 1 : 0;
    if (was_accepted && t.taken == 0) {
      if ((t.flags & (kEndedUnsent | kUncertain)) == 0) {
        count(out_.lost, "lost", key);
      } else {
        out_.ended_unsent += 1;
        out_.uncertain += (t.flags & kUncertain) != 0 ? 1 : 0;
      }
    }
    if (!was_accepted && t.taken > 0) {
      if ((t.flags & kAttempted) != 0) {
        out_.unacknowledged += 1;
      } else {
        count(out_.never_accepted, "never_accepted", key);
      }
    }
    if (t.taken > 1) {
      out_.duplicates += 1;
      if ((t.flags & kFlagged) == 0) count(out_.unflagged_duplicates, "unflagged_duplicate", key);
    }
    if ((t.flags & kMisdirected) != 0) count(out_.misdirected, "misdirected", key);
    if ((t.flags & kAnsweredOk) != 0 && (t.flags & kEndedUnsent) != 0) {
      count(out_.misreported, "misreported", key);
    }
  }

  void count(std::uint64_t& counter, std::string_view kind, const Key& key) {
    counter += 1;
    if (counter <= kExamplesOfAKind) wanted_.emplace(key, kind);
  }

  // The tokens themselves were not kept: the files are read again for the few that matter.
  void name_examples(const VerifyInput& input) {
    if (wanted_.empty()) return;
    const auto look = [&](const json::object& line) {
      const std::string_view token = text(line, "token");
      const auto [first, last] = wanted_.equal_range(key_of(token));
      for (auto it = first; it != last; ++it) {
        out_.examples.push_back(std::string(it->second) + " " + std::string(token));
      }
      wanted_.erase(first, last);
    };
    for (const std::string& path : input.accepted) for_lines(path, look);
    for (const std::string& path : input.carriers) for_lines(path, look);
    std::ranges::sort(out_.examples);
  }

  Verdict out_;
  std::unordered_map<Key, Token, KeyHash> tokens_;
  std::unordered_map<Key, Key, KeyHash> ids_;  // of messages, to their token
  std::unordered_multimap<Key, std::string_view, KeyHash> wanted_;
};

}  // namespace

std::expected<Verdict, std::string> verify(const VerifyInput& input) {
  try {
    return Verifier().run(input);
  } catch (const Bad& bad) {
    return std::unexpected(bad.what);
  }
}

namespace {

struct Row {
  std::string_view name;
  std::uint64_t Verdict::* value;
  std::string_view meaning;
};
constexpr Row kRows[] = {
    {"accepted", &Verdict::accepted, "acknowledged to clients"},
    {"lost", &Verdict::lost, "of those, taken by no carrier and not truthfully ended"},
    {"never_accepted", &Verdict::never_accepted, "taken by a carrier, acknowledged to nobody"},
    {"duplicates", &Verdict::duplicates, "taken more than once"},
    {"unflagged_duplicates", &Verdict::unflagged_duplicates, "of those, not said to be possible"},
    {"misdirected", &Verdict::misdirected, "sent to another number"},
    {"delivered_to_carriers", &Verdict::delivered_to_carriers, "taken at least once"},
    {"ended_unsent", &Verdict::ended_unsent, "never taken, and the gateway says so"},
    {"uncertain", &Verdict::uncertain, "of those, uncertain"},
    {"unacknowledged", &Verdict::unacknowledged, "taken, the answer never reached the client"},
    {"misreported", &Verdict::misreported, "taken, yet said to have ended unsent"},
    {"refused_submits", &Verdict::refused_submits, "refused or dropped by a carrier"},
    {"partial", &Verdict::partial, "some segments only"},
    {"untokened", &Verdict::untokened, "carriers' lines without a token"},
    {"torn", &Verdict::torn, "last lines without an end"},
};

}  // namespace

std::string to_json(const Verdict& v) {
  json::object out;
  for (const Row& row : kRows) out[row.name] = v.*row.value;
  json::array examples;
  for (const std::string& e : v.examples) examples.emplace_back(e);
  out["examples"] = std::move(examples);
  return json::serialize(out);
}

std::string to_text(const Verdict& v) {
  std::string out;
  for (const Row& row : kRows) {
    std::string name(row.name);
    name.resize(22, ' ');
    std::string value = std::to_string(v.*row.value);
    value.insert(0, value.size() < 10 ? 10 - value.size() : 0, ' ');
    out += name + value + "  " + std::string(row.meaning) + "\n";
  }
  for (const std::string& e : v.examples) out += "  " + e + "\n";
  return out;
}

}  // namespace trunkline::sim
