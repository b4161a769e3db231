#include <algorithm>
#include <chrono>
#include <optional>

#include "parsers/base/time_text.h"
#include "sensor/config/sections.h"

namespace vedette {
namespace {

int64_t NowNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// A mute as it stands in the file.
struct MuteEntry : MuteRequest {
  std::string end;
};

template <class Member>
Key<MuteEntry> EntryKey(const char* name, Member member, const char* type, const char* example, const char* help) {
  return TextKey<MuteEntry>(name, member, type, help).Example(example);
}

Keys<MuteEntry> MuteKeys() {
  using M = MuteEntry;
  return {
      EntryKey("id", &M::indicator, "an indicator's id", "alpha-2026-0110", "an indicator's id, or `value:`"),
      EntryKey("value", &M::value, "an indicator's value", "", "in place of `id`"),
      EntryKey("source", &M::source, "a source's name", "alpha-misp", "only that source's"),
      EntryKey("network", &M::network, "a network such as 192.0.2.0/24", "10.20.0.0/16",
               "only where an end, or the matched address, lies in it"),
      EntryKey("reason", &M::reason, "a text", "red team exercise", "for whoever reads the list of mutes"),
      EntryKey("until", &M::end, "a time such as 2026-12-01T00:00:00Z", "2026-12-01T00:00:00Z",
               "at most 90 days from now"),
  };
}

// False: no more are taken.
bool ReadMute(const Section& section, const Keys<MuteEntry>& keys, std::vector<Mute>& mutes) {
  MuteEntry entry;
  ReadKeys(section, keys, entry);
  const auto time = ParseTimestamp(entry.end);
  if (!time) {
    section.Fail(entry.end.empty()
                     ? "a mute needs an `until`, such as 2026-12-01T00:00:00Z"
                     : "`until` has to be a time such as 2026-12-01T00:00:00Z, and not `" + entry.end + "`");
    return true;
  }
  entry.until_ns = *time;
  entry.by = "configuration";
  std::string error;
  const std::optional<Mute> mute = MakeMute(entry, NowNs(), error);
  if (!mute) {
    section.Fail(error);
  } else if (mutes.size() == kMaxMutes) {
    section.Fail("more than " + std::to_string(kMaxMutes) + " mutes; take the indicators out of their file instead");
    return false;
  } else {
    mutes.push_back(*mute);
  }
  return true;
}

void ReadMuteList(const Section& top, Config& config) {
  const YAML::Node list = top.Find("mutes");
  if (!list || list.IsNull()) return;
  if (!list.IsSequence()) return top.Fail("mutes", "`mutes` has to be a list");
  const Keys<MuteEntry> keys = MuteKeys();
  for (const YAML::Node& node : list) {
    if (!ReadMute(Section(node, "mutes", NamesOf(keys), top.file()), keys, config.mutes)) return;
  }
}

// By what they hide, until when, and why; not when they were read.
void CompareMutes(const Config& before, const Config& now, const std::string& path, std::vector<std::string>& changed) {
  const bool same = std::equal(
      before.mutes.begin(), before.mutes.end(), now.mutes.begin(), now.mutes.end(),
      [](const Mute& a, const Mute& b) { return a.id == b.id && a.until_ns == b.until_ns && a.reason == b.reason; });
  if (!same) changed.push_back(path);
}

}  // namespace

Key<Config> MutesSection() {
  KeyText text = {"mutes", "a list of mutes", "[]",
                  "what does not alert for a while; see also `vedette indicators mute`"};
  text.keys = TextsOf(MuteKeys());
  text.is_list = true;
  return {text, ReadMuteList, CompareMutes};
}

}  // namespace vedette
