// Keeping what comes through a pipe, so that it can be read more than once.
#pragma once

#include <atomic>
#include <string>

namespace vedette {

// Copies everything from `pipe` into a file without a name in `folder` (empty: the environment's TMPDIR, else
// /var/tmp), readable by this process alone and gone with it. Ends at the end of input, or when `stop` (may be null)
// turns true. What is no capture is refused at its first bytes. Returns the file, or -1 with `error`.
int SpoolPipe(int pipe, const std::string& folder, const std::atomic<bool>* stop, std::string& error);

}  // namespace vedette
