#include <gtest/gtest.h>

#include "config/config.h"

namespace trunkline::config {
namespace {

SmppOptions options(const std::string& text) {
  const std::string yaml =
      "node: { name: eu-1, region: eu }\n"
      "listen: { http: { address: 127.0.0.1:0 } }\n"
      "carriers: [ { name: a, region: eu, smpp: { host: h, port: 1, system_id: a, text: {" +
      text + "} } } ]";
  const Loaded loaded = load({{"x.yaml", yaml}}, [](std::string_view) { return "s3cret"; });
  EXPECT_TRUE(loaded.config) << text;
  return loaded.config.value_or(Config{.carriers = {{}}}).carriers[0].smpp.options;
}

TEST(LoadText, TheCarriersDefaultAlphabet) {
  using gsm::DefaultAlphabet;
  EXPECT_EQ(options("").text, gsm::TextOptions{});
  EXPECT_EQ(options("").data_coding, gsm::DataCodings{});
  // Latin-1 is Latin-1, whatever of it is in the GSM alphabet.
  const SmppOptions latin1 = options("alphabet: latin1");
  EXPECT_EQ(latin1.text,
            (gsm::TextOptions{.latin1 = true, .default_alphabet = DefaultAlphabet::latin1}));
  EXPECT_EQ(latin1.data_coding, (gsm::DataCodings{.latin1 = 0}));
  EXPECT_EQ(options("alphabet: latin1, data_coding: { gsm7: 1 }").data_coding,
            (gsm::DataCodings{.gsm7 = 1, .latin1 = 1}));
  EXPECT_EQ(options("alphabet: latin1, alphabets: [ gsm7, ucs2 ]").text,
            (gsm::TextOptions{.default_alphabet = DefaultAlphabet::latin1}));
  EXPECT_EQ(options("alphabet: ascii").text,
            (gsm::TextOptions{.default_alphabet = DefaultAlphabet::ascii}));
}

}  // namespace
}  // namespace trunkline::config
