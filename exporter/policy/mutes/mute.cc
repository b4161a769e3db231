#include "exporter/policy/mutes/mute.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "parsers/base/network.h"
#include "parsers/base/sha1.h"
#include "parsers/base/text.h"
#include "parsers/base/time_text.h"

namespace vedette {
namespace {

using Json = nlohmann::json;

constexpr int kVersion = 1;
constexpr int64_t kDayNs = int64_t{86'400} * 1'000'000'000;

// UTF-8 without control characters, so that it comes back from the file as it went in.
bool IsPrintable(std::string_view text) {
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    if (length == 0 || static_cast<uint8_t>(text[0]) < 0x20 || text[0] == 0x7f) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string IdOf(const Mute& mute) {
  std::string what;
  for (const std::string* part : {&mute.indicator, &mute.value, &mute.source, &mute.network}) what += *part + '\n';
  const Sha1Digest digest = Sha1(AsBytes(what));
  return "m-" + ToHex({reinterpret_cast<const char*>(digest.data()), 6});
}

// One entry of the file. False with `error`.
bool ReadOne(const Json& entry, std::vector<Mute>& mutes, std::string& error) {
  if (!entry.is_object()) {
    error = "is no object";
    return false;
  }
  MuteRequest request;
  std::string id, created, until;
  const std::array<std::pair<const char*, std::string*>, 9> fields = {{{"id", &id},
                                                                       {"indicator", &request.indicator},
                                                                       {"value", &request.value},
                                                                       {"source", &request.source},
                                                                       {"network", &request.network},
                                                                       {"reason", &request.reason},
                                                                       {"by", &request.by},
                                                                       {"created", &created},
                                                                       {"until", &until}}};
  for (const auto& [key, value] : entry.items()) {
    const auto* const field =
        std::find_if(fields.begin(), fields.end(), [&name = key](const auto& f) { return name == f.first; });
    if (field == fields.end() || !value.is_string()) {
      error = "has an unknown field, or one that is not a string";
      return false;
    }
    *field->second = value.get<std::string>();
  }
  const std::optional<int64_t> end = ParseTimestamp(until);
  const std::optional<int64_t> begin = created.empty() ? std::optional<int64_t>(0) : ParseTimestamp(created);
  if (!end || !begin) {
    error = "has an invalid time";
    return false;
  }
  request.until_ns = *end;
  request.created_ns = *begin;
  // Was it too long when it was made? The clock of now says nothing: it may be wrong while the machine starts.
  std::optional<Mute> mute = MakeMute(request, created.empty() ? *end : *begin, error);
  if (!mute) return false;
  if (mute->id != id) {
    error = "has an id that does not match what it hides";
    return false;
  }
  if (std::any_of(mutes.begin(), mutes.end(), [&](const Mute& other) { return other.id == id; })) {
    error = "is listed twice";
    return false;
  }
  mutes.push_back(std::move(*mute));
  return true;
}

}  // namespace

std::optional<Mute> MakeMute(const MuteRequest& request, int64_t now_ns, std::string& error) {
  const auto refuse = [&](std::string why) {
    error = std::move(why);
    return std::nullopt;
  };
  if (request.indicator.empty() == request.value.empty())
    return refuse("a mute names an indicator, either by its id or by its value");
  if (request.reason.empty()) return refuse("a mute needs a reason, for anyone who finds it later");
  for (const std::string* text :
       {&request.indicator, &request.value, &request.source, &request.network, &request.reason, &request.by}) {
    if (text->size() > kMaxMuteTextBytes || !IsPrintable(*text))
      return refuse("a text of a mute may have at most " + std::to_string(kMaxMuteTextBytes) +
                    " bytes of UTF-8, and no control characters");
  }
  if (request.until_ns - now_ns > kMaxMuteDays * kDayNs)
    return refuse("a mute ends after at most " + std::to_string(kMaxMuteDays) + " days; mute it again then");
  Mute mute{.id = {},
            .indicator = request.indicator,
            .value = request.value,
            .source = request.source,
            .network = {},
            .reason = request.reason,
            .by = request.by,
            .until_ns = request.until_ns,
            .created_ns = request.created_ns};
  if (!request.network.empty()) {
    const std::optional<Network> network = Network::Parse(request.network);
    if (!network)
      return refuse("`" + request.network +
                    "` is not a network; write it as 192.0.2.0/24, without bits after its prefix");
    mute.network = network->ToString();
  }
  mute.id = IdOf(mute);
  return mute;
}

std::string Describe(const Mute& mute) {
  std::string text = mute.indicator.empty() ? "value " + mute.value : "indicator " + mute.indicator;
  if (!mute.source.empty()) text += " of " + mute.source;
  if (!mute.network.empty()) text += " in " + mute.network;
  return text;
}

bool ReadMutes(std::string_view json, std::vector<Mute>& mutes, std::string& error) {
  mutes.clear();
  const Json document = Json::parse(json, nullptr, false);
  if (document.is_discarded() || !document.is_object()) {
    error = "is not a JSON object";
    return false;
  }
  const auto version = document.find("version");
  const auto list = document.find("mutes");
  if (document.size() != 2 || version == document.end() || *version != kVersion || list == document.end() ||
      !list->is_array()) {
    error = "does not hold `version` 1 and a list of `mutes`";
    return false;
  }
  if (list->size() > kMaxMutes) {
    error = "holds more than " + std::to_string(kMaxMutes) + " mutes";
    return false;
  }
  for (size_t i = 0; i < list->size(); ++i) {
    std::string why;
    if (ReadOne((*list)[i], mutes, why)) continue;
    error = "mute " + std::to_string(i + 1) + ": " + why;
    return false;
  }
  return true;
}

std::string WriteMutes(const std::vector<Mute>& mutes) {
  Json list = Json::array();
  for (const Mute& mute : mutes) {
    Json entry = {{"id", mute.id}, {"reason", mute.reason}, {"until", Rfc3339(mute.until_ns)}};
    const auto add = [&](const char* key, const std::string& text) {
      if (!text.empty()) entry[key] = text;
    };
    add("indicator", mute.indicator);
    add("value", mute.value);
    add("source", mute.source);
    add("network", mute.network);
    add("by", mute.by);
    if (mute.created_ns != 0) entry["created"] = Rfc3339(mute.created_ns);
    list.push_back(std::move(entry));
  }
  return Json{{"version", kVersion}, {"mutes", std::move(list)}}.dump(1) + "\n";
}

}  // namespace vedette
