// api/openapi.yaml against the code, both ways.
#include "rest/openapi.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <set>

#include "edge/explanation.h"
#include "rest/parse.h"
#include "rest/render.h"
#include "rest/routes.h"
#include "rest/test_config.h"

namespace trunkline::rest {
namespace {

using boost::json::object;
using boost::json::value;
using Names = std::set<std::string>;

class OpenApi : public testing::Test {
 protected:
  // Follows references.
  const object& at(const value& v) const {
    const object& o = v.as_object();
    if (!o.contains("$ref")) return o;
    const std::string pointer(o.at("$ref").as_string());
    EXPECT_TRUE(pointer.starts_with("#/")) << pointer;
    return at(whole_.at_pointer(pointer.substr(1)));
  }
  const object& schema(std::string_view name) const {
    return spec_.at("components").as_object().at("schemas").as_object().at(name).as_object();
  }
  static Names keys(const object& o) {
    Names names;
    for (const auto& member : o) names.emplace(member.key());
    return names;
  }
  static Names strings(const value& array) {
    Names names;
    for (const value& v : array.as_array()) names.emplace(v.as_string());
    return names;
  }
  // What is rendered has exactly the members of the schema, and all are required.
  void expect_shape(std::string_view json, std::string_view name) const {
    const Names rendered = keys(boost::json::parse(json).as_object());
    EXPECT_EQ(rendered, keys(schema(name).at("properties").as_object())) << name;
    EXPECT_EQ(rendered, strings(schema(name).at("required"))) << name;
  }

  const value whole_ = boost::json::parse(openapi_json());
  const object& spec_ = whole_.as_object();
};

TEST_F(OpenApi, HasTheRoutesOfTheServer) {
  Names ours;
  for (const Route& route : kRoutes) {
    ours.insert(fmt::format("{} {} {}", route.method, route.path, route.id));
  }
  Names theirs;
  for (const auto& path : spec_.at("paths").as_object()) {
    for (const auto& [key, operation] : path.value().as_object()) {
      if (key == "parameters") continue;
      std::string method(key);
      std::ranges::transform(method, method.begin(),
                             [](char c) { return static_cast<char>(c - 32); });
      theirs.insert(fmt::format("{} {} {}", method, std::string_view(path.key()),
                                std::string_view(operation.at("operationId").as_string())));
    }
  }
  EXPECT_EQ(ours, theirs);
}

TEST_F(OpenApi, HasTheCodesOfTheServer) {
  Names codes;
  for (const io::ProblemCodeInfo& code : io::kProblemCodes) codes.emplace(code.name);
  EXPECT_EQ(codes, strings(schema("Problem").at("properties").at("code").at("enum")));
  Names errors;
  for (const std::string_view code : kErrorCodes) errors.emplace(code);
  EXPECT_EQ(errors, strings(schema("ProblemError").at("properties").at("code").at("enum")));
  Names states;
  for (const message::StateInfo& state : message::kStates) states.emplace(state.name);
  EXPECT_EQ(states, strings(schema("State").at("enum")));
}

TEST_F(OpenApi, HasTheMembersOfWhatIsRendered) {
  const auto config = test_config();
  message::Record record;
  record.envelope.accepted_at = base::wall_from_us(1);
  record.envelope.id = {1, 1};
  record.events.push_back({.kind = message::EventKind::ended,
                           .state = message::State::failed,
                           .cause = message::Cause::no_route});
  std::string text;
  append_message(text, record, nullptr, *config);
  expect_shape(text, "Message");
  const object error = boost::json::parse(text).at("error").as_object();
  EXPECT_EQ(
      keys(error),
      strings(schema("Message").at("properties").at("error").at("oneOf").at(1).at("required")));
  text.clear();
  append_events(text, record, *config);
  expect_shape(text, "EventList");
  expect_shape(boost::json::serialize(boost::json::parse(text).at("data").as_array()[0]), "Event");
  text.clear();
  append_decision(text, record, *config);
  expect_shape(text, "Decision");

  const engine::Explained explained = engine::explain(
      config->tables,
      {.tenant = {0}, .traffic_class = {0}, .to = numbering::parse_e164("+447700900123").value()});
  text.clear();
  edge::append_explanation(text, explained, config->tables);
  expect_shape(text, "Explanation");

  io::Problem problem;
  problem.errors.push_back({"/x", error_code::kMissing, "x"});
  problem.reasons.push_back({"r", "v", "t"});
  text.clear();
  append_problem(text, problem);
  expect_shape(text, "Problem");
  const value parsed = boost::json::parse(text);
  expect_shape(boost::json::serialize(parsed.at("errors").at(0)), "ProblemError");
  expect_shape(boost::json::serialize(parsed.at("reasons").at(0)), "ProblemReason");
}

TEST_F(OpenApi, HasTheFieldsOfWhatIsRead) {
  const auto config = test_config();
  const ParseContext context{*config, message::TenantIndex{0}, base::wall_from_us(1)};
  // Every field of the schema is known to the parser, and it knows no other.
  const auto known = [&](std::string_view name, bool in_batch) {
    Names unknown;
    for (const auto& field : schema(name).at("properties").as_object()) {
      const std::string item = fmt::format(R"({{"{}":null}})", std::string_view(field.key()));
      const BatchRequest batch = parse_batch(fmt::format(R"({{"messages":[{}]}})", item), context);
      const Errors errors =
          in_batch ? batch.items.at(0).errors : parse_message(item, context).errors;
      for (const io::ProblemError& error : errors) {
        if (error.code == error_code::kUnknownField) unknown.insert(error.pointer);
      }
    }
    return unknown;
  };
  EXPECT_EQ(known("MessageRequest", false), Names{});
  EXPECT_EQ(known("BatchItem", true), Names{});
  const Errors errors = parse_message(R"({"x":1})", context).errors;
  std::string listed;
  for (const auto& field : schema("MessageRequest").at("properties").as_object()) {
    listed += (listed.empty() ? "" : ", ") + std::string(field.key());
  }
  EXPECT_EQ(errors.at(0).detail, "there is no such field; there are " + listed);

  Names parameters;
  for (const value& p :
       spec_.at("paths").at("/v1/messages").at("get").at("parameters").as_array()) {
    const std::string name(p.at("name").as_string());
    parameters.insert(name);
    for (const io::ProblemError& error : parse_list(name + "=x", *config).errors) {
      EXPECT_NE(error.code, error_code::kUnknownParameter) << name;
    }
  }
  std::string names;
  for (const char* p : {"to", "status", "class", "from_time", "to_time", "cursor", "limit"}) {
    names += (names.empty() ? "" : ", ") + std::string(p);
    EXPECT_TRUE(parameters.contains(p)) << p;
  }
  EXPECT_EQ(parse_list("x=1", *config).errors.at(0).detail,
            "there is no such parameter; there are " + names);
}

TEST_F(OpenApi, ItsExamplesAreTaken) {
  const auto config = test_config();
  const ParseContext context{*config, message::TenantIndex{0},
                             base::parse_rfc3339("2026-11-23T00:00:00Z").value()};
  int count = 0;
  const auto examples = [&](std::string_view path, auto&& read) {
    const object& content = spec_.at("paths")
                                .as_object()
                                .at(path)
                                .at("post")
                                .at("requestBody")
                                .at("content")
                                .at("application/json")
                                .as_object();
    for (const auto& example : content.at("examples").as_object()) {
      const Errors errors = read(boost::json::serialize(example.value().at("value")));
      EXPECT_TRUE(errors.empty()) << std::string_view(example.key()) << ": " << errors.at(0).detail;
      ++count;
    }
  };
  examples("/v1/messages",
           [&](std::string_view body) { return parse_message(body, context).errors; });
  examples("/v1/messages/batch", [&](std::string_view body) {
    BatchRequest batch = parse_batch(body, context);
    for (MessageRequest& item : batch.items)
      std::ranges::move(item.errors, std::back_inserter(batch.errors));
    return batch.errors;
  });
  examples("/v1/messages/{id}/cancel", [](std::string_view body) { return parse_empty(body); });
  examples("/v1/explain", [&](std::string_view body) {
    return parse_message(body, {.config = *config,
                                .tenant = context.tenant,
                                .now = context.now,
                                .needs_body = false})
        .errors;
  });
  EXPECT_EQ(count, 6);
  // The answer shown is one the server could give.
  const value& shown = spec_.at("paths")
                           .at("/v1/messages")
                           .at("post")
                           .at("responses")
                           .at("201")
                           .at("content")
                           .at("application/json")
                           .at("examples")
                           .at("accepted")
                           .at("value");
  expect_shape(boost::json::serialize(shown), "Message");
}

TEST_F(OpenApi, EveryReferenceLeadsSomewhere) {
  int count = 0;
  const auto walk = [&](auto& self, const value& v) -> void {
    if (v.is_array()) {
      for (const value& element : v.as_array()) self(self, element);
    } else if (v.is_object()) {
      if (v.as_object().contains("$ref")) {
        at(v);
        ++count;
      }
      for (const auto& member : v.as_object()) self(self, member.value());
    }
  };
  walk(walk, value(spec_));
  EXPECT_GT(count, 50);
}

}  // namespace
}  // namespace trunkline::rest
