#include "sensor/capture/packet_filter.h"

#include <fmt/format.h>
#include <pcap/pcap.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "sensor/capture/compile_filter.h"
#include "sensor/capture/link_type.h"

namespace vedette {
namespace {

// What a filter returns for a match, and the most that it can look at: the usual maximum of capture programs.
constexpr int kSnapLength = 262144;

// Tried in turn at the start, to tell a typing error from an expression that only some link types know: Ethernet, Linux
// cooked v1 and v2, raw IP, null, PPP, 802.11 with and without radiotap.
constexpr uint16_t kTrialLinkTypes[] = {kLinkEthernet, kLinkCooked, kLinkCooked2, kLinkRaw,
                                        kLinkNull,     kLinkPpp,    kLinkRadio,   kLink80211};

bool CompileFor(const std::string& expression, uint16_t link_type, bpf_program& program, std::string& error) {
  pcap_t* const dead = pcap_open_dead(DltOfLinkType(link_type), kSnapLength);
  if (dead == nullptr) {
    error = "out of memory";
    return false;
  }
  const bool ok = CompileFilter(dead, expression, program);
  if (!ok) error = pcap_geterr(dead);
  pcap_close(dead);
  return ok;
}

// "port", "src portrange", "tcp[13]": pcap-filter(7) has them for nothing else.
bool LooksAtPorts(std::string_view expression) {
  constexpr std::string_view kParts[] = {"port", "tcp[", "udp[", "icmp[", "icmp6["};
  return std::any_of(std::begin(kParts), std::end(kParts),
                     [&](std::string_view part) { return expression.find(part) != expression.npos; });
}

}  // namespace

struct PacketFilter::Program {
  Program() = default;
  ~Program() { pcap_freecode(&code); }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  uint16_t link_type = 0;
  bool usable = false;
  bpf_program code{};
};

PacketFilter::PacketFilter(std::string expression)
    : expression_(std::move(expression)), by_ports_(LooksAtPorts(expression_)) {}
PacketFilter::~PacketFilter() = default;

std::unique_ptr<PacketFilter> PacketFilter::Compile(const std::string& expression, std::string& error) {
  if (expression.find('\0') != std::string::npos) {
    error = "the filter expression contains a NUL byte";
    return nullptr;
  }
  std::string first_error;
  for (const uint16_t link_type : kTrialLinkTypes) {
    Program trial;
    std::string reason;
    if (CompileFor(expression, link_type, trial.code, reason)) {
      return std::unique_ptr<PacketFilter>(new PacketFilter(expression));
    }
    if (first_error.empty()) first_error = std::move(reason);
  }
  error =
      fmt::format("filter expression \"{}\": {}; its language is described in pcap-filter(7)", expression, first_error);
  return nullptr;
}

void PacketFilter::Select(uint16_t link_type) {
  current_link_type_ = link_type;
  for (const auto& program : programs_) {
    if (program->link_type == link_type) {
      current_ = program.get();
      return;
    }
  }
  auto program = std::make_unique<Program>();
  program->link_type = link_type;
  std::string reason;
  program->usable = CompileFor(expression_, link_type, program->code, reason);
  if (!program->usable) {
    unusable_.push_back(
        {link_type, fmt::format("filter expression \"{}\" cannot be used on packets of {}, which are left out: {}",
                                expression_, LinkTypeName(link_type), reason)});
  }
  current_ = program.get();
  programs_.push_back(std::move(program));
}

bool PacketFilter::Run(const Frame& frame) const {
  if (!current_->usable) return false;
  return bpf_filter(current_->code.bf_insns, frame.data, frame.wire_bytes, frame.captured_bytes) != 0;
}

}  // namespace vedette
