// Classic BPF programs that the kernel runs on a packet socket.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <string>
#include <vector>

namespace vedette {

using KernelProgram = std::vector<sock_filter>;

// Every packet, cut to `snap_length` bytes; 0: none.
KernelProgram PassAll(uint32_t snap_length);

// `expression` in tcpdump's language (pcap-filter(7)), not empty, for a socket of type SOCK_RAW; what matches is cut to
// `snap_length`. False, with `error`, where it cannot be compiled. Leaves `program` empty where the kernel cannot judge
// it and somebody else has to, on finished frames (PacketFilter): VLAN tags, which the kernel has taken off by then; on a
// cooked link its address and length; and more than BPF_MAXINSNS steps.
bool CompileForKernel(const std::string& expression, uint16_t link_type, uint32_t snap_length, KernelProgram& program,
                      std::string& error);

// Takes the place of the program before it, between two packets. False with errno; ENOMEM: it is longer than
// net.core.optmem_max allows.
bool AttachFilter(int socket, const KernelProgram& program);

}  // namespace vedette
