// A line on the control socket: whatever it is, the answer is one line of JSON that says whether it was understood.
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "parsers/base/bytes.h"
#include "sensor/live/control.h"

using namespace vedette;
using Json = nlohmann::json;

namespace {

std::unique_ptr<ControlServer> MakeServer() {
  std::string error;
  const std::string path = "/tmp/vedette-fuzz-control." + std::to_string(getpid());
  std::unique_ptr<ControlServer> server = ControlServer::Open(path, error);
  if (server == nullptr) std::abort();
  // A handler that uses what it is given, as the real ones do.
  server->Handle("status", [](const Json& request) -> Json {
    const auto seconds = request.find("seconds");
    const bool given = seconds != request.end() && seconds->is_number_integer();
    return {{"text", request.at("text").get<std::string>()}, {"seconds", given ? *seconds : Json(7)}};
  });
  return server;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::unique_ptr<ControlServer> server = MakeServer();
  const std::string answer = server->Answer(AsText(Bytes(data, size)));
  if (answer.find('\n') != std::string::npos) std::abort();
  const Json parsed = Json::parse(answer, nullptr, false);
  if (!parsed.is_object() || !parsed.at("ok").is_boolean()) std::abort();
  if (!parsed.at("ok").get<bool>() && parsed.at("error").get<std::string>().empty()) std::abort();
  return 0;
}
