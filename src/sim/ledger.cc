#include "sim/ledger.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/assert.h"
#include "smpp/status.h"

namespace trunkline::sim {
namespace {

// International numbers with their +, so that they compare with what the client asked for.
void assign_address(std::string& out, const wire::Address& a) {
  constexpr std::uint8_t kInternational = 1;
  out.assign(a.ton == kInternational ? "+" : "");
  out.append(a.text);
}

}  // namespace

LineFile::~LineFile() {
  if (fd_ < 0) return;
  flush();
  ::close(fd_);
}

std::expected<void, std::string> LineFile::open(const std::string& path) {
  ASSERT(fd_ < 0);
  path_ = path;
  fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd_ < 0) return std::unexpected(fmt::format("{}: {}", path, std::strerror(errno)));
  return {};
}

void LineFile::flush() {
  std::string_view rest = buffer_;
  while (fd_ >= 0 && error_.empty() && !rest.empty()) {
    const ssize_t n = ::write(fd_, rest.data(), rest.size());
    if (n > 0) {
      rest.remove_prefix(static_cast<std::size_t>(n));
    } else if (n < 0 && errno != EINTR) {
      error_ = fmt::format("{}: {}", path_, std::strerror(errno));
    }
  }
  buffer_.clear();
}

CarrierLedger::CarrierLedger(std::string carrier, LineFile& file)
    : carrier_(std::move(carrier)), file_(file) {}

CarrierLedger::Ticket CarrierLedger::seen(const wire::Submit& submit, std::string_view message_id,
                                          const base::Now& now) {
  if (!file_.is_open()) return {};
  const bool alone = submit.part.total <= 1;
  const std::uint32_t index = alone ? take_entry() : entry_of_set(submit);
  Entry& e = entries_[index];
  if (!e.used) {
    e.used = true;
    e.t = now.wall;
    e.since = now.mono;
    e.data_coding = submit.data_coding;
    assign_address(e.source, submit.source);
    assign_address(e.dest, submit.dest);
    e.message_id.clear();
    e.total = std::max<std::size_t>(submit.part.total, 1);
    if (e.parts.size() < e.total) e.parts.resize(e.total);
    for (PartSeen& p : e.parts) p.seen = false;
  }
  if (e.message_id.empty()) e.message_id.assign(message_id);
  PartSeen& part = e.parts[submit.part.number - 1u];
  part.seen = true;
  part.answer = Answer::pending;
  part.status = 0;
  part.octets.assign(submit.text);
  ++part.times;
  return {index, e.generation, static_cast<std::uint8_t>(submit.part.number - 1), part.times};
}

void CarrierLedger::settle(const Ticket& ticket, Answer answer, std::uint32_t status) {
  if (!file_.is_open()) return;
  Entry& e = entries_[ticket.entry];
  if (!e.used || e.generation != ticket.generation) return;  // written already, as partial
  if (e.parts[ticket.part].times != ticket.times) return;    // it has come again since
  e.parts[ticket.part].answer = answer;
  e.parts[ticket.part].status = status;
  finish_if_done(ticket.entry);
}

void CarrierLedger::write_stale(base::Mono now) {
  std::vector<std::uint32_t> stale;
  for (const auto& [key, index] : sets_) {
    if (now - entries_[index].since >= kPartWait) stale.push_back(index);
  }
  std::ranges::sort(stale);
  for (const std::uint32_t index : stale) write(index);
}

void CarrierLedger::finish() {
  for (std::uint32_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].used) write(i);
  }
}

std::uint32_t CarrierLedger::take_entry() {
  if (free_.empty()) {
    entries_.emplace_back();
    return static_cast<std::uint32_t>(entries_.size() - 1);
  }
  const std::uint32_t index = free_.back();
  free_.pop_back();
  return index;
}

std::uint32_t CarrierLedger::entry_of_set(const wire::Submit& submit) {
  key_.clear();
  fmt::format_to(std::back_inserter(key_), "{} {} {} {}", submit.dest.text, submit.part.reference,
                 submit.part.total, submit.source.text);
  if (const auto it = sets_.find(key_); it != sets_.end()) {
    const Entry& e = entries_[it->second];
    const PartSeen& part = e.parts[submit.part.number - 1u];
    // A part that was not taken may come again, and, while others are missing, one that was: its
    // answer may not have been read. A phone joins it with the rest all the same. Any other is the
    // first of another message.
    const auto is_taken = [](const PartSeen& p) {
      return p.seen && p.answer != Answer::refused && p.answer != Answer::dropped;
    };
    const bool whole = std::all_of(
        e.parts.begin(), e.parts.begin() + static_cast<std::ptrdiff_t>(e.total), is_taken);
    const bool again = !is_taken(part) || (!whole && part.octets == submit.text);
    if (!part.seen || again) return it->second;
    write(it->second);
  }
  const std::uint32_t index = take_entry();
  entries_[index].key = key_;
  sets_.emplace(key_, index);
  return index;
}

void CarrierLedger::finish_if_done(std::uint32_t index) {
  const Entry& e = entries_[index];
  std::size_t taken = 0;
  std::size_t answered = 0;
  for (std::size_t i = 0; i < e.total; ++i) {
    const PartSeen& p = e.parts[i];
    if (!p.seen || p.answer == Answer::pending) return;
    answered += 1;
    if (p.answer == Answer::ok || p.answer == Answer::none) taken += 1;
  }
  // Some parts taken, some not: those may still be sent again.
  if (taken == answered || taken == 0) write(index);
}

void CarrierLedger::write(std::uint32_t index) {
  const Entry& e = entries_[index];
  octets_.clear();
  bool partial = false;
  Answer worst = Answer::ok;
  std::uint32_t status = 0;
  for (std::size_t i = 0; i < e.total; ++i) {
    const PartSeen& p = e.parts[i];
    if (!p.seen) {
      partial = true;
      continue;
    }
    octets_.append(p.octets);
    const Answer answer = p.answer == Answer::pending ? Answer::none : p.answer;
    if (answer > worst) worst = answer;
    if (answer == Answer::refused) status = p.status;
  }
  text_.clear();
  append_text(text_, e.data_coding, octets_);
  const std::string_view token = find_token(text_);

  std::string& out = file_.buffer();
  out.append(R"({"t":")").append(time_.rfc3339(e.t)).append(R"(","carrier":)");
  append_json(out, carrier_);
  out.append(R"(,"to":")").append(e.dest).append(R"(","from":)");
  append_json(out, e.source);
  out.append(R"(,"text":)");
  append_json(out, text_);
  out.append(R"(,"token":)");
  if (token.empty()) {
    out.append("null");
  } else {
    append_json(out, token);
  }
  out.append(R"(,"message_id":)");
  if (e.message_id.empty()) {
    out.append("null");
  } else {
    append_json(out, e.message_id);
  }
  out.append(R"(,"resp":")");
  switch (worst) {
    case Answer::pending:
    case Answer::none:
      out.append("none");
      break;
    case Answer::ok:
      out.append("ok");
      break;
    case Answer::dropped:
      out.append("dropped");
      break;
    case Answer::refused:
      out.append(smpp::status_name(status));
      break;
  }
  out.append(partial ? "\",\"partial\":true}\n" : "\"}\n");
  file_.written();
  release(index);
}

void CarrierLedger::release(std::uint32_t index) {
  Entry& e = entries_[index];
  if (!e.key.empty()) {
    sets_.erase(e.key);
    e.key.clear();
  }
  e.used = false;
  e.generation += 1;
  free_.push_back(index);
}

}  // namespace trunkline::sim
