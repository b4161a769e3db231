// The files of a folder of indicators.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vedette {

struct IndicatorFolder {
  struct PassedOver {
    std::string path, reason;
    bool missed = false;  // it may hold lists, and none of the files is one of them
  };
  std::vector<std::string> files;       // in the order of their paths
  std::vector<PassedOver> passed_over;  // in the same order
  std::string error;                    // not empty: it gives no file; names the folder and says what to do
};

constexpr size_t kMaxFolderDepth = 8;          // of folders in each other; feeds have two or three
constexpr size_t kMaxFolderEntries = 100'000;  // a folder of more is another kind of folder
constexpr size_t kMaxPassedOver = 1'000;       // that are named; the last says how many more there are

// The regular files in `path` and in the folders inside it. Passed over, and named: what comes with a feed and is
// no list (a licence, a readme, a script), links to folders, folders that cannot be listed or are too deep. What of
// those is not inside `path` anyway is `missed`. What editors and copying programs leave is not even named: names that
// begin with `.` or end in `~`.
IndicatorFolder ListIndicators(const std::string& path);

// What a file of this name is, where it is no list: "a licence", "a script". Empty: it may be one.
std::string_view KindOfOtherFile(std::string_view name);

// The files that `path` stands for: itself, or those of the folder. Empty with an error that says why.
std::vector<std::string> IndicatorFiles(const std::string& path, std::string& error);

}  // namespace vedette
