#include "sensor/live/alarm_file.h"

#include <fcntl.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <optional>

#include "parsers/base/errno_text.h"
#include "parsers/base/file.h"

namespace vedette {

using Json = nlohmann::json;

std::vector<KeptAlarm> AlarmFile::Read(std::string& error) const {
  if (path_.empty()) return {};
  const FileDescriptor file(open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW));
  if (!file.is_open() && errno == ENOENT) return {};
  std::string text(kMaxBytes + 1, '\0');
  const std::optional<size_t> size =
      file.is_open() ? ReadUpTo(file.get(), text.data(), text.size()) : std::optional<size_t>();
  if (!size) {
    error = path_ + ": cannot be read: " + ErrnoText();
    return {};
  }
  text.resize(*size);
  const Json json = Json::parse(text, nullptr, false);
  const Json* const list = json.is_object() && json.contains("alarms") ? &json["alarms"] : nullptr;
  if (*size > kMaxBytes || list == nullptr || !list->is_array() || list->size() > kMaxAlarms) {
    error = path_ + ": is no list of alarms; it is written anew";
    return {};
  }
  std::vector<KeptAlarm> alarms;
  try {
    for (const Json& one : *list) {
      KeptAlarm& kept = alarms.emplace_back();
      kept.alarm.name = one.at("alarm").get<std::string>();
      kept.alarm.critical = one.at("critical").get<bool>();
      kept.alarm.text = one.at("text").get<std::string>();
      kept.alarm.since = one.at("since").get<int64_t>();
      kept.raised = one.at("raised").get<bool>();
      kept.told = one.at("told").get<bool>();
    }
  } catch (const Json::exception&) {
    error = path_ + ": is no list of alarms; it is written anew";
    return {};
  }
  return alarms;
}

bool AlarmFile::Write(const std::vector<KeptAlarm>& alarms, std::string& error) {
  if (path_.empty()) return true;
  Json list = Json::array();
  for (const KeptAlarm& kept : alarms) {
    list.push_back({{"alarm", kept.alarm.name},
                    {"critical", kept.alarm.critical},
                    {"text", kept.alarm.text},
                    {"since", kept.alarm.since},
                    {"raised", kept.raised},
                    {"told", kept.told}});
  }
  std::string text = Json{{"alarms", std::move(list)}}.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
  if (text == written_) return true;
  if (!ReplaceFile(path_, text, {.mode = 0600})) {
    error = path_ + ": cannot be written: " + ErrnoText();
    return false;
  }
  static_cast<void>(SyncFolderOf(path_));
  written_ = std::move(text);
  return true;
}

}  // namespace vedette
