#include "parsers/base/errno_text.h"

#include <system_error>

namespace vedette {

std::string ErrnoText(int number) { return std::generic_category().message(number); }

}  // namespace vedette
