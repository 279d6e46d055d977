// A tree held against the table of fields: every mistake of shape told, every default filled in.
//
// What a value refers to, and what values mean together, is compile.h's business.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/findings.h"
#include "config/scalar.h"
#include "config/schema.h"
#include "config/yaml_tree.h"

namespace trunkline::config {

// One checked value. A value that was refused is like one that is absent, but `bad`: whoever would
// complain of its absence is silent.
struct Value {
  Mark mark;           // of the value; of the object around it where it is absent
  std::string path;    // "routes[2].via[0].carrier"
  bool given = false;  // in the file; else a default or nothing
  bool bad = false;    // given and refused
  Scalar scalar;
  std::string written;        // Kind::secret: the text before it was resolved
  std::string name;           // element of a map: its key
  std::vector<Value> items;   // elements of a list or map
  std::vector<Value> fields;  // object: one for each of the shape's fields, in its order
  const Shape* shape = nullptr;

  bool has_value() const { return scalar.index() != 0; }
  const Value& at(std::string_view key) const;  // object: the field must be in the shape

  // The scalar, or what to take where there is none.
  bool boolean() const;
  std::int64_t integer(std::int64_t otherwise = 0) const;
  double number(double otherwise = 0) const;
  base::Duration duration(base::Duration otherwise = {}) const;
  std::string text(std::string_view otherwise = {}) const;
};

// The value of the whole configuration.
Value check(const Node& root, const SecretResolver& secrets, Findings& findings);
// Of another file than the configuration, by a table of its own; there are no secrets in it.
Value check(const Node& root, const Shape& shape, Findings& findings);

// One line a value, defaults included and secrets left out (but not the references to them): equal
// for configurations that mean the same, whatever their layout.
std::string normalized(const Value& root);

}  // namespace trunkline::config
