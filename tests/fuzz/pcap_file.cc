// Any bytes as a pcap file: frames lie inside it, and neither bursts nor windows change what is found.
#include "sensor/capture/files/pcap_file.h"

#include "tests/fuzz/capture_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  vedette::CheckReader<vedette::PcapReader>({data, size}, vedette::kPcapFileHeaderBytes);
  return 0;
}
