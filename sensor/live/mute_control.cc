#include "sensor/live/mute_control.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "parsers/base/time_text.h"

namespace vedette {
namespace {

using Json = nlohmann::json;

constexpr int64_t kSecondNs = 1'000'000'000;

Json Refused(const std::string& error) { return {{"ok", false}, {"error", error}}; }

Json JsonOf(const Mute& mute) {
  Json out = {{"id", mute.id}, {"reason", mute.reason}, {"by", mute.by}, {"until", Rfc3339(mute.until_ns)}};
  const auto add = [&](const char* key, const std::string& text) {
    if (!text.empty()) out[key] = text;
  };
  add("indicator", mute.indicator);
  add("value", mute.value);
  add("source", mute.source);
  add("network", mute.network);
  if (mute.created_ns != 0) out["created"] = Rfc3339(mute.created_ns);
  return out;
}

// A field that has to be text where it is there at all; ControlServer answers for one that is not.
std::string TextIn(const Json& request, const char* key) { return request.value(key, std::string()); }

}  // namespace

Json MuteControl::Mute(const Json& request, int64_t now_ns) {
  const auto seconds = request.find("for_seconds");
  if (seconds == request.end() || !seconds->is_number_integer() || *seconds <= 0 || *seconds > kMaxMuteDays * 86'400) {
    return Refused(
        fmt::format("a mute ends by itself, after 1 s to {} days: say how long (`--for 24h`)", kMaxMuteDays));
  }
  const MuteRequest wanted{.indicator = TextIn(request, "indicator"),
                           .value = TextIn(request, "value"),
                           .source = TextIn(request, "source"),
                           .network = TextIn(request, "network"),
                           .reason = TextIn(request, "reason"),
                           .by = TextIn(request, "by"),
                           .until_ns = now_ns + seconds->get<int64_t>() * kSecondNs};
  vedette::Mute made;
  std::string error;
  if (!store_.Add(wanted, now_ns, made, error)) return Refused(error);
  changed_();
  log_.Info(fmt::format("mute {}: {} until {}, by {}: {}", made.id, Describe(made), Rfc3339(made.until_ns), made.by,
                        made.reason));
  const std::vector<std::string> remarks = remarks_(made);
  for (const std::string& remark : remarks) log_.Warn(remark);
  return {{"mute", JsonOf(made)}, {"warnings", remarks}};
}

Json MuteControl::Unmute(const Json& request) {
  vedette::Mute removed;
  std::string error;
  if (!store_.Remove(TextIn(request, "mute"), removed, error)) return Refused(error);
  changed_();
  log_.Info(fmt::format("mute {} ended by {}: {} alerts again", removed.id, TextIn(request, "by"), Describe(removed)));
  return {{"mute", JsonOf(removed)}};
}

Json MuteControl::List() const {
  Json list = Json::array();
  for (const MuteStore::Status& status : store_.All()) {
    Json entry = JsonOf(status.mute);
    entry["configured"] = status.configured;
    entry["alerts"] = status.alerts;
    entry["hits"] = status.hits;
    if (status.last_ns != 0) entry["last"] = Rfc3339(status.last_ns);
    list.push_back(std::move(entry));
  }
  return list;
}

}  // namespace vedette
