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

// One errno value a wish, 0 where it may be done. Asked as `user` would: of root in a process of its own that becomes
// that user (empty: as `vedette run` chooses), with its primary group and no other, as the sensor does; of anybody else
// as it is. False, where the process or the user could not be had.
bool AskAs(const std::string& user, const std::vector<AccessWish>& wishes, std::vector<int>& answers);

}  // namespace vedette
