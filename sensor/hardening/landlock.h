// Landlock (Documentation/userspace-api/landlock.rst of the kernel), by its system calls: Debian 12's libc has no
// wrapper, and its kernel header ends at ABI 2.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vedette {

// The kernel's ABI, 0 if it has none or it is off. 1: files; 2: moving between folders; 3: truncating; 4: TCP ports;
// 5: ioctl of devices; 6: signals and abstract sockets; 7: denials in the audit log.
int LandlockAbi();

// Collects what is allowed; everything else that the kernel's ABI covers is then forbidden. One thread.
class LandlockRules {
 public:
  // False, with errno, if the path cannot be opened: there is then no rule for it. A folder includes all below it.
  bool AllowRead(const std::string& path);
  // Also to create, change, rename and remove files, folders, links and sockets there; no devices, no programs.
  bool AllowWrite(const std::string& folder);
  // Allows writing one existing file.
  bool AllowWriteFile(const std::string& path);
  void AllowListen(uint16_t port) { listen_ports_.push_back(port); }    // TCP; 0: a port that the kernel picks
  void AllowConnect(uint16_t port) { connect_ports_.push_back(port); }  // TCP

  void AllowConnectAnywhere() { connect_anywhere_ = true; }

  // For the calling thread and all that it starts; irrevocable. Needs no_new_privs. `abi` is LandlockAbi's.
  bool Enforce(int abi, std::string& error);

  LandlockRules() = default;
  ~LandlockRules();
  LandlockRules(const LandlockRules&) = delete;
  LandlockRules& operator=(const LandlockRules&) = delete;

 private:
  struct PathRule {
    std::string path;
    int file;  // O_PATH
    uint64_t access;
  };
  bool Add(const std::string& path, uint64_t access);

  std::vector<PathRule> paths_;
  std::vector<uint16_t> listen_ports_, connect_ports_;
  bool connect_anywhere_ = false;
};

}  // namespace vedette
