// A running sensor: everything that `vedette run` puts together, from the interface to the partners.
//
//   worker ──alerts──► exporter ──► tally, file, feed, meter          threads: one a worker, the exporter, the control
//   socket, the
//     ▲ kits              ▲ tasks                                     reloader, the metrics endpoint; Run's own thread
//     looks after
//   reloader ─────────────┘         control socket, metrics ◄─ figures  all of them a few times a second (Housekeeping)
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "sensor/config/config.h"
#include "sensor/live/log.h"

namespace vedette {

class LiveSensor {
 public:
  // Opens everything in the order in which rights are given up: keys and interface, then as `capture: user` all else.
  // nullptr with an error. `stop` ends Run.
  static std::unique_ptr<LiveSensor> Open(Config config, Log& log, std::atomic<bool>& stop, std::string& error);
  ~LiveSensor();
  LiveSensor(const LiveSensor&) = delete;
  LiveSensor& operator=(const LiveSensor&) = delete;

  // Until `stop` is set; then prints the summary. Returns the command's exit code; where a
  // reload is being compiled, ends the process with it instead.
  int Run();

 private:
  struct Parts;
  explicit LiveSensor(std::unique_ptr<Parts> parts);
  [[noreturn]] void EndAroundReload(int status);
  std::unique_ptr<Parts> parts_;
};

}  // namespace vedette
