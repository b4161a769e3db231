// What libpcap finds in a capture, for comparison.
#pragma once

#include <gtest/gtest.h>
#include <pcap/pcap.h>

#include <cstdio>
#include <vector>

#include "tests/unit/sensor/capture/capture_writer.h"

namespace vedette::testing {

// `error` is empty where libpcap read to the end.
inline std::vector<ExpectedFrame> ReadWithLibpcap(const std::vector<uint8_t>& file, std::string& error) {
  std::vector<ExpectedFrame> frames;
  std::FILE* const stream = std::tmpfile();
  EXPECT_NE(stream, nullptr);
  EXPECT_EQ(std::fwrite(file.data(), 1, file.size(), stream), file.size());
  std::rewind(stream);
  char reason[PCAP_ERRBUF_SIZE] = "";
  pcap_t* const pcap = pcap_fopen_offline_with_tstamp_precision(stream, PCAP_TSTAMP_PRECISION_NANO, reason);
  if (pcap == nullptr) {
    error = reason;
    std::fclose(stream);
    return frames;
  }
  pcap_pkthdr* header = nullptr;
  const u_char* data = nullptr;
  int status = 0;
  while ((status = pcap_next_ex(pcap, &header, &data)) == 1) {
    frames.push_back({.bytes = {data, data + header->caplen},
                      .wire_bytes = header->len,
                      .time_ns = static_cast<uint64_t>(header->ts.tv_sec) * 1'000'000'000 +
                                 static_cast<uint64_t>(header->ts.tv_usec),
                      .link_type = static_cast<uint16_t>(pcap_datalink(pcap))});
  }
  if (status != PCAP_ERROR_BREAK) error = pcap_geterr(pcap);
  pcap_close(pcap);
  return frames;
}

}  // namespace vedette::testing
