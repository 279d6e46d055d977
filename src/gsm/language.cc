#include "gsm/language.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace trunkline::gsm {
namespace {

struct Names {
  std::string_view name;
  std::string_view code;  // ISO 639-1
};
constexpr std::array<Names, kLanguages> kNames = {{{"default", ""},
                                                   {"turkish", "tr"},
                                                   {"spanish", "es"},
                                                   {"portuguese", "pt"},
                                                   {"bengali", "bn"},
                                                   {"gujarati", "gu"},
                                                   {"hindi", "hi"},
                                                   {"kannada", "kn"},
                                                   {"malayalam", "ml"},
                                                   {"oriya", "or"},
                                                   {"punjabi", "pa"},
                                                   {"tamil", "ta"},
                                                   {"telugu", "te"},
                                                   {"urdu", "ur"}}};

}  // namespace

std::string_view name(Language language) {
  const auto index = static_cast<std::size_t>(language);
  return index < kNames.size() ? kNames[index].name : kNames[0].name;
}

std::optional<Language> parse_language(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const auto at = std::ranges::find_if(kNames.begin() + 1, kNames.end(), [text](const Names& n) {
    return n.name == text || n.code == text;
  });
  if (at == kNames.end()) return std::nullopt;
  return static_cast<Language>(std::distance(kNames.begin(), at));
}

}  // namespace trunkline::gsm
