// What an API for applications stands on: the engine behind its mailbox, the store's look-ups, the
// vault and the configuration in force. service/ implements it; tests script one.
#pragma once

#include <memory>

#include "config/config.h"
#include "engine/event.h"
#include "seal/vault.h"
#include "store/store.h"

namespace trunkline::edge {

// Called from the API's thread only. Nothing may block but the store's look-ups.
class Backend {
 public:
  virtual ~Backend() = default;

  // Hands an event to the engine; its answer comes back through the API's deliver() under the
  // same token, exactly once. False: the mailbox is full or closed and the event was not taken
  // (503).
  [[nodiscard]] virtual bool post(engine::Event&& event) = 0;

  // False while nothing new may be accepted: store failed, replay not done, draining. Submissions
  // are refused for now; questions go on.
  virtual bool accepting() const = 0;

  // The configuration in force. The pointer changes with a reload; indexes keep their meaning.
  virtual std::shared_ptr<const config::Config> config() const = 0;

  virtual store::Store& store() = 0;
  virtual seal::Vault& vault() = 0;
};

}  // namespace trunkline::edge
