// Test only: a store that holds nothing and takes everything. What a test is about it overrides.
#pragma once

#include "store/store.h"

namespace trunkline::store {

class EmptyStore : public Store {
 public:
  Result<void> replay(const std::function<void(const message::JournalRecord&)>&) override {
    return {};
  }
  std::optional<Room> room() const override { return std::nullopt; }
  Result<void> commit(std::span<const message::Commit>) override { return {}; }
  Result<std::optional<message::KeyRecord>> find_key(const base::Hash128&, base::Wall) override {
    return std::nullopt;
  }
  Result<std::vector<message::ReceiptOwner>> find_owners(const base::Hash128&,
                                                         base::Wall) override {
    return std::vector<message::ReceiptOwner>{};
  }
  Result<std::optional<std::string>> find_message(std::string_view,
                                                  const base::MessageId&) override {
    return std::nullopt;
  }
  Result<ListPage> list(const ListQuery&) override { return ListPage{}; }
  Result<std::optional<ColdMessage>> find_cold(const base::MessageId&) override {
    return std::nullopt;
  }
  Result<std::optional<ColdMessage>> find_cold_by_receipt(const base::Hash128&) override {
    return std::nullopt;
  }
  Result<std::vector<ColdMessage>> cold_due(base::Wall, std::size_t) override {
    return std::vector<ColdMessage>{};
  }
  Result<void> visit_cold(const std::function<void(std::string_view)>&) override { return {}; }
  Result<std::vector<StoredNotice>> notices(std::string_view, const message::NoticeAt&,
                                            std::size_t) override {
    return std::vector<StoredNotice>{};
  }
  Result<std::vector<StoredOptOut>> opt_out_changes(std::uint64_t, std::size_t) override {
    return std::vector<StoredOptOut>{};
  }
  Result<OptOutPage> opt_outs(const OptOutQuery&) override { return OptOutPage{}; }
  Result<std::string> peer_cursor(std::string_view) override { return std::string(); }
  Result<bool> sweep(base::Wall, base::Wall) override { return false; }
  Stats stats() const override { return {}; }
};

}  // namespace trunkline::store
