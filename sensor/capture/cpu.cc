#include "sensor/capture/cpu.h"

namespace vedette {

std::vector<uint32_t> AllowedCpus() {
  std::vector<uint32_t> cpus;
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return cpus;
  for (uint32_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
  return cpus;
}

bool PinThread(uint32_t cpu) {
  if (cpu >= CPU_SETSIZE) return false;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  return sched_setaffinity(0, sizeof set, &set) == 0;
}

RunOnCpu::RunOnCpu(int cpu) {
  moved_ = cpu >= 0 && sched_getaffinity(0, sizeof before_, &before_) == 0 && PinThread(static_cast<uint32_t>(cpu));
}

RunOnCpu::~RunOnCpu() {
  if (moved_) sched_setaffinity(0, sizeof before_, &before_);
}

}  // namespace vedette
