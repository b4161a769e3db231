// The system calls of a live sensor, by seccomp.
#pragma once

#include <string>

namespace vedette {

// Allows the calls that a sensor makes (the list stands in system_calls.cc, each group with its reason), for this
// thread and all that it starts, for good. Needs no_new_privs.
//
//   on the list          done
//   not on it            fails with EPERM and is told in the kernel's log (`journalctl -k -g type=1326`)
//   clone3               fails with ENOSYS: libc then uses clone, whose flags can be checked; only threads are allowed
//   what only an intruder calls (another program, a debugger, a kernel module, a mount …)
//                        ends the process, told in the log; the service manager starts a new one
//
// Why not end it for every unknown call: a library's update may call something new in a corner, and a sensor that stays
// blind loses more than that corner. Why not count them (SECCOMP_RET_TRAP): libzmq blocks all signals in its threads,
// and a blocked trap ends the process.
//
// False with `error`; `missing` where it is because the kernel has no seccomp filters.
bool AllowListedSystemCalls(bool& missing, std::string& error);

// The same for a process that opens packet sockets and hands them over: messages on what is open, packet sockets, and no
// more. Everything else fails with EPERM.
bool AllowPacketSocketCalls(bool& missing, std::string& error);

}  // namespace vedette
