// Why a system call failed, as text.
#pragma once

#include <cerrno>
#include <string>

namespace vedette {

// "No such file or directory", of errno or of a value that it had. Thread safe.
std::string ErrnoText(int number = errno);

}  // namespace vedette
