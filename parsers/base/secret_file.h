// Reading a file that holds a secret: a CURVE key, a signing key, a password.
#pragma once

#include <cstddef>
#include <string>

namespace vedette {

// Reads all of `path`, at most `max_bytes`, and refuses a file that others could read or could have put there:
//
//   * anything but a regular file; any right for group or others; an owner that is neither this user nor root;
//   * a symbolic link of another user than those two;
//   * a folder, of the link as of the file, in which another user may replace it: one of another user, or one that
//     group or others may write (but for those with the sticky bit, as /tmp, where only the owner replaces a file).
//
// False with `error`, which names the file and the command that fixes it. The checks are made on the open file, so what
// was checked is what is read. The caller must wipe `text` (WipeSecret).
// `owner` names one more user to whom file, link and folder may belong: the user that a process of root will become.
// Empty, or no such user: nobody.
bool ReadSecretFile(const std::string& path, size_t max_bytes, std::string& text, std::string& error,
                    const std::string& owner = {});

void WipeSecret(std::string& text);

}  // namespace vedette
