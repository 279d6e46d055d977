// Messages from phones that came in parts, for an account that wants them whole. Each part is a
// notice of its own, durable since the carrier was answered; here it is held in the account's line
// until the others are there, or until they are not expected any more. Then one of the parts is
// told with the text of all, and all are confirmed by its confirmation. Nothing here need survive:
// after a restart the parts are read from the store again.
//
// Pure. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "esme/line.h"
#include "gsm/reassembler.h"
#include "message/record.h"

namespace trunkline::esme {

class Joining {
 public:
  // Parts of messages that are not whole yet; beyond, the oldest message is told as far as it came,
  // so that the rest of the line is not kept out of memory.
  static constexpr std::size_t kHeldMax = NoticeLine::kInMemoryMax / 2;

  struct Whole {
    std::vector<message::NoticeAt> parts;  // in the order of the text
    message::Payload payload;              // without Verbatim
    gsm::Encoding encoding = gsm::Encoding::gsm7;
    std::size_t missing = 0;
  };
  struct Outcome {
    bool held = false;  // add(): it is not to be told now
    // Told before, or here already: to be removed from the store; the line has them no more.
    std::vector<message::NoticeAt> duplicates;
    std::size_t incomplete = 0;  // messages told with a gap from now on
  };

  // How long from its first part a message is waited for.
  explicit Joining(base::Duration wait = base::limits::kReassemblyWait);
  base::Duration wait() const { return wait_; }

  // An inbound notice that was taken from the line. `now`: when it came.
  Outcome add(NoticeLine& line, const message::NoticeAt& at, const message::Payload& payload,
              base::Mono now);
  // Tells what has waited too long. Unless the line is behind: the rest may be in the store.
  Outcome expire(NoticeLine& line, base::Mono now);

  // The message that is told instead of this notice; null: none, it is told as it is.
  const Whole* find(const message::NoticeAt& at) const;
  // It was told, or is given up: the notices that go with it, `at` among them. Gone from the line.
  std::vector<message::NoticeAt> confirmed(NoticeLine& line, const message::NoticeAt& at);
  // It cannot be told as one: its parts are, as they came.
  void dissolve(NoticeLine& line, const message::NoticeAt& at);
  // Nothing is joined any more: what is not whole is told as it came.
  void stop(NoticeLine& line);

  bool empty() const { return parts_.empty() && whole_.empty() && as_they_are_.empty(); }

 private:
  void finish(NoticeLine& line, gsm::Joined&& joined, Outcome& out);

  base::Duration wait_;
  gsm::Reassembler reassembler_;
  std::uint64_t last_tag_ = 0;
  std::unordered_map<std::uint64_t, message::NoticeAt> parts_;  // by tag: those in reassembler_
  std::map<message::NoticeAt, Whole> whole_;                    // by the part it is told as
  std::set<message::NoticeAt> as_they_are_;
};

}  // namespace trunkline::esme
