// The authenticator of CURVE clients: ZAP 1.0 (ZeroMQ RFC 27) on inproc://zeromq.zap.01 of one context.
//
// Each client that is let in gets the partner's name as User-Id and a token of our own as the property kTokenProperty
// on all of its messages. libzmq puts these before what a client says of itself, so a client cannot set them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "exporter/feed/socket.h"

namespace vedette {

constexpr char kUserIdProperty[] = "User-Id";
constexpr char kTokenProperty[] = "Vedette-Connection";
constexpr std::string_view kZapDomain = "vedette";

struct ZapAnswer {
  std::string user_id;
  std::string token;
};
enum class ZapRefusal : uint8_t { kUnknownKey, kNotNow };
// The status code of a refusal reaches the client: 400 is a key that we do not know, 500 a partner that is not let in
// now. Who has no partner's key always hears 400, and so learns nothing of the partners.
constexpr int kZapNotNow = 500;
// `public_key` in Z85; `address` is the client's IP address as libzmq writes it.
using ZapDecision =
    std::function<std::variant<ZapAnswer, ZapRefusal>(const std::string& public_key, std::string_view address)>;

// The six frames that answer a request's frames; empty where nobody can be answered.
std::vector<std::string> AnswerZap(const std::vector<std::string>& request, const ZapDecision& decide);

class ZapHandler {
 public:
  // Before any server socket of the context is bound.
  bool Open(const ZmqContext& context);
  void Close() { socket_.Close(); }
  // Answers at most `limit` waiting requests; how many it did.
  size_t Handle(size_t limit, const ZapDecision& decide);

 private:
  ZmqSocket socket_;
  std::vector<std::string> frames_;
};

}  // namespace vedette
