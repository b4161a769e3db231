// Lines of text to a file or standard output, with errors that say what to do.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vedette {

class LineOutput {
 public:
  LineOutput() = default;
  ~LineOutput();
  LineOutput(const LineOutput&) = delete;
  LineOutput& operator=(const LineOutput&) = delete;

  enum class Start : uint8_t {
    kEmpty,   // what the file held is gone
    kAppend,  // it stays, and is locked (flock) as long as this object exists, as two writers would mix their lines;
              // if a crash or a full disk cut its last line short, that line is ended first
  };
  // "-": standard output.
  bool Open(const std::string& path, std::string& error, Start start = Start::kEmpty);
  // The file's last line had been cut short.
  bool ended_a_line() const { return ended_a_line_; }
  template <class... Parts>
  bool Write(const Parts&... parts) {
    (buffer_.append(std::string_view(parts)), ...);
    return buffer_.size() < kFlushBytes || Flush();
  }
  bool Flush();
  // Between Open and Close.
  int descriptor() const { return descriptor_; }
  bool Close(std::string& error);

 private:
  static constexpr size_t kFlushBytes = size_t{64} * 1024;

  std::string path_;
  int descriptor_ = -1;
  int reason_ = 0;  // errno of the first failure
  bool ended_a_line_ = false;
  std::string buffer_;
};

}  // namespace vedette
