// A main for fuzz targets outside the fuzz preset: feeds LLVMFuzzerTestOneInput the committed
// corpus.
//
// Usage: <folder>_<stem>_replay DIRECTORY. Every file goes in whole, cut short, and with single
// bytes damaged; the damage comes from a fixed seed, so that a failure repeats. A crash, a
// sanitizer's report or an ASSERT is the failure; the input at fault is then printed in hex.
#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <system_error>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" __attribute__((weak)) int LLVMFuzzerInitialize(int* argc, char*** argv);
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace {

constexpr std::size_t kMaxCuts = 512;        // prefixes tried a file, spread over its length
constexpr std::size_t kDamagedCopies = 256;  // copies with one to three bytes changed

using Bytes = std::vector<std::uint8_t>;

std::size_t g_inputs = 0;
std::string g_file;
const Bytes* g_input = nullptr;

void print_input() {
  if (g_input == nullptr) return;
  std::fprintf(stderr, "\nreplay: failed on %zu bytes made from %s:\n", g_input->size(),
               g_file.c_str());
  for (const std::uint8_t byte : *g_input) std::fprintf(stderr, "%02x", byte);
  std::fprintf(stderr, "\n");
  g_input = nullptr;
}

void on_abort(int) { print_input(); }  // returns; abort() then ends the process

void feed(const Bytes& input) {
  // An exact copy on the heap: a read one byte past the end is then ASan's to report.
  const Bytes exact(input);
  g_input = &exact;
  ++g_inputs;
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
  g_input = nullptr;
}

void replay(const Bytes& input) {
  feed(input);
  const std::size_t step = std::max<std::size_t>(1, input.size() / kMaxCuts);
  for (std::size_t length = 0; length < input.size(); length += step) {
    feed(Bytes(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(length)));
  }
  if (input.empty()) return;
  std::minstd_rand random(20110811);
  for (std::size_t copy = 0; copy < kDamagedCopies; ++copy) {
    Bytes damaged = input;
    for (std::size_t change = 0; change <= copy % 3; ++change) {
      damaged[random() % damaged.size()] = static_cast<std::uint8_t>(random());
    }
    feed(damaged);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (LLVMFuzzerInitialize != nullptr) LLVMFuzzerInitialize(&argc, &argv);
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s CORPUS_DIRECTORY\n", argv[0]);
    return 2;
  }
  std::signal(SIGABRT, on_abort);
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(print_input);

  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1], error)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  if (files.empty()) {
    std::fprintf(stderr, "%s: no corpus; put at least one seed there\n", argv[1]);
    return 1;
  }
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    g_file = file.filename().string();
    std::ifstream in(file, std::ios::binary);
    replay(Bytes(std::istreambuf_iterator<char>(in), {}));
  }
  std::printf("%zu files, %zu inputs\n", files.size(), g_inputs);
  return 0;
}
