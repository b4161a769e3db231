// Which flows are kept: those of alerts that are shown, muted ones and canaries excepted. One of the sinks, and the
// first of them, so that the renderers after it can name the file.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "exporter/alert/alert_sink.h"
#include "exporter/metrics/published.h"
#include "sensor/keep/flow_keeper.h"
#include "sensor/keep/kept_files.h"

namespace vedette {

// The exporter's thread, but for what says otherwise.
class KeepSink final : public AlertSink {
 public:
  // Flows whose file is remembered: between this and twice as many, those that alerted last. One that is forgotten and
  // alerts again is named with the newest file, although it began before.
  static constexpr size_t kRemembered = 65'536;

  // Both outlive the sink; `keepers` by number of the lane, and none before the lanes are made.
  KeepSink(const KeptFiles& files, const std::vector<std::unique_ptr<FlowKeeper>>& keepers)
      : files_(files), keepers_(keepers) {}

  bool Accept(const Event& event) override;
  void Idle() override { TellRotation(); }
  const std::string& error() const override { return error_; }
  bool delivers() const override { return false; }

  // The file in which the flow begins; empty: it is not kept.
  std::string FileOf(uint64_t flow_id) const;
  // Any thread.
  KeepSinkCounters counters() const { return published_.Read(); }

 private:
  using Files = std::unordered_map<uint64_t, uint64_t>;
  void TellRotation();

  const KeptFiles& files_;
  const std::vector<std::unique_ptr<FlowKeeper>>& keepers_;
  uint64_t newest_ = 1;
  std::vector<uint64_t> told_;  // by lane: the barrier that it got
  Files recent_, older_;        // numbers of files by flow id
  KeepSinkCounters counters_;
  Published<KeepSinkCounters> published_;
  std::string error_;
};

}  // namespace vedette
