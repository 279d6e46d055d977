// Who did what to the gateway: a line of JSON each, on disk before it is done. Kept beside the
// store, the latest limits::kAuditBytesMax of it and as much before.
//
// One thread.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace trunkline::admin {

class Audit {
 public:
  // The error is a sentence.
  static std::expected<Audit, std::string> open(const std::string& path);
  Audit(Audit&& other) noexcept;
  Audit& operator=(Audit&&) = delete;
  ~Audit();

  // `detail`: a JSON value. False: it could not be written, and what it tells of must not be done.
  [[nodiscard]] bool write(base::Wall time, std::string_view by, std::string_view action,
                           std::string_view stage, std::string_view detail);
  // The newest first.
  std::vector<std::string> latest(std::size_t count) const;

 private:
  Audit(std::string path, int file, std::size_t size);
  bool make_room(std::size_t bytes);

  std::string path_;
  int file_ = -1;
  std::size_t size_ = 0;
};

}  // namespace trunkline::admin
