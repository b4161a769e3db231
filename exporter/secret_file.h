// Reading a file that holds a secret: a CURVE key, a signing key, a password.
#pragma once

#include <cstddef>
#include <string>

namespace vedette {

// Reads `path` whole, at most `max_bytes`, and refuses what somebody else could read, or could have put there:
//
//   * anything but a regular file; a mode with any right for group or others; an owner that is neither this user nor
//   root;
//   * a symbolic link of another user than those two;
//   * a folder, of the link as of the file, in which another user may replace it: one of another user, or one that its
//   group or
//     others may write (but for folders with the sticky bit, as /tmp, where only the owner replaces a file).
//
// False with `error`, which names the file and the command that puts it right. What was checked is what is read: the
// checks are made on the open file. `text` is the caller's to wipe (WipeSecret).
bool ReadSecretFile(const std::string& path, size_t max_bytes, std::string& text, std::string& error);

void WipeSecret(std::string& text);

}  // namespace vedette
