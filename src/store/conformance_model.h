// Test support: real records to store, and what a store must answer, kept the plain way.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/limits.h"
#include "message/event.h"
#include "message/journal.h"
#include "message/record.h"
#include "store/store.h"

namespace trunkline::store::conformance {

using namespace std::chrono_literals;
using namespace std::string_literals;
using Random = std::mt19937_64;

inline constexpr base::Wall kStart = base::wall_from_us(1'800'000'000'000'000);

inline std::uint64_t pick(Random& random, std::uint64_t below) { return random() % below; }

// A message in a given state, with everything the store looks at.
struct Sample {
  message::Envelope envelope;
  message::State state = message::State::accepted;
  std::string record;
  std::vector<base::Hash128> receipt_keys;
  base::Wall due_at{};
};

inline message::Event event_of(const message::Envelope& envelope, message::EventKind kind,
                               message::State state, base::Duration after) {
  message::Event event;
  event.kind = kind;
  event.state = state;
  event.time = envelope.accepted_at + after;
  return event;
}

class SampleMaker {
 public:
  SampleMaker(std::uint16_t shard, std::uint64_t epoch) : ids_(shard, epoch) {}

  Sample make(Random& random, base::Wall now) {
    static const std::vector<std::string> kTenants{"demo", "dem", "demo\0x"s, "acme"};
    static const std::vector<std::string> kClasses{"otp", "marketing"};
    static const std::vector<message::State> kTargets{
        message::State::delivered, message::State::failed, message::State::uncertain,
        message::State::queued};
    return make(random, now, kTenants[pick(random, kTenants.size())],
                kClasses[pick(random, kClasses.size())], kTargets[pick(random, kTargets.size())],
                1 + pick(random, 5));
  }

  Sample make(Random& random, base::Wall now, std::string tenant, std::string traffic_class,
              message::State state, std::uint64_t to_hash) {
    Sample sample;
    message::Envelope& envelope = sample.envelope;
    envelope.id = ids_.next(now);
    envelope.tenant = std::move(tenant);
    envelope.traffic_class = std::move(traffic_class);
    envelope.country = "GB";
    envelope.to_hash = to_hash;
    envelope.accepted_at = now;
    envelope.due_at = now;
    envelope.expires_at = now + 5min;
    envelope.plan = {"alpha", "beta"};
    envelope.sealed.assign(40 + pick(random, 120), static_cast<char>(pick(random, 256)));
    sample.state = state;
    sample.due_at = now + std::chrono::seconds(pick(random, 4'000));
    message::encode_envelope(envelope, sample.record);
    message::encode_event(
        event_of(envelope, message::EventKind::accepted, message::State::accepted, 0us),
        envelope.accepted_at, sample.record);
    if (state != message::State::accepted) {
      message::encode_event(event_of(envelope, message::EventKind::ended, state, 2s),
                            envelope.accepted_at, sample.record);
    }
    for (std::uint64_t i = pick(random, 3); i > 0; --i) {
      sample.receipt_keys.push_back(message::receipt_key("alpha", std::to_string(random())));
    }
    return sample;
  }

 private:
  base::MessageIdSource ids_;
};

inline message::ArchivePut archive_put(const Sample& s) {
  return {s.envelope.tenant, s.envelope.id, s.envelope.to_hash, s.record};
}
inline message::ColdPut cold_put(const Sample& s) {
  return {s.envelope.tenant, s.envelope.id, s.envelope.to_hash, s.due_at, s.receipt_keys, s.record};
}

// What the store must answer, from plain maps and loops.
struct Model {
  std::map<base::MessageId, Sample> archive;
  std::map<base::MessageId, Sample> cold;
  std::map<std::pair<std::uint64_t, std::uint64_t>, message::KeyRecord> keys;
  std::map<std::uint64_t, std::string> journal;  // seq -> entries

  // Newest first.
  std::vector<std::string> list(const ListQuery& query) const {
    std::map<base::MessageId, const Sample*> merged;
    for (const auto& [id, sample] : cold) merged[id] = &sample;
    for (const auto& [id, sample] : archive) merged[id] = &sample;
    std::vector<std::string> out;
    for (auto at = merged.rbegin(); at != merged.rend(); ++at) {
      const Sample& s = *at->second;
      if (s.envelope.tenant != query.tenant) continue;
      if (query.before && s.envelope.id >= *query.before) continue;
      if (query.to_hash && s.envelope.to_hash != *query.to_hash) continue;
      if (query.status && s.state != *query.status) continue;
      if (query.traffic_class && s.envelope.traffic_class != *query.traffic_class) continue;
      if (query.from_time && s.envelope.accepted_at < *query.from_time) continue;
      if (query.to_time && s.envelope.accepted_at >= *query.to_time) continue;
      out.push_back(s.record);
    }
    return out;
  }

  std::vector<base::MessageId> due(base::Wall until, std::size_t limit) const {
    std::set<std::pair<base::Wall, base::MessageId>> ordered;
    for (const auto& [id, s] : cold) {
      if (s.due_at <= until) ordered.emplace(s.due_at, id);
    }
    std::vector<base::MessageId> out;
    for (const auto& [at, id] : ordered) {
      if (out.size() < limit) out.push_back(id);
    }
    return out;
  }
};

inline bool operator==(const message::KeyRecord& a, const message::KeyRecord& b) {
  return a.fingerprint == b.fingerprint && a.expires_at == b.expires_at && a.kind == b.kind &&
         std::equal(a.answers.begin(), a.answers.end(), b.answers.begin(), b.answers.end(),
                    [](const message::KeyAnswer& x, const message::KeyAnswer& y) {
                      return x.message == y.message && x.sealed_refusal == y.sealed_refusal;
                    });
}

inline message::KeyRecord key_record(Random& random, base::Wall expires_at) {
  message::KeyRecord record;
  record.fingerprint = {random(), random()};
  record.expires_at = expires_at;
  record.kind = static_cast<message::KeyKind>(pick(random, 3));
  for (std::uint64_t i = pick(random, 4); i > 0; --i) {
    if (pick(random, 2) == 0) {
      record.answers.push_back({{random(), random()}, ""});
    } else {
      record.answers.push_back({{}, std::string(pick(random, 300), 'r')});
    }
  }
  return record;
}

}  // namespace trunkline::store::conformance
