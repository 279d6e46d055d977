// Whatever the octets, and however the network cuts them, the parser takes the same requests.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "io/http_parser.h"

namespace {

using namespace trunkline::io;

// What the connection would see: every request, then how it ended.
std::string take_all(std::string_view octets, std::size_t first_piece, std::size_t step) {
  std::string seen;
  std::string buffer;
  std::vector<HttpRequest::Field> fields;
  const HttpRequestParser::Limits limits{
      1024, [](std::string_view path) -> std::size_t { return path == "/large" ? 4096 : 256; }};
  auto parser = std::make_unique<HttpRequestParser>(limits);
  std::size_t piece = first_piece;
  while (true) {
    std::size_t size = buffer.size();
    if (size > 0) parser->put(buffer.data(), size);
    buffer.resize(size);
    if (parser->fault() != HttpFault::none) {
      return seen + "fault";  // which one depends on what is seen first
    }
    if (parser->done()) {
      const HttpRequest request = parser->request(buffer.data(), fields);
      seen.append(request.method).append(" ").append(request.path).append("?");
      seen.append(request.query).append("\n");
      for (const auto& [name, value] : fields)
        seen.append(name).append(": ").append(value).append("\n");
      seen.append(request.body).append(parser->keeps_alive() ? "|keep\n" : "|close\n");
      buffer.erase(0, parser->size());
      parser = std::make_unique<HttpRequestParser>(limits);
      continue;
    }
    if (octets.empty()) return seen + "more";
    const std::size_t n = std::min(piece, octets.size());
    buffer.append(octets.substr(0, n));
    octets.remove_prefix(n);
    piece = step;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > 16 * 1024) return 0;
  // A header in error may be found so at once or at its end; so it gets one.
  const std::string octets =
      std::string(reinterpret_cast<const char*>(data) + 2, size - 2) + "\r\n\r\n";
  const std::string whole = take_all(octets, octets.size(), 1);
  if (take_all(octets, 1, 1) != whole) std::abort();
  if (take_all(octets, data[0] + 1u, data[1] + 1u) != whole) std::abort();
  return 0;
}
