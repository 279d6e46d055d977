// Just enough of an HTTP/1.1 answer for a load generator: status, length, body.
#pragma once

#include <cstdint>
#include <string_view>

namespace trunkline::sim {

struct HttpAnswer {
  int status = 0;
  bool close = false;     // Connection: close
  bool replayed = false;  // Idempotent-Replayed: true
  std::string_view body;
};

enum class HttpCut : std::uint8_t { answer, incomplete, nonsense };

// Takes one answer off the front of `input`; its body points there. Answers need a Content-Length.
HttpCut next_answer(std::string_view& input, HttpAnswer& out);

}  // namespace trunkline::sim
