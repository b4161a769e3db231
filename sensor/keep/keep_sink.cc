#include "sensor/keep/keep_sink.h"

#include <utility>

namespace vedette {

// After the last request for the files before: what each lane hears is in order.
void KeepSink::TellRotation() {
  newest_ = files_.newest();
  told_.resize(keepers_.size(), 1);
  for (size_t lane = 0; lane < keepers_.size(); ++lane) {
    if (told_[lane] != newest_ && keepers_[lane]->RequestBarrier(newest_)) told_[lane] = newest_;
  }
}

bool KeepSink::Accept(const Event& event) {
  const Alert& alert = *event.alert;
  if (alert.keep_key == 0 || alert.lane >= keepers_.size()) return true;
  TellRotation();
  if (recent_.contains(alert.flow.id)) return true;
  uint64_t file = newest_;
  const auto before = older_.find(alert.flow.id);
  if (before != older_.end()) {
    file = before->second;
  } else if (!keepers_[alert.lane]->Request(alert.keep_key, alert.flow.id, file)) {
    ++counters_.refused;
    published_.TryPublish(counters_);
    return true;
  }
  if (recent_.size() >= kRemembered) older_ = std::exchange(recent_, {});
  recent_.emplace(alert.flow.id, file);
  return true;
}

std::string KeepSink::FileOf(uint64_t flow_id) const {
  for (const Files* files : {&recent_, &older_}) {
    const auto at = files->find(flow_id);
    if (at != files->end()) return files_.NameOf(at->second);
  }
  return {};
}

}  // namespace vedette
