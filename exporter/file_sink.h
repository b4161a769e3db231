// Alerts as JSON lines, CSV or a table, to a file or to standard output.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "exporter/alert_sink.h"
#include "exporter/render.h"

namespace vedette {

enum class OutputFormat : uint8_t { kJsonl, kTable, kCsv };
std::optional<OutputFormat> OutputFormatOf(std::string_view name);

// Writes whole lines only: where the disk is full or the reader is gone, what was written before stays complete.
class FileSink : public AlertSink {
 public:
  // `path` "-": standard output. nullptr with an error that names the file.
  static std::unique_ptr<FileSink> Open(const std::string& path, OutputFormat format, AlertRenderer& renderer,
                                        std::string& error);
  ~FileSink() override;

  bool Accept(const Alert& alert) override;
  void Idle() override;
  bool Close() override;
  const std::string& error() const override { return error_; }
  // Alerts that were accepted but could not be written.
  uint64_t lost() const { return lost_; }

 private:
  FileSink(int descriptor, std::string path, OutputFormat format, AlertRenderer& renderer);
  bool Flush();

  int descriptor_;
  std::string path_;
  OutputFormat format_;
  AlertRenderer& renderer_;
  std::string buffer_;
  uint64_t buffered_alerts_ = 0;
  uint64_t lost_ = 0;
  bool failed_ = false;
  std::string error_;
};

}  // namespace vedette
