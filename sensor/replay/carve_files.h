// Many captures written at once, with few descriptors and little memory.
//
// Packets gather in memory; a file is open only while a piece of it is written. An unfinished file is named
// NAME.part, and is removed with this object: a name without it stands for a whole flow.
//
//   NAME.pcap           the flow's packets of its first link type; for nearly all flows that is everything
//   NAME.link-113.pcap  its packets of another one: a pcap file holds one, and pcapng files that mix them open in
//                       Wireshark but not in tcpdump
//
// pcap as in sensor/capture/README.md, in this machine's byte order; in nanoseconds if some packet's time needs
// them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sensor/capture/frame.h"

namespace vedette {

class CarveFiles {
 public:
  struct Limits {
    size_t total_bytes = size_t{64} << 20;  // in memory: half of it is written to disk when it is full
    size_t file_bytes = size_t{1} << 20;    // of one file in memory: larger pieces write no faster
  };
  // libpcap reads no longer ones: bytes beyond are omitted; no network packet has them.
  static constexpr uint32_t kLargestPacket = 262144;

  // `folder` exists. Files for `num_flows` flows, numbered from 0 on.
  CarveFiles(std::string folder, size_t num_flows, const Limits& limits);
  ~CarveFiles();
  CarveFiles(const CarveFiles&) = delete;
  CarveFiles& operator=(const CarveFiles&) = delete;

  // False if something could not be written: error() names it and says what to do, and nothing more is accepted.
  [[nodiscard]] bool Add(uint32_t flow, uint64_t flow_id, const Frame& frame);
  // The flow is complete: its files get their final names.
  [[nodiscard]] bool Finish(uint32_t flow);
  // A file of text, whole or not at all.
  [[nodiscard]] bool WriteText(const std::string& name, std::string_view text);

  // Names of a flow's files, in the order in which they were begun.
  std::vector<std::string> NamesOf(uint32_t flow) const;
  const std::string& error() const { return error_; }
  uint64_t num_finished() const { return num_finished_; }            // files
  uint64_t times_beyond_pcap() const { return times_beyond_pcap_; }  // packets from after 2106, written with that time
  uint64_t packets_cut() const { return packets_cut_; }              // to kLargestPacket

 private:
  struct File {
    std::string name;
    std::string buffer;  // records as on disk, but always with nanoseconds
    uint64_t written_bytes = 0;
    uint16_t link_type = 0;
    bool on_disk = false;           // as NAME.part
    bool nanoseconds = false;       // some packet needs them
    bool file_nanoseconds = false;  // what is on disk has them
  };

  bool Flush(File& file);
  bool FlushLargest();
  bool WriteTo(int descriptor, File& file);
  bool TurnIntoNanoseconds(int descriptor, File& file);
  bool Fail(const std::string& name, const std::string& what);
  std::string PathOf(const std::string& name) const { return folder_ + name; }

  const std::string folder_;  // with its slash
  const Limits limits_;
  std::vector<std::vector<File>> flows_;
  size_t buffered_bytes_ = 0;
  uint64_t num_finished_ = 0;
  uint64_t times_beyond_pcap_ = 0;
  uint64_t packets_cut_ = 0;
  std::string error_;
};

}  // namespace vedette
