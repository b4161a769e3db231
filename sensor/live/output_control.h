// The file of alerts of a running sensor, from other threads: opened anew on demand.
#pragma once

#include <chrono>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "exporter/export_loop.h"
#include "exporter/file_sink.h"

namespace vedette {

// Any thread.
class OutputControl {
 public:
  // Both outlive this; `file` may be null: no `output`.
  OutputControl(ExportLoop& exporter, FileSink* file) : exporter_(exporter), file_(file) {}

  // Asks the exporter to look at the file's path, and waits for nothing.
  void Reopen();
  // Asks, and waits until the file of the path is the one that is written. False with an error.
  bool ReopenNow(std::string& error);
  // For the control socket: {}, or why it is not.
  nlohmann::json Answer();

 private:
  // The exporter is at it within 50 ms, unless a disk holds it up.
  static constexpr std::chrono::seconds kLimit{3};
  ExportLoop& exporter_;
  FileSink* const file_;
};

}  // namespace vedette
