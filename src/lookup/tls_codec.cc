#include "lookup/tls_codec.h"

#include <algorithm>
#include <array>

namespace trunkline::lookup {

bool TlsCodec::receive(std::string_view octets, std::string& plain) {
  channel_.receive(octets);
  std::array<char, 16 * 1024> chunk;
  while (const std::size_t n = channel_.read(chunk.data(), chunk.size())) {
    plain.append(chunk.data(), n);
  }
  return channel_.state() != wire::TlsChannel::State::failed;
}

bool TlsCodec::write(std::string_view plain) {
  while (!plain.empty()) {
    const std::string_view record = plain.substr(0, wire::TlsChannel::kRecordBytes);
    if (!channel_.write(record)) return false;
    plain.remove_prefix(record.size());
  }
  return true;
}

std::string TlsCodec::take_output() {
  std::string out(channel_.output());
  channel_.sent(out.size());
  return out;
}

}  // namespace trunkline::lookup
