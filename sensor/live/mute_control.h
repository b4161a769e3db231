// Mutes by the control socket: the requests `mute`, `unmute` and `mutes` (control.md).
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "exporter/policy/mutes/mute_store.h"
#include "sensor/live/log.h"

namespace vedette {

// One thread. Whatever a request holds is answered.
class MuteControl {
 public:
  // `changed` is called after each change; `remarks` tells of a new mute why it hides nothing, if so. All outlive this.
  MuteControl(MuteStore& store, std::function<void()> changed,
              std::function<std::vector<std::string>(const vedette::Mute&)> remarks, Log& log)
      : store_(store), changed_(std::move(changed)), remarks_(std::move(remarks)), log_(log) {}

  nlohmann::json Mute(const nlohmann::json& request, int64_t now_ns);
  nlohmann::json Unmute(const nlohmann::json& request);
  nlohmann::json List() const;

 private:
  MuteStore& store_;
  const std::function<void()> changed_;
  const std::function<std::vector<std::string>(const vedette::Mute&)> remarks_;
  Log& log_;
};

}  // namespace vedette
