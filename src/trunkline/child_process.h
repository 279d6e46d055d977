// A child process of `demo`: this binary with other arguments. It never outlives us.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <expected>
#include <string>
#include <vector>

namespace trunkline::cli {

class ChildProcess {
 public:
  // Runs this executable with `arguments`; what it logs goes to `log_path`, emptied first. SIGKILL
  // of the calling thread's process sends it SIGTERM. Call before threads are started.
  static std::expected<ChildProcess, std::string> start(std::string name,
                                                        const std::vector<std::string>& arguments,
                                                        const std::string& log_path);
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  ~ChildProcess();  // SIGKILL if it still runs

  // The first line it prints. Empty: it ended, or printed none in time.
  std::string first_line(std::chrono::milliseconds timeout);
  // Sends SIGTERM and waits; SIGKILL after `patience`.
  void stop(std::chrono::milliseconds patience);
  // Does it still run? Otherwise exit_code() tells how it ended.
  bool running();
  int exit_code() const { return exit_code_; }  // 128 + n: killed by signal n
  const std::string& name() const { return name_; }
  // The last lines of its log, to show why it ended.
  std::string log_tail() const;

 private:
  ChildProcess() = default;

  std::string name_;
  std::string log_path_;
  pid_t pid_ = -1;
  int out_ = -1;
  int exit_code_ = -1;
};

}  // namespace trunkline::cli
