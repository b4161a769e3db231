// What another user may do with a file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vedette {

enum class Access : uint8_t { kRead, kReadFolder, kWrite, kExecute, kWriteFolder };

struct AccessWish {
  std::string path;
  Access access;
};

// One errno value per wish, 0 if it is allowed. Tried as `user`: if root calls, in a separate process that becomes
// that user (empty: as `vedette run` chooses), with its primary group and no other, as the sensor does; otherwise as
// the caller. False if the process or the user is not available.
bool AskAs(const std::string& user, const std::vector<AccessWish>& wishes, std::vector<int>& answers);

}  // namespace vedette
