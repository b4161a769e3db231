// What is asked of the outputs of a running sensor: a new file of alerts, a partner let in again.
#pragma once

#include <string>
#include <vector>

#include "exporter/alert/export_loop.h"
#include "exporter/feed/publisher.h"
#include "exporter/output/file_sink.h"
#include "sensor/live/control.h"
#include "sensor/live/log.h"

namespace vedette {

// Any thread but the exporter's.
class OutputControl {
 public:
  struct Parts {
    ExportLoop* exporter = nullptr;
    FileSink* file = nullptr;            // nullptr: no `output`
    FeedPublisher* publisher = nullptr;  // nullptr: no feed
    Log* log = nullptr;
  };
  // All outlive this.
  explicit OutputControl(Parts parts) : parts_(std::move(parts)) {}

  // The file of the path becomes the one that is written; waits for nothing.
  void Reopen();
  // `reopen` and `readmit`.
  void AddTo(ControlServer& control);

 private:
  nlohmann::json ReopenNow();
  nlohmann::json Readmit(const nlohmann::json& request);

  const Parts parts_;
};

}  // namespace vedette
