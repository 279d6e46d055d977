#include "cells/wire.h"

#include "base/bytes.h"
#include "base/limits.h"
#include "config/shared.h"
#include "message/opt_out.h"
#include "numbering/number.h"

namespace trunkline::cells {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kNameMax = 200;

bool are_sound(const Entry& entry) {
  return numbering::Number::from_digits(entry.digits).has_value() &&
         entry.tenant.size() <= kNameMax && entry.cell.size() <= kNameMax &&
         entry.by.size() <= kNameMax && entry.sender.size() <= base::limits::kSenderBytesMax;
}

}  // namespace

std::string encode(const Pull& pull) {
  std::string bytes;
  base::ByteWriter out(bytes);
  out.u8(kVersion);
  out.text(pull.cell);
  out.text(pull.instance);
  out.u64(pull.after);
  out.u32(pull.wait_ms);
  return bytes;
}

std::expected<Pull, std::string> decode_pull(std::string_view bytes) {
  base::ByteReader in(bytes);
  if (in.u8() != kVersion) return std::unexpected("it speaks another version");
  Pull pull;
  pull.cell = in.text();
  pull.instance = in.text();
  pull.after = in.u64();
  pull.wait_ms = in.u32();
  if (!in.ok() || !in.at_end() || pull.cell.size() > kNameMax)
    return std::unexpected("what it asks is damaged");
  return pull;
}

std::string encode(const Told& told) {
  std::string bytes;
  base::ByteWriter out(bytes);
  out.u8(kVersion);
  out.text(told.cell);
  out.text(told.instance);
  out.u64(told.latest);
  out.u64(told.next);
  out.varint(told.entries.size());
  for (const Entry& entry : told.entries) {
    out.u8(entry.out ? 1 : 0);
    out.u64(static_cast<std::uint64_t>(base::to_us(entry.at)));
    out.u64(entry.digits);
    out.text(entry.tenant);
    out.text(entry.sender);
    out.text(entry.cell);
    out.text(entry.by);
  }
  return bytes;
}

std::expected<Told, std::string> decode_told(std::string_view bytes) {
  const auto damaged = std::unexpected<std::string>("what it tells is damaged");
  base::ByteReader in(bytes);
  if (in.u8() != kVersion) return std::unexpected("it speaks another version");
  Told told;
  told.cell = in.text();
  told.instance = in.text();
  told.latest = in.u64();
  told.next = in.u64();
  const std::uint64_t count = in.varint();
  if (!in.ok() || count > kEntriesMax) return damaged;
  for (std::uint64_t i = 0; i < count; ++i) {
    Entry entry;
    entry.out = in.u8() != 0;
    const std::uint64_t at = in.u64();
    entry.digits = in.u64();
    entry.tenant = in.text();
    entry.sender = in.text();
    entry.cell = in.text();
    entry.by = in.text();
    if (!in.ok() || at >= static_cast<std::uint64_t>(message::kOptOutTimeMax) ||
        !are_sound(entry)) {
      return damaged;
    }
    entry.at = base::wall_from_us(static_cast<std::int64_t>(at));
    told.entries.push_back(std::move(entry));
  }
  if (!in.at_end()) return damaged;
  return told;
}

std::string encode(const Question& question) {
  std::string bytes;
  base::ByteWriter out(bytes);
  out.u8(kVersion);
  out.text(question.cell);
  out.text(question.have);
  out.u32(question.wait_ms);
  return bytes;
}

std::expected<Question, std::string> decode_question(std::string_view bytes) {
  base::ByteReader in(bytes);
  if (in.u8() != kVersion) return std::unexpected("it speaks another version");
  Question question;
  question.cell = in.text();
  question.have = in.text();
  question.wait_ms = in.u32();
  if (!in.ok() || !in.at_end() || question.cell.size() > kNameMax ||
      question.have.size() > kNameMax) {
    return std::unexpected("what it asks is damaged");
  }
  return question;
}

std::string encode(const SharedTold& told) {
  std::string bytes;
  base::ByteWriter out(bytes);
  out.u8(kVersion);
  out.text(told.cell);
  out.text(told.shared.version);
  out.varint(told.shared.files.size());
  for (const config::SourceFile& file : told.shared.files) {
    out.text(file.name);
    out.text(file.text);
  }
  return bytes;
}

std::expected<SharedTold, std::string> decode_shared(std::string_view bytes) {
  const auto damaged = std::unexpected<std::string>("what it tells is damaged");
  base::ByteReader in(bytes);
  if (in.u8() != kVersion) return std::unexpected("it speaks another version");
  SharedTold told;
  told.cell = in.text();
  told.shared.version = in.text();
  const std::uint64_t count = in.varint();
  if (!in.ok() || told.cell.size() > kNameMax || told.shared.version.size() > kNameMax ||
      count > base::limits::kSharedFilesMax) {
    return damaged;
  }
  std::size_t octets = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    config::SourceFile file{std::string(in.text()), std::string(in.text())};
    octets += file.text.size();
    const bool ascends = told.shared.files.empty() || told.shared.files.back().name < file.name;
    if (!in.ok() || !ascends || !config::is_shared_name(file.name) ||
        octets > base::limits::kSharedBytesMax) {
      return damaged;
    }
    told.shared.files.push_back(std::move(file));
  }
  if (!in.at_end()) return damaged;
  if (count != 0 && config::shared_version(told.shared.files) != told.shared.version) {
    return damaged;
  }
  return told;
}

}  // namespace trunkline::cells
