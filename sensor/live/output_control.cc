#include "sensor/live/output_control.h"

#include <future>
#include <nlohmann/json.hpp>

namespace vedette {

void OutputControl::Reopen() {
  if (file_ == nullptr) return;
  exporter_.Post([file = file_] {
    std::string told;  // the sink says it itself
    file->Reopen(told);
  });
}

bool OutputControl::ReopenNow(std::string& error) {
  if (file_ == nullptr) return true;
  // The task may run after the wait is over.
  const auto done = std::make_shared<std::promise<std::string>>();
  std::future<std::string> answer = done->get_future();
  exporter_.Post([file = file_, done] {
    std::string problem;
    done->set_value(file->Reopen(problem) ? std::string() : problem);
  });
  error = answer.wait_for(kLimit) == std::future_status::ready
              ? answer.get()
              : "the exporter does not come to it; is the disk of `output` very slow?";
  return error.empty();
}

nlohmann::json OutputControl::Answer() {
  std::string error;
  if (ReopenNow(error)) return nlohmann::json::object();
  return {{"ok", false}, {"error", "output: " + error}};
}

}  // namespace vedette
