// What the carriers saw, one NDJSON line a message: half of every proof.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "sim/text.h"
#include "sim/wire.h"

namespace trunkline::sim {

// An append-only file of lines, written in large pieces. One thread.
class LineFile {
 public:
  LineFile() = default;
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;
  ~LineFile();

  // Continues an existing file. The error is a sentence.
  std::expected<void, std::string> open(const std::string& path);
  bool is_open() const { return fd_ >= 0; }

  // Where the next line goes, newline included; call written() after each.
  std::string& buffer() { return buffer_; }
  void written() {
    if (buffer_.size() >= kFlushBytes) flush();
  }
  // Hands everything to the kernel. After an error nothing more is written and error() says why.
  void flush();
  const std::string& error() const { return error_; }

 private:
  static constexpr std::size_t kFlushBytes = 256 * 1024;
  int fd_ = -1;
  std::string path_;
  std::string buffer_;
  std::string error_;
};

// What the carrier did with one submit_sm.
enum class Answer : std::uint8_t {
  pending,
  ok,       // taken, and ESME_ROK handed to the socket
  none,     // taken, and no answer got out
  dropped,  // received, neither taken nor answered
  refused,  // answered with a status
};

// Writes a message's line when all its segments have been answered. Segments belong together by
// (source, destination, reference, number of parts); a set that stays incomplete is written,
// flagged partial, when its reference comes again, after kPartWait, or at the end.
//
// {"t","carrier","to","from","text","token","message_id","resp"[,"partial":true]}; `token` is null
// if the text has none; `resp` is "ok", "none", "dropped" or the name of the status; `message_id`
// is that of the first segment taken, null if the carrier gave none.
class CarrierLedger {
 public:
  static constexpr auto kPartWait = std::chrono::seconds(60);

  // `file` outlives this; it may be closed, then nothing is written.
  CarrierLedger(std::string carrier, LineFile& file);

  struct Ticket {
    std::uint32_t entry = 0;
    std::uint32_t generation = 0;
    std::uint8_t part = 0;
    std::uint32_t times = 0;
  };
  Ticket seen(const wire::Submit& submit, std::string_view message_id, const base::Now& now);
  // Once for each ticket, in any order.
  void settle(const Ticket& ticket, Answer answer, std::uint32_t status);
  // Writes sets that have waited too long for their other parts.
  void write_stale(base::Mono now);
  // Writes everything unfinished; what is still pending counts as `none`.
  void finish();

 private:
  struct PartSeen {
    bool seen = false;
    Answer answer = Answer::pending;
    std::uint32_t status = 0;
    std::uint32_t times = 0;  // it came, with whatever message
    std::string octets;
  };
  struct Entry {
    std::uint32_t generation = 0;
    bool used = false;
    base::Wall t;
    base::Mono since;
    std::uint8_t data_coding = 0;
    std::string source;
    std::string dest;
    std::string message_id;
    std::string key;  // empty: a message of one part
    std::size_t total = 1;
    std::vector<PartSeen> parts;
  };
  std::uint32_t take_entry();
  std::uint32_t entry_of_set(const wire::Submit& submit);
  void finish_if_done(std::uint32_t index);
  void write(std::uint32_t index);
  void release(std::uint32_t index);

  std::string carrier_;
  LineFile& file_;
  TimeText time_;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> free_;
  std::unordered_map<std::string, std::uint32_t> sets_;
  std::string key_;
  std::string text_;
  std::string octets_;
};

}  // namespace trunkline::sim
