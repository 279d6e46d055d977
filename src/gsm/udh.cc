#include "gsm/udh.h"

#include <algorithm>

#include "base/bytes.h"

namespace trunkline::gsm {
namespace {

// Information element identifiers, TS 23.040 9.2.3.24.
constexpr std::uint8_t kConcatenation8 = 0x00;
constexpr std::uint8_t kPorts8 = 0x04;
constexpr std::uint8_t kPorts16 = 0x05;
constexpr std::uint8_t kConcatenation16 = 0x08;
constexpr std::uint8_t kSingleShift = 0x24;
constexpr std::uint8_t kLockingShift = 0x25;

std::optional<Concatenation> read_concatenation(std::string_view data, bool wide) {
  base::ByteReader reader(data);
  Concatenation c;
  c.wide = wide;
  c.reference = wide ? reader.u16() : reader.u8();
  c.total = reader.u8();
  c.index = reader.u8();
  if (!reader.ok() || !reader.at_end()) return std::nullopt;
  if (c.index == 0 || c.index > c.total) return std::nullopt;
  return c;
}

std::optional<Ports> read_ports(std::string_view data, bool wide) {
  base::ByteReader reader(data);
  Ports ports;
  ports.wide = wide;
  ports.destination = wide ? reader.u16() : reader.u8();
  ports.source = wide ? reader.u16() : reader.u8();
  if (!reader.ok() || !reader.at_end()) return std::nullopt;
  return ports;
}

Language read_language(std::string_view data, Language so_far) {
  if (data.size() != 1) return so_far;
  const Language language = language_of(static_cast<std::uint8_t>(data.front()));
  return language == Language::none ? so_far : language;
}

void read_element(std::uint8_t id, std::string_view data, UserDataHeader& header) {
  switch (id) {
    case kConcatenation8:
    case kConcatenation16:
      if (const auto c = read_concatenation(data, id == kConcatenation16)) header.concatenation = c;
      return;
    case kPorts8:
    case kPorts16:
      if (const auto ports = read_ports(data, id == kPorts16)) header.ports = ports;
      return;
    case kSingleShift:
      header.shift.single = read_language(data, header.shift.single);
      return;
    case kLockingShift:
      header.shift.locking = read_language(data, header.shift.locking);
      return;
    default:
      header.others.push_back({id, std::string(data)});
  }
}

void write_ports(base::ByteWriter& writer, const Ports& ports) {
  writer.u8(ports.wide ? kPorts16 : kPorts8);
  writer.u8(ports.wide ? 4 : 2);
  for (const std::uint16_t port : {ports.destination, ports.source}) {
    if (ports.wide) writer.u8(static_cast<std::uint8_t>(port >> 8));
    writer.u8(static_cast<std::uint8_t>(port & 0xff));
  }
}

void write_concatenation(base::ByteWriter& writer, const Concatenation& c) {
  writer.u8(c.wide ? kConcatenation16 : kConcatenation8);
  writer.u8(c.wide ? 4 : 3);
  if (c.wide) writer.u8(static_cast<std::uint8_t>(c.reference >> 8));
  writer.u8(static_cast<std::uint8_t>(c.reference & 0xff));
  writer.u8(c.total);
  writer.u8(c.index);
}

void write_language(base::ByteWriter& writer, std::uint8_t id, Language language) {
  if (language == Language::none) return;
  writer.u8(id);
  writer.u8(1);
  writer.u8(static_cast<std::uint8_t>(language));
}

}  // namespace

std::string_view name(UdhError error) {
  switch (error) {
    case UdhError::empty:
      return "empty";
    case UdhError::too_short:
      return "too_short";
    case UdhError::damaged:
      return "damaged";
    case UdhError::too_long:
      return "too_long";
  }
  return "damaged";
}

std::expected<UserDataHeader, UdhError> parse_udh(std::string_view user_data) {
  if (user_data.empty()) return std::unexpected(UdhError::empty);
  base::ByteReader whole(user_data);
  const std::size_t length = whole.u8();
  base::ByteReader elements(whole.view(length));
  if (!whole.ok()) return std::unexpected(UdhError::too_short);

  UserDataHeader header;
  header.octets = 1 + length;
  while (!elements.at_end()) {
    const std::uint8_t id = elements.u8();
    const std::string_view data = elements.view(elements.u8());
    if (!elements.ok()) return std::unexpected(UdhError::damaged);
    read_element(id, data, header);
  }
  return header;
}

std::expected<std::string, UdhError> build_udh(const UserDataHeader& header) {
  std::string out(1, '\0');
  base::ByteWriter writer(out);
  for (const InformationElement& element : header.others) {
    if (out.size() + 2 + element.data.size() > kUserDataOctetsMax) {
      return std::unexpected(UdhError::too_long);
    }
    writer.u8(element.id);
    writer.u8(static_cast<std::uint8_t>(element.data.size()));
    writer.bytes(element.data);
  }
  if (header.ports) write_ports(writer, *header.ports);
  if (header.concatenation) write_concatenation(writer, *header.concatenation);
  write_language(writer, kLockingShift, header.shift.locking);
  write_language(writer, kSingleShift, header.shift.single);
  if (out.size() > kUserDataOctetsMax) return std::unexpected(UdhError::too_long);
  if (out.size() == 1) return std::string();
  out[0] = static_cast<char>(out.size() - 1);
  return out;
}

void append_concatenation(std::string& out, std::uint8_t reference, std::uint8_t total,
                          std::uint8_t index) {
  base::ByteWriter writer(out);
  writer.u8(kConcatenationHeaderOctets - 1);
  write_concatenation(writer, {reference, total, index, false});
}

}  // namespace trunkline::gsm
