// What a message that waits in a queue takes. Arithmetic: docs/decisions/0003.
#include <fmt/format.h>
#include <gtest/gtest.h>

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#include <sanitizer/allocator_interface.h>
#define TRUNKLINE_SANITIZED 1
#else
#include <malloc.h>
#define TRUNKLINE_SANITIZED 0
#endif

#include "engine/engine.h"

namespace trunkline::engine {
namespace {

constexpr double kAboveTextMax = 400;
constexpr std::size_t kTextBytes = 40;
// What a sealed 40 octet text with its two numbers takes: 63 of payload, 57 around it.
constexpr std::size_t kSealedBytes = 120;
// Just above a power of two by nearly the same factor, so that hash tables are as empty and vectors
// as full as with a million; sanitizers need several times the memory and the time.
constexpr std::size_t kMessages = TRUNKLINE_SANITIZED ? 125'000 : 1'000'000;

// Live on the heap. Sanitizers count what was asked for, malloc what it took for that.
double heap_bytes() {
#if TRUNKLINE_SANITIZED
  return static_cast<double>(__sanitizer_get_current_allocated_bytes());
#else
  const struct mallinfo2 info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
#endif
}

std::shared_ptr<const Tables> tables() {
  auto t = std::make_shared<Tables>();
  t->classes = message::default_traffic_classes();
  for (const auto& c : t->classes) t->policy.classes.push_back(c.name);
  t->policy.tenants.push_back({.name = "demo", .classes = ~0u});
  for (const char* name : {"alpha", "beta", "gamma"}) {
    t->routing.carriers.push_back({.name = name, .region = "eu"});
    t->carriers.push_back({});
  }
  t->routing.routes.push_back({.name = "all", .via = {{{0}}, {{1}}, {{2}}}});
  routing::finish(t->routing);
  return t;
}

Accept accept(std::uint64_t number, std::size_t count) {
  Accept event;
  event.token = number;
  for (std::size_t i = 0; i < count; ++i) {
    message::Submission item{.to = *numbering::Number::from_digits(447700900000 + number % 1000)};
    item.tenant = {0};
    item.traffic_class = {3};
    item.to_hash = (number + i) * 0x9e3779b97f4a7c15;
    item.sealed.assign(kSealedBytes, 's');
    event.items.push_back(std::move(item));
  }
  return event;
}

// Marketing that waits for a link.
TEST(Engine, MemoryOfAQueuedMessage) {
  const std::shared_ptr<const Tables> config = tables();
  const double before = heap_bytes();
  Engine engine(config, {});
  base::Now now{base::Mono{std::chrono::hours(1)}, base::wall_from_us(1'800'000'000'000'000)};
  std::uint64_t seq = 1;
  for (std::size_t i = 0; i < kMessages; i += 100) {
    Output out;
    out.commit.seq = seq++;
    engine.step(accept(i, 100), now, out);
    now.mono += std::chrono::milliseconds(1);
    now.wall += std::chrono::milliseconds(1);
  }
  ASSERT_EQ(engine.stats().hot, kMessages);
  const double each = (heap_bytes() - before) / static_cast<double>(kMessages);
  const double above_text = each - static_cast<double>(kTextBytes);
  fmt::print(
      "{:.0f} octets a queued message: {:.0f} above its text, {:.0f} above its sealed text\n", each,
      above_text, each - static_cast<double>(kSealedBytes));
  EXPECT_LE(above_text, kAboveTextMax);
  EXPECT_GT(above_text, kAboveTextMax / 2) << "was anything measured?";
}

}  // namespace
}  // namespace trunkline::engine
