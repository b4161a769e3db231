// Which CPUs a thread runs on.
#pragma once

#include <sched.h>

#include <cstdint>
#include <vector>

namespace vedette {

// Those that this thread may run on, in their order: of the process's cpuset, or of whoever started it.
std::vector<uint32_t> AllowedCpus();

// This thread runs there and nowhere else from now on. False where it may not.
bool PinThread(uint32_t cpu);

// This thread runs on one CPU, where there is one to be named, for as long as the object lives: memory that it touches
// first, and what the kernel allocates for it, is near that CPU.
class RunOnCpu {
 public:
  explicit RunOnCpu(int cpu);  // below 0: wherever
  ~RunOnCpu();
  RunOnCpu(const RunOnCpu&) = delete;
  RunOnCpu& operator=(const RunOnCpu&) = delete;

 private:
  bool moved_ = false;
  cpu_set_t before_;
};

}  // namespace vedette
