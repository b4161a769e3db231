// Alerts as JSON lines, CSV or a table, to a file or to standard output.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "exporter/alert/alert_sink.h"
#include "exporter/alert/live_output.h"
#include "exporter/metrics/families.h"
#include "exporter/policy/alert_policy.h"
#include "exporter/render/renderer.h"
#include "parsers/base/counter.h"
#include "parsers/base/digest.h"
#include "parsers/base/disk_sync.h"
#include "parsers/base/output_file.h"

namespace vedette {

namespace families {

inline constexpr FigureFamily kOutputFailing = {
    "vedette_output_failing", FigureKind::kGauge,
    "1 while the file of alerts cannot be written, made anew or brought to disk", ""};
inline constexpr FigureFamily kOutputOpened = {
    "vedette_output_opened_anew_total", FigureKind::kCounter,
    "new files of alerts: the one before was renamed or removed (moved), or had its size", "cause"};

}  // namespace families

struct OutputCounters {
  uint64_t lost = 0;     // alerts that were accepted but could not be written
  uint64_t failing = 0;  // 1: FileSink::failing
  // Opened anew …
  uint64_t moved = 0;    // because the file had been renamed or removed
  uint64_t rotated = 0;  // because it had reached its size

  static constexpr auto Counters() {
    using namespace families;
    using C = OutputCounters;
    return CounterTable(Count(&C::lost, kAlertsDropped, "output_failed", "could not be written to the output"),
                        Count(&C::failing, kOutputFailing),
                        Count(&C::moved, kOutputOpened, "moved", "the file had been renamed or removed"),
                        Count(&C::rotated, kOutputOpened, "size", "the file had reached its size"));
  }
};

// A beginning of an output that is on disk for certain.
struct OutputMark {
  uint64_t bytes = 0;
  std::string sha256;  // of them, hexadecimal; empty for none
};

// Writes whole lines only: where the disk is full or the reader is gone, what was written before stays complete.
class FileSink : public AlertSink {
 public:
  // What is there is overwritten. `path` "-": standard output. nullptr with an error that names the file.
  static std::unique_ptr<FileSink> Open(const std::string& path, OutputFormat format, AlertPolicy& policy,
                                        std::string& error);
  // Alerts as JSON lines behind those that are there; `path` "-": standard output. A line without an end, as a process
  // that was killed leaves it, is cut off: `cut_bytes`, 0 where there was none. The file is locked (flock) as long as
  // the sink is there. nullptr with an error that names the file.
  static std::unique_ptr<FileSink> Append(const std::string& path, AlertPolicy& policy, uint64_t& cut_bytes,
                                          std::string& error);
  // Goes on with what an interrupted run has written to a regular file, or begins it: cuts the file behind the mark,
  // and takes the alerts before it for written. They come again, from the first on, and must be the same bytes; where
  // they are not, Accept or Close fails. nullptr with an error where the file is not what the mark says.
  static std::unique_ptr<FileSink> Continue(const std::string& path, OutputFormat format, AlertPolicy& policy,
                                            const OutputMark& mark, std::string& error);
  ~FileSink() override;

  bool Accept(const Event& event) override;
  void Miss() override { ++counters_.lost; }
  void Idle() override;
  bool Close() override;
  const std::string& error() const override { return error_; }
  // As the renderer's: of a table, each alert is a row of its own.
  void ShowEachAtOnce() { renderer_->ShowEachAtOnce(); }
  // After Continue. Once `stop` is set, what is accepted is of a run that did not see all: where it is not the bytes
  // before the mark, or not all of them, that is no failure, and nothing is written. Outlives this.
  void MayEndEarly(const std::atomic<bool>& stop) { stop_ = &stop; }
  // After Continue: what has been accepted is in the file, but not on disk for certain. False as below.
  bool Written(OutputMark& mark);
  // After Continue: brings what has been accepted to disk. False where that failed, or nothing new was written.
  bool Sync(OutputMark& mark);
  // After Continue and a Close without a failure: all of it.
  const OutputMark& mark() const { return mark_; }
  // After Append, for a sensor that goes on:
  //   - A write that fails (a full disk) is no failure of the sink. What could not be written is held, kHeldBytes at
  //     most, and what comes beyond is lost and counted; Idle tries again every kTryAgain.
  //   - Whatever has its path renamed or removed, the next line goes to a file of that path: it is looked at before
  //     each write, and every kLookAgain while nothing is written. What was written before is where the file is now;
  //     what went into a removed file unseen is written once more. Where the path cannot be opened, alerts go on into
  //     the renamed file, and are held where that has no name any more.
  // `say` is called when a problem begins and when it ends, in the exporter's thread.
  static constexpr size_t kHeldBytes = size_t{1} << 20;  // some 800 alerts
  static constexpr std::chrono::seconds kTryAgain{1};
  static constexpr std::chrono::milliseconds kLookAgain{250};
  void GoLive(const LiveOutput& options, std::function<void(std::string_view sentence, bool is_problem)> say);
  // After GoLive, in the exporter's thread: looks at the path now. False, with why, where it could not be opened.
  bool Reopen(std::string& error);
  // Something is wrong with the output: from such a failure to its end.
  bool failing() const { return failing_ || astray_ || !sync_problem_.empty(); }
  OutputCounters counters() const;

 private:
  FileSink(std::shared_ptr<OutputFile> file, std::string path, OutputFormat format, AlertPolicy& policy);
  bool Flush();
  bool WriteBuffer(bool again = false);
  bool SkipWritten();
  bool EndedEarly() const { return stop_ != nullptr && stop_->load(); }
  void Fail(std::string reason);
  bool ReaderTakesMore() const;  // else errno is EAGAIN
  size_t CutToWholeLines(size_t written);
  void Hold(size_t from, const std::string& problem);
  bool Follow();
  bool OpenAnew(std::string& error);
  void Rotate();
  void LookAtSync();

  std::shared_ptr<OutputFile> file_;
  std::string path_;
  AlertPolicy& policy_;
  Reader reader_ = Reader::Operator();
  View view_;
  std::unique_ptr<Renderer> renderer_;
  std::string buffer_;
  uint64_t buffered_alerts_ = 0;
  OutputCounters counters_;  // without what failing() says
  bool failed_ = false;
  std::string error_;
  std::function<void(std::string_view, bool)> say_;  // set: it is live
  LiveOutput live_;
  bool followed_ = false;     // live, and a regular file
  bool failing_ = false;      // what comes is held
  bool half_line_ = false;    // the buffer begins within a line whose begin is in the file
  bool astray_ = false;       // the file is not at its path, and the path cannot be opened
  uint64_t lost_before_ = 0;  // when it began to fail
  std::chrono::steady_clock::time_point next_try_{}, next_look_{}, next_rotation_{};
  std::string sync_problem_;  // that was said
  std::unique_ptr<DiskSync> sync_;
  // Of an output that can be continued; nullptr: it cannot.
  std::unique_ptr<Digester> digester_;
  OutputMark mark_;           // what was there; at the end, what is
  uint64_t total_bytes_ = 0;  // digested
  uint64_t synced_bytes_ = 0;
  const std::atomic<bool>* stop_ = nullptr;
  bool over_ = false;  // ended early, before the mark: what comes is not written
};

}  // namespace vedette
