// Whether what a program says on standard error goes to systemd's journal, and how it marks a line's priority there
// (sd-daemon(3)).
#pragma once

#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace vedette {

constexpr std::string_view kJournalError = "<3>", kJournalWarning = "<4>", kJournalInfo = "<6>";

// JOURNAL_STREAM names the device and inode that systemd gave to the service as its standard error (systemd.exec(5)). A
// child whose standard error leads elsewhere inherits it all the same, so the two are compared.
inline bool StandardErrorIsJournal() {
  const char* const stream = std::getenv("JOURNAL_STREAM");
  unsigned long long device = 0, inode = 0;
  struct stat own {};
  return stream != nullptr && std::sscanf(stream, "%llu:%llu", &device, &inode) == 2 && fstat(2, &own) == 0 &&
         own.st_dev == device && own.st_ino == inode;
}

}  // namespace vedette
