#include "carrier/metadata.h"

#include <gtest/gtest.h>

#include "base/json_writer.h"

namespace trunkline::carrier {
namespace {

TEST(Metadata, ValuesOfEveryType) {
  const std::string json =
      R"({"pe_id":"1101234567890","count":17,"share":-0.5e3,"test":true,"none":null,"":"empty key"})";
  EXPECT_EQ(metadata_value(json, "pe_id"), "1101234567890");
  EXPECT_EQ(metadata_value(json, "count"), "17");
  EXPECT_EQ(metadata_value(json, "share"), "-0.5e3");
  EXPECT_EQ(metadata_value(json, "test"), "true");
  EXPECT_EQ(metadata_value(json, "none"), std::nullopt);
  EXPECT_EQ(metadata_value(json, ""), "empty key");
  EXPECT_EQ(metadata_value(json, "pe"), std::nullopt);
  EXPECT_EQ(metadata_value("{}", "a"), std::nullopt);
  EXPECT_EQ(metadata_value("", "a"), std::nullopt);
}

TEST(Metadata, WhatTheWriterEscapesIsReadBack) {
  std::string all;
  for (int c = 1; c < 128; ++c) all.push_back(static_cast<char>(c));
  all += "\u00e9\u20ac\U0001f600";
  std::string json = "{\"first\":1,";
  base::append_json_string(json, all);
  json += ":";
  base::append_json_string(json, all);
  json += "}";
  EXPECT_EQ(metadata_value(json, all), all);
  EXPECT_EQ(metadata_value("{\"a\":\"\\ud83d\\ude00\\u20ac\\/\"}", "a"), "\U0001f600\u20ac/");
}

TEST(Metadata, DamageIsNoValue) {
  const std::string json = R"({"a":"x\u00e9","b":12})";
  for (std::size_t size = 0; size < json.size(); ++size) {
    const auto value = metadata_value(json.substr(0, size), "b");
    EXPECT_TRUE(!value || std::string_view("12").starts_with(*value)) << size;
  }
  for (const std::string_view text : {"{\"a\":\"\\u12\"}", "{\"a\":\"\\x\"}", "{\"a\" \"b\"}",
                                      "[1]", "{\"b\":1 \"a\":2}", "{\"a\":\"\\ud83d\\u0041\"}"}) {
    EXPECT_EQ(metadata_value(text, "a"), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace trunkline::carrier
