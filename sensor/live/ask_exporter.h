// A question that only the exporter thread can answer.
#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>

#include "exporter/alert/export_loop.h"

namespace vedette {

// The exporter comes to it within 50 ms, unless a disk holds it up; below kAskLimit of the control socket.
constexpr std::chrono::seconds kExporterLimit{3};

// Any other thread. `task` answers with what went wrong; empty: nothing. It may still run after the wait is over, so
// what it refers to outlives the exporter's loop. Answers with the task's answer, or that none came in time.
inline std::string AskExporter(ExportLoop& exporter, std::function<std::string()> task) {
  const auto done = std::make_shared<std::promise<std::string>>();
  std::future<std::string> answer = done->get_future();
  exporter.Post([task = std::move(task), done] { done->set_value(task()); });
  if (answer.wait_for(kExporterLimit) == std::future_status::ready) return answer.get();
  return "the exporter does not come to it; is the disk of `output` very slow?";
}

}  // namespace vedette
