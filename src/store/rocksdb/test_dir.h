// Test support: a directory of its own, in memory if there is room, so that hundreds of opens with
// their syncs stay quick.
#pragma once

#include <sys/statvfs.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace trunkline::store {

class TestDir {
 public:
  TestDir() {
    std::string pattern = base() + "/trunkline_store.XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  TestDir(const TestDir&) = delete;
  TestDir& operator=(const TestDir&) = delete;
  ~TestDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  static std::string base() {
    struct statvfs about{};
    const bool roomy = ::statvfs("/dev/shm", &about) == 0 &&
                       about.f_bavail * about.f_frsize > (std::size_t{1} << 30);
    return roomy ? "/dev/shm" : std::filesystem::temp_directory_path().string();
  }
  std::string path_;
};

}  // namespace trunkline::store
