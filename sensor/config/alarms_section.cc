#include "sensor/config/sections.h"

namespace vedette {
namespace {

void ReadCommand(const Section& section, AlarmsConfig& alarms) {
  const YAML::Node command = section.Find("command");
  if (!command || command.IsNull()) return;
  // A path alone is a command without arguments.
  alarms.command = command.IsScalar() ? std::vector{command.Scalar()} : section.ReadList("command");
  if (alarms.command.empty() || !alarms.command[0].starts_with('/'))
    section.Fail("command", "`command` has to be a program's absolute path, or a list of it and its arguments");
}

}  // namespace

Key<Config> AlarmsSection() {
  using std::chrono::hours, std::chrono::seconds;
  using A = AlarmsConfig;
  constexpr seconds kYear = hours(24 * 366);
  return SectionKey<Config, A>(
      "alarms", "by log, metric and command; a time, a share or a switch each, `off` for never (docs/operating.md)",
      {
          DurationKey("no_packets", &A::no_packets, seconds(1), hours(24), true, "since the last packet was received"),
          FlagKey("interface_down", &A::interface_down,
                  "an interface is down, has no carrier, is absent or renamed, or cannot be captured"),
          PercentKey("one_way_percent", &A::one_way_percent, "of the TCP flows with 16 packets and more"),
          PercentKey("drop_percent", &A::drop_percent, "of packets, and of alerts, within a minute"),
          PercentKey("loss_before_percent", &A::loss_before_percent,
                     "of the bytes that TCP receivers acknowledged, lost before the sensor within 5 minutes"),
          PercentKey("queue_imbalance_percent", &A::queue_imbalance_percent,
                     "0: the queues share the packets of a minute evenly; 100: a busy one has all of them"),
          FlagKey("reload_failed", &A::reload_failed, "the last reload of indicators or geolocation failed"),
          FlagKey("output_failed", &A::output_failed,
                  "the file of alerts, or a packet of `capture: keep`, cannot be written"),
          DurationKey("stale_indicators", &A::stale_indicators, hours(1), kYear, true,
                      "since the newest indicator file was changed"),
          DurationKey("partner_silent", &A::partner_silent, seconds(1), kYear, true,
                      "since a partner was connected last"),
          FlagKey("partner_suspended", &A::partner_suspended,
                  "a partner sent into its feed, and is refused until `vedette partner readmit`"),
          FlagKey("canary_missed", &A::canary_missed, "the last canary did not arrive"),
          FlagKey("helper_ended", &A::helper_ended, "a process beside the sensor has ended, and needs a restart of it"),
          DurationKey("clear_after", &A::clear_after, seconds(1), hours(24), false,
                      "how long it has to be well again, for no_packets and those with a percentage"),
          OwnKey<A>({"command", "a program's absolute path, or a list of it and its arguments", "",
                     "no default; it is given one alarm as JSON on standard input"},
                    &A::command, ReadCommand)
              .Example("[/usr/local/bin/notify, --to, soc]"),
      },
      &Config::alarms);
}

}  // namespace vedette
