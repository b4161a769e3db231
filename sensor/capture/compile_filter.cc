#include "sensor/capture/compile_filter.h"

#include <pcap/pcap.h>

#include <mutex>

namespace vedette {

bool CompileFilter(pcap* handle, const std::string& expression, bpf_program& program) {
  static std::mutex of_libpcap;
  const std::lock_guard<std::mutex> lock(of_libpcap);
  return pcap_compile(handle, &program, expression.c_str(), 1, PCAP_NETMASK_UNKNOWN) == 0;
}

}  // namespace vedette
