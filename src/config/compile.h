// Checked values to the tables everybody decides by: names become indexes, references are followed,
// what contradicts itself is told.
#pragma once

#include "config/check.h"
#include "config/config.h"
#include "config/findings.h"

namespace trunkline::config {

// The result is only good if `findings` holds no error afterwards.
Config compile(const Value& root, const Config* previous, const FileReader& read_file,
               Findings& findings);

// Warnings: what is allowed and will hardly be meant. `config` is what compile() made of `root`.
void advise(const Value& root, const Config& config, Findings& findings);

// The same of what is old or over: data about countries that routes lead to, registrations.
void advise_on_dates(const Value& root, const Config& config, base::Wall now, Findings& findings);

}  // namespace trunkline::config
