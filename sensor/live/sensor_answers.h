// What a running sensor answers at its control socket about itself: how it is, and a reload.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "exporter/metrics/figures.h"
#include "sensor/config/config.h"
#include "sensor/live/control.h"
#include "sensor/live/interface_keeper.h"
#include "sensor/live/live_figures.h"
#include "sensor/live/log.h"
#include "sensor/live/output_control.h"
#include "sensor/live/reloader.h"
#include "sensor/live/self_watch.h"

namespace vedette {

// Opens the control socket of the configuration, while there are rights to give it to a group; what is asked there is
// answered once the sensor is confined. `control` stays null where there is none. False with an error, where one that
// was asked for cannot be opened.
bool OpenControlSocket(const Config& config, Log& log, std::unique_ptr<ControlServer>& control, std::string& error);

class SensorAnswers {
 public:
  // The sensor's other parts, which outlive this.
  struct Parts {
    const Config* config = nullptr;
    std::string interfaces;  // "eth0, eth1"
    std::string user;        // whose rights the sensor has
    const InterfaceKeeper* keeper = nullptr;
    const ProcessFigures* process = nullptr;
    const FigureRegistry* figures = nullptr;
    OutputControl* output = nullptr;
    Reloader* reloader = nullptr;
    SelfWatch* watch = nullptr;
  };
  explicit SensorAnswers(Parts parts) : parts_(std::move(parts)) {}

  // `status`, `reload`, `reload-outcome`.
  void AddTo(ControlServer& control);

 private:
  nlohmann::json Status() const;
  nlohmann::json ReloadOutcome() const;

  const Parts parts_;
};

}  // namespace vedette
