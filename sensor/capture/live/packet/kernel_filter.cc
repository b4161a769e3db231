#include "sensor/capture/live/packet/kernel_filter.h"

#include <fmt/format.h>
#include <pcap/pcap.h>
#include <sys/socket.h>

#include <cctype>
#include <span>
#include <string_view>

#include "sensor/capture/compile_filter.h"
#include "sensor/capture/link_type.h"

namespace vedette {
namespace {

constexpr uint32_t kCookedBytes = 16, kCookedHardware = 2, kCookedProtocol = 14;

uint32_t Ancillary(int field) { return static_cast<uint32_t>(SKF_AD_OFF + field); }

// As a word of its own: "vlan 7", not "host vlan.example.org".
bool Names(std::string_view expression, std::string_view word) {
  const auto joins = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_';
  };
  for (size_t at = expression.find(word); at != expression.npos; at = expression.find(word, at + 1)) {
    const size_t end = at + word.size();
    if ((at == 0 || !joins(expression[at - 1])) && (end == expression.size() || !joins(expression[end]))) return true;
  }
  return false;
}

// A program for LINKTYPE_LINUX_SLL, whose header the kernel does not have: what lies behind it is counted from the
// network header, and its fields are the kernel's own. False where it asks for something else.
bool MoveToNetworkHeader(KernelProgram& program) {
  for (sock_filter& step : program) {
    const uint16_t kind = step.code & 0x07, mode = step.code & 0xe0;
    if (kind != BPF_LD && kind != BPF_LDX) continue;
    if (mode == BPF_LEN) return false;
    if (mode != BPF_ABS && mode != BPF_IND && mode != BPF_MSH) continue;
    if (step.k >= Ancillary(0) && mode == BPF_ABS) continue;  // the kernel's already
    if (step.k >= kCookedBytes) {
      step.k = static_cast<uint32_t>(SKF_NET_OFF) + step.k - kCookedBytes;
    } else if (mode != BPF_ABS || (step.code & 0x18) != BPF_H) {
      return false;
    } else if (step.k == 0) {
      step = {BPF_LD | BPF_W | BPF_ABS, 0, 0, Ancillary(SKF_AD_PKTTYPE)};
    } else if (step.k == kCookedHardware) {
      step = {BPF_LD | BPF_W | BPF_ABS, 0, 0, Ancillary(SKF_AD_HATYPE)};
    } else if (step.k == kCookedProtocol) {
      step = {BPF_LD | BPF_W | BPF_ABS, 0, 0, Ancillary(SKF_AD_PROTOCOL)};
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace

KernelProgram PassAll(uint32_t snap_length) { return {{BPF_RET | BPF_K, 0, 0, snap_length}}; }

bool CompileForKernel(const std::string& expression, uint16_t link_type, uint32_t snap_length, KernelProgram& program,
                      std::string& error) {
  program.clear();
  pcap_t* const dead = pcap_open_dead(DltOfLinkType(link_type), static_cast<int>(snap_length));
  if (dead == nullptr) {
    error = "out of memory";
    return false;
  }
  bpf_program compiled{};
  const bool ok = CompileFilter(dead, expression, compiled);
  if (!ok) {
    error = fmt::format("filter expression \"{}\": {}; its language is described in pcap-filter(7)", expression,
                        pcap_geterr(dead));
  } else if (!Names(expression, "vlan")) {
    for (const bpf_insn& step : std::span(compiled.bf_insns, compiled.bf_len))
      program.push_back({step.code, step.jt, step.jf, step.k});
    if (link_type == kLinkCooked && !MoveToNetworkHeader(program)) program.clear();
    if (program.size() > BPF_MAXINSNS) program.clear();
  }
  pcap_freecode(&compiled);
  pcap_close(dead);
  return ok;
}

bool AttachFilter(int socket, const KernelProgram& program) {
  const sock_fprog given = {.len = static_cast<unsigned short>(program.size()),
                            .filter = const_cast<sock_filter*>(program.data())};
  return setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &given, sizeof given) == 0;
}

}  // namespace vedette
