#include "exporter/feed/socket.h"

#include <zmq.h>

#include <cerrno>

namespace vedette {

ZmqContext::ZmqContext() : context_(zmq_ctx_new()) {}
ZmqContext::~ZmqContext() { Terminate(); }

void ZmqContext::Terminate() {
  if (context_ == nullptr) return;
  while (zmq_ctx_term(context_) != 0 && zmq_errno() == EINTR) {
  }
  context_ = nullptr;
}

bool ZmqSocket::Open(const ZmqContext& context, int type) {
  Close();
  socket_ = zmq_socket(context.get(), type);
  return socket_ != nullptr;
}

void ZmqSocket::Close() {
  if (socket_ != nullptr) zmq_close(socket_);
  socket_ = nullptr;
}

bool ZmqSocket::Set(int option, int value) { return zmq_setsockopt(socket_, option, &value, sizeof(value)) == 0; }
bool ZmqSocket::Set(int option, int64_t value) { return zmq_setsockopt(socket_, option, &value, sizeof(value)) == 0; }
bool ZmqSocket::Set(int option, std::string_view value) {
  return zmq_setsockopt(socket_, option, value.data(), value.size()) == 0;
}

std::string ZmqSocket::GetText(int option) const {
  char text[1024];  // an endpoint or a key; libzmq refuses what does not fit
  size_t size = sizeof(text);
  if (zmq_getsockopt(socket_, option, text, &size) != 0 || size == 0) return {};
  return std::string(text, size - 1);
}

Receipt ReceiveFrames(void* socket, size_t max_frames, std::vector<std::string>& frames) {
  size_t num_frames = 0;
  bool more = true;
  while (more) {
    zmq_msg_t message;
    zmq_msg_init(&message);
    if (zmq_msg_recv(&message, socket, ZMQ_DONTWAIT) < 0) {
      const int code = zmq_errno();
      zmq_msg_close(&message);
      if (code == EINTR) continue;
      // Later frames of a message are there with the first.
      return code == EAGAIN && num_frames == 0 ? Receipt::kNothing : Receipt::kFailed;
    }
    more = zmq_msg_more(&message) != 0;
    if (num_frames <= max_frames) {
      if (frames.size() <= num_frames) frames.emplace_back();
      frames[num_frames].clear();
      if (num_frames < max_frames) {
        frames[num_frames].assign(static_cast<const char*>(zmq_msg_data(&message)), zmq_msg_size(&message));
      }
      ++num_frames;
    }
    zmq_msg_close(&message);
  }
  frames.resize(num_frames);
  return Receipt::kMessage;
}

Sent SendFrames(void* socket, const std::vector<std::string_view>& frames) {
  for (size_t i = 0; i < frames.size(); ++i) {
    const int flags = ZMQ_DONTWAIT | (i + 1 < frames.size() ? ZMQ_SNDMORE : 0);
    while (zmq_send(socket, frames[i].data(), frames[i].size(), flags) < 0) {
      const int code = zmq_errno();
      if (code == EINTR) continue;
      // Room is judged for whole messages, so a full queue shows at the first frame only.
      return code == EAGAIN && i == 0 ? Sent::kFull : Sent::kFailed;
    }
  }
  return Sent::kSent;
}

std::string ZmqErrorText() { return zmq_strerror(zmq_errno()); }

}  // namespace vedette
