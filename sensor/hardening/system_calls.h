// The system calls of a live sensor, by seccomp.
#pragma once

#include <string>

namespace vedette {

// Allows the calls that a sensor makes (system_calls.cc lists them, each group with its reason), for this
// thread and all that it starts; irrevocable. Needs no_new_privs.
//
//   on the list          done
//   not on it            fails with EPERM and appears in the kernel's log (`journalctl -k -g type=1326`)
//   clone3               fails with ENOSYS: libc then uses clone, whose flags can be checked; only threads are allowed
//   calls that only an attacker makes (another program, a debugger, a kernel module, a mount …)
//                        end the process, with a line in the log; the service manager starts a new one
//
// An unknown call does not end the process: an updated library may make a new call in a rare case, and a sensor that is
// down loses more than that case. Unknown calls are not counted (SECCOMP_RET_TRAP): libzmq blocks all signals in its
// threads, and a blocked trap ends the process.
//
// False with `error`; `missing` if the kernel has no seccomp filters.
bool AllowListedSystemCalls(bool& missing, std::string& error);

// The same for a process that opens packet sockets and hands them over: messages on what is open, packet sockets, and no
// more. Everything else fails with EPERM.
bool AllowPacketSocketCalls(bool& missing, std::string& error);

}  // namespace vedette
