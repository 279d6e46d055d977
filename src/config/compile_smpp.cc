#include "config/compile_smpp.h"

#include <algorithm>
#include <map>

#include "config/text.h"

namespace trunkline::config {
namespace {

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return text;
}

smpp::MessageIdRule id_rule(const Value& value) {
  smpp::MessageIdRule rule;
  const std::string base = value.at("base").text();
  rule.base = base == "hex"       ? smpp::MessageIdRule::Base::hex
              : base == "decimal" ? smpp::MessageIdRule::Base::decimal
                                  : smpp::MessageIdRule::Base::text;
  rule.strip_zeros = value.at("strip_zeros").boolean();
  rule.fold_case = value.at("fold_case").boolean();
  return rule;
}

message::ReceiptState meaning(const std::string& word) {
  return word == "delivered"      ? message::ReceiptState::delivered
         : word == "undelivered"  ? message::ReceiptState::undelivered
         : word == "intermediate" ? message::ReceiptState::intermediate
                                  : message::ReceiptState::unknown;
}

class OptionsCompiler {
 public:
  explicit OptionsCompiler(Findings& findings) : findings_(findings) {}

  SmppOptions compile(const Value& value) {
    SmppOptions options;
    receipts(value.at("receipts"), options.receipts);
    return options;
  }

 private:
  void error(const Value& at, std::string what, std::string remedy) {
    findings_.error(at.mark, at.path, std::move(what), std::move(remedy));
  }

  void receipts(const Value& value, SmppReceipts& out) {
    out.id_in_response = id_rule(value.at("id_in_response"));
    out.id_in_text = id_rule(value.at("id_in_text"));
    out.id_in_tlv = value.at("id_in_tlv").given ? id_rule(value.at("id_in_tlv")) : out.id_in_text;
    out.without_esm_class = value.at("without_esm_class").boolean();
    out.deadline = value.at("deadline").duration(out.deadline);
    const auto is_number = [](const smpp::MessageIdRule& rule) {
      return rule.base != smpp::MessageIdRule::Base::text;
    };
    if (is_number(out.id_in_text) != is_number(out.id_in_response)) {
      error(value.at(is_number(out.id_in_text) ? "id_in_text" : "id_in_response"),
            "a number here and text in the other place: ids would not be found the same",
            "give both id_in_response and id_in_text a base: hex or decimal");
    }
    std::map<std::string, const Value*> seen;
    for (const Value& item : value.at("words").items) {
      std::string word = upper(item.at("is").text());
      if (word.empty()) continue;
      if (const auto [first, is_new] = seen.try_emplace(word, &item); !is_new) {
        error(item.at("is"), fmt::format("{} is given twice", quote(item.at("is").text())),
              fmt::format("the first is at {}", findings_.place(first->second->mark)));
      }
      out.words.push_back({std::move(word), meaning(item.at("means").text())});
    }
  }

  Findings& findings_;
};

}  // namespace

SmppOptions compile_smpp_options(const Value& value, Findings& findings) {
  return OptionsCompiler(findings).compile(value);
}

}  // namespace trunkline::config
