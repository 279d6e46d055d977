#include "rest/bulk_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "base/json_writer.h"
#include "rest/json_reader.h"
#include "rest/render.h"
#include "rest/submission.h"

namespace trunkline::rest {

using io::Problem;
using io::ProblemCode;
using Type = JsonReader::Type;

namespace {

constexpr std::string_view kRate = "rate";
constexpr double kRateMax = 1'000'000;

struct Member {
  std::string name;
  std::string_view value;  // as written
};

// The members of an object; nothing if the text is none.
std::optional<std::vector<Member>> members_of(std::string_view text) {
  JsonReader in(text);
  if (in.peek() != Type::object) return std::nullopt;
  std::vector<Member> out;
  std::string_view name;
  in.begin_object();
  while (in.next_member(name)) {
    std::string own(name);
    out.push_back({std::move(own), in.skip()});
  }
  return in.finish() && in.ok() ? std::optional(std::move(out)) : std::nullopt;
}

bool has(const std::vector<Member>& members, std::string_view name) {
  return std::ranges::any_of(members,
                             [&](const Member& m) { return m.name == name && m.value != "null"; });
}

std::string object_of(const std::vector<Member>& members) {
  std::string out = "{";
  for (const Member& m : members) {
    if (out.size() > 1) out += ',';
    base::append_json_string(out, m.name);
    out += ':';
    out += m.value;
  }
  return out + '}';
}

std::string_view trimmed(std::string_view line) {
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
  return line;
}

}  // namespace

bool is_defaults(std::string_view line) {
  const auto members = members_of(line);
  return members && !has(*members, "to");
}

Errors check_defaults(std::string_view line, const ParseContext& context, double& rate_per_s) {
  auto members = members_of(line);
  Errors errors;
  if (!members) return {{"", error_code::kInvalidJson, "the first line is no JSON object"}};
  rate_per_s = 0;
  for (const Member& m : *members) {
    if (m.name != kRate || m.value == "null") continue;
    const auto [end, ec] =
        std::from_chars(m.value.data(), m.value.data() + m.value.size(), rate_per_s);
    if (ec != std::errc{} || end != m.value.data() + m.value.size() || !(rate_per_s >= 0.1) ||
        rate_per_s > kRateMax) {
      errors.push_back({"/rate", error_code::kOutOfRange,
                        fmt::format("messages a second, a number from 0.1 to {}", kRateMax)});
    }
  }
  // What a template is filled with may come with each line, so it is looked at there.
  std::string template_name;
  for (const Member& m : *members) {
    JsonReader in(m.value);
    std::string storage;
    if (m.name == "template" && in.peek() == Type::string) template_name = in.string(storage);
  }
  const auto& templates = context.config.tables.policy.tenants[context.tenant.at()].templates;
  const bool known =
      template_name.empty() ||
      std::ranges::find(templates, template_name, &policy::TextTemplate::name) != templates.end();
  if (!known) {
    errors.push_back(
        {"/template", error_code::kUnknownTemplate, "the account has no template of this name"});
  }
  if (!template_name.empty() && has(*members, "body")) {
    errors.push_back({"/template", error_code::kConflict, "give either body or template"});
  }
  std::erase_if(*members, [&](const Member& m) {
    return m.name == kRate || m.name == "template" || m.name == "variables" ||
           (m.name == "to" && m.value == "null");
  });
  members->push_back({"to", "\"+447700900000\""});
  ParseContext whole{
      .config = context.config, .tenant = context.tenant, .now = context.now, .needs_body = false};
  MessageRequest request = parse_message(object_of(*members), whole);
  std::ranges::move(request.errors, std::back_inserter(errors));
  return errors;
}

std::string with_defaults(std::string_view defaults, std::string_view line) {
  if (defaults.empty()) return std::string(line);
  auto members = members_of(line);
  const auto common = members_of(defaults);
  if (!members || !common) return std::string(line);
  const bool own_text = has(*members, "body");
  const bool own_template = has(*members, "template");
  const std::vector<Member> own = *members;
  for (const Member& m : *common) {
    const auto same = [&](const Member& o) { return o.name == m.name; };
    if (m.name == kRate || m.name == "to" || std::ranges::any_of(own, same)) continue;
    if (own_text && (m.name == "template" || m.name == "variables")) continue;
    if (own_template && (m.name == "body" || m.name == "variables")) continue;
    members->push_back(m);
  }
  return object_of(*members);
}

Problem no_room() {
  return {.code = ProblemCode::store_unavailable,
          .detail = "The gateway's disk is too full for uploads.",
          .retry_after = std::chrono::minutes(1)};
}

std::optional<io::HttpResponse> BulkUpload::take(std::string_view piece) {
  const auto refuse = [](const Problem& problem) { return io::to_response(problem); };
  while (!piece.empty()) {
    const std::size_t end = piece.find('\n');
    const std::string_view part = piece.substr(0, end);
    if (rest_.size() + part.size() > bulk::kLineBytesMax) {
      return refuse({.code = ProblemCode::too_large,
                     .detail = fmt::format("Line {} is longer than {} bytes.", number_ + 1,
                                           bulk::kLineBytesMax)});
    }
    if (end == std::string_view::npos) {
      rest_ += part;
      return std::nullopt;
    }
    piece.remove_prefix(end + 1);
    std::optional<Problem> problem;
    if (rest_.empty()) {
      problem = line(part);
    } else {
      rest_ += part;
      problem = line(rest_);
      rest_.clear();
    }
    if (problem) return refuse(*problem);
  }
  return std::nullopt;
}

std::optional<Problem> BulkUpload::line(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (++number_ == 1 && text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  text = trimmed(text);
  if (text.empty()) return std::nullopt;
  if (std::exchange(first_, false)) {
    // What is no object at all is the wrong kind of file.
    const bool common = is_defaults(text);
    if (common || !members_of(text)) {
      double rate = 0;
      Errors errors =
          check_defaults(text, {.config = *config_, .tenant = tenant_, .now = now_}, rate);
      if (!errors.empty()) {
        Problem problem = invalid(std::move(errors));
        problem.detail = fmt::format("Line {}: {}", number_, problem.detail);
        return problem;
      }
      draft_->set_defaults(std::string(text));
      draft_->set_rate(rate);
      return std::nullopt;
    }
  }
  if (draft_->lines() >= bulk::kRecipientsMax) {
    return Problem{
        .code = ProblemCode::too_large,
        .detail = fmt::format("Line {}: more than {} recipients.", number_, bulk::kRecipientsMax)};
  }
  const bulk::Draft::Added added = draft_->add(number_, text);
  if (added == bulk::Draft::Added::taken) return std::nullopt;
  if (added == bulk::Draft::Added::no_room) return no_room();
  return Problem{.code = ProblemCode::store_unavailable,
                 .detail = "The upload cannot be written.",
                 .retry_after = std::chrono::seconds(5)};
}

std::optional<Problem> BulkUpload::end() {
  if (auto problem = line(std::exchange(rest_, {}))) return problem;
  if (draft_->lines() > 0) return std::nullopt;
  return invalid({{"", error_code::kEmpty,
                   "there is no recipient in it; send a JSON object a line, each with a to"}});
}

bulk::Made BulkMaker::make(message::TenantIndex tenant, std::string_view defaults,
                           std::string_view line, const config::Config& config, base::Now now) {
  MessageRequest request = parse_message(with_defaults(defaults, line),
                                         {.config = config, .tenant = tenant, .now = now.wall});
  if (!request.errors.empty()) {
    bulk::Made made;
    io::append_problem(made.problem, invalid(std::move(request.errors)));
    return made;
  }
  return {.submission = make_submission(request, tenant, config, backend_.vault(), now.wall)};
}

bulk::Made BulkMaker::refused(const engine::Refusal& refusal) {
  const Problem problem = refusal_problem(refusal);
  bulk::Made made{.submission = {}, .status = static_cast<std::uint16_t>(problem.http_status())};
  io::append_problem(made.problem, problem);
  return made;
}

}  // namespace trunkline::rest
