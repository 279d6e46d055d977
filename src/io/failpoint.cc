#include "io/failpoint.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <map>
#include <mutex>
#include <thread>

namespace trunkline::io {
namespace {

enum class Action : std::uint8_t { kill, eio, enospc, delay };

struct Arming {
  Action action = Action::kill;
  std::chrono::milliseconds delay{};
  std::uint64_t only_hit = 0;  // 0: every one
  std::uint64_t hits = 0;
};
using Armings = std::map<std::string, Arming, std::less<>>;

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

std::expected<Arming, std::string> parse_action(std::string_view text) {
  Arming arming;
  if (const auto at = text.find('@'); at != std::string_view::npos) {
    const auto hit = number(text.substr(at + 1));
    if (!hit || *hit == 0) return std::unexpected("after @ comes a number from 1 on");
    arming.only_hit = *hit;
    text = text.substr(0, at);
  }
  if (text == "kill") {
    arming.action = Action::kill;
  } else if (text == "eio") {
    arming.action = Action::eio;
  } else if (text == "enospc") {
    arming.action = Action::enospc;
  } else if (text.starts_with("delay:")) {
    const auto ms = number(text.substr(6));
    if (!ms || *ms > 3'600'000) return std::unexpected("delay:MS takes milliseconds");
    arming.action = Action::delay;
    arming.delay = std::chrono::milliseconds(*ms);
  } else {
    return std::unexpected("the action is kill, eio, enospc or delay:MS");
  }
  return arming;
}

std::expected<Armings, std::string> parse_spec(std::string_view spec) {
  Armings armings;
  while (!spec.empty()) {
    const std::string_view item = spec.substr(0, spec.find(','));
    spec.remove_prefix(std::min(spec.size(), item.size() + 1));
    const auto equals = item.find('=');
    if (equals == std::string_view::npos) {
      return std::unexpected(fmt::format("failpoint \"{}\": write name=action", item));
    }
    auto arming = parse_action(item.substr(equals + 1));
    if (!arming) {
      return std::unexpected(fmt::format("failpoint \"{}\": {}", item, arming.error()));
    }
    armings[std::string(item.substr(0, equals))] = *arming;
  }
  return armings;
}

}  // namespace

// One a process, made by whichever failpoint registers first.
struct FailpointRegistry {
  static FailpointRegistry& get() {
    static FailpointRegistry registry;
    return registry;
  }

  FailpointRegistry() {
    const char* spec = std::getenv("TRUNKLINE_FAILPOINTS");
    if (spec == nullptr) return;
    auto parsed = parse_spec(spec);
    if (parsed) {
      armings = std::move(*parsed);
    } else {
      environment_error = parsed.error();
    }
  }

  void add(Failpoint& point) {
    const std::scoped_lock lock(mutex);
    points.push_back(&point);
    point.armed_ = armings.contains(point.name_);
  }

  const Failpoint* find(std::string_view name) const {
    const auto found = std::ranges::find(points, name, &Failpoint::name);
    return found == points.end() ? nullptr : *found;
  }

  std::string first_unknown(const Armings& among) const {
    for (const auto& [name, arming] : among) {
      if (find(name) == nullptr) return fmt::format("there is no failpoint \"{}\"", name);
    }
    return {};
  }

  void arm(Armings wanted) {
    armings = std::move(wanted);
    for (Failpoint* point : points) point->armed_ = armings.contains(point->name_);
  }

  // What this hit does; nullopt: nothing.
  std::optional<Arming> next(const Failpoint& point) {
    const std::scoped_lock lock(mutex);
    const auto found = armings.find(point.name_);
    if (found == armings.end()) return std::nullopt;
    ++found->second.hits;
    if (found->second.only_hit != 0 && found->second.hits != found->second.only_hit) {
      return std::nullopt;
    }
    return found->second;
  }

  std::mutex mutex;
  std::vector<Failpoint*> points;
  Armings armings;
  std::string environment_error;
};

Failpoint::Failpoint(std::string_view name) : name_(name) { FailpointRegistry::get().add(*this); }

std::optional<int> Failpoint::act() {
  const auto arming = FailpointRegistry::get().next(*this);
  if (!arming) return std::nullopt;
  switch (arming->action) {
    case Action::kill:
      std::raise(SIGKILL);
      break;
    case Action::eio:
      return EIO;
    case Action::enospc:
      return ENOSPC;
    case Action::delay:
      std::this_thread::sleep_for(arming->delay);
      break;
  }
  return std::nullopt;
}

std::vector<std::string> failpoint_names() {
  FailpointRegistry& registry = FailpointRegistry::get();
  const std::scoped_lock lock(registry.mutex);
  std::vector<std::string> names;
  for (const Failpoint* point : registry.points) names.emplace_back(point->name());
  std::ranges::sort(names);
  return names;
}

std::expected<void, std::string> arm_failpoints(std::string_view spec) {
  auto armings = parse_spec(spec);
  if (!armings) return std::unexpected(armings.error());
  FailpointRegistry& registry = FailpointRegistry::get();
  const std::scoped_lock lock(registry.mutex);
  if (std::string unknown = registry.first_unknown(*armings); !unknown.empty()) {
    return std::unexpected(std::move(unknown));
  }
  registry.arm(std::move(*armings));
  return {};
}

std::string failpoint_environment_error() {
  FailpointRegistry& registry = FailpointRegistry::get();
  const std::scoped_lock lock(registry.mutex);
  if (!registry.environment_error.empty()) return registry.environment_error;
  return registry.first_unknown(registry.armings);
}

}  // namespace trunkline::io
