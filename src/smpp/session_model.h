// A session, a socket that takes what it likes, and a peer that answers what it likes, all driven
// by a row of bytes; beside them a book of what really reached the socket, kept without looking
// into the session. It ASSERTs what SmppSession promises:
//   - every request ends exactly once: answered, timed out, expired or listed by close();
//   - `not_written`, expired and withdrawn requests have not one byte in the socket, then or ever;
//   - `maybe_written` is said only where bytes were taken or a chunk was not settled;
//   - no request's first byte is handed out at or after its not_after, or after MustClose;
//   - the written stream is whole frames; MustClose comes once; timers do not fire for ever.
// For the fuzzer and for the test that runs it on seeds.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "base/bytes.h"
#include "smpp/framer.h"
#include "smpp/session.h"
#include "smpp/status.h"

namespace trunkline::smpp {

class SessionModel {
 public:
  // What came up, so that a test can see that it tested something.
  struct Tally {
    std::size_t answered = 0, late = 0, timed_out = 0, expired = 0;
    std::size_t not_written = 0, maybe_written = 0, partly_taken = 0, closed_by_session = 0;
  };

  explicit SessionModel(std::string_view script) : script_(script) {}

  Tally run() {
    const std::uint8_t first = script_.u8();
    role_ = (first & 1) != 0 ? Role::smsc : Role::esme;
    SessionConfig c;
    c.role = role_;
    c.window = 1 + (first >> 1 & 7);
    c.inbound_window = 3;
    c.bind_timeout = kTick * 40;
    c.response_timeout = kTick * 20;
    c.enquire_link_interval = kTick * 60;
    c.enquire_link_timeout = kTick * 20;
    c.inactivity_timeout = (first & 0x10) != 0 ? kTick * 200 : base::Duration{0};
    c.unbind_grace = kTick * 10;
    window_ = c.window;
    session_.emplace(c, now_);
    if ((first & 0x20) == 0) become_bound();
    while (script_.remaining() > 0 && !closed_) step(script_.u8());
    if (!closed_) close();
    return tally_;
  }

 private:
  static constexpr base::Duration kTick = std::chrono::milliseconds(10);

  enum class Fate : std::uint8_t { none, answered, timed_out, late, expired, closed };
  struct Book {
    std::uint64_t token = 0;
    base::Mono not_after = base::Mono::max();
    Fate fate = Fate::none;
    bool in_socket = false;  // its header, at least
    bool banned = false;     // must never get there
  };

  std::uint32_t request_id() const {
    return static_cast<std::uint32_t>(role_ == Role::esme ? CommandId::submit_sm
                                                          : CommandId::deliver_sm);
  }
  Pdu request() const { return role_ == Role::esme ? Pdu{SubmitSm{}} : Pdu{DeliverSm{}}; }

  void become_bound() {
    if (role_ == Role::esme) {
      ASSERT(session_->bind(Bind{}, now_).has_value());
      take_all();
      receive(BindResp{}, last_sequence_in_socket_, 0);
    } else {
      receive(Bind{}, 1, 0);
      ASSERT(session_->accept_bind("us", now_).has_value());
    }
    events();
    ASSERT(session_->state() == SessionState::bound);
  }

  void step(std::uint8_t op) {
    switch (op % 16) {
      case 0:
      case 1:
      case 2:
        send();
        break;
      case 3:
      case 4:
        hand_out(1 + script_.u8() * std::size_t{2});
        break;
      case 5:
        hand_out(100'000);
        settle(chunk_.size());
        break;
      case 6:
      case 7:
        settle(chunk_.empty() ? 0 : script_.u8() * chunk_.size() / 255);
        break;
      case 8:
      case 9:
        pass(script_.u8());
        break;
      case 10:
      case 11:
        answer(script_.u8());
        break;
      case 12:
        receive_anything(script_.u8());
        break;
      case 13:
        receive_raw(script_.u8());
        break;
      case 14:
        host(script_.u8());
        break;
      default:
        if (script_.u8() < 20) return close();
    }
    events();
    check();
  }

  std::size_t left() const { return script_.remaining() == 0 ? 0 : script_.remaining() - 1; }

  void send() {
    const std::uint8_t how = script_.u8();
    RequestOptions options{.token = ++last_token_, .response_timeout = std::nullopt};
    if ((how & 1) != 0) options.not_after = now_ + kTick * (how >> 2 & 31);
    if ((how & 2) != 0) options.response_timeout = kTick * (how >> 4);
    const auto sent = session_->send(request(), options, now_);
    if (!sent) return;
    Book book{.token = options.token};
    if (options.not_after) book.not_after = *options.not_after;
    ASSERT(book_.emplace(*sent, book).second);
  }

  void hand_out(std::size_t max) {
    const std::string_view chunk = session_->next_chunk(now_, max);
    if (!chunk_.empty()) {
      ASSERT(chunk.empty());
      return;
    }
    ASSERT(chunk.size() <= max);
    chunk_ = chunk;
    view_ = chunk;
    each_header(socket_ + chunk_, socket_.size(), [&](std::uint32_t sequence) {
      Book& book = book_.at(sequence);
      ASSERT(!must_close_ && !book.banned && now_ < book.not_after);
    });
  }

  void settle(std::size_t bytes) {
    ASSERT(view_ == chunk_);  // still there, whatever was called since
    if (bytes < chunk_.size() && bytes > 0) ++tally_.partly_taken;
    socket_ += chunk_.substr(0, bytes);
    chunk_.clear();
    view_ = {};
    each_header(socket_, 0, [&](std::uint32_t sequence) {
      Book& book = book_.at(sequence);
      ASSERT(!book.banned);
      book.in_socket = true;
    });
    read_whole_frames();
    session_->on_written(bytes, now_);
    // Reported in doubt, but now known not to be there: it must stay away.
    if (tail_hides_a_header()) return;
    for (auto& [sequence, book] : book_) {
      if (!book.in_socket && book.fate == Fate::timed_out) book.banned = true;
    }
  }

  void take_all() {
    for (;;) {
      hand_out(1000);
      if (chunk_.empty()) return;
      settle(chunk_.size());
    }
  }

  void pass(std::uint8_t ticks) {
    now_ += kTick * (ticks & 15);
    session_->on_timer(now_);
    const auto next = session_->next_deadline();
    ASSERT(!next || *next > now_);
  }

  // The peer answers one of the requests it has, in some way.
  void answer(std::uint8_t how) {
    std::vector<std::uint32_t> seen;
    for (const auto& [sequence, book] : book_) {
      if (book.in_socket) seen.push_back(sequence);
    }
    if (seen.empty()) return;
    const std::uint32_t sequence =
        seen[seen.size() - 1 - how % std::min<std::size_t>(seen.size(), 8)];
    if ((how & 0x40) != 0) return receive(GenericNack{}, sequence, kEsmeRinvcmdlen);
    receive(*empty_response(request_id()), sequence, how >> 7 != 0 ? kEsmeRthrottled : kEsmeRok);
  }

  void receive_anything(std::uint8_t how) {
    const std::uint32_t sequence = script_.u8();
    const Pdu all[] = {EnquireLink{},
                       EnquireLinkResp{},
                       Unbind{},
                       UnbindResp{},
                       SubmitSm{},
                       DeliverSm{},
                       Bind{},
                       BindResp{},
                       SubmitSmResp{},
                       DeliverSmResp{},
                       GenericNack{},
                       UnknownPdu{0x103, "x"},
                       UnknownPdu{0x80000103, ""}};
    // Not too often what ends the session.
    const std::size_t which = how % std::size(all);
    if ((which == 2 || which == 3) && how > 20) return;
    receive(all[which], sequence, how >> 6);
  }

  // Bytes of the script itself. Seldom in the seeded runs, as it ends most sessions.
  void receive_raw(std::uint8_t how) {
    if (how < 240) return;
    session_->on_received(script_.view(std::min<std::size_t>(script_.u8(), left())), now_);
  }

  // What the host of the session may do.
  void host(std::uint8_t how) {
    switch (how % 8) {
      case 0:
        if (how == 0) session_->unbind(now_);
        break;
      case 1:
        if (role_ == Role::esme) (void)session_->bind(Bind{}, now_);
        break;
      case 2:
        if (role_ == Role::smsc) (void)session_->accept_bind("us", now_);
        break;
      case 3:
        if (role_ == Role::smsc) session_->refuse_bind(kEsmeRbindfail, now_);
        break;
      default:
        if (inbound_.empty()) return;
        ASSERT(session_
                   ->respond(inbound_.front(), how >> 6,
                             role_ == Role::esme ? Pdu{DeliverSmResp{}} : Pdu{SubmitSmResp{}}, now_)
                   .has_value());
        inbound_.pop_front();
    }
  }

  void receive(const Pdu& pdu, std::uint32_t sequence, std::uint32_t status) {
    std::string bytes;
    ASSERT(encode(pdu, sequence, status, bytes).has_value());
    const std::string first = bytes.substr(0, sequence % bytes.size());  // in two pieces
    session_->on_received(first, now_);
    session_->on_received(bytes.substr(first.size()), now_);
  }

  void events() {
    while (const auto event = session_->next_event()) {
      std::visit([this](const auto& e) { on(e); }, *event);
    }
  }
  void on(const Response& e) {
    Book& book = book_.at(e.sequence);
    ASSERT(book.token == e.token && book.fate == (e.late ? Fate::timed_out : Fate::none));
    ASSERT(may_be_out(e.sequence));
    book.fate = e.late ? Fate::late : Fate::answered;
    ++(e.late ? tally_.late : tally_.answered);
  }
  void on(const RequestTimedOut& e) {
    Book& book = book_.at(e.sequence);
    ASSERT(book.token == e.token && book.fate == Fate::none && may_be_out(e.sequence));
    book.fate = Fate::timed_out;
    ++tally_.timed_out;
  }
  void on(const ExpiredUnwritten& e) {
    for (auto& [sequence, book] : book_) {
      if (book.token != e.token) continue;
      ASSERT(book.fate == Fate::none && !book.in_socket && now_ >= book.not_after);
      book.fate = Fate::expired;
      book.banned = true;
      ++tally_.expired;
      return;
    }
    const bool token_was_sent = false;
    ASSERT(token_was_sent);
  }
  void on(const InboundRequest& e) { inbound_.push_back(e.sequence); }
  void on(const MustClose&) {
    ASSERT(!must_close_);
    must_close_ = true;
    ++tally_.closed_by_session;
  }
  void on(const auto&) {}

  void check() {
    std::size_t open = 0;
    for (const auto& [sequence, book] : book_) {
      if (book.fate == Fate::none) ++open;
    }
    ASSERT(session_->outstanding() == open && open <= window_);
    ASSERT(session_->unsent_bytes() >= chunk_.size());
    ASSERT(session_->inbound_unanswered() <= 3);
    ASSERT(must_close_ == (session_->state() == SessionState::closing));
    ASSERT(!must_close_ || !session_->next_deadline());
  }

  void close() {
    const auto fates = session_->close(CloseReason::connection_lost);
    std::size_t hidden = 0;
    std::uint64_t last = 0;
    for (const Unanswered& u : fates) {
      Book& book = book_.at(u.sequence);
      ASSERT(book.token == u.token && book.fate == Fate::none);
      ASSERT(u.token > last);  // in order of send()
      last = u.token;
      book.fate = Fate::closed;
      const bool out = book.in_socket || in_chunk(u.sequence);
      if (u.written == Written::not_written) {
        ASSERT(!out);
        ++tally_.not_written;
      } else {
        if (!out) ++hidden;
        ++tally_.maybe_written;
      }
    }
    ASSERT(hidden <= (tail_hides_a_header() ? 1u : 0u));
    for (const auto& [sequence, book] : book_) ASSERT(book.fate != Fate::none);
    ASSERT(session_->next_chunk(now_, 1000).empty());
    ASSERT(session_->close(CloseReason::requested).empty());
    ASSERT(session_->state() == SessionState::closed);
    closed_ = true;
  }

  // --- the socket's side, from the bytes alone ---

  static std::size_t length_at(std::string_view bytes, std::size_t at) {
    return peek_header(bytes.substr(at, kHeaderBytes)).command_length;
  }
  // Checks them and forgets them: what they said is in the book.
  void read_whole_frames() {
    std::size_t at = 0;
    while (socket_.size() - at >= kHeaderBytes) {
      const std::size_t size = length_at(socket_, at);
      if (socket_.size() - at < size) break;
      const auto decoded = decode(std::string_view(socket_).substr(at, size));
      ASSERT(decoded.has_value());
      last_sequence_in_socket_ = decoded->header.sequence;
      at += size;
    }
    socket_.erase(0, at);
  }
  // Calls `f` with the sequence of every request of ours whose header lies whole in `bytes` and
  // starts at or behind `from`.
  template <class F>
  void each_header(std::string_view bytes, std::size_t from, F f) const {
    for (std::size_t at = 0; bytes.size() - at >= kHeaderBytes;) {
      const Header h = peek_header(bytes.substr(at));
      ASSERT(h.command_length >= kHeaderBytes && h.command_length <= base::limits::kPduBytesMax);
      if (at >= from && h.command_id == request_id()) f(h.sequence);
      if (bytes.size() - at < h.command_length) return;
      at += h.command_length;
    }
  }
  bool in_chunk(std::uint32_t sequence) const {
    bool found = false;
    each_header(socket_ + chunk_, 0, [&](std::uint32_t s) { found |= s == sequence; });
    return found;
  }
  // Some octets of a frame are out that do not yet tell whose.
  bool tail_hides_a_header() const {
    std::size_t end = 0;
    const std::string all = socket_ + chunk_;
    while (all.size() - end >= kHeaderBytes && all.size() - end >= length_at(all, end)) {
      end += length_at(all, end);
    }
    return all.size() - end > 0 && all.size() - end < kHeaderBytes;
  }
  bool may_be_out(std::uint32_t sequence) const {
    return book_.at(sequence).in_socket || in_chunk(sequence) || tail_hides_a_header();
  }

  base::ByteReader script_;
  Role role_ = Role::esme;
  std::size_t window_ = 1;
  base::Mono now_{};
  std::optional<SmppSession> session_;
  std::map<std::uint32_t, Book> book_;  // by sequence
  std::uint64_t last_token_ = 0;
  std::deque<std::uint32_t> inbound_;
  std::string socket_;     // taken, from the start of a frame that is not whole yet
  std::string chunk_;      // handed out, not settled
  std::string_view view_;  // the session's own memory of it
  std::uint32_t last_sequence_in_socket_ = 0;
  bool must_close_ = false;
  bool closed_ = false;
  Tally tally_;
};

}  // namespace trunkline::smpp
