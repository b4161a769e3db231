// The alarms that are raised, and what the operator's command was told of them, kept across a restart: so that an alarm
// that the command was told of is also told when it is over, and is not told twice.
#pragma once

#include <string>
#include <vector>

#include "sensor/live/alarm_rules.h"

namespace vedette {

struct KeptAlarm {
  Alarm alarm;
  bool raised = false;  // else it is over, and the command was not told of that yet
  bool told = false;    // the command was told that it was raised
};

// alarms.json in the sensor's state folder: {"alarms":[{"alarm":…,"critical":…,"raised":…,"since":…,"text":…,"told":…}]}
class AlarmFile {
 public:
  // Empty: nothing is kept.
  explicit AlarmFile(std::string path) : path_(std::move(path)) {}

  // Empty with an error where the file cannot be used; without one where there is none.
  std::vector<KeptAlarm> Read(std::string& error) const;
  // False with an error. Writes nothing where the file has it already.
  bool Write(const std::vector<KeptAlarm>& alarms, std::string& error);

  static constexpr size_t kMaxBytes = size_t{4} << 20;  // 10,000 partners' alarms
  static constexpr size_t kMaxAlarms = 20'000;

 private:
  const std::string path_;
  std::string written_;
};

}  // namespace vedette
