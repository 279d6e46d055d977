// The cell from which this one takes its configuration.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "base/time.h"
#include "cells/line.h"
#include "config/config.h"
#include "config/shared.h"

namespace trunkline::cells {

class Leader {
 public:
  // `following` and `box` (of its secret) outlive this.
  Leader(const config::Following& following, const seal::SharedBox& box,
         const io::HttpInterrupt* interrupt, base::Duration at_most);

  // What it shares; without files if that is `have` still after `wait`. The error is a sentence.
  std::expected<config::SharedFiles, std::string> ask(std::string_view have, base::Duration wait);

 private:
  const config::Following& following_;
  Line line_;
};

// The same once, for who has nothing else to do.
std::expected<config::SharedFiles, std::string> ask_once(const config::Following& following,
                                                         base::Duration at_most);

}  // namespace trunkline::cells
