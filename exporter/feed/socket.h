// Owners for libzmq's handles, and whole messages. Internal to this folder's .cc files; no libzmq header is needed to
// include it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vedette {

class ZmqContext {
 public:
  ZmqContext();
  ~ZmqContext();  // waits for the linger of closed sockets
  ZmqContext(const ZmqContext&) = delete;
  ZmqContext& operator=(const ZmqContext&) = delete;
  void* get() const { return context_; }
  void Terminate();  // as the destructor, once

 private:
  void* context_;
};

// As a zmq socket, used by one thread at a time.
class ZmqSocket {
 public:
  ZmqSocket() = default;
  ~ZmqSocket() { Close(); }
  ZmqSocket(const ZmqSocket&) = delete;
  ZmqSocket& operator=(const ZmqSocket&) = delete;

  bool Open(const ZmqContext& context, int type);
  void Close();
  void* get() const { return socket_; }
  bool Set(int option, int value);
  bool Set(int option, int64_t value);
  bool Set(int option, std::string_view value);
  std::string GetText(int option) const;

 private:
  void* socket_ = nullptr;
};

enum class Receipt : uint8_t { kMessage, kNothing, kFailed };
// One whole message without waiting. Frames beyond `max_frames` are read and dropped, and `frames` then has one more
// than that, empty. Keeps the capacity of what `frames` held.
Receipt ReceiveFrames(void* socket, size_t max_frames, std::vector<std::string>& frames);

enum class Sent : uint8_t { kSent, kFull, kFailed };
// Without waiting; all frames or none.
Sent SendFrames(void* socket, const std::vector<std::string_view>& frames);

std::string ZmqErrorText();  // of the last failed call in this thread

}  // namespace vedette
