// The folder that carved flows go to.
#pragma once

#include <string>

#include "sensor/capture/files/capture_list.h"

namespace vedette {

// One line of JSON per carved flow.
constexpr char kCarveIndex[] = "index.jsonl";

// Creates the folder if it is missing. False, with the reason and what to do, if flows cannot go there: it is not
// empty (`force` allows that, and removes an older index), it holds a capture that is read, or it cannot be
// written.
bool PrepareCarveFolder(const std::string& folder, bool force, const CaptureList& captures, std::string& error);

}  // namespace vedette
