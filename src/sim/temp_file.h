// A file of a test, removed at its end.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace trunkline::sim {

class TempFile {
 public:
  explicit TempFile(std::string_view text = {}) {
    char name[] = "/tmp/trunkline_sim_XXXXXX";
    close(mkstemp(name));
    path_ = name;
    if (!text.empty()) write(text);
  }
  TempFile(const TempFile&) = delete;
  TempFile& operator=(const TempFile&) = delete;
  ~TempFile() { unlink(path_.c_str()); }

  const std::string& path() const { return path_; }
  void write(std::string_view text) { std::ofstream(path_, std::ios::binary) << text; }
  std::vector<std::string> lines() const {
    std::ifstream file(path_);
    std::vector<std::string> out;
    for (std::string line; std::getline(file, line);) out.push_back(line);
    return out;
  }

 private:
  std::string path_;
};

}  // namespace trunkline::sim
