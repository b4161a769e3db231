#include "exporter/feed/zap.h"

#include <zmq.h>

namespace vedette {
namespace {

// version, request id, domain, address, routing id, mechanism, credentials
constexpr size_t kRequestFrames = 7;
constexpr size_t kCurveKeyBytes = 32;

// ZMTP metadata (ZeroMQ RFC 23): a name with one byte of length, a value with four.
std::string Property(std::string_view name, std::string_view value) {
  std::string out(1, static_cast<char>(name.size()));
  out += name;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value.size() >> shift & 0xff);
  out += value;
  return out;
}

}  // namespace

std::vector<std::string> AnswerZap(const std::vector<std::string>& request, const ZapDecision& decide) {
  if (request.size() < 2) return {};
  std::vector<std::string> reply = {"1.0", request[1], "400", "unknown key", "", ""};
  if (request.size() != kRequestFrames || request[0] != "1.0" || request[2] != kZapDomain) {
    reply[2] = "500";
    reply[3] = "not a request for this feed";
    return reply;
  }
  if (request[5] != "CURVE" || request[6].size() != kCurveKeyBytes) {
    reply[3] = "CURVE only";
    return reply;
  }
  char key[41];
  if (zmq_z85_encode(key, reinterpret_cast<const uint8_t*>(request[6].data()), kCurveKeyBytes) == nullptr) return reply;
  const std::variant<ZapAnswer, ZapRefusal> decision = decide(key, request[3]);
  const ZapAnswer* const answer = std::get_if<ZapAnswer>(&decision);
  if (answer == nullptr) {
    if (std::get<ZapRefusal>(decision) == ZapRefusal::kNotNow) {
      reply[2] = std::to_string(kZapNotNow);
      reply[3] = "not now";
    }
    return reply;
  }
  reply[2] = "200";
  reply[3] = "OK";
  reply[4] = answer->user_id;
  reply[5] = Property(kTokenProperty, answer->token);
  return reply;
}

bool ZapHandler::Open(const ZmqContext& context) {
  return socket_.Open(context, ZMQ_REP) && socket_.Set(ZMQ_LINGER, 0) &&
         zmq_bind(socket_.get(), "inproc://zeromq.zap.01") == 0;
}

size_t ZapHandler::Handle(size_t limit, const ZapDecision& decide) {
  size_t handled = 0;
  while (handled < limit && ReceiveFrames(socket_.get(), kRequestFrames, frames_) == Receipt::kMessage) {
    const std::vector<std::string> reply = AnswerZap(frames_, decide);
    if (reply.empty()) {
      // A reply socket takes no request before the last one is answered.
      SendFrames(socket_.get(), {""});
    } else {
      SendFrames(socket_.get(), {reply.begin(), reply.end()});
    }
    ++handled;
  }
  return handled;
}

}  // namespace vedette
