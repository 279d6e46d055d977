// Any bytes as a configuration: no crash, no end of memory, and never both a configuration and an
// error. What loads must load again onto itself without moving an index.
#include <cstdint>

#include "base/assert.h"
#include "config/config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace trunkline;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const config::SecretResolver secrets =
      [](std::string_view reference) -> std::expected<std::string, std::string> {
    if (reference.size() % 2 == 0) return std::unexpected("not set");
    return std::string(reference.substr(0, 4));
  };
  const config::Loaded loaded = config::load({{"fuzz.yaml", text}}, secrets);
  bool error = false;
  for (const config::Finding& finding : loaded.findings) {
    error = error || finding.severity == config::Finding::Severity::error;
    ASSERT(!config::to_text(finding).empty());
    ASSERT(finding.line >= 0 && finding.column >= 0);
  }
  ASSERT(loaded.config.has_value() != error);
  if (!loaded.config) return 0;
  const config::Loaded again = config::load({{"fuzz.yaml", text}}, secrets, &*loaded.config);
  ASSERT(again.config.has_value());
  ASSERT(again.config->tables.version == loaded.config->tables.version);
  ASSERT(again.config->tenants.size() == loaded.config->tenants.size());
  ASSERT(again.config->carriers.size() == loaded.config->carriers.size());
  return 0;
}
