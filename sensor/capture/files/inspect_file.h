// What a file means to a run that reads captures.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>

#include "sensor/capture/files/capture_head.h"
#include "sensor/capture/files/capture_list.h"

namespace vedette {

struct Inspection {
  CaptureList::File file;
  CaptureHead head;
};

// An open file, which must be a regular one. Leaves its name, path and descriptor to the caller. False with `error`.
bool InspectFile(int fd, Inspection& out, std::string& error);
bool InspectPath(const std::string& path, Inspection& out, std::string& error);

// Whether a file that was not named explicitly is taken for a capture. One that is empty, or of which nothing can be
// decompressed, is taken if its name says that it should be one.
bool IsCaptureOfFolder(const std::string& path, const Inspection& inspection, OtherFormat& why_not);

int64_t ModifiedNs(const struct stat& status);

}  // namespace vedette
