// Lines of text to a file or standard output, with errors that say what to do.
#pragma once

#include <string>
#include <string_view>

namespace vedette {

class LineOutput {
 public:
  LineOutput() = default;
  ~LineOutput();
  LineOutput(const LineOutput&) = delete;
  LineOutput& operator=(const LineOutput&) = delete;

  // "-": standard output.
  bool Open(const std::string& path, std::string& error);
  template <class... Parts>
  bool Write(const Parts&... parts) {
    (buffer_.append(std::string_view(parts)), ...);
    return buffer_.size() < kFlushBytes || Flush();
  }
  bool Flush();
  bool Close(std::string& error);

 private:
  static constexpr size_t kFlushBytes = size_t{64} * 1024;

  std::string path_;
  int descriptor_ = -1;
  int reason_ = 0;  // errno of the first failure
  std::string buffer_;
};

}  // namespace vedette
