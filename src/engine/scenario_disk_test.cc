// What a commit changes on the scenario's disk, and what of it is told.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "engine/scenario_test.h"
#include "message/journal.h"
#include "message/owners.h"

namespace trunkline::engine {

using message::Cause;

namespace {

std::string describe(const message::Event& e) {
  std::string out = std::string(message::name(e.kind));
  if (e.attempt != 0) out += fmt::format(" #{}", e.attempt);
  if (e.segment != 0) out += fmt::format(".{}", e.segment);
  if (!e.carrier.empty()) out += " " + e.carrier;
  const bool has_attempt_state = e.kind == message::EventKind::answered ||
                                 e.kind == message::EventKind::receipt ||
                                 e.kind == message::EventKind::late;
  if (has_attempt_state) out += fmt::format(" {}", message::name(e.attempt_state));
  if (e.cause != Cause::none) out += fmt::format(" ({})", message::name(e.cause));
  if (!e.carrier_message_id.empty()) out += " id=" + e.carrier_message_id;
  if (!e.raw.empty()) out += " raw=" + e.raw;
  if (e.possible_duplicate) out += " possible_duplicate";
  if (e.only_missing) out += " only_missing";
  return fmt::format("{} -> {}", out, message::name(e.state));
}

}  // namespace

void Scenario::make_durable(const message::Commit& commit) {
  ASSERT_EQ(commit.seq, disk_.next_seq);
  ++disk_.next_seq;
  disk_.journal.emplace_back(commit.seq, message::encode_journal_record(commit, 0, commit.seq - 1));
  const auto record = message::decode_journal_record(disk_.journal.back().second);
  ASSERT_TRUE(record.has_value()) << record.error();
  for (const message::OptOutPut& put : commit.opt_outs) {
    disk_.opt_outs.erase(put.replaces);
    disk_.opt_outs[put.change] = message::encode_opt_out(put.entry);
    say(fmt::format("    change {}{}: {} {}", put.change,
                    put.replaces == 0 ? "" : fmt::format(" for {}", put.replaces),
                    put.entry.out ? "out" : "in", put.entry.cell));
  }
  for (const message::Entry& entry : record->entries) {
    switch (entry.type) {
      case message::EntryType::message: {
        const auto envelope = message::decode_envelope(entry.record);
        ASSERT_TRUE(envelope.has_value());
        const bool again = told_.contains(envelope->id);
        tell_events(envelope->id, entry.record);
        if (again) say(fmt::format("{} recorded whole", name_of(envelope->id)));
        break;
      }
      case message::EntryType::event: {
        base::ByteReader in(entry.event);
        const message::Event event = message::decode_event(in, base::Wall{});
        ++told_[entry.id];
        say(fmt::format("{} {}", name_of(entry.id), describe(event)));
        break;
      }
      case message::EntryType::gone:
        break;
      case message::EntryType::cap_count:
        say(fmt::format("    cap {} from {}", entry.cap.count,
                        base::format_rfc3339(entry.cap.begin)));
        break;
      case message::EntryType::order:
        say(fmt::format("{} {} kept", message::name(entry.order.kind), entry.order.of.carrier));
        break;
      case message::EntryType::canary:
        say(fmt::format("canary {} of {} {} kept", entry.canary.carrier, entry.canary.route,
                        message::name(entry.canary.state)));
        break;
      case message::EntryType::early_receipt:
        say(fmt::format("early receipt {} {} kept", entry.receipt.carrier,
                        entry.receipt.carrier_message_id));
        break;
      case message::EntryType::early_receipt_gone:
        say("early receipt gone");
        break;
    }
  }
  for (const base::MessageId& id : commit.cold_removed) {
    EXPECT_EQ(disk_.cold.erase(id), 1u);
    say(fmt::format("{} from the cold tier", name_of(id)));
  }
  for (const message::ColdPut& put : commit.cold) {
    tell_events(put.id, put.record);
    disk_.cold[put.id] = put;
    say(fmt::format("{} cold, {} keys, due in {}", name_of(put.id), put.receipt_keys.size(),
                    base::format_duration(put.due_at - now_.wall)));
  }
  for (const message::ArchivePut& put : commit.archive) {
    tell_events(put.id, put.record);
    disk_.archive[put.id] = put.record;
    say(fmt::format("{} archived", name_of(put.id)));
  }
  for (const message::ArchiveAppend& append : commit.archive_appends) {
    ASSERT_TRUE(disk_.archive.contains(append.id));
    message::append_to_archived(disk_.archive[append.id], append.event);
    tell_events(append.id, disk_.archive[append.id]);
  }
  for (const message::NoticeKey& key : commit.notices_done) {
    say(fmt::format("{}: {}", key.account, disk_.notices[key.account].at(key.at)));
    EXPECT_EQ(disk_.notices[key.account].erase(key.at), 1u);
  }
  std::uint32_t index = 0;
  for (const message::NoticePut& put : commit.notices) {
    const auto notice = message::decode_notice(put.bytes);
    ASSERT_TRUE(notice.has_value()) << notice.error();
    constexpr std::string_view kKinds[] = {"receipt", "intermediate", "inbound"};
    const bool inbound = notice->kind == message::NoticeKind::inbound;
    std::string text = fmt::format("{}", kKinds[static_cast<std::size_t>(notice->kind)]);
    if (!inbound) text += fmt::format(" {} {}", name_of(notice->id), message::name(notice->state));
    if (!notice->raw.empty()) text += " " + notice->raw;
    EXPECT_TRUE(notice->sealed.starts_with(inbound ? "mo" : "sealed:"));
    disk_.notices[put.account][{commit.seq, index++}] = text + ", told";
    say(fmt::format("{}: {}", put.account, text));
  }
  for (const message::KeyPut& put : commit.keys)
    disk_.keys[{put.key.high, put.key.low}] = put.record;
  for (const message::OwnerPut& put : commit.owners) {
    message::add_owner(disk_.owners[{put.key.high, put.key.low}], put.owner);
  }
  if (commit.trim_before != 0) {
    while (!disk_.journal.empty() && disk_.journal.front().first < commit.trim_before)
      disk_.journal.pop_front();
    say(fmt::format("journal trimmed before {}", commit.trim_before));
  }
}

// Tells the events of a record that were not told yet.
void Scenario::tell_events(const base::MessageId& id, std::string_view bytes) {
  const auto record = message::decode_record(bytes);
  ASSERT_TRUE(record.has_value()) << record.error();
  message::fold(*record);  // asserts that states only move forward
  std::size_t& told = told_[id];
  for (; told < record->events.size(); ++told)
    say(fmt::format("{} {}", name_of(id), describe(record->events[told])));
}

auto Scenario::Disk::find_cold_by_receipt(const base::Hash128& key) const
    -> Found<std::optional<message::ColdPut>> {
  for (const auto& [id, put] : cold) {
    if (std::ranges::find(put.receipt_keys, key) != put.receipt_keys.end()) return put;
  }
  return std::nullopt;
}

auto Scenario::Disk::find_cold(const base::MessageId& id) const
    -> Found<std::optional<message::ColdPut>> {
  const auto found = cold.find(id);
  if (found == cold.end()) return std::nullopt;
  return found->second;
}

auto Scenario::Disk::find_owners(const base::Hash128& key, base::Wall now) const
    -> Found<std::vector<message::ReceiptOwner>> {
  const auto found = owners.find({key.high, key.low});
  if (found == owners.end()) return std::vector<message::ReceiptOwner>{};
  std::vector<message::ReceiptOwner> alive = found->second;
  std::erase_if(alive, [&](const auto& owner) { return owner.until <= now; });
  return alive;
}

auto Scenario::Disk::find_message(std::string_view, const base::MessageId& id) const
    -> Found<std::optional<std::string>> {
  const auto found = archive.find(id);
  if (found == archive.end()) return std::nullopt;
  return found->second;
}

// Of a route's words.
std::optional<routing::Canary> Scenario::canary(const Words& w) const {
  if (!w.has("canary")) return std::nullopt;
  const long share = w.number("share", 100);
  return routing::Canary{
      .carrier = carrier_named(w.get("canary")),
      .share = static_cast<double>(share) / 100,
      .classes = ~0u,
      .length = base::parse_duration(w.get("for", "1h")).value_or(base::Duration{}),
      .fingerprint = static_cast<std::uint64_t>(share)};
}

void Scenario::told(const message::CanaryRecord& canary) {
  say(fmt::format("! canary {} of {} {}: {}", canary.carrier, canary.route,
                  message::name(canary.state), canary.reason));
}

}  // namespace trunkline::engine
