#include "edge/opt_outs.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>

#include "base/bytes.h"
#include "base/json_writer.h"
#include "seal/digest.h"

namespace trunkline::edge {
namespace {

namespace limits = base::limits;
namespace json = boost::json;

constexpr std::size_t kMistakesMax = 25;
constexpr std::size_t kTenantBytesMax = 200;
constexpr int kPagesMax = 20;  // looked through for one that is asked for by its state
constexpr char kHex[] = "0123456789abcdef";

class Reader {
 public:
  Reader(OptOutRequest& out, bool for_operator) : out_(out), for_operator_(for_operator) {}

  void read_whole(const json::value& value) {
    const json::object* object = value.if_object();
    if (object != nullptr && object->size() == 1 && object->contains("opt_outs")) {
      const json::value& list = object->at("opt_outs");
      if (!list.is_array()) return mistake("/opt_outs", "wrong_type", "must be an array");
      std::size_t index = 0;
      for (const json::value& one : list.get_array()) {
        if (!read(one, fmt::format("/opt_outs/{}", index++))) return;
      }
      if (index == 0) mistake("/opt_outs", "empty", "there is nothing in it");
      return;
    }
    read(value, "");
  }

  // False: enough.
  bool read(const json::value& value, const std::string& at) {
    if (out_.items.size() >= limits::kOptOutsAtOnceMax) {
      mistake(at, "too_many", fmt::format("send at most {} at once", limits::kOptOutsAtOnceMax));
      return false;
    }
    const json::object* object = value.if_object();
    if (object == nullptr) {
      mistake(at, "wrong_type", "must be an object such as {\"to\":\"+447700900123\"}");
      return true;
    }
    std::optional<numbering::Number> to;
    OptOutItem item{.to = *numbering::Number::from_digits(1'000'000), .sender = {}, .tenant = {}};
    const std::size_t before = out_.mistakes.size();
    for (const auto& [name, field] : *object) {
      const std::string path = fmt::format("{}/{}", at, std::string_view(name).substr(0, 64));
      if (name != "to" && name != "sender" && name != "state" &&
          !(for_operator_ && name == "tenant")) {
        mistake(path, "unknown_field",
                for_operator_ ? "there is no such field; there are to, sender, state and tenant"
                              : "there is no such field; there are to, sender and state");
        continue;
      }
      if (field.is_null() && name != "to") continue;
      if (!field.is_string()) {
        mistake(path, "wrong_type", "must be a string");
        continue;
      }
      take(name, std::string(field.get_string()), path, item, to);
    }
    if (!object->contains("to")) {
      mistake(at + "/to", "missing", "the number is missing, as in +447700900123");
    }
    if (to && out_.mistakes.size() == before) {
      item.to = *to;
      out_.items.push_back(std::move(item));
    }
    return out_.mistakes.size() < kMistakesMax;
  }

  void mistake(std::string pointer, std::string_view code, std::string detail) {
    if (out_.mistakes.size() < kMistakesMax)
      out_.mistakes.push_back({std::move(pointer), code, std::move(detail)});
  }

 private:
  void take(std::string_view name, std::string text, const std::string& path, OptOutItem& item,
            std::optional<numbering::Number>& to) {
    if (name == "to") {
      const auto number = numbering::parse_e164(text);
      if (!number) return mistake(path, "invalid_number", number.error().message());
      to = *number;
    } else if (name == "state") {
      if (text != "out" && text != "in")
        return mistake(path, "invalid_value", "must be out (stop) or in (go on)");
      item.out = text == "out";
    } else if (text.empty()) {
      mistake(path, "empty", "is empty; leave it out instead");
    } else if (name == "sender") {
      if (text.size() > limits::kSenderBytesMax) {
        return mistake(path, "too_long",
                       fmt::format("may have {} octets", limits::kSenderBytesMax));
      }
      item.sender = std::move(text);
    } else {
      if (text.size() > kTenantBytesMax) return mistake(path, "too_long", "is too long for a name");
      item.tenant = std::move(text);
    }
  }

  OptOutRequest& out_;
  bool for_operator_;
};

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    unsigned value = 0;
    if (i + 2 >= text.size()) return std::nullopt;
    const auto [end, ec] = std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16);
    if (ec != std::errc{} || end != text.data() + i + 3) return std::nullopt;
    out.push_back(static_cast<char>(value));
    i += 2;
  }
  return out;
}

// 16 octets of the place, 8 of a keyed hash over it and the list it was given out for.
std::string cursor_of(const message::OptOutPlace& place, std::string_view scope,
                      const seal::Vault& vault) {
  std::string bytes;
  base::ByteWriter out(bytes);
  out.u64(place.to_hash);
  out.u64(place.sender);
  std::string input(bytes);
  input.append(scope);
  out.u64(vault.hash("opt-out-cursor", input).high);
  std::string text;
  for (const char c : bytes) {
    const auto octet = static_cast<unsigned char>(c);
    text += {kHex[octet >> 4], kHex[octet & 15]};
  }
  return text;
}

std::optional<message::OptOutPlace> place_of_cursor(std::string_view cursor, std::string_view scope,
                                                    const seal::Vault& vault) {
  if (cursor.size() != 48) return std::nullopt;
  message::OptOutPlace place;
  for (auto [at, value] : {std::pair{0, &place.to_hash}, std::pair{16, &place.sender}}) {
    const char* first = cursor.data() + at;
    const auto [end, ec] = std::from_chars(first, first + 16, *value, 16);
    if (ec != std::errc{} || end != first + 16) return std::nullopt;
  }
  if (!seal::equal_secret(cursor_of(place, scope, vault), cursor)) return std::nullopt;
  return place;
}

}  // namespace

OptOutRequest parse_opt_outs(std::string_view body, bool lines, bool for_operator) {
  OptOutRequest out;
  Reader reader(out, for_operator);
  const auto parse = [&](std::string_view text,
                         const std::string& at) -> std::optional<json::value> {
    boost::system::error_code error;
    json::value value = json::parse(text, error);
    if (!error) return value;
    reader.mistake(at, "invalid_json", "this is no JSON: " + error.message());
    return std::nullopt;
  };
  if (!lines) {
    if (const auto value = parse(body, "")) reader.read_whole(*value);
    return out;
  }
  for (std::size_t line = 0; !body.empty(); ++line) {
    const std::size_t end = std::min(body.find('\n'), body.size());
    const std::string_view text = body.substr(0, end);
    body.remove_prefix(std::min(end + 1, body.size()));
    if (text.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const std::string at = fmt::format("/{}", line);
    const auto value = parse(text, at);
    if (value ? !reader.read(*value, at) : out.mistakes.size() >= kMistakesMax) break;
  }
  if (out.items.empty() && out.mistakes.empty())
    reader.mistake("", "empty", "there is nothing in it");
  return out;
}

OptOutQuery parse_opt_out_query(std::string_view query, OptOutAsk ask, bool for_operator) {
  OptOutQuery out;
  const auto mistake = [&](std::string_view name, std::string_view code, std::string detail) {
    if (out.mistakes.size() < kMistakesMax)
      out.mistakes.push_back(
          {fmt::format("/query/{}", name.substr(0, 64)), code, std::move(detail)});
  };
  std::vector<std::string> seen;
  const bool lists = ask == OptOutAsk::list;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    const auto name = percent_decoded(pair.substr(0, equals));
    const auto value =
        percent_decoded(equals == std::string_view::npos ? "" : pair.substr(equals + 1));
    if (!name || !value) {
      mistake(name.value_or(""), "invalid_encoding", "a % needs two hexadecimal digits behind it");
      continue;
    }
    if (std::ranges::find(seen, *name) != seen.end()) {
      mistake(*name, "duplicate_field", "the parameter is given twice; leave one");
      continue;
    }
    seen.push_back(*name);
    if (value->empty()) {
      mistake(*name, "empty", "is empty; leave the parameter out instead");
    } else if (*name == "to") {
      const auto number = numbering::parse_e164(*value);
      if (number) {
        out.to = *number;
      } else {
        mistake("to", "invalid_number", number.error().message());
      }
    } else if (*name == "sender") {
      out.sender = *value;
    } else if (*name == "tenant" && for_operator) {
      out.tenant = *value;
    } else if (*name == "state" && lists) {
      out.state = *value;
      if (*value != "out" && *value != "in" && *value != "all")
        mistake("state", "invalid_value", "must be out, in or all");
    } else if (*name == "cursor" && lists) {
      out.cursor = *value;
    } else if (*name == "limit" && lists) {
      const auto [end_at, ec] =
          std::from_chars(value->data(), value->data() + value->size(), out.limit);
      if (ec != std::errc{} || end_at != value->data() + value->size() || out.limit == 0 ||
          out.limit > limits::kListLimitMax) {
        mistake("limit", "out_of_range",
                fmt::format("must be a whole number from 1 to {}", limits::kListLimitMax));
      }
    } else {
      mistake(*name, "unknown_parameter",
              fmt::format("there is no such parameter; there are to, sender{}{}",
                          lists ? ", state, cursor, limit" : "", for_operator ? ", tenant" : ""));
    }
  }
  if (!lists && !out.to && out.mistakes.empty())
    mistake("to", "missing", "the number is missing, as in to=%2B447700900123");
  return out;
}

message::OptOut opt_out(const OptOutItem& item, std::string tenant, std::string by,
                        const seal::Vault& vault, base::Wall now) {
  const std::uint64_t to_hash = vault.number_hash(item.to.digits());
  std::string sealed = vault.seal(seal::KeyKind::month, tenant, to_hash, now,
                                  std::to_string(item.to.digits()), message::kOptOutContext);
  return {.tenant = std::move(tenant),
          .sender = item.sender,
          .to_hash = to_hash,
          .out = item.out,
          .by = std::move(by),
          .sealed = std::move(sealed)};
}

std::string fingerprint(const std::vector<OptOutItem>& items) {
  std::string text;
  base::ByteWriter out(text);
  for (const OptOutItem& item : items) {
    out.u64(item.to.digits());
    out.text(item.sender);
    out.text(item.tenant);
    out.u8(item.out ? 1 : 0);
  }
  return text;
}

store::Result<std::optional<std::string>> list_opt_outs(const OptOutQuery& query,
                                                        const std::string& tenant,
                                                        bool for_operator, store::Store& store,
                                                        const seal::Vault& vault) {
  std::string scope = fmt::format("{}\n{}\n{}\n{}\n{}", for_operator, tenant, query.sender,
                                  query.state, query.to ? query.to->digits() : 0);
  store::OptOutQuery asked{.tenant = tenant, .limit = query.limit};
  if (query.to) asked.to_hash = vault.number_hash(query.to->digits());
  if (!query.cursor.empty()) {
    asked.after = place_of_cursor(query.cursor, scope, vault);
    if (!asked.after) return std::nullopt;
  }
  std::string text;
  base::JsonWriter out(text);
  out.begin_object().key("data").begin_array();
  for (int pages = 0; pages < kPagesMax && asked.limit > 0; ++pages) {
    auto page = store.opt_outs(asked);
    if (!page) return std::unexpected(page.error());
    for (const std::string& bytes : page->entries) {
      const auto entry = message::decode_opt_out(bytes);
      if (!entry) return std::unexpected(store::Error{store::ErrorKind::damaged, entry.error()});
      if (query.state != "all" && entry->out != (query.state == "out")) continue;
      if (!query.sender.empty() && entry->sender != query.sender) continue;
      const auto digits = vault.open_blob(entry->sealed, message::kOptOutContext);
      if (!digits) {
        return std::unexpected(
            store::Error{store::ErrorKind::damaged, "an opt-out does not open with its key"});
      }
      --asked.limit;
      out.begin_object();
      out.key("to").string("+" + *digits);
      if (for_operator) out.key("tenant").string_or_null(entry->tenant);
      out.key("sender").string_or_null(entry->sender);
      out.key("state").string(entry->out ? "out" : "in");
      out.key("since").string(base::format_rfc3339(entry->at));
      out.key("by").string(entry->by);
      out.key("cell").string_or_null(entry->cell);
      out.end_object();
    }
    asked.after = page->resume;
    if (!asked.after) break;
  }
  out.end_array().key("next_cursor");
  if (asked.after) {
    out.string(cursor_of(*asked.after, scope, vault));
  } else {
    out.null();
  }
  out.end_object();
  return text;
}

}  // namespace trunkline::edge
