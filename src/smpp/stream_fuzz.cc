// A peer that sends what it likes, to either role: nothing crashes, what is written is whole PDUs,
// every request is answered once at most, and what is held stays small, above all before a bind.
// The first octet: bit 0 how the octets come, bit 7 who we are, the others options.
#include <algorithm>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/limits.h"
#include "smpp/framer.h"
#include "smpp/session.h"
#include "smpp/status.h"

namespace trunkline::smpp {
namespace {

namespace limits = base::limits;

// The commands a frame of the second mode may have, so that bodies are reached soon.
constexpr std::uint32_t kCommands[] = {
    0x00000001, 0x00000002, 0x00000009, 0x00000004, 0x00000005, 0x00000021, 0x00000103,
    0x00000003, 0x00000007, 0x00000008, 0x0000000b, 0x00000102, 0x00000111, 0x00000112,
    0x00000113, 0x00000006, 0x00000015, 0x80000001, 0x80000002, 0x80000009, 0x80000004,
    0x80000005, 0x80000021, 0x80000103, 0x80000003, 0x80000007, 0x80000008, 0x80000111,
    0x80000112, 0x80000113, 0x80000006, 0x80000015, 0x80000000, 0x00000110};

class Peer {
 public:
  Peer(Role role, std::uint8_t options) : role_(role), options_(options) {
    SessionConfig config;
    config.role = role;
    config.window = 4;
    config.inbound_window = 5;
    if ((options & 1) != 0) config.serves = OperationSet::all();
    if ((options & 2) != 0) config.password_max = kPasswordMaxEver;
    session_.emplace(config, now_);
    if (role == Role::esme) ASSERT(session_->bind(Bind{}, now_).has_value());
  }

  bool over() const { return over_; }

  void feed(std::string_view bytes) {
    if (!session_->wants_read()) write();
    session_->on_received(bytes, now_);
    events();
    if (!bound_) {
      ASSERT(session_->unsent_bytes() <= limits::kPdusBeforeBindMax * 64 || role_ == Role::esme);
    }
    ASSERT(session_->inbound_unanswered() <= 5);
    // What came in one read can be answered with so much at most.
    ASSERT(session_->unsent_bytes() <= 2 * limits::kLinkUnsentBytesMax + 64 * bytes.size() + 4096);
    write();
    now_ += std::chrono::milliseconds(300);
    session_->on_timer(now_);
    events();
  }

  void write() {
    for (;;) {
      const std::string_view chunk = session_->next_chunk(now_, 777);
      if (chunk.empty()) return;
      std::string_view rest = chunk;
      while (const auto frame = *framer_.next(rest)) {
        const auto decoded = decode(*frame);
        ASSERT(decoded.has_value());
        // A server answers and never asks here; a client binds and asks for life.
        const std::uint32_t id = decoded->header.command_id;
        ASSERT(is_response(id) || role_ == Role::esme || id == 0x15 || id == 0x06);
      }
      session_->on_written(chunk.size(), now_);
    }
  }

 private:
  void events() {
    while (const auto event = session_->next_event()) {
      ASSERT(!over_);
      std::visit([this](const auto& e) { on(e); }, *event);
    }
  }
  void on(const BindRequested& e) {
    ASSERT(role_ == Role::smsc && !bound_);
    ASSERT(e.bind.password.size() <= ((options_ & 2) != 0 ? kPasswordMaxEver : kPasswordMax));
    if ((options_ & 4) != 0 && e.bind.system_id.empty()) {
      session_->refuse_bind(kEsmeRinvsysid, now_);
    } else {
      ASSERT(session_->accept_bind("us", now_).has_value());
    }
  }
  void on(const Bound&) { bound_ = true; }
  void on(const InboundRequest& e) {
    ASSERT(bound_);
    const auto operation = find_operation(command_id(e.pdu));
    ASSERT(operation && may_receive_from(role_ == Role::esme ? Role::smsc : Role::esme, *operation,
                                         session_->bind_kind()));
    if ((options_ & 8) != 0 && e.sequence % 2 == 0) return;  // never answered
    const auto done =
        session_->respond(e.sequence, kEsmeRok, *empty_response(command_id(e.pdu)), now_);
    ASSERT(done.has_value());
  }
  void on(const OutbindReceived&) { ASSERT(role_ == Role::esme && !bound_); }
  void on(const AlertReceived&) { ASSERT(role_ == Role::esme && bound_); }
  void on(const Response&) {
    const bool asked_for_anything = false;
    ASSERT(asked_for_anything);
  }
  void on(const MustClose&) { over_ = true; }
  void on(const auto&) {}

  Role role_;
  std::uint8_t options_;
  base::Mono now_{};
  std::optional<SmppSession> session_;
  Framer framer_;
  bool bound_ = false;
  bool over_ = false;
};

// Frames with a right length and a known command, made of the script's bytes.
std::string framed(base::ByteReader& script) {
  const std::uint32_t command = kCommands[script.u8() % std::size(kCommands)];
  const std::uint8_t sequence = script.u8();
  const std::size_t left = script.remaining() == 0 ? 0 : script.remaining() - 1;
  const std::size_t size = std::min<std::size_t>(script.u8(), left);
  std::string frame;
  for (const std::size_t word :
       {size + kHeaderBytes, std::size_t{command}, std::size_t{0}, std::size_t{sequence}}) {
    for (int shift = 24; shift >= 0; shift -= 8) {
      frame.push_back(static_cast<char>(word >> shift & 0xff));
    }
  }
  return frame.append(script.view(size));
}

}  // namespace
}  // namespace trunkline::smpp

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace trunkline::smpp;
  if (size < 2) return 0;
  const std::uint8_t how = data[0];
  const std::size_t piece = std::size_t{1} + data[1];
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  Peer peer((how & 0x80) != 0 ? Role::smsc : Role::esme, how >> 1);
  if ((how & 1) == 0) {
    for (std::size_t at = 0; at < bytes.size() && !peer.over(); at += piece) {
      peer.feed(std::string(bytes.substr(at, piece)));
    }
  } else {
    trunkline::base::ByteReader script(bytes);
    while (script.remaining() > 0 && !peer.over()) peer.feed(framed(script));
  }
  peer.write();
  return 0;
}
