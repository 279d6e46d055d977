#include "base/mask.h"

namespace trunkline::base {

std::string mask_number(std::string_view number) {
  std::string out(number);
  const std::size_t first = !out.empty() && out[0] == '+' ? 1 : 0;
  const bool show = out.size() - first >= 8;
  for (std::size_t i = first; i < out.size(); ++i) {
    const bool kept = show && (i < first + 3 || i + 2 >= out.size());
    if (!kept) out[i] = '*';
  }
  return out;
}

}  // namespace trunkline::base
