// A filter expression in tcpdump's language (pcap-filter(7)) over frames.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sensor/capture/frame.h"

namespace vedette {

// One thread uses a filter: each worker has its own. If the expression names hosts or networks, compiling asks the
// resolver, so prefer numeric addresses.
class PacketFilter {
 public:
  // A link type for which the expression could not be compiled; its frames do not match.
  struct Unusable {
    uint16_t link_type = 0;
    std::string error;  // names the link type, the expression and what is wrong
  };

  // Null, with `error` quoting the expression, if it cannot be compiled for any link type. An empty expression
  // matches everything.
  static std::unique_ptr<PacketFilter> Compile(const std::string& expression, std::string& error);
  ~PacketFilter();

  // Compiles on the first frame of a link type. The bytes beyond the snap length count as absent.
  bool Matches(const Frame& frame) {
    if (frame.link_type != current_link_type_) Select(frame.link_type);
    return Run(frame);
  }

  // Whether it looks at ports, or at bytes of TCP, UDP or ICMP, which only the first fragment of a packet has.
  bool by_ports() const { return by_ports_; }
  const std::string& expression() const { return expression_; }
  // For the summary: link types met so far that the expression says nothing about.
  std::span<const Unusable> unusable() const { return unusable_; }

 private:
  struct Program;
  explicit PacketFilter(std::string expression);
  void Select(uint16_t link_type);
  bool Run(const Frame& frame) const;

  const std::string expression_;
  const bool by_ports_;
  std::vector<std::unique_ptr<Program>> programs_;  // one per link type met; at most 65536
  const Program* current_ = nullptr;
  uint32_t current_link_type_ = UINT32_MAX;  // none yet
  std::vector<Unusable> unusable_;
};

}  // namespace vedette
