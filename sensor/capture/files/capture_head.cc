#include "sensor/capture/files/capture_head.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "parsers/base/errno_text.h"

namespace vedette {
namespace {

constexpr size_t kMagicBytes = 4;        // of every format
constexpr int kStopCheckMs = 50;         // how long a request to stop may go unseen
constexpr size_t kPipeReadBytes = 4096;  // at once, while it is not known what comes

CaptureHead JudgeCompressed(Compression compression, Bytes head, bool whole) {
  CaptureHead verdict{.compression = compression, .format = CaptureFormat::kOther, .unknown = true, .other = {}};
  std::string error;
  const std::unique_ptr<Decompressor> decompressor = Decompressor::Make(compression, error);
  if (decompressor == nullptr) return verdict;
  std::array<uint8_t, kFormatHeadBytes> inner{};
  const Decompressor::Step step = decompressor->Run(head, inner);
  if (whole) decompressor->Finish();
  if (step.produced < kMagicBytes && (decompressor->damaged() || !whole)) return verdict;
  const Bytes begin(inner.data(), step.produced);
  verdict.unknown = false;
  verdict.format = IdentifyCapture(begin);
  if (verdict.format == CaptureFormat::kOther) {
    verdict.other = DescribeOther(begin);
    verdict.other.description =
        fmt::format("{}-compressed, and then: {}", NameOf(compression), verdict.other.description);
  }
  return verdict;
}

}  // namespace

CaptureHead JudgeHead(Bytes head, bool whole) {
  const Compression compression = IdentifyCompression(head);
  if (compression != Compression::kNone) return JudgeCompressed(compression, head, whole);
  CaptureHead verdict;
  verdict.format = IdentifyCapture(head);
  if (verdict.format == CaptureFormat::kOther) verdict.other = DescribeOther(head);
  return verdict;
}

bool ReadPipeHead(int pipe, const std::atomic<bool>* stop, std::vector<uint8_t>& head, CaptureHead& verdict,
                  std::string& error) {
  if (isatty(pipe) == 1) {
    error = "it is a terminal; pipe a capture in, or name a file";
    return false;
  }
  head.clear();
  for (;;) {
    if (stop != nullptr && stop->load(std::memory_order_relaxed)) break;
    pollfd waiting{.fd = pipe, .events = POLLIN, .revents = 0};
    if (poll(&waiting, 1, kStopCheckMs) <= 0) continue;
    const size_t before = head.size();
    head.resize(before + kPipeReadBytes);
    const ssize_t num_read = read(pipe, head.data() + before, kPipeReadBytes);
    head.resize(before + static_cast<size_t>(std::max<ssize_t>(num_read, 0)));
    if (num_read < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (num_read < 0) {
      error = ErrnoText(errno);
      return false;
    }
    if (num_read == 0) break;
    if (head.size() < kMagicBytes) continue;
    verdict = JudgeHead(head, false);
    if (!verdict.unknown || head.size() >= kCompressedHeadBytes) return true;
  }
  verdict = JudgeHead(head, true);
  return true;
}

}  // namespace vedette
