// Any bytes as a geolocation database: opened or refused, never a crash.
#include "exporter/geo/geo.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

// libmaxminddb 1.7.1 forgets a list in MMDB_open when the metadata's description is damaged: a few kilobytes for each
// attempt to open such a file.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:libmaxminddb"; }
extern "C" const char* __lsan_default_options();
extern "C" const char* __lsan_default_options() { return "print_suppressions=0"; }

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const int file = memfd_create("geo", 0);
  if (file < 0 || ftruncate(file, 0) != 0 || pwrite(file, data, size, 0) != static_cast<ssize_t>(size)) std::abort();
  vedette::GeoLookup geo;
  std::string error;
  if (!geo.Open("/proc/self/fd/" + std::to_string(file), error)) {
    if (error.empty()) std::abort();
    return 0;
  }
  for (const char* text : {"1.1.1.1", "2.125.160.216", "81.2.69.142", "89.160.20.112", "175.16.199.1", "2001:218::1",
                           "2a02:cf40::1", "2001:2b8::", "8.8.8.8", "223.255.255.254"}) {
    const vedette::GeoRecord& record = geo.Find(*vedette::IpAddress::Parse(text));
    if (record.country_code.size() != 0 && record.country_code.size() != 2) std::abort();
  }
  return 0;
}
