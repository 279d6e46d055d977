#include "config/schema_caps.h"

#include <algorithm>
#include <array>

namespace trunkline::config {
namespace {

constexpr std::string_view kPer[] = {"minute", "hour", "day"};
constexpr std::string_view kBy[] = {"tenant", "sender", "recipient", "country", "class"};

constexpr std::array kCapFields{
    Field{.key = "messages",
          .kind = Kind::integer,
          .absent = "`segments` are counted",
          .min = "1",
          .max = "1000000000000",
          .doc = "The most messages in one window."},
    Field{.key = "segments",
          .kind = Kind::integer,
          .absent = "`messages` are counted",
          .min = "1",
          .max = "1000000000000",
          .doc = "The most segments; instead of `messages`."},
    Field{.key = "per",
          .kind = Kind::choice,
          .fallback = "day",
          .choices = kPer,
          .doc = "The window."},
    Field{.key = "by",
          .kind = Kind::choice,
          .many = Many::one_or_list,
          .absent = "all together",
          .choices = kBy,
          .doc = "What has a count of its own; several: each combination of them."},
    Field{.key = "classes",
          .kind = Kind::reference,
          .many = Many::list,
          .absent = "all",
          .doc = "Whose messages are counted."},
    Field{.key = "resets",
          .kind = Kind::text,
          .fallback = "UTC",
          .min = "1",
          .max = "64",
          .doc = "The time zone by whose clocks windows begin, such as `America/Los_Angeles`; or "
                 "`rolling`: the last minute, hour or day at any time, in steps of a 24th."},
};
constexpr auto kCapOfAllFields = [] {
  std::array<Field, kCapFields.size() + 1> out;
  *std::ranges::copy(kCapFields, out.begin()).out = Field{.key = "countries",
                                                          .kind = Kind::country,
                                                          .many = Many::list,
                                                          .absent = "all",
                                                          .doc = "Messages to which are counted."};
  return out;
}();

constexpr std::string_view kDoc =
    "The most that may go in a minute, an hour or a day: [policy](policy.md#caps).";

}  // namespace

const Shape kCapShape{"cap", "caps[]", kCapOfAllFields, kDoc};
const Shape kCountryCapShape{"country cap", "countries.COUNTRY.caps[]", kCapFields, kDoc};

}  // namespace trunkline::config
