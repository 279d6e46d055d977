#include "store/store.h"

namespace trunkline::store {

std::string_view name(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::locked:
      return "locked";
    case ErrorKind::io:
      return "io";
    case ErrorKind::damaged:
      return "damaged";
    case ErrorKind::version:
      return "version";
    case ErrorKind::mismatch:
      return "mismatch";
  }
  return "?";
}

}  // namespace trunkline::store
