#include "wire/tls_channel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/clock.h"
#include "wire/test_certificates.h"

namespace trunkline::wire {
namespace {

using test::Certificate;
using test::Certificates;
using testing::HasSubstr;
using State = TlsChannel::State;

std::string read_all(TlsChannel& channel) {
  std::string out;
  char buffer[100];
  while (const std::size_t got = channel.read(buffer, sizeof buffer)) out.append(buffer, got);
  return out;
}

class Tls : public testing::Test {
 protected:
  std::shared_ptr<const TlsContext> server(TlsServerFiles files) {
    auto made = TlsContext::server(files, io::wall_now());
    EXPECT_TRUE(made.has_value()) << made.error().what;
    return *made;
  }
  std::shared_ptr<const TlsContext> server(const Certificate& own,
                                           const std::string& client_authority = {}) {
    return server(
        {.certificate = own.file, .key = own.key_file, .client_authority = client_authority});
  }
  std::shared_ptr<const TlsContext> client(const TlsClientFiles& files) {
    auto made = TlsContext::client(files, io::wall_now());
    EXPECT_TRUE(made.has_value()) << made.error().what;
    return *made;
  }

  // Both sides, `piece` octets at a time, until neither has anything to say.
  struct Pair {
    TlsChannel server;
    TlsChannel client;
    std::string at_server{};
    std::string at_client{};

    void run(std::size_t piece = 4096) {
      client.start();
      while (move(client, server, at_server, piece) || move(server, client, at_client, piece)) {
      }
    }
    static bool move(TlsChannel& from, TlsChannel& to, std::string& text, std::size_t piece) {
      const std::string octets(from.output().substr(0, piece));
      from.sent(octets.size());
      if (octets.empty()) return false;
      to.receive(octets);
      text += read_all(to);
      return true;
    }
  };

  Certificates files_;
  Certificate authority_ = files_.make({.name = "authority", .is_authority = true});
  Certificate own_ =
      files_.make({.name = "smsc", .alt = "DNS:smsc.example.com,IP:192.0.2.1"}, &authority_);
  Certificate app_ = files_.make({.name = "app"}, &authority_);
  Certificate stranger_ = files_.make({.name = "stranger", .is_authority = true});
};

TEST_F(Tls, CarriesOctetsBothWaysHoweverTheyAreCut) {
  for (const std::size_t piece : {1u, 7u, 1000u, 100'000u}) {
    Pair pair{.server{server(own_)},
              .client{client({.authority = authority_.file, .server_name = "smsc.example.com"})}};
    pair.run(piece);
    ASSERT_TRUE(pair.server.is_established());
    ASSERT_TRUE(pair.client.is_established()) << pair.client.why();
    EXPECT_THAT(pair.client.describe(), HasSubstr("TLSv1.3"));
    const std::string large(TlsChannel::kRecordBytes, 'x');
    ASSERT_TRUE(pair.client.write(large));
    ASSERT_TRUE(pair.client.write("and more"));
    ASSERT_TRUE(pair.server.write("hello"));
    pair.run(piece);
    EXPECT_EQ(pair.at_server, large + "and more");
    EXPECT_EQ(pair.at_client, "hello");
    pair.client.end();
    pair.run(piece);
    EXPECT_EQ(pair.server.state(), State::ended);
    EXPECT_FALSE(pair.server.write("too late"));
  }
}

TEST_F(Tls, WhatComesWithTheEndOfTheHandshakeIsKept) {
  Pair pair{.server{server(own_)}, .client{client({.pins = {own_.pin}})}};
  pair.client.start();
  pair.server.receive(std::string(pair.client.output()));
  pair.client.sent(pair.client.output().size());
  pair.client.receive(std::string(pair.server.output()));
  pair.server.sent(pair.server.output().size());
  ASSERT_TRUE(pair.client.write("bind"));
  pair.server.receive(std::string(pair.client.output()));  // its Finished and this, together
  EXPECT_EQ(read_all(pair.server), "bind");
}

TEST_F(Tls, CostsNothingBeforeTheFirstOctet) {
  TlsChannel channel(server(own_));
  channel.start();
  EXPECT_TRUE(channel.output().empty());
  EXPECT_EQ(channel.describe(), "");
}

struct Case {
  std::string what;
  TlsClientFiles client;
  std::string at_client = {};  // in why(); empty: it stands
  std::string at_server = {};
};

TEST_F(Tls, WhoIsVerifiedAndHow) {
  const Certificate expired = files_.make(
      {.name = "expired", .alt = "DNS:smsc.example.com", .from_days = -10, .to_days = -2},
      &authority_);
  const std::string zeros(64, '0');
  const auto with = [&](const Certificate& own, const std::vector<Case>& cases) {
    const auto context = server(own);
    for (const Case& c : cases) {
      SCOPED_TRACE(c.what);
      Pair pair{.server{context}, .client{client(c.client)}};
      pair.run();
      EXPECT_EQ(pair.client.is_established(), c.at_client.empty());
      EXPECT_THAT(pair.client.why(), HasSubstr(c.at_client));
      EXPECT_THAT(pair.server.why(), HasSubstr(c.at_server));
    }
  };
  const std::string& ca = authority_.file;
  with(own_,
       {{"authority and name", {.authority = ca, .server_name = "smsc.example.com"}},
        {"authority and address", {.authority = ca, .server_name = "192.0.2.1"}},
        {"another name",
         {.authority = ca, .server_name = "other.example.com"},
         "is for smsc.example.com, 192.0.2.1, not for other.example.com",
         "the peer refused our certificate"},
        {"another address",
         {.authority = ca, .server_name = "192.0.2.2"},
         "not for 192.0.2.2; if that is the server that is meant, set tls.server_name"},
        {"another authority",
         {.authority = stranger_.file, .server_name = "smsc.example.com"},
         "set tls.ca to the file of its authority, or tls.pin to sha256:" + own_.pin,
         "it does not know the authority"},
        {"the system's authorities",
         {.server_name = "smsc.example.com"},
         "not from a trusted authority"},
        {"a pin alone", {.pins = {own_.pin}, .server_name = "whatever"}},
        {"one of several pins", {.pins = {zeros, own_.pin}}},
        {"another pin", {.pins = {zeros}}, "the server's key is sha256:" + own_.pin},
        {"pin and authority", {.authority = ca, .pins = {own_.pin}, .server_name = "192.0.2.1"}},
        {"right pin, wrong authority",
         {.authority = stranger_.file, .pins = {own_.pin}, .server_name = "192.0.2.1"},
         "not from a trusted authority"},
        {"wrong pin, right authority",
         {.authority = ca, .pins = {zeros}, .server_name = "192.0.2.1"},
         "not what tls.pin says"}});
  with(expired, {{"expired",
                  {.authority = ca, .server_name = "smsc.example.com"},
                  "the server's certificate expired on 20",
                  "the peer refused our certificate: it has expired"},
                 {"expired, but pinned", {.pins = {expired.pin}}}});
}

TEST_F(Tls, ClientsMustShowACertificateWhereAnAuthorityIsNamed) {
  const auto context = server(own_, authority_.file);
  const Certificate unknown = files_.make({.name = "unknown"}, &stranger_);
  const auto try_with = [&](const Certificate* mine, const std::string& at_server,
                            const std::string& at_client) {
    TlsClientFiles files{.pins = {own_.pin}};
    if (mine != nullptr) {
      files.certificate = mine->file;
      files.key = mine->key_file;
    }
    Pair pair{.server{context}, .client{client(files)}};
    pair.run();
    EXPECT_EQ(pair.server.is_established(), at_server.empty());
    EXPECT_THAT(pair.server.why(), HasSubstr(at_server));
    EXPECT_THAT(pair.client.why(), HasSubstr(at_client));
  };
  try_with(&app_, "", "");
  try_with(nullptr, "showed no certificate", "set tls.certificate and tls.key");
  try_with(&unknown, "not from an authority in smpp_tls.client_ca",
           "the peer refused our certificate");
}

TEST_F(Tls, WhatIsNotTls) {
  TlsChannel at_server(server(own_));
  at_server.receive("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(at_server.state(), State::failed);
  EXPECT_THAT(at_server.why(), HasSubstr("the client does not speak TLS here"));
  TlsChannel smpp(server(own_));
  smpp.receive(std::string("\0\0\0\x2f\0\0\0\x09\0\0\0\0\0\0\0\1demo", 20));
  EXPECT_EQ(smpp.state(), State::failed);
  TlsChannel at_client(client({.pins = {own_.pin}}));
  at_client.start();
  at_client.receive(std::string("\0\0\0\x10\x80\0\0\0\0\0\0\2\0\0\0\0", 16));
  EXPECT_EQ(at_client.state(), State::failed);
  EXPECT_THAT(at_client.why(), HasSubstr("the server does not speak TLS here"));
}

// A client of OpenSSL's own, that does what ours does not.
class RawClient {
 public:
  RawClient(TlsChannel& server, int version) : server_(server) {
    context_ = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(context_, 0);
    SSL_CTX_set_min_proto_version(context_, version);
    SSL_CTX_set_max_proto_version(context_, version);
    ssl_.reset(SSL_new(context_));
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl_.get(), in_, out_);
    SSL_set_connect_state(ssl_.get());
  }
  ~RawClient() {
    ssl_.reset();
    SSL_CTX_free(context_);
  }
  SSL* ssl() { return ssl_.get(); }
  int handshake() {
    int result = 0;
    for (int i = 0; i < 10; ++i) {
      result = SSL_do_handshake(ssl_.get());
      exchange();
    }
    return result;
  }
  void exchange() {
    char* data = nullptr;
    const long size = BIO_get_mem_data(out_, &data);
    if (size > 0) {
      server_.receive({data, static_cast<std::size_t>(size)});
      at_server += read_all(server_);
      (void)BIO_reset(out_);
    }
    const auto output = server_.output();
    BIO_write(in_, output.data(), static_cast<int>(output.size()));
    server_.sent(output.size());
  }
  std::string at_server;

 private:
  TlsChannel& server_;
  SSL_CTX* context_ = nullptr;
  OpensslPtr<SSL> ssl_;
  BIO* in_ = nullptr;
  BIO* out_ = nullptr;
};

TEST_F(Tls, OldVersionsAreRefused) {
  TlsChannel channel(server(own_));
  RawClient raw(channel, TLS1_1_VERSION);
  EXPECT_NE(raw.handshake(), 1);
  EXPECT_EQ(channel.state(), State::failed);
  EXPECT_THAT(channel.why(), HasSubstr("no version of TLS that we do"));
}

TEST_F(Tls, RenegotiationIsRefused) {
  TlsChannel channel(server(own_));
  RawClient raw(channel, TLS1_2_VERSION);
  ASSERT_EQ(raw.handshake(), 1);
  ASSERT_TRUE(channel.is_established());
  EXPECT_THAT(channel.describe(), HasSubstr("TLSv1.2"));
  SSL_renegotiate(raw.ssl());
  EXPECT_NE(raw.handshake(), 1);
  // What was agreed on stays agreed on.
  EXPECT_EQ(SSL_num_renegotiations(raw.ssl()), 1);  // asked for, never done
  EXPECT_FALSE(channel.state() == State::handshaking);
}

TEST_F(Tls, ARecordThatWasTamperedWithEndsIt) {
  Pair pair{.server{server(own_)}, .client{client({.pins = {own_.pin}})}};
  pair.run();
  ASSERT_TRUE(pair.client.write("hello"));
  std::string record(pair.client.output());
  record.back() = static_cast<char>(record.back() ^ 1);
  pair.server.receive(record);
  EXPECT_EQ(read_all(pair.server), "");
  EXPECT_EQ(pair.server.state(), State::failed);
  EXPECT_FALSE(pair.server.output().empty());  // the alert
}

// --- files --------------------------------------------------------------------------------------

TEST_F(Tls, FilesThatAreWrong) {
  const std::string text = files_.write("text", "no certificate at all\n");
  const std::string damaged =
      files_.write("damaged", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  const std::string locked = files_.path("locked");
  FILE* file = std::fopen(locked.c_str(), "wb");
  PEM_write_PKCS8PrivateKey(file, own_.key.get(), EVP_aes_128_cbc(), "x", 1, nullptr, nullptr);
  std::fclose(file);
  struct Row {
    TlsServerFiles files;
    TlsSetting setting;
    std::string what;
  };
  const std::string c = own_.file;
  const std::string k = own_.key_file;
  for (const Row& row : {
           Row{{"/nowhere/c.pem", k, ""}, TlsSetting::certificate, "No such file"},
           Row{{c, "/nowhere/k.pem", ""}, TlsSetting::key, "No such file"},
           Row{{c, k, "/nowhere/ca.pem"}, TlsSetting::authority, "No such file"},
           Row{{testing::TempDir(), k, ""}, TlsSetting::certificate, "cannot be read"},
           Row{{text, k, ""}, TlsSetting::certificate, "holds no certificate"},
           Row{{k, k, ""}, TlsSetting::certificate, "holds a key"},
           Row{{damaged, k, ""}, TlsSetting::certificate, "certificate 1 cannot be read"},
           Row{{c, c, ""}, TlsSetting::key, "holds no key"},
           Row{{c, locked, ""}, TlsSetting::key, "the key is encrypted"},
           Row{{c, app_.key_file, ""}, TlsSetting::key, "the key is not that of the first"},
           Row{{c, k, text}, TlsSetting::authority, "holds no certificate"},
       }) {
    const auto made = TlsContext::server(row.files, io::wall_now());
    ASSERT_FALSE(made.has_value()) << row.what;
    EXPECT_EQ(made.error().setting, row.setting) << row.what;
    EXPECT_THAT(made.error().what, HasSubstr(row.what));
    EXPECT_FALSE(made.error().remedy.empty());
  }
}

TEST_F(Tls, ACertificateNearItsEndIsWarnedOf) {
  const auto warning = [&](long from, long to) -> std::string {
    const Certificate one =
        files_.make({.name = "dated", .from_days = from, .to_days = to}, &authority_);
    const auto context = server(one);
    return context->warnings().empty() ? "" : context->warnings()[0].what;
  };
  EXPECT_EQ(warning(-1, 30), "");
  EXPECT_THAT(warning(-1, 10), HasSubstr("expires on 2"));
  EXPECT_THAT(warning(-10, -2), HasSubstr("expired on 2"));
  EXPECT_THAT(warning(2, 30), HasSubstr("is valid from 2"));
}

}  // namespace
}  // namespace trunkline::wire
