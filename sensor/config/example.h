// The configuration file as people read about it: every key, from the tables of its sections.
#pragma once

#include <string>
#include <vector>

#include "sensor/config/key.h"

namespace vedette {

// All keys, in the order of the example file.
std::vector<KeyText> DescribeConfig();

// The text of deploy/vedette.example.yaml: valid, each key with its default or, where it has none, an example.
std::string ExampleConfig();

}  // namespace vedette
