// JSON pointers as problems have them.
#pragma once

#include <string>
#include <string_view>

namespace trunkline::rest {

// RFC 6901: ~ and / inside a name.
inline void append_pointer(std::string& out, std::string_view name) {
  out.push_back('/');
  // A name is the client's: long ones are cut, they are only there to be recognised.
  for (const char c : name.substr(0, 64)) {
    if (c == '~') {
      out.append("~0");
    } else if (c == '/') {
      out.append("~1");
    } else {
      out.push_back(c);
    }
  }
}

}  // namespace trunkline::rest
