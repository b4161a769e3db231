// Any bytes as the file of mutes, and as a request to mute: what is taken comes back from the file as it was.
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "exporter/policy/mutes/mute_list.h"
#include "exporter/policy/mutes/mute_store.h"

namespace {

using namespace vedette;

constexpr int64_t kNow = 1'795'428'000'000'000'000;

void Check(bool condition) {
  if (!condition) std::abort();
}

void CheckRoundTrip(const std::vector<Mute>& mutes) {
  std::vector<Mute> read;
  std::string error;
  Check(ReadMutes(WriteMutes(mutes), read, error) && read == mutes);
}

void CheckRequest(const nlohmann::json& json) {
  const auto text = [&](const char* key) {
    const auto at = json.find(key);
    return at != json.end() && at->is_string() ? at->get<std::string>() : std::string();
  };
  const MuteRequest request{.indicator = text("indicator"),
                            .value = text("value"),
                            .source = text("source"),
                            .network = text("network"),
                            .reason = text("reason"),
                            .by = text("by"),
                            .until_ns = kNow + 1,
                            .created_ns = kNow};
  std::string error;
  const std::optional<Mute> mute = MakeMute(request, kNow, error);
  Check(mute.has_value() == error.empty());
  if (!mute) return;
  CheckRoundTrip({*mute});
  // It hides the indicator it names, unless it is for others only.
  const MuteList list({{*mute, std::make_shared<MuteCounts>()}});
  IndicatorRecord record;
  record.id = mute->indicator;
  record.source = mute->source;
  Alert alert;
  alert.time_ns = static_cast<uint64_t>(kNow);
  if (mute->value.empty()) Check((list.Find(record, alert) != nullptr) == mute->network.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<Mute> mutes;
  std::string error;
  if (ReadMutes(text, mutes, error)) {
    Check(mutes.size() <= kMaxMutes);
    CheckRoundTrip(mutes);
  } else {
    Check(!error.empty());
  }
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_object()) CheckRequest(json);
  return 0;
}
