// What applications are told of: how their messages ended, and what phones sent them. A notice is
// part of the commit that holds its event, so that it can neither be lost nor be told too early.
#include "engine/impl.h"

namespace trunkline::engine {

using message::Notice;
using message::NoticeKind;

void Engine::Impl::add_notice(std::string account, const Notice& notice, Step& s) {
  auto& line = s.out.commit.notices;
  NoticeReady ready{.key = {account, {s.out.commit.seq, static_cast<std::uint32_t>(line.size())}},
                    .bytes = message::encode_notice(notice)};
  line.push_back({std::move(account), ready.bytes});
  s.out.after_commit.emplace_back(std::move(ready));
}

// Called for the event that was just recorded.
void Engine::Impl::tell(Slot slot, const message::Event& event, State before, Step& s) {
  const bool ended = message::is_final(event.state) && !message::is_final(before);
  const bool taken = event.state == State::submitted && before != State::submitted;
  if (ended || taken) tell(slot, event.state, event, s);
}

// It leaves the engine, and nobody knows whether it arrived: told like an end, for nothing further
// is waited for.
void Engine::Impl::tell_uncertain(Slot slot, Step& s) {
  tell(slot, State::uncertain, {.time = s.now.wall, .cause = Cause::no_receipt}, s);
}

void Engine::Impl::tell(Slot slot, State state, const message::Event& event, Step& s) {
  const Hot& h = hot(slot);
  const bool taken = state == State::submitted;
  const std::uint8_t wanted = taken                       ? message::notify::kIntermediate
                              : state == State::delivered ? message::notify::kDelivered
                                                          : message::notify::kFailed;
  if ((h.notify & wanted) == 0) return;
  auto envelope = message::decode_envelope(h.record());
  ASSERT(envelope.has_value());  // checked when it was loaded or made
  add_notice(std::move(envelope->account),
             {.kind = taken ? NoticeKind::intermediate : NoticeKind::receipt,
              .id = envelope->id,
              .state = state,
              .cause = event.cause,
              .accepted_at = envelope->accepted_at,
              .time = event.time,
              .tenant = std::move(envelope->tenant),
              .raw = event.raw,
              .sealed = std::move(envelope->sealed)},
             s);
}

void Engine::Impl::on(Inbound&& event, Step& s) {
  add_notice(std::move(event.account),
             {.kind = NoticeKind::inbound,
              .id = ids_.next(s.now.wall),
              .state = State::accepted,
              .accepted_at = s.now.wall,
              .time = s.now.wall,
              .tenant = tenant_name(event.tenant),
              .raw = {},
              .sealed = std::move(event.sealed)},
             s);
  s.out.after_commit.emplace_back(ReceiptAck{event.token});
}

void Engine::Impl::on(Told&& event, Step& s) {
  auto& done = s.out.commit.notices_done;
  std::ranges::move(event.done, std::back_inserter(done));
  s.out.after_commit.emplace_back(ToldAnswer{event.token});
}

}  // namespace trunkline::engine
