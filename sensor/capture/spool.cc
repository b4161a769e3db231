#include "sensor/capture/spool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <system_error>
#include <vector>

#include "sensor/capture/capture_format.h"

namespace vedette {
namespace {

constexpr size_t kChunkBytes = size_t{1} << 20;  // far more than a pipe holds
constexpr int kStopCheckMs = 200;                // how long a request to stop may go unseen

std::string ErrnoText(int number) { return std::generic_category().message(number); }

int OpenUnnamed(const std::string& folder) {
  const int fd = open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR)) return fd;
  // A file system without unnamed files.
  std::string path = folder + "/vedette-XXXXXX";
  const int named = mkostemp(path.data(), O_CLOEXEC);
  if (named >= 0) unlink(path.c_str());
  return named;
}

bool WriteAll(int fd, const uint8_t* data, size_t size) {
  while (size > 0) {
    const ssize_t written = write(fd, data, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    data += written;
    size -= static_cast<size_t>(written);
  }
  return true;
}

// False at the end of input, on a request to stop, or on an error, which `error` then tells.
bool WaitForInput(int pipe, const std::atomic<bool>* stop, std::string& error) {
  for (;;) {
    if (stop != nullptr && stop->load(std::memory_order_relaxed)) return false;
    pollfd waiting{.fd = pipe, .events = POLLIN, .revents = 0};
    const int ready = poll(&waiting, 1, kStopCheckMs);
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) {
      error = ErrnoText(errno);
      return false;
    }
  }
}

}  // namespace

int SpoolPipe(int pipe, const std::string& folder, const std::atomic<bool>* stop, std::string& error) {
  if (isatty(pipe) == 1) {
    error = "it is a terminal; pipe a capture in, or name a file";
    return -1;
  }
  const char* const temporary = std::getenv("TMPDIR");
  const std::string chosen = !folder.empty()                           ? folder
                             : temporary != nullptr && *temporary != 0 ? temporary
                                                                       : "/var/tmp";
  const int fd = OpenUnnamed(chosen);
  if (fd < 0) {
    error =
        fmt::format("cannot keep it in {}: {}; set TMPDIR to a folder that can be written", chosen, ErrnoText(errno));
    return -1;
  }
  std::vector<uint8_t> buffer(kChunkBytes);
  std::vector<uint8_t> head;  // until its first bytes are known to be a capture's
  uint64_t total_bytes = 0;
  bool judged = false;
  error.clear();
  while (WaitForInput(pipe, stop, error)) {
    const ssize_t num_read = read(pipe, buffer.data(), buffer.size());
    if (num_read < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (num_read < 0) error = ErrnoText(errno);
    if (num_read <= 0) break;
    const auto count = static_cast<size_t>(num_read);
    if (!WriteAll(fd, buffer.data(), count)) {
      error = fmt::format("keeping it in {} failed after {} bytes: {}; set TMPDIR to a folder with more room", chosen,
                          total_bytes, ErrnoText(errno));
      break;
    }
    total_bytes += count;
    if (judged) continue;
    head.insert(head.end(), buffer.begin(), buffer.begin() + static_cast<ptrdiff_t>(std::min(count, kFormatHeadBytes)));
    if (head.size() < 4) continue;
    judged = true;
    if (IdentifyCapture(head) == CaptureFormat::kOther) break;  // whoever identifies the file says what it is
  }
  if (!error.empty()) {
    close(fd);
    return -1;
  }
  return fd;
}

}  // namespace vedette
