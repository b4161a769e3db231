// The folder that carved flows go to.
#pragma once

#include <string>

#include "sensor/capture/files/capture_list.h"

namespace vedette {

// One line of JSON a carved flow.
constexpr char kCarveIndex[] = "index.jsonl";

// Makes the folder where it is missing. False, with the reason and what to do, where flows cannot go there: it holds
// something already (`force` allows that, and takes an older index away), a capture that is read, or it cannot be
// written.
bool PrepareCarveFolder(const std::string& folder, bool force, const CaptureList& captures, std::string& error);

}  // namespace vedette
