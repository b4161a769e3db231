// The one configuration file of a sensor (YAML), read strictly: an unknown key is an error.
//
// `vedette run` uses all of it, `vedette replay --publish` its `sensor` and `feed` parts. The keys are declared in
// *_section.cc, which take their defaults from here. Relative paths are relative to the file's folder.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "exporter/alert/live_output.h"
#include "exporter/feed/publisher.h"
#include "exporter/policy/clearance.h"
#include "exporter/policy/mutes/mute.h"
#include "parsers/base/address.h"

namespace vedette {

// Of the packaged service; what `run` and `check` take where no other is named.
constexpr const char* kDefaultConfig = "/etc/vedette/sensor.yaml";

// Packets of flows with alerts, kept while they are captured (sensor/keep). Off without a folder.
struct KeepConfig {
  std::string folder;
  uint64_t quota_bytes = uint64_t{1} << 30;  // of all files
  uint64_t file_bytes = uint64_t{64} << 20;  // then the next begins; at most half of the quota
  std::chrono::seconds file_age{3600};       // … or then
  uint64_t ring_bytes = uint64_t{64} << 20;  // per worker: half a second at 1 Gbit/s
  uint32_t packet_bytes = 262'144;           // of one packet
  uint64_t flow_bytes = uint64_t{4} << 20;   // of one flow; half of it at most before its alert
  uint64_t flow_packets = 10'000;            // the same
};

struct CaptureConfig {
  static constexpr size_t kMaxInterfaces = 64;
  static constexpr uint32_t kMaxWorkers = 64;
  enum class Backend : uint8_t { kAfPacket, kLibpcap };
  enum class Latency : uint8_t { kNormal, kLow };
  enum class Outgoing : uint8_t { kAuto, kCapture, kIgnore };
  // Which CPUs workers run on.
  struct Pin {
    bool automatic = true;       // chosen by the sensor
    std::vector<uint32_t> cpus;  // or these, one for each worker; empty and not automatic: the scheduler's choice
    bool operator==(const Pin&) const = default;
  };
  std::string interface;                // eth0
  std::vector<std::string> interfaces;  // instead of it: several, whose packets are one traffic
  std::string filter;                   // BPF, as tcpdump takes it; on each of them
  bool promiscuous = true;
  uint32_t snap_bytes = 262'144;   // tcpdump's default: nothing is cut
  uint32_t buffer_mebibytes = 64;  // for each queue of each interface: half a second at 1 Gbit/s
  Backend backend = Backend::kAfPacket;
  uint32_t workers = 1;                // one keeps up with several Gbit/s, and `limits` hold for each
  Latency latency = Latency::kNormal;  // low: packets one by one, not in blocks
  Pin pin;
  Outgoing outgoing = Outgoing::kAuto;  // auto: where the host uses it (IsInUse)
  std::string user = "nobody";          // whose rights are left once the interfaces are open
  KeepConfig keep;

  // Those to capture from, whichever key names them. The place of one in it is its number (Frame::file).
  std::vector<std::string> AllInterfaces() const {
    return interface.empty() ? interfaces : std::vector<std::string>{interface};
  }
};

struct LimitsConfig {
  uint32_t flows = 1'000'000;           // per worker; 250 MB at most
  uint32_t reassembly_mebibytes = 256;  // TCP segments out of order
  uint32_t parser_mebibytes = 256;      // messages that are not complete yet
  uint32_t fragment_mebibytes = 16;
  uint64_t payload_depth = 0;  // bytes of each direction of a flow that patterns are looked for in; 0: all
};

struct MetricsConfig {
  std::string listen = "127.0.0.1:9477";  // where Prometheus asks; empty: nowhere
  bool listen_given = false;              // the file says so: a port that is taken is an error
  uint32_t log_seconds = 300;             // between lines of figures in the log; 0: none
};

// What is switched off here, and what is missing in a kernel, the sensor says when it starts
// (sensor/hardening/README.md).
struct HardeningConfig {
  bool landlock = true;
  bool seccomp = true;
  bool required = false;  // a kernel without one of them is an error
};

// When an operator is told (sensor/live/alarms.h). 0: never.
struct AlarmsConfig {
  std::chrono::seconds no_packets{60};
  double one_way_percent = 90;          // of the TCP flows that carried data
  double drop_percent = 0.1;            // of packets, and of alerts
  double loss_before_percent = 1;       // of the bytes that TCP receivers acknowledged
  double queue_imbalance_percent = 50;  // of what the others should have had
  bool interface_down = true;
  bool helper_ended = true;
  bool reload_failed = true;
  bool output_failed = true;
  bool partner_suspended = true;
  std::chrono::seconds stale_indicators{std::chrono::hours{7 * 24}};  // a feed that nobody has touched for a week
  std::chrono::seconds partner_silent{std::chrono::hours{24}};
  bool canary_missed = true;
  std::chrono::seconds clear_after{60};
  std::vector<std::string> command;  // program, by its absolute path, and arguments; empty: none
};

struct CanaryConfig {
  enum class Inject : uint8_t {
    kSource,  // into the sensor, where packets leave the capture: nothing is ever sent
    kWire,    // as a frame on the captured interface
  };
  std::chrono::seconds interval{300};  // 0: only when asked
  std::chrono::seconds time_out{10};
  Inject inject = Inject::kSource;
};

struct Config {
  std::string path;  // of the file; empty: nothing of it could be read
  std::string sensor_name = "vedette";
  std::vector<IpAddress> resolvers;  // DNS resolvers of the network: neither suspect nor affected
  CaptureConfig capture;
  std::vector<std::string> indicators;       // files and folders
  std::vector<std::string> geo;              // MMDB files, the preferred one first
  std::string cache = "/var/cache/vedette";  // compiled patterns; the default only where it is there. Empty: none
  bool cache_given = false;
  std::string output;  // file for alerts; "-": standard output; empty: none
  LiveOutput output_file;
  LimitsConfig limits;
  MetricsConfig metrics;
  HardeningConfig hardening;
  std::string state = "/var/lib/vedette";             // folder of all that the sensor keeps
  bool state_given = false;                           // the file says so: that it is not there is an error
  std::string control = "/run/vedette/control.sock";  // the control socket; empty: none
  bool control_given = false;                         // the file says so: that it cannot be made is an error
  std::string control_group;  // whose members may ask there how the sensor is; empty: root and the sensor's user only
  bool has_feed = false;
  FeedConfig feed;
  std::vector<std::string> public_key_files;  // of partners; they are read again at a reload
  AlarmsConfig alarms;
  CanaryConfig canary;
  std::vector<Mute> mutes;  // those of the file; expired ones as well
};

// False with `error` naming file, line and what to do, for everything that is wrong, one a line. What is right is in
// `config` all the same, unless its `path` is empty.
bool LoadConfig(const std::string& path, Config& config, std::string& error);

}  // namespace vedette
