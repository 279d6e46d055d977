#include "rest/routes.h"

#include <algorithm>

namespace trunkline::rest {
namespace {

// Does `path` fit `pattern`? `id` receives what stands for {id}.
bool fits(std::string_view pattern, std::string_view path, std::string_view& id) {
  constexpr std::string_view kParameter = "{id}";
  const std::size_t at = pattern.find(kParameter);
  if (at == std::string_view::npos) return pattern == path;
  const std::string_view after = pattern.substr(at + kParameter.size());
  if (!path.starts_with(pattern.substr(0, at)) || path.size() <= at + after.size() ||
      !path.ends_with(after)) {
    return false;
  }
  id = path.substr(at, path.size() - at - after.size());
  return id.find('/') == std::string_view::npos;
}

}  // namespace

Routed find_route(std::string_view method, std::string_view path) {
  Routed found;
  std::string_view pattern;  // of the first that fits: the others with the same are its methods
  for (const Route& route : kRoutes) {
    std::string_view id;
    if (!pattern.empty() ? route.path != pattern : !fits(route.path, path, id)) continue;
    if (pattern.empty()) found.id = id;
    pattern = route.path;
    if (!found.allow.empty()) found.allow += ", ";
    found.allow += route.method;
    if (route.method == "GET") found.allow += ", HEAD";
    if (method == route.method || (method == "HEAD" && route.method == "GET")) found.route = &route;
  }
  if (!found.allow.empty()) found.allow += ", OPTIONS";
  return found;
}

}  // namespace trunkline::rest
