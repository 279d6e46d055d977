#include "esme/joining.h"

#include <algorithm>

namespace trunkline::esme {

using gsm::Joined;
using message::NoticeAt;

namespace {

gsm::Reassembler::Limits limits_for(base::Duration wait) {
  gsm::Reassembler::Limits limits;
  limits.wait = wait;
  limits.messages_max = limits.peer_messages_max = Joining::kHeldMax;
  limits.repeats_max = NoticeLine::kInMemoryMax;
  return limits;
}

}  // namespace

Joining::Joining(base::Duration wait) : wait_(wait), reassembler_(limits_for(wait)) {}

Joining::Outcome Joining::add(NoticeLine& line, const NoticeAt& at, const message::Payload& payload,
                              base::Mono now) {
  Outcome out;
  if (whole_.contains(at) || as_they_are_.contains(at)) return out;
  const message::Payload::Verbatim& v = payload.verbatim;
  if (!v.has_udh) return out;
  const gsm::UserData read = gsm::read_user_data(v.user_data, true, v.data_coding);
  // What is for an application on the phone (ports) or has more in its header says it to somebody
  // who reads headers.
  const gsm::UserDataHeader& header = read.header;
  if (read.header_damaged || !header.concatenation || header.concatenation->total < 2 ||
      header.ports || !header.others.empty()) {
    return out;
  }
  const std::uint64_t tag = ++last_tag_;
  auto [added, joined] = reassembler_.add({.from = payload.from,
                                           .to = payload.to,
                                           .concatenation = *header.concatenation,
                                           .octets = read.octets,
                                           .format = read.format,
                                           .tag = tag},
                                          now);
  if (added == gsm::Reassembler::Added::refused) return out;
  out.held = true;
  if (added == gsm::Reassembler::Added::duplicate) {
    line.confirmed(at);
    out.duplicates.push_back(at);
    return out;
  }
  parts_.emplace(tag, at);
  line.hold(at);
  for (Joined& message : joined) finish(line, std::move(message), out);
  while (line.held() > kHeldMax && reassembler_.next_deadline()) {
    for (Joined& oldest : reassembler_.expire(*reassembler_.next_deadline(), 1)) {
      finish(line, std::move(oldest), out);
    }
  }
  return out;
}

Joining::Outcome Joining::expire(NoticeLine& line, base::Mono now) {
  Outcome out;
  if (line.is_behind()) return out;
  for (Joined& message : reassembler_.expire(now)) finish(line, std::move(message), out);
  return out;
}

void Joining::finish(NoticeLine& line, Joined&& joined, Outcome& out) {
  Whole whole{.payload = {.to = joined.to,
                          .from = joined.from,
                          .body = std::move(joined.text.utf8),
                          .metadata = {},
                          .callback_url = {}},
              .encoding = joined.text.encoding,
              .missing = joined.missing.size()};
  for (const std::uint64_t tag : joined.tags) {
    const auto part = parts_.find(tag);
    whole.parts.push_back(part->second);
    parts_.erase(part);
  }
  // A carrier that repeats a part after its message was told: nothing new.
  if (joined.repeated && whole.missing != 0) {
    for (const NoticeAt& at : whole.parts) line.confirmed(at);
    std::ranges::copy(whole.parts, std::back_inserter(out.duplicates));
    return;
  }
  const NoticeAt first = *std::ranges::min_element(whole.parts);
  const bool has_gap = whole.missing != 0;
  // Octets with a gap are nothing; whoever gets them as they came may know better.
  const bool is_text = whole.encoding != gsm::Encoding::binary;
  whole_.emplace(first, std::move(whole));
  if (has_gap && !is_text) return dissolve(line, first);
  if (has_gap) ++out.incomplete;
  line.release(first);
}

const Joining::Whole* Joining::find(const NoticeAt& at) const {
  const auto found = whole_.find(at);
  return found == whole_.end() ? nullptr : &found->second;
}

std::vector<NoticeAt> Joining::confirmed(NoticeLine& line, const NoticeAt& at) {
  as_they_are_.erase(at);
  const auto found = whole_.find(at);
  std::vector<NoticeAt> out{at};
  if (found != whole_.end()) {
    out = std::move(found->second.parts);
    whole_.erase(found);
  }
  for (const NoticeAt& each : out) line.confirmed(each);
  return out;
}

void Joining::dissolve(NoticeLine& line, const NoticeAt& at) {
  const auto found = whole_.find(at);
  if (found == whole_.end()) return;
  line.lost(at);  // if it is on the way
  for (const NoticeAt& each : found->second.parts) {
    as_they_are_.insert(each);
    line.release(each);
  }
  whole_.erase(found);
}

void Joining::stop(NoticeLine& line) {
  for (const Joined& message : reassembler_.drain()) {
    for (const std::uint64_t tag : message.tags) line.release(parts_.at(tag));
  }
  parts_.clear();
}

}  // namespace trunkline::esme
