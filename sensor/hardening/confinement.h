// What a live sensor may still do once everything that needs privileges is open: read what it was configured to read,
// write its own folders, talk over the sockets that it needs, and nothing else. README.md says why.
//
// Two layers, both enforced by the kernel: Landlock (files, TCP ports, signals to others) and seccomp (system calls).
// Both are irrevocable, and apply to every thread that is started afterwards.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vedette {

struct ConfinementPolicy {
  bool landlock = true;
  bool seccomp = true;
  bool required = false;  // a layer that the kernel lacks is an error

  std::vector<std::string> read_folders;  // trees; missing ones are ignored
  std::vector<std::string>
      write_folders;  // trees in which files are also created, changed, renamed and removed; must exist
  // TCP ports, 0 for any that the kernel picks. Landlock supports them from ABI 4 (Linux 6.7); before, all are allowed.
  std::vector<uint16_t> listen_ports;
  std::vector<uint16_t> connect_ports;
  bool connect_anywhere = false;  // instead of connect_ports: the port is not known yet

  // A file or folder that is read again at every reload. For a file, its folder may be read, because an editor replaces
  // the file with a new one. If the path is a symbolic link, also the folder of its target.
  void Read(const std::string& path);
  // The folder of a file that is written; nothing for "" and "-".
  void WriteBeside(const std::string& file);
  // The port of "tcp://address:port" or "address:port"; `*` is 0. False where there is none (ipc://, inproc://).
  bool Listen(std::string_view endpoint);
};

// What is in force now.
struct Confinement {
  bool landlock = false;
  int landlock_abi = 0;  // of the kernel
  bool seccomp = false;
  std::vector<std::string> gaps;  // what is not confined, and why; for the log
};

// Confines the process for good, and sets no_new_privs. To be called after DropPrivileges
// (sensor/hardening/privileges.h), while the process has one thread: Landlock applies to the calling thread and
// those that it starts, so Confine refuses if there are others. Verifies the outcome by trying what must fail.
//
// False, with `error` saying what to do, if a layer failed, or is missing and `required`; the process must then end.
bool Confine(const ConfinementPolicy& policy, Confinement& result, std::string& error);

}  // namespace vedette
