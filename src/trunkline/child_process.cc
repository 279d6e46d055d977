#include "trunkline/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>
#include <utility>

namespace trunkline::cli {
namespace {

constexpr std::size_t kTailBytes = 2000;

// In the child, between fork and exec: only calls that are safe there.
[[noreturn]] void become(char* const* argv, pid_t parent, int out, int log) {
  // A group of its own: Ctrl-C reaches us alone, and we stop our children in the right order.
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(127);  // it died before that took effect
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int null = open("/dev/null", O_RDONLY);
  if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(log, 2) < 0) _exit(127);
  execv("/proc/self/exe", argv);
  _exit(127);
}

}  // namespace

std::expected<ChildProcess, std::string> ChildProcess::start(
    std::string name, const std::vector<std::string>& arguments, const std::string& log_path) {
  const auto failed = [](std::string_view what) {
    return std::unexpected(fmt::format("{}: {}", what, std::strerror(errno)));
  };
  std::vector<std::string> words{"trunkline"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& w : words) argv.push_back(w.data());
  argv.push_back(nullptr);

  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return failed("pipe");
  const int log = open(log_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (log < 0) {
    close(ends[0]);
    close(ends[1]);
    return failed(log_path);
  }
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) become(argv.data(), parent, ends[1], log);
  close(ends[1]);
  close(log);
  if (pid < 0) {
    close(ends[0]);
    return failed("fork");
  }
  ChildProcess child;
  child.name_ = std::move(name);
  child.log_path_ = log_path;
  child.pid_ = pid;
  child.out_ = ends[0];
  return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : name_(std::move(other.name_)),
      log_path_(std::move(other.log_path_)),
      pid_(std::exchange(other.pid_, -1)),
      out_(std::exchange(other.out_, -1)),
      exit_code_(other.exit_code_) {}

ChildProcess::~ChildProcess() {
  if (running()) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  if (out_ >= 0) close(out_);
}

std::string ChildProcess::first_line(std::chrono::milliseconds timeout) {
  const auto until = std::chrono::steady_clock::now() + timeout;
  std::string line;
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    pollfd watch{out_, POLLIN, 0};
    if (left.count() <= 0 || poll(&watch, 1, static_cast<int>(left.count())) == 0) return {};
    char c = 0;
    const ssize_t n = read(out_, &c, 1);
    if (n == 0 || (n < 0 && errno != EINTR)) return {};
    if (n == 1 && c == '\n') return line;
    if (n == 1) line.push_back(c);
  }
}

bool ChildProcess::running() {
  if (pid_ < 0) return false;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_) return true;
  pid_ = -1;
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return false;
}

void ChildProcess::stop(std::chrono::milliseconds patience) {
  if (!running()) return;
  kill(pid_, SIGTERM);
  const auto until = std::chrono::steady_clock::now() + patience;
  while (running() && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  if (!running()) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
  exit_code_ = 128 + SIGKILL;
}

std::string ChildProcess::log_tail() const {
  std::ifstream file(log_path_, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  std::string all = text.str();
  if (all.size() > kTailBytes) all.erase(0, all.size() - kTailBytes);
  return all;
}

}  // namespace trunkline::cli
