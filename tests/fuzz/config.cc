// Any bytes as a configuration file: loaded within its bounds, or refused with file, line and reason.
#include "sensor/config/config.h"

#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vedette;
  static const FuzzFile file("config");
  file.Write({reinterpret_cast<const char*>(data), size});
  Config config;
  std::string error;
  if (!LoadConfig(file.path(), config, error)) {
    Check(error.starts_with(file.path() + ":"));
    return 0;
  }
  Check(error.empty());
  for (const PartnerConfig& partner : config.feed.partners) Check(partner.clearance.partner == partner.name);
  Check(!config.has_feed || !config.feed.endpoint.empty());
  Check(config.limits.flows > 0 && config.capture.snap_bytes > 0);
  return 0;
}
