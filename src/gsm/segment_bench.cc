// What a message costs here on its way in (plan) and out (encode); the aim is below 1 us for 100
// characters of ASCII.
#include <benchmark/benchmark.h>

#include <string>

#include "gsm/decode.h"
#include "gsm/encode.h"
#include "gsm/segment.h"

namespace trunkline::gsm {
namespace {

std::string text_of(std::string_view piece, std::size_t characters) {
  std::string out;
  for (std::size_t i = 0; i < characters; ++i) out += piece;
  return out;
}

void plan_and_encode(benchmark::State& state, const std::string& text) {
  for (auto _ : state) {
    const auto plan = plan_segments(text);
    for (std::size_t i = 0; i < plan->segments; ++i) {
      benchmark::DoNotOptimize(encode_segment(text, *plan, i, 7));
    }
  }
}
BENCHMARK_CAPTURE(plan_and_encode, ascii_100, text_of("a", 100));
BENCHMARK_CAPTURE(plan_and_encode, gsm7_160_umlauts, text_of("aü", 80));
BENCHMARK_CAPTURE(plan_and_encode, ucs2_70, text_of("ж", 70));
BENCHMARK_CAPTURE(plan_and_encode, ascii_3_segments, text_of("a", 400));
BENCHMARK_CAPTURE(plan_and_encode, emoji_3_segments, text_of("👨‍👩‍👧‍👦", 16));
BENCHMARK_CAPTURE(plan_and_encode, ascii_32_segments, text_of("a", 32 * 153));

void plan_only(benchmark::State& state, const std::string& text) {
  for (auto _ : state) benchmark::DoNotOptimize(plan_segments(text));
}
BENCHMARK_CAPTURE(plan_only, ascii_100, text_of("a", 100));

void choose_and_encode(benchmark::State& state, const std::string& text,
                       const EncodeOptions& options) {
  for (auto _ : state) {
    const auto chosen = encode(text, options);
    for (std::size_t i = 0; i < chosen->segments(); ++i) {
      benchmark::DoNotOptimize(encode_part(*chosen, i, 7));
    }
  }
}
constexpr EncodeOptions kTurkish{.single_shift = {Language::turkish},
                                 .locking_shift = {Language::turkish}};
constexpr EncodeOptions kLookalikes{.transliteration = Transliteration::lookalikes};
BENCHMARK_CAPTURE(choose_and_encode, ascii_100, text_of("a", 100), EncodeOptions{});
BENCHMARK_CAPTURE(choose_and_encode, turkish_100, text_of("aş", 50), kTurkish);
BENCHMARK_CAPTURE(choose_and_encode, lookalikes_100, text_of("It’s ", 20), kLookalikes);

void decode(benchmark::State& state, const std::string& octets, std::uint8_t coding) {
  for (auto _ : state) benchmark::DoNotOptimize(decode_text(octets, coding));
}
BENCHMARK_CAPTURE(decode, gsm7_100, text_of("a", 100), 0);
BENCHMARK_CAPTURE(decode, ucs2_70, text_of("zz", 70), 8);

}  // namespace
}  // namespace trunkline::gsm
