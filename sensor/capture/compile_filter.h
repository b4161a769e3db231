// Compiling a filter expression, pcap-filter(7).
#pragma once

#include <string>

struct bpf_program;
struct pcap;

namespace vedette {

// As pcap_compile, optimised, for the handle's link type; false: pcap_geterr says why. Any thread: one at a time, because
// libpcap writes the texts of some of its errors through one buffer of its own.
bool CompileFilter(pcap* handle, const std::string& expression, bpf_program& program);

}  // namespace vedette
