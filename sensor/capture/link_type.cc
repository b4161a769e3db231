#include "sensor/capture/link_type.h"

#include <fmt/format.h>
#include <pcap/pcap.h>

namespace vedette {

int DltOfLinkType(uint16_t link_type) { return link_type == kLinkRaw ? DLT_RAW : link_type; }

uint16_t LinkTypeOfDlt(int dlt) { return dlt == DLT_RAW ? kLinkRaw : static_cast<uint16_t>(dlt); }

std::string LinkTypeName(uint16_t link_type) {
  const char* const name = pcap_datalink_val_to_name(DltOfLinkType(link_type));
  const char* const description = pcap_datalink_val_to_description(DltOfLinkType(link_type));
  if (name == nullptr || description == nullptr) return fmt::format("link type {}", link_type);
  return fmt::format("{} ({})", name, description);
}

}  // namespace vedette
