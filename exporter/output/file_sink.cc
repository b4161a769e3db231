#include "exporter/output/file_sink.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>
#include <vector>

#include "parsers/base/errno_text.h"

namespace vedette {
namespace {

constexpr size_t kFlushBytes = size_t{64} * 1024;  // one write for some fifty alerts

constexpr std::chrono::milliseconds kReaderPause{200};  // that the reader of a pipe may make before alerts are held

constexpr std::chrono::minutes kRotateAgain{1};  // after a rotation that failed

// Of its first bytes; of fewer, where it has no more.
std::string DigestOfFile(int descriptor, uint64_t num_bytes) {
  Digester digester(DigestAlgorithm::kSha256);
  std::vector<uint8_t> buffer(size_t{1} << 20);
  for (uint64_t at = 0; at < num_bytes;) {
    const ssize_t num_read =
        pread(descriptor, buffer.data(), std::min<uint64_t>(buffer.size(), num_bytes - at), static_cast<off_t>(at));
    if (num_read <= 0) break;
    digester.Update(Bytes(buffer).first(static_cast<size_t>(num_read)));
    at += static_cast<uint64_t>(num_read);
  }
  return digester.Finish().Hex();
}

}  // namespace

std::unique_ptr<FileSink> FileSink::Open(const std::string& path, OutputFormat format, AlertPolicy& policy,
                                         std::string& error) {
  int descriptor = STDOUT_FILENO;
  if (path != "-") {
    descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (descriptor < 0) {
      error = CannotWrite(path);
      return nullptr;
    }
  }
  std::unique_ptr<FileSink> sink(new FileSink(std::make_shared<OutputFile>(descriptor), path, format, policy));
  sink->buffer_ = sink->renderer_->Header();
  return sink;
}

std::unique_ptr<FileSink> FileSink::Append(const std::string& path, AlertPolicy& policy, uint64_t& cut_bytes,
                                           std::string& error) {
  cut_bytes = 0;
  if (path == "-") return Open(path, OutputFormat::kJsonl, policy, error);
  std::shared_ptr<OutputFile> file = OutputFile::Append(path, cut_bytes, error);
  if (file == nullptr) return nullptr;
  return std::unique_ptr<FileSink>(new FileSink(std::move(file), path, OutputFormat::kJsonl, policy));
}

std::unique_ptr<FileSink> FileSink::Continue(const std::string& path, OutputFormat format, AlertPolicy& policy,
                                             const OutputMark& mark, std::string& error) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  struct stat status {};
  if (descriptor < 0 || fstat(descriptor, &status) != 0) {
    error = CannotWrite(path);
    if (descriptor >= 0) close(descriptor);
    return nullptr;
  }
  std::unique_ptr<FileSink> sink(new FileSink(std::make_shared<OutputFile>(descriptor), path, format, policy));
  sink->digester_ = std::make_unique<Digester>(DigestAlgorithm::kSha256);
  sink->mark_ = mark;
  sink->synced_bytes_ = mark.bytes;
  if (!S_ISREG(status.st_mode)) {
    error = path + ": not a regular file, which cannot be continued";
    return nullptr;
  }
  if (DigestOfFile(descriptor, mark.bytes) != mark.sha256 && mark.bytes != 0) {
    error =
        fmt::format("{}: its first {} bytes are not those that the interrupted run wrote; start over without the state",
                    path, mark.bytes);
    return nullptr;
  }
  if (ftruncate(descriptor, static_cast<off_t>(mark.bytes)) != 0 || lseek(descriptor, 0, SEEK_END) < 0) {
    error = path + ": cannot be cut to what is certain: " + ErrnoText();
    return nullptr;
  }
  sink->buffer_ = sink->renderer_->Header();
  return sink;
}

FileSink::FileSink(std::shared_ptr<OutputFile> file, std::string path, OutputFormat format, AlertPolicy& policy)
    : file_(std::move(file)), path_(std::move(path)), policy_(policy), renderer_(MakeRenderer(format)) {}

FileSink::~FileSink() = default;

void FileSink::GoLive(const LiveOutput& options, std::function<void(std::string_view, bool)> say) {
  say_ = std::move(say);
  live_ = options;
  followed_ = path_ != "-" && file_->is_regular();
  if (followed_ && live_.sync.count() != 0) sync_ = std::make_unique<DiskSync>(path_, live_.sync);
}

bool FileSink::Accept(const Event& event) {
  if (failed_) {
    ++counters_.lost;
    return false;
  }
  if (failing_ && buffer_.size() >= kHeldBytes) {
    ++counters_.lost;
    return true;
  }
  if (policy_.Show(event, reader_, view_) == ViewOutcome::kShown) buffered_alerts_ += renderer_->Append(view_, buffer_);
  return failing_ || buffer_.size() < kFlushBytes || Flush();
}

void FileSink::Idle() {
  if (failed_) return;
  const auto now = std::chrono::steady_clock::now();
  if (followed_ && now >= next_look_) {
    next_look_ = now + kLookAgain;
    Follow();
    LookAtSync();
  }
  if (failing_ ? now >= next_try_ : !buffer_.empty()) Flush();
}

void FileSink::Fail(std::string reason) {
  failed_ = true;
  error_ = std::move(reason);
  buffer_.clear();
}

// What has been written before: digested, and away.
bool FileSink::SkipWritten() {
  if (total_bytes_ >= mark_.bytes) return true;
  const size_t count = std::min<uint64_t>(buffer_.size(), mark_.bytes - total_bytes_);
  digester_->Update(AsBytes(buffer_).first(count));
  total_bytes_ += count;
  buffer_.erase(0, count);
  if (total_bytes_ < mark_.bytes || digester_->SoFar().Hex() == mark_.sha256) return true;
  if (EndedEarly()) {
    over_ = true;
    return true;
  }
  Fail(
      fmt::format("{}: the alerts found again differ from the {} bytes that the interrupted run wrote: the captures or "
                  "the program are not the same any more; start over without the state",
                  path_, mark_.bytes));
  return false;
}

bool FileSink::Written(OutputMark& mark) {
  if (failed_ || over_ || digester_ == nullptr || !Flush() || total_bytes_ <= synced_bytes_) return false;
  if (total_bytes_ != mark.bytes) mark = {total_bytes_, digester_->SoFar().Hex()};
  return true;
}

bool FileSink::Sync(OutputMark& mark) {
  if (failed_ || over_ || digester_ == nullptr || !Flush() || total_bytes_ <= synced_bytes_) return false;
  if (fdatasync(file_->descriptor()) != 0) {
    Fail(path_ + ": cannot be synced to disk: " + ErrnoText());
    return false;
  }
  synced_bytes_ = total_bytes_;
  mark = {total_bytes_, digester_->SoFar().Hex()};
  return true;
}

bool FileSink::Flush() {
  if (followed_ && !Follow()) return true;
  if (digester_ != nullptr) {
    if (!SkipWritten()) return false;
    if (over_) buffer_.clear();
    digester_->Update(AsBytes(buffer_));
    total_bytes_ += buffer_.size();
  }
  return WriteBuffer();
}

// Once more where the file was removed meanwhile, unless this is that time.
bool FileSink::WriteBuffer(bool again) {
  size_t written = 0;
  while (written < buffer_.size()) {
    const ssize_t n = write(file_->descriptor(), buffer_.data() + written, buffer_.size() - written);
    if (n >= 0) {
      written += static_cast<size_t>(n);
      continue;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN && say_ && !failing_ && ReaderTakesMore()) continue;
    const int reason = errno;
    const size_t whole = CutToWholeLines(written);
    const bool reader_gone = path_ == "-" && reason == EPIPE;  // which no waiting mends
    if (say_ && !reader_gone) {
      Hold(whole, path_ + ": cannot be written: " + ErrnoText(reason));
      return true;
    }
    failed_ = true;
    if (say_ && !std::exchange(failing_, true)) lost_before_ = counters_.lost;
    if (whole == written && written != 0 && buffer_[written - 1] != '\n' && path_ != "-")
      error_ = path_ + ": ends in half a line; ";
    const auto lines_lost =
        static_cast<uint64_t>(std::count(buffer_.begin() + static_cast<std::ptrdiff_t>(whole), buffer_.end(), '\n'));
    counters_.lost += std::min(lines_lost, buffered_alerts_);
    buffered_alerts_ = 0;
    if (reader_gone) {
      error_ +=
          "standard output: its reader has gone; alerts found after that are not written (name a file to keep them: ";
      error_ += say_ ? "`output` of the configuration)" : "--out FILE)";
    } else {
      error_ += (path_ == "-" ? std::string("standard output") : path_) + ": cannot be written: " + ErrnoText(reason) +
                "; everything before is complete. Free some space, or name another file with --out, and run again";
    }
    buffer_.clear();
    return false;
  }
  // Removed since the look before it.
  if (followed_ && !again && !buffer_.empty() && file_->Look(path_) == OutputFile::Place::kRemoved)
    return !Follow() || WriteBuffer(true);
  if (sync_ != nullptr && !buffer_.empty()) sync_->Written(file_);
  buffer_.clear();
  buffered_alerts_ = 0;
  half_line_ = false;
  if (followed_ && live_.rotate_bytes != 0 && file_->bytes() >= live_.rotate_bytes) Rotate();
  if (std::exchange(failing_, false)) {
    say_(fmt::format("{}: can be written again; {} alerts were lost meanwhile", path_, counters_.lost - lost_before_),
         false);
  }
  return true;
}

// A pipe that is full, for a while: one whose reader has stopped must not stop the sensor.
bool FileSink::ReaderTakesMore() const {
  pollfd wanted{.fd = file_->descriptor(), .events = POLLOUT, .revents = 0};
  const bool ready = poll(&wanted, 1, static_cast<int>(kReaderPause.count())) == 1;
  if (!ready) errno = EAGAIN;
  return ready;
}

// Half a line would spoil the last alert for its reader: it is taken back where that can be done. Returns where in the
// buffer what is not in the file begins.
size_t FileSink::CutToWholeLines(size_t written) {
  const size_t newline = written == 0 ? std::string::npos : buffer_.rfind('\n', written - 1);
  const size_t whole = newline == std::string::npos ? 0 : newline + 1;
  if (whole == written || path_ == "-") return written;
  const off_t end = lseek(file_->descriptor(), 0, SEEK_CUR);
  const bool cut = end >= 0 && ftruncate(file_->descriptor(), end - static_cast<off_t>(written - whole)) == 0 &&
                   lseek(file_->descriptor(), 0, SEEK_END) >= 0;
  return cut ? whole : written;
}

// Keeps what is not in the file; where its last line could not be taken back, its rest comes first.
void FileSink::Hold(size_t from, const std::string& problem) {
  if (from != 0) half_line_ = buffer_[from - 1] != '\n';
  buffer_.erase(0, from);
  buffered_alerts_ = static_cast<uint64_t>(std::count(buffer_.begin(), buffer_.end(), '\n'));
  next_try_ = std::chrono::steady_clock::now() + kTryAgain;
  error_ = problem;
  if (std::exchange(failing_, true)) return;
  lost_before_ = counters_.lost;
  say_(fmt::format("{}; the sensor tries again every second. Up to {} KiB of alerts wait; those beyond are lost",
                   error_, kHeldBytes / 1024),
       true);
}

// False where there is no file to write to; what comes is held.
bool FileSink::Follow() {
  const OutputFile::Place place = file_->Look(path_);
  if (place == OutputFile::Place::kAtPath) {
    if (std::exchange(astray_, false)) say_(path_ + ": leads to the file again", false);
    return true;
  }
  const bool removed = place == OutputFile::Place::kRemoved;
  if ((astray_ || (removed && failing_)) && std::chrono::steady_clock::now() < next_try_) return !removed;
  std::string error;
  if (OpenAnew(error)) {
    ++counters_.moved;
    say_(fmt::format("{}: was {}; from here on, alerts go to a new file of that name", path_,
                     removed ? "removed" : "renamed"),
         removed);
    return true;
  }
  if (removed) {
    Hold(0, fmt::format("{}; the file that was in use has been removed", error));
    return false;
  }
  next_try_ = std::chrono::steady_clock::now() + kTryAgain;
  error_ = error;
  if (!std::exchange(astray_, true)) {
    say_(fmt::format("{}; the file that was in use has another name now, and alerts continue into it. The sensor tries "
                     "again every second",
                     error),
         true);
  }
  return true;
}

// The file of the path takes the place of the one that is open.
bool FileSink::OpenAnew(std::string& error) {
  uint64_t cut_bytes = 0;
  std::shared_ptr<OutputFile> next = OutputFile::Append(path_, cut_bytes, error);
  if (next == nullptr) return false;
  if (!next->is_regular()) {
    // Nobody would see any more where its path leads, nor whether anything arrives.
    error = path_ + ": is not a regular file; remove it, or name it in `output` and restart the sensor";
    return false;
  }
  if (half_line_) {
    // Its begin is in the other file.
    buffer_.erase(0, buffer_.find('\n') + 1);
    if (buffered_alerts_ != 0) --buffered_alerts_;
    ++counters_.lost;
    half_line_ = false;
  }
  file_ = std::move(next);
  astray_ = false;
  return true;
}

bool FileSink::Reopen(std::string& error) {
  if (!followed_) return true;
  if (!failed_ && !buffer_.empty() && !failing_) Flush();
  next_try_ = {};
  if (Follow() && !astray_) return true;
  error = error_;
  return false;
}

// FILE becomes FILE.1, that one FILE.2, and so on up to the first number that is free.
void FileSink::Rotate() {
  const auto now = std::chrono::steady_clock::now();
  if (astray_ || now < next_rotation_) return;
  const auto name = [&](uint32_t number) { return fmt::format("{}.{}", path_, number); };
  uint32_t last = 1;
  while (last < live_.keep && access(name(last).c_str(), F_OK) == 0) ++last;
  bool moved = true;
  for (uint32_t number = last; moved && number > 1; --number)
    moved = std::rename(name(number - 1).c_str(), name(number).c_str()) == 0;
  std::string error;
  if (!moved || std::rename(path_.c_str(), name(1).c_str()) != 0) {
    next_rotation_ = now + kRotateAgain;
    say_(fmt::format("{}: cannot be rotated: {}; alerts continue into it", path_, ErrnoText()), true);
    return;
  }
  if (OpenAnew(error)) ++counters_.rotated;  // else Follow says so, and tries again
}

void FileSink::LookAtSync() {
  if (sync_ == nullptr) return;
  std::string problem = sync_->problem();
  if (problem == sync_problem_) return;
  if (problem.empty()) {
    say_(path_ + ": is synced to disk again", false);
  } else {
    say_(fmt::format("{}: cannot be synced to disk: {}; a crash of the machine may lose the alerts of the last seconds",
                     path_, problem),
         true);
  }
  sync_problem_ = std::move(problem);
}

bool FileSink::Close() {
  if (!failed_) buffered_alerts_ += renderer_->Finish(buffer_);
  if (!failed_) Flush();
  if (failing_) {
    failed_ = true;
    counters_.lost += buffered_alerts_;
    error_ += fmt::format("; {} alerts were lost since that began", counters_.lost - lost_before_);
  }
  if (!failed_ && total_bytes_ < mark_.bytes && !EndedEarly()) {
    Fail(
        fmt::format("{}: the alerts found again are {} bytes, the interrupted run wrote {}: the captures or the "
                    "program are not the same any more; start over without the state",
                    path_, total_bytes_, mark_.bytes));
  }
  if (!failed_ && digester_ != nullptr) {
    if (fdatasync(file_->descriptor()) != 0) Fail(path_ + ": cannot be synced to disk: " + ErrnoText());
    mark_ = {total_bytes_, digester_->SoFar().Hex()};
  }
  sync_.reset();  // brings the rest to disk
  if (!file_->Close() && !failed_) {
    failed_ = true;
    error_ = path_ + ": cannot be written to the end: " + ErrnoText();
  }
  return !failed_;
}

OutputCounters FileSink::counters() const {
  OutputCounters counters = counters_;
  counters.failing = failing() ? 1 : 0;
  return counters;
}

}  // namespace vedette
