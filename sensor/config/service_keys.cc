// How a sensor that runs is reached, and where it keeps what it has to remember.
#include "sensor/config/sections.h"

namespace vedette {
namespace {

void ReadState(const Section& top, Config& config) {
  if (!top.Find("state")) return;
  top.Read("state", config.state, "the path of a folder");
  config.state_given = true;
  config.state = top.file().Resolve(config.state);
}

void ReadControl(const Section& top, Config& config) {
  if (!top.Find("control")) return;
  // Where it cannot be read there is none, rather than another sensor's.
  std::string control;
  top.Read("control", control, "the path of a socket, or off");
  config.control_given = true;
  config.control = control.empty() || control == "off" ? "" : top.file().Resolve(control);
}

}  // namespace

Keys<Config> ServiceKeys() {
  return {
      OwnKey<Config>({"state", "the path of a folder", Config().state,
                      "folder for everything that the sensor stores; `user` must be able to write it"},
                     &Config::state, ReadState),
      OwnKey<Config>({"control", "the path of a socket, or off", Config().control,
                      "how `vedette status`, `reload` and others reach this sensor; off: not at all"},
                     &Config::control, ReadControl),
      TextKey("control_group", &Config::control_group, "a group's name",
              "a group whose members may ask there as well, for monitoring (`status`, `indicators mutes`), and change "
              "nothing; `user` has to be in it where root does not start the sensor"),
  };
}

}  // namespace vedette
