// The way to one other cell: a kept connection, over which one sealed question goes after the
// other.
//
// Threads: one.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "config/config.h"
#include "io/http_client.h"
#include "io/resolver.h"
#include "seal/shared_box.h"

namespace trunkline::cells {

// All that cells tell each other is sealed for this purpose.
inline constexpr std::string_view kPurpose = "trunkline cells 1";
// Of the answer to the question with this name (SharedBox::name): no other is taken for it.
std::string told_context(std::string_view name);
std::string url_of(const config::CellPeer& peer);

class Line {
 public:
  // `at_most` bounds a question as a whole, what it waits there included. `box` and `interrupt`
  // outlive this.
  Line(config::CellPeer peer, const seal::SharedBox& box, const io::HttpInterrupt* interrupt,
       base::Duration at_most);

  // Each question its own `context`. The answer, opened; at most so many octets. The error is a
  // sentence.
  std::expected<std::string, std::string> ask(std::string_view path, std::string_view question,
                                              std::string_view context, std::size_t octets_max);

 private:
  const config::CellPeer peer_;
  const seal::SharedBox& box_;
  const io::HttpInterrupt* const interrupt_;
  const base::Duration at_most_;
  io::Resolver resolver_;
  std::optional<io::HttpClient> client_;
};

}  // namespace trunkline::cells
