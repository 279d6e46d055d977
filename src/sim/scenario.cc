#include "sim/scenario.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <set>

#include "smpp/status.h"

namespace trunkline::sim {
namespace {

// Thrown inside this file only: the reader is recursive, and the first error ends it.
struct Bad {
  YAML::Mark mark;
  std::string what;
};

[[noreturn]] void fail(const YAML::Node& node, std::string what) {
  throw Bad{node.Mark(), std::move(what)};
}

// A map all of whose keys must be asked for.
class Fields {
 public:
  Fields(const YAML::Node& node, std::string_view what) : node_(node), what_(what) {
    if (!node.IsMap()) fail(node, fmt::format("{} must be a map of keys and values", what));
    std::set<std::string> seen;
    for (const auto& pair : node) {
      if (!pair.first.IsScalar()) fail(pair.first, "a key must be a word");
      if (!seen.insert(pair.first.Scalar()).second) {
        fail(pair.first, fmt::format("\"{}\" is given twice", pair.first.Scalar()));
      }
    }
  }

  // nullopt: not there. Not an empty Node: yaml-cpp would make one on assignment.
  std::optional<YAML::Node> find(const char* key) {
    known_.emplace_back(key);
    for (const auto& pair : node_) {
      if (pair.first.Scalar() == key) return pair.second;
    }
    return std::nullopt;
  }
  YAML::Node need(const char* key) {
    if (auto found = find(key)) return *found;
    fail(node_, fmt::format("{} needs \"{}\"", what_, key));
  }
  // After the last find().
  void nothing_else() const {
    for (const auto& pair : node_) {
      const std::string& key = pair.first.Scalar();
      if (std::ranges::find(known_, key) == known_.end()) {
        fail(pair.first, fmt::format("{} has no key \"{}\"; there are: {}", what_, key,
                                     fmt::join(known_, ", ")));
      }
    }
  }

 private:
  const YAML::Node& node_;
  std::string_view what_;
  std::vector<std::string> known_;
};

std::string text_of(const YAML::Node& node, std::string_view what) {
  if (!node.IsScalar()) fail(node, fmt::format("{} must be a single value", what));
  return node.Scalar();
}

std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

std::optional<double> ratio_of(std::string_view text) {
  if (text == "true") return 1;
  if (text == "false") return 0;
  double unit = 1;
  if (text.ends_with('%')) {
    text.remove_suffix(1);
    unit = 100;
  }
  const auto value = number(text);
  if (!value || *value < 0 || *value > unit) return std::nullopt;
  return *value / unit;
}

double read_ratio(const YAML::Node& node, std::string_view what) {
  const std::string text = text_of(node, what);
  if (const auto ratio = ratio_of(text)) return *ratio;
  fail(node, fmt::format("{}: \"{}\" is no ratio; write 0 to 1, or 30%", what, text));
}

base::Duration read_duration(const YAML::Node& node, std::string_view what) {
  const std::string text = text_of(node, what);
  const auto duration = base::parse_duration(text);
  if (!duration) fail(node, fmt::format("{}: {}", what, duration.error()));
  return *duration;
}

std::uint64_t read_whole(const YAML::Node& node, std::string_view what, std::uint64_t min,
                         std::uint64_t max) {
  const std::string text = text_of(node, what);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < min || value > max) {
    fail(node, fmt::format("{}: \"{}\" is not a whole number from {} to {}", what, text, min, max));
  }
  return value;
}

template <class Enum>
struct Word {
  std::string_view word;
  Enum value;
};

template <class Enum, std::size_t N>
Enum read_word(const YAML::Node& node, std::string_view what, const Word<Enum> (&words)[N]) {
  const std::string text = text_of(node, what);
  std::vector<std::string_view> known;
  for (const Word<Enum>& w : words) {
    if (w.word == text) return w.value;
    known.push_back(w.word);
  }
  fail(node, fmt::format("{}: \"{}\" is not one of {}", what, text, fmt::join(known, ", ")));
}

constexpr Word<Silence::Mode> kSilenceModes[] = {{"accept", Silence::Mode::accept},
                                                 {"drop", Silence::Mode::drop}};
constexpr Word<Reset::When> kResetWhens[] = {{"any", Reset::When::any},
                                             {"before_accept", Reset::When::before_accept},
                                             {"after_accept", Reset::When::after_accept},
                                             {"after_response", Reset::When::after_response}};
constexpr Word<IdForm> kIdForms[] = {{"hex", IdForm::hex},
                                     {"upper", IdForm::upper},
                                     {"dec", IdForm::dec},
                                     {"zeros", IdForm::zeros},
                                     {"dec_zeros", IdForm::dec_zeros}};
constexpr Word<ReceiptForm> kForms[] = {
    {"both", ReceiptForm::both}, {"text", ReceiptForm::text}, {"tlv", ReceiptForm::tlv}};

Latency read_latency(const YAML::Node& node, std::string_view what) {
  if (node.IsScalar()) {
    const base::Duration d = read_duration(node, what);
    return {d, d};
  }
  Fields f(node, what);
  Latency out;
  const YAML::Node p50 = f.need("p50");
  out.p50 = read_duration(p50, "p50");
  const auto p99 = f.find("p99");
  f.nothing_else();
  out.p99 = p99 ? read_duration(*p99, "p99") : out.p50;
  if (out.p99 < out.p50) fail(*p99, "p99 is below p50");
  return out;
}

std::uint32_t read_status(const YAML::Node& node) {
  const std::string text = text_of(node, "status");
  auto status = smpp::status_from_name(text);
  if (!status) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc{} && end == text.data() + text.size()) status = value;
  }
  if (!status || *status == 0) {
    fail(node,
         fmt::format("status: \"{}\" is no error of SMPP; write ESME_RSYSERR, 8 or 0x0008", text));
  }
  return *status;
}

Refuse read_refuse(const YAML::Node& node) {
  if (node.IsScalar()) return {read_status(node), 1};
  Fields f(node, "refuse");
  Refuse out;
  out.status = read_status(f.need("status"));
  if (const auto ratio = f.find("ratio")) out.ratio = read_ratio(*ratio, "ratio");
  f.nothing_else();
  return out;
}

double read_per_second(const YAML::Node& node, std::string_view what) {
  const std::string text = text_of(node, what);
  std::string_view digits = text;
  if (digits.ends_with("/s")) digits.remove_suffix(2);
  const auto value = number(digits);
  if (!value || *value <= 0) {
    fail(node, fmt::format("{}: \"{}\" is no rate; write 200 or 200/s", what, text));
  }
  return *value;
}

RateLimit read_rate(const YAML::Node& node) {
  RateLimit out;
  if (node.IsScalar()) {
    out.per_second = read_per_second(node, "rate");
    out.burst = std::max(1.0, out.per_second);
    return out;
  }
  Fields f(node, "rate");
  out.per_second = read_per_second(f.need("limit"), "limit");
  out.burst = std::max(1.0, out.per_second);
  if (const auto burst = f.find("burst")) {
    out.burst = static_cast<double>(read_whole(*burst, "burst", 1, 1'000'000));
  }
  f.nothing_else();
  return out;
}

Silence read_silence(const YAML::Node& node) {
  if (node.IsScalar()) {
    if (const auto ratio = ratio_of(node.Scalar())) return {Silence::Mode::accept, *ratio};
    return {read_word(node, "silence", kSilenceModes), 1};
  }
  Fields f(node, "silence");
  Silence out;
  if (const auto mode = f.find("mode")) out.mode = read_word(*mode, "mode", kSilenceModes);
  if (const auto ratio = f.find("ratio")) out.ratio = read_ratio(*ratio, "ratio");
  f.nothing_else();
  return out;
}

Reset read_reset(const YAML::Node& node) {
  Reset out;
  if (node.IsScalar()) {
    out.ratio = read_ratio(node, "reset");
    return out;
  }
  Fields f(node, "reset");
  const auto ratio = f.find("ratio");
  const auto every = f.find("every");
  if (ratio && every) fail(*every, "reset takes \"ratio\" or \"every\", not both");
  if (ratio) out.ratio = read_ratio(*ratio, "ratio");
  if (every) {
    out.every = static_cast<std::uint32_t>(read_whole(*every, "every", 1, 4'000'000'000));
  }
  if (const auto when = f.find("when")) out.when = read_word(*when, "when", kResetWhens);
  f.nothing_else();
  return out;
}

Garbage read_garbage(const YAML::Node& node) {
  if (node.IsScalar()) return {read_ratio(node, "garbage")};
  Fields f(node, "garbage");
  const Garbage out{read_ratio(f.need("ratio"), "ratio")};
  f.nothing_else();
  return out;
}

Late read_late(const YAML::Node& node) {
  Late out;
  if (node.IsScalar()) {
    if (const auto ratio = ratio_of(node.Scalar())) {
      out.ratio = *ratio;
    } else {
      out.by = read_duration(node, "late");
    }
    return out;
  }
  Fields f(node, "late");
  if (const auto ratio = f.find("ratio")) out.ratio = read_ratio(*ratio, "ratio");
  if (const auto by = f.find("by")) out.by = read_duration(*by, "by");
  f.nothing_else();
  return out;
}

IdFormat read_id_format(const YAML::Node& node) {
  IdFormat out;
  if (node.IsScalar()) {
    out.receipt = read_word(node, "id_format", kIdForms);
    return out;
  }
  Fields f(node, "id_format");
  if (const auto response = f.find("response")) {
    out.response = read_word(*response, "response", kIdForms);
  }
  if (const auto receipt = f.find("receipt")) {
    out.receipt = read_word(*receipt, "receipt", kIdForms);
  }
  f.nothing_else();
  return out;
}

ReceiptFaults read_receipts(const YAML::Node& node) {
  Fields f(node, "receipts");
  ReceiptFaults out;
  const auto ratio = [&](const char* key, std::optional<double>& to) {
    if (const auto found = f.find(key)) to = read_ratio(*found, key);
  };
  if (const auto delay = f.find("delay")) out.delay = read_latency(*delay, "delay");
  ratio("lost", out.lost);
  if (const auto late = f.find("late")) out.late = read_late(*late);
  ratio("early", out.early);
  ratio("duplicate", out.duplicate);
  ratio("reorder", out.reorder);
  ratio("false", out.lie);
  ratio("ratio", out.ratio);
  if (const auto stat = f.find("stat")) {
    out.stat = text_of(*stat, "stat");
    if (out.stat->empty() || out.stat->size() > 15) fail(*stat, "stat has 1 to 15 characters");
  }
  if (const auto err = f.find("err")) {
    out.err = static_cast<std::uint32_t>(read_whole(*err, "err", 0, 999));
  }
  if (const auto form = f.find("id_format")) out.id_format = read_id_format(*form);
  if (const auto form = f.find("form")) out.form = read_word(*form, "form", kForms);
  f.nothing_else();
  return out;
}

Fault read_fault(const YAML::Node& node) {
  Fields f(node, "a fault");
  Fault out;
  if (const auto after = f.find("after")) out.after = read_duration(*after, "after");
  if (const auto lasts = f.find("for")) out.lasts = read_duration(*lasts, "for");
  if (const auto latency = f.find("latency")) out.latency = read_latency(*latency, "latency");
  if (const auto refuse = f.find("refuse")) out.refuse = read_refuse(*refuse);
  if (const auto rate = f.find("rate")) out.rate = read_rate(*rate);
  if (const auto silence = f.find("silence")) out.silence = read_silence(*silence);
  if (const auto reset = f.find("reset")) out.reset = read_reset(*reset);
  if (const auto garbage = f.find("garbage")) out.garbage = read_garbage(*garbage);
  if (const auto receipts = f.find("receipts")) out.receipts = read_receipts(*receipts);
  f.nothing_else();
  return out;
}

std::vector<Fault> read_faults(const YAML::Node& node) {
  if (node.IsMap()) return {read_fault(node)};
  if (!node.IsSequence()) fail(node, "faults must be a list");
  std::vector<Fault> out;
  for (const YAML::Node& item : node) out.push_back(read_fault(item));
  return out;
}

Listen read_listen(const YAML::Node& node, std::string_view what) {
  Listen out;
  const std::string text = text_of(node, what);
  const std::size_t colon = text.rfind(':');
  out.host = text.substr(0, colon);
  if (out.host.empty()) fail(node, fmt::format("{}: write 127.0.0.1:12775", what));
  if (colon == std::string::npos) return out;
  const std::string_view digits = std::string_view(text).substr(colon + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out.port);
  if (error != std::errc{} || end != digits.data() + digits.size()) {
    fail(node, fmt::format("{}: \"{}\" is no port", what, digits));
  }
  return out;
}

CarrierSpec read_carrier(const YAML::Node& node) {
  Fields f(node, "a carrier");
  CarrierSpec out;
  const YAML::Node name = f.need("name");
  out.name = text_of(name, "name");
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  };
  if (out.name.empty() || !std::ranges::all_of(out.name, plain)) {
    fail(name, "name: use letters, digits, _ and -");
  }
  if (const auto region = f.find("region")) out.region = text_of(*region, "region");
  if (const auto address = f.find("address")) out.listen = read_listen(*address, "address");
  if (const auto port = f.find("port")) {
    if (out.listen.port != 0) fail(*port, "the address has a port already");
    out.listen.port = static_cast<std::uint16_t>(read_whole(*port, "port", 0, 65535));
  }
  // Bounds of the bind PDU: 15 and 8 characters and their NUL.
  const YAML::Node system_id = f.need("system_id");
  out.system_id = text_of(system_id, "system_id");
  if (out.system_id.size() > 15) fail(system_id, "system_id has more than 15 characters");
  const YAML::Node password = f.need("password");
  out.password = text_of(password, "password");
  if (out.password.size() > 8) fail(password, "password has more than 8 characters");
  if (const auto faults = f.find("faults")) out.faults = read_faults(*faults);
  f.nothing_else();
  return out;
}

Scenario read_scenario(const YAML::Node& node) {
  Fields f(node, "the file");
  Scenario out;
  if (const auto seed = f.find("seed")) out.seed = read_whole(*seed, "seed", 0, UINT64_MAX);
  if (const auto admin = f.find("admin")) out.admin = read_listen(*admin, "admin");
  const YAML::Node carriers = f.need("carriers");
  if (!carriers.IsSequence() || carriers.size() == 0) {
    fail(carriers, "carriers must be a list of at least one");
  }
  for (const YAML::Node& item : carriers) {
    CarrierSpec carrier = read_carrier(item);
    const auto same = [&](const CarrierSpec& c) { return c.name == carrier.name; };
    if (std::ranges::any_of(out.carriers, same)) {
      fail(item, fmt::format("there are two carriers \"{}\"", carrier.name));
    }
    out.carriers.push_back(std::move(carrier));
  }
  f.nothing_else();
  return out;
}

template <class T>
std::expected<T, std::string> parse(const std::string& name, const std::string& text,
                                    const std::function<T(const YAML::Node&)>& read) {
  const auto at = [&](const YAML::Mark& mark, std::string_view what) {
    // yaml-cpp counts from 0, and uses -1 for "nowhere".
    return std::unexpected(fmt::format("{}:{}:{}: {}", name, std::max(mark.line, 0) + 1,
                                       std::max(mark.column, 0) + 1, what));
  };
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(text);
    if (documents.size() != 1 || documents[0].IsNull()) {
      return at({}, documents.size() > 1 ? "more than one document" : "nothing in it");
    }
    return read(documents[0]);
  } catch (const Bad& bad) {
    return at(bad.mark, bad.what);
  } catch (const YAML::Exception& e) {
    return at(e.mark, e.msg);
  }
}

}  // namespace

std::expected<Scenario, std::string> parse_scenario(const std::string& file_name,
                                                    const std::string& text) {
  return parse<Scenario>(file_name, text, read_scenario);
}

std::expected<std::vector<Fault>, std::string> parse_faults(const std::string& source_name,
                                                            const std::string& text) {
  return parse<std::vector<Fault>>(source_name, text, read_faults);
}

}  // namespace trunkline::sim
