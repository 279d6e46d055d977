// The exit codes of every subcommand: a contract for scripts (docs/operations.md).
#pragma once

namespace trunkline::cli {

enum ExitCode : int {
  kOk = 0,
  kNegative = 1,      // the answer is no: not found, verification failed, refused
  kUsage = 2,         // wrong arguments or configuration
  kUnreachable = 3,   // nobody answers there, or the port is in use
  kStore = 4,         // the store or the key file cannot be opened or written
  kInconclusive = 5,  // nothing can be said either way
};

}  // namespace trunkline::cli
