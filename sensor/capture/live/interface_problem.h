// Why an interface cannot be captured from: as a kind, and as a text that says what to do.
#pragma once

#include <cstdint>
#include <string>

namespace vedette {

enum class InterfaceProblem : uint8_t {
  kNone,
  kAbsent,        // no interface has that name; one may appear
  kDown,          // it is there, and down; it may come up
  kNoPermission,  // the process may not capture
  kOther,         // does not pass by itself: memory, a filter, a setting
};

struct OpenFailure {
  InterfaceProblem kind = InterfaceProblem::kNone;
  std::string text;  // begins with the interface's name
};

// With the names of those that there are.
OpenFailure NoSuchInterface(const std::string& interface);
OpenFailure InterfaceIsDown(const std::string& interface);
OpenFailure NoPermissionToCapture(const std::string& interface);

}  // namespace vedette
