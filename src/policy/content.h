// What rules ask of a text. The engine never sees texts: who reads the request looks, and hands on
// these bits.
//
// Pure; linear in the text.
#pragma once

#include <cstdint>
#include <string_view>

namespace trunkline::policy {

struct Content {
  enum Bit : std::uint8_t {
    kLink = 1,         // a web address
    kShortLink = 2,    // of a public shortener
    kPhoneNumber = 4,  // seven digits or more that can be dialled
    kOptOut = 8,       // says how to get no more
    kPrefix = 16,      // begins with what the country's rules ask for
    kTemplate = 32,    // is a template of the registration that covers it
    kOtp = 64,         // is a template with a code of the tenant, of or for that class
    kRead = 128,       // none of the above is known without this
  };
  std::uint8_t bits = 0;

  bool has(Bit bit) const { return (bits & bit) != 0; }
};

// All but kPrefix, kTemplate and kOtp.
Content read_content(std::string_view text);

// Whether `text` is `form`, in which {#...#} stands for any text.
bool matches_template(std::string_view form, std::string_view text);

}  // namespace trunkline::policy
