// What is read of results is written as the same octets again.
#include <sys/mman.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "bulk/results.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace trunkline;
  bulk::File file(::memfd_create("results", MFD_CLOEXEC));
  ASSERT(file.is_open());
  if (!file.write({reinterpret_cast<const char*>(data), size})) return 0;
  const auto page = bulk::read_results(file, 0, size, 1000);
  ASSERT(page && page->next <= size && page->results.size() <= 1000);
  std::string again;
  for (const bulk::Result& result : page->results) bulk::append_result(again, result);
  bulk::File copy(::memfd_create("results", MFD_CLOEXEC));
  if (!copy.write(again)) return 0;
  const auto same = bulk::read_results(copy, 0, again.size(), 1000);
  ASSERT(same && same->next == again.size() && same->results.size() == page->results.size());
  for (std::size_t i = 0; i < same->results.size(); ++i) {
    ASSERT(same->results[i].index == page->results[i].index);
    ASSERT(same->results[i].line == page->results[i].line);
    ASSERT(same->results[i].status == page->results[i].status);
    ASSERT(same->results[i].id == page->results[i].id);
    ASSERT(same->results[i].problem == page->results[i].problem);
  }
  return 0;
}
