#include "service/awaited.h"

#include "message/record.h"

namespace trunkline::service {

std::optional<Taken> awaits_receipt(std::string_view bytes) {
  const auto record = message::decode_record(bytes);
  if (!record) return std::nullopt;
  const message::Progress progress = message::fold(*record);
  const bool taken =
      progress.state == message::State::submitted || progress.state == message::State::uncertain;
  if (!taken || progress.submitted_at == base::Wall{}) return std::nullopt;
  for (auto event = record->events.rbegin(); event != record->events.rend(); ++event) {
    if (event->kind == message::EventKind::answered &&
        event->attempt_state == message::AttemptState::submitted) {
      return Taken{event->carrier, progress.submitted_at};
    }
  }
  return std::nullopt;
}

store::Result<AwaitedByCarrier> count_awaited(store::Store& store) {
  AwaitedByCarrier out;
  const auto done = store.visit_cold([&](std::string_view record) {
    if (const auto taken = awaits_receipt(record)) out[taken->carrier].add(taken->at);
  });
  if (!done) return std::unexpected(done.error());
  return out;
}

}  // namespace trunkline::service
