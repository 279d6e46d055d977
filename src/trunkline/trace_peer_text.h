// One line of a peer's trace for people.
#pragma once

#include <string>
#include <string_view>

namespace trunkline::cli {

// "10:00:00.123456 alpha/0 -> submit_sm 7 destination_addr=447*******23 …". What is not such a line
// comes back as it is.
std::string peer_line_text(std::string_view json);

}  // namespace trunkline::cli
