// TLS for a blocking HTTP client.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "io/http_client.h"
#include "wire/tls_channel.h"

namespace trunkline::lookup {

class TlsCodec final : public io::HttpCodec {
 public:
  explicit TlsCodec(std::shared_ptr<const wire::TlsContext> context)
      : channel_(std::move(context)) {
    channel_.start();
  }
  bool ready() const override { return channel_.is_established(); }
  bool receive(std::string_view octets, std::string& plain) override;
  bool write(std::string_view plain) override;
  std::string take_output() override;
  std::string why() const override { return channel_.why(); }

 private:
  wire::TlsChannel channel_;
};

}  // namespace trunkline::lookup
