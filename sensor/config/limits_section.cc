#include "sensor/config/sections.h"

namespace vedette {

Key<Config> LimitsSection() {
  using L = LimitsConfig;
  return SectionKey<Config, L>(
      "limits", "",
      {
          NumberKey("flows", &L::flows, 1000, 100'000'000, "per worker; beyond it the flow idle longest gives way"),
          NumberKey("reassembly_mebibytes", &L::reassembly_mebibytes, 1, 1'000'000, "TCP segments ahead of their turn"),
          NumberKey("parser_mebibytes", &L::parser_mebibytes, 1, 1'000'000, "incomplete messages that parsers hold"),
          NumberKey("fragment_mebibytes", &L::fragment_mebibytes, 1, 100'000, "IP fragments"),
          NumberKey("payload_depth", &L::payload_depth, 0, UINT64_MAX,
                    "bytes of each direction of a flow in which patterns are looked for; 0: all")
              .InUse(),
      },
      &Config::limits);
}

}  // namespace vedette
