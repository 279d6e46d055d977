// What a message that waits in a queue takes. Arithmetic: docs/decisions/0003.
#include <fmt/format.h>
#include <gtest/gtest.h>

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#include <sanitizer/allocator_interface.h>
#define TRUNKLINE_SANITIZED 1
#else
#include <malloc.h>
// The binary's allocator, and this test's in the release build.
extern "C" int mallctl(const char*, void*, std::size_t*, void*, std::size_t)
    __attribute__((weak));  // NOLINT
#define TRUNKLINE_SANITIZED 0
#endif

#include "engine/engine.h"

namespace trunkline::engine {
namespace {

constexpr double kAboveTextMax = 400;
// Of 24 to 55 octets, each as often: allocators round up in steps of 16 and 32.
constexpr std::size_t kTextBytesMin = 24;
constexpr std::size_t kLengths = 32;
constexpr double kTextBytes = kTextBytesMin + (kLengths - 1) / 2.0;
// What a sealed text with its two numbers takes above itself: 23 of payload, 57 around it.
constexpr std::size_t kSealedAboveText = 80;
// Just above a power of two by nearly the same factor, so that hash tables are as empty and vectors
// as full as with a million; sanitizers need several times the memory and the time.
constexpr std::size_t kMessages = TRUNKLINE_SANITIZED ? 125'000 : 1'000'000;

// Live on the heap. Sanitizers count what was asked for, malloc what it took for that.
double heap_bytes() {
#if TRUNKLINE_SANITIZED
  return static_cast<double>(__sanitizer_get_current_allocated_bytes());
#else
  if (mallctl != nullptr) {
    std::uint64_t epoch = 1;
    std::size_t allocated = 0;
    std::size_t size = sizeof epoch;
    mallctl("epoch", &epoch, &size, &epoch, size);
    size = sizeof allocated;
    mallctl("stats.allocated", &allocated, &size, nullptr, 0);
    return static_cast<double>(allocated);
  }
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
    item.sealed.assign(kSealedAboveText + kTextBytesMin + (number + i) % kLengths, 's');
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
  const double above_text = each - kTextBytes;
  fmt::print(
      "{:.0f} octets a queued message: {:.0f} above its text, {:.0f} above its sealed text\n", each,
      above_text, above_text - static_cast<double>(kSealedAboveText));
  EXPECT_LE(above_text, kAboveTextMax);
  EXPECT_GT(above_text, kAboveTextMax / 2) << "was anything measured?";
}

}  // namespace
}  // namespace trunkline::engine
