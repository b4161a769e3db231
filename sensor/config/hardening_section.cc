#include "sensor/config/sections.h"

namespace vedette {

Key<Config> HardeningSection() {
  using H = HardeningConfig;
  return SectionKey<Config, H>(
      "hardening", "see sensor/hardening/README.md; the log says what the kernel does not support",
      {
          FlagKey("landlock", &H::landlock, "only the files and ports that this configuration names"),
          FlagKey("seccomp", &H::seccomp, "only the system calls of a sensor; no program can be started"),
          FlagKey("required", &H::required, "true: a kernel without one of them is an error"),
      },
      &Config::hardening);
}

}  // namespace vedette
