#include "edge/opt_outs.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "store/empty_store_test.h"

namespace trunkline::edge {
namespace {

std::string told(const std::vector<OptOutMistake>& mistakes) {
  std::string out;
  for (const OptOutMistake& one : mistakes) {
    out += fmt::format("{}{} {}", out.empty() ? "" : "; ", one.pointer, one.code);
  }
  return out;
}

TEST(OptOutRequests, AreReadAllOrNothing) {
  struct Row {
    std::string_view body;
    bool lines = false;
    std::size_t items = 0;
    std::string_view mistakes = "";
  };
  const Row rows[] = {
      {R"({"to":"+447700900123"})", false, 1},
      {R"({"to":"+447700900123","sender":"Acme","state":"in"})", false, 1},
      {R"({"to":"+447700900123","sender":null,"state":null})", false, 1},
      {R"({"opt_outs":[{"to":"+447700900123"},{"to":"+447700900124"}]})", false, 2},
      {"{\"to\":\"+447700900123\"}\n\r\n {\"to\":\"+447700900124\"}", true, 2},
      {R"({"opt_outs":[]})", false, 0, "/opt_outs empty"},
      {R"({"opt_outs":{}})", false, 0, "/opt_outs wrong_type"},
      {"", true, 0, " empty"},
      {"\n\n", true, 0, " empty"},
      {"[", false, 0, " invalid_json"},
      {"[]", false, 0, " wrong_type"},
      {"{}", false, 0, "/to missing"},
      {R"({"to":"447700900123"})", false, 0, "/to invalid_number"},
      {R"({"to":7})", false, 0, "/to wrong_type"},
      {R"({"to":null})", false, 0, "/to wrong_type"},
      {R"({"to":"+447700900123","state":"stop"})", false, 0, "/state invalid_value"},
      {R"({"to":"+447700900123","sender":""})", false, 0, "/sender empty"},
      {R"({"to":"+447700900123","sender":"a name of 21 letters."})", false, 0, "/sender too_long"},
      {R"({"to":"+447700900123","tenant":"other"})", false, 0, "/tenant unknown_field"},
      {R"({"to":"+447700900123","opt_outs":[]})", false, 0, "/opt_outs unknown_field"},
      {R"({"opt_outs":[{"to":"+447700900123"},{"to":"x"},7]})", false, 1,
       "/opt_outs/1/to invalid_number; /opt_outs/2 wrong_type"},
      {"{\"to\":\"+447700900123\"}\n{", true, 1, "/1 invalid_json"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.body);
    const OptOutRequest read = parse_opt_outs(row.body, row.lines, false);
    EXPECT_EQ(read.items.size(), row.items);
    EXPECT_EQ(told(read.mistakes), row.mistakes);
  }
  const OptOutRequest operators =
      parse_opt_outs(R"({"to":"+447700900123","tenant":"other"})", false, true);
  ASSERT_EQ(operators.items.size(), 1u);
  EXPECT_EQ(operators.items[0].tenant, "other");
}

TEST(OptOutRequests, AreBounded) {
  std::string body;
  for (std::size_t i = 0; i <= base::limits::kOptOutsAtOnceMax; ++i) {
    body += "{\"to\":\"+447700900123\"}\n";
  }
  const OptOutRequest read = parse_opt_outs(body, true, false);
  EXPECT_EQ(told(read.mistakes), fmt::format("/{} too_many", base::limits::kOptOutsAtOnceMax));
}

TEST(OptOutRequests, QueriesSayWhatTheyMayNot) {
  struct Row {
    std::string_view query;
    OptOutAsk ask = OptOutAsk::list;
    std::string_view mistakes = "";
  };
  const Row rows[] = {
      {"", OptOutAsk::list},
      {"to=%2B447700900123&sender=A%20b&state=all&limit=500", OptOutAsk::list},
      {"to=+447700900123", OptOutAsk::remove},
      {"", OptOutAsk::remove, "/query/to missing"},
      {"to=+447700900123&limit=1", OptOutAsk::remove, "/query/limit unknown_parameter"},
      {"limit=0", OptOutAsk::list, "/query/limit out_of_range"},
      {"limit=501", OptOutAsk::list, "/query/limit out_of_range"},
      {"limit=7x", OptOutAsk::list, "/query/limit out_of_range"},
      {"state=gone", OptOutAsk::list, "/query/state invalid_value"},
      {"to=7", OptOutAsk::list, "/query/to invalid_number"},
      {"to=", OptOutAsk::list, "/query/to empty"},
      {"sender=%4", OptOutAsk::list, "/query/sender invalid_encoding"},
      {"sender=a&sender=b", OptOutAsk::list, "/query/sender duplicate_field"},
      {"tenant=a", OptOutAsk::list, "/query/tenant unknown_parameter"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.query);
    EXPECT_EQ(told(parse_opt_out_query(row.query, row.ask, false).mistakes), row.mistakes);
  }
}

// As many as it says, by place.
class Entries final : public store::EmptyStore {
 public:
  explicit Entries(const seal::Vault& vault) {
    for (std::uint64_t i = 0; i < 30; ++i) {
      const OptOutItem item{.to = *numbering::Number::from_digits(447700900000 + i),
                            .sender = i % 3 == 0 ? "Acme" : "",
                            .tenant = {},
                            .out = i % 5 != 0};
      message::OptOut entry = opt_out(item, "demo", "api", vault, base::Wall{});
      entries_[message::place_of(entry)] = message::encode_opt_out(entry);
    }
  }
  store::Result<store::OptOutPage> opt_outs(const store::OptOutQuery& query) override {
    store::OptOutPage page;
    std::optional<message::OptOutPlace> last;
    for (const auto& [place, bytes] : entries_) {
      if (query.after && place <= *query.after) continue;
      if (page.entries.size() == query.limit) {
        page.resume = last;
        break;
      }
      page.entries.push_back(bytes);
      last = place;
    }
    return page;
  }

 private:
  std::map<message::OptOutPlace, std::string> entries_;
};

TEST(OptOutLists, GoThroughAllOnce) {
  const auto vault = seal::Vault::in_memory(1);
  Entries entries(*vault);
  struct Row {
    std::string_view query;
    std::size_t found;
  };
  for (const Row& row :
       {Row{"limit=4", 24}, Row{"limit=4&state=in", 6}, Row{"limit=7&state=all", 30},
        Row{"limit=1&sender=Acme", 8}, Row{"limit=500", 24}}) {
    SCOPED_TRACE(row.query);
    OptOutQuery query = parse_opt_out_query(row.query, OptOutAsk::list, false);
    ASSERT_EQ(told(query.mistakes), "");
    std::size_t found = 0;
    for (int pages = 0; pages < 100; ++pages) {
      const auto list = list_opt_outs(query, "demo", false, entries, *vault);
      ASSERT_TRUE(list.has_value() && list->has_value());
      std::size_t on_page = 0;
      for (std::size_t at = (*list)->find("+447700900"); at != std::string::npos;
           at = (*list)->find("+447700900", at + 1)) {
        ++on_page;
      }
      EXPECT_LE(on_page, query.limit);
      found += on_page;
      const std::size_t cursor = (*list)->find("\"next_cursor\":\"");
      if (cursor == std::string::npos) break;
      query.cursor = (*list)->substr(cursor + 15, 48);
    }
    EXPECT_EQ(found, row.found);
  }
  OptOutQuery other = parse_opt_out_query("cursor=" + std::string(48, '0'), OptOutAsk::list, false);
  EXPECT_FALSE(list_opt_outs(other, "demo", false, entries, *vault)->has_value());
}

}  // namespace
}  // namespace trunkline::edge
