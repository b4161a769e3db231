#include "sensor/config/sections.h"

namespace vedette {

Key<Config> CaptureSection() {
  using C = CaptureConfig;
  return SectionKey<Config, C>(
      "capture", "",
      {
          TextKey("interface", &C::interface, "an interface's name", "the interface to capture from")
              .Example("eth0")
              .InUse(),
          TextKey("filter", &C::filter, "a BPF filter", "as tcpdump takes it: \"not port 22\""),
          FlagKey("promiscuous", &C::promiscuous, "whether the interface takes packets for others, too"),
          NumberKey("snap_bytes", &C::snap_bytes, 64, 262'144, "bytes of a packet to keep; the default cuts nothing"),
          NumberKey("buffer_mebibytes", &C::buffer_mebibytes, 1, 2047, "the kernel's buffer"),
          TextKey("user", &C::user, "a user's name", "whose rights are left once the interface is open"),
      },
      &Config::capture);
}

}  // namespace vedette
