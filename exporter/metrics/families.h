// Figures that no struct of counters declares: what is measured, what is as it is now, and the families to which several
// parts add. All others are declared beside what is counted (parsers/base/counter.h); docs/metrics.md lists them all.
#pragma once

#include "exporter/metrics/figures.h"

namespace vedette::families {

// Matching.
inline constexpr FigureFamily kIndicators = {"vedette_indicators", FigureKind::kGauge, "indicators in use", ""};
inline constexpr FigureFamily kIndicatorsUnusable = {"vedette_indicators_unusable", FigureKind::kGauge,
                                                     "rows that could not be used at the last load", ""};
inline constexpr FigureFamily kIndicatorGeneration = {"vedette_indicator_generation", FigureKind::kGauge,
                                                      "number of the indicator set in use, from 1 on", ""};
inline constexpr FigureFamily kIndicatorLoaded = {"vedette_indicators_loaded_timestamp_seconds", FigureKind::kGauge,
                                                  "when the set in use was loaded, seconds since 1970", ""};
inline constexpr FigureFamily kIndicatorNewest = {
    "vedette_indicators_newest_file_timestamp_seconds", FigureKind::kGauge,
    "when the newest indicator file in use was last changed, seconds since 1970", ""};
inline constexpr FigureFamily kReloads = {"vedette_indicator_reloads_total", FigureKind::kCounter, "reloads by result",
                                          "result"};
inline constexpr FigureFamily kReloadWarnings = {
    "vedette_indicator_reload_warnings", FigureKind::kGauge,
    "what the last load of indicators warned of: files not used, files that shrank, settings that need a restart", ""};
inline constexpr FigureFamily kReloadFailing = {"vedette_indicator_reload_failing", FigureKind::kGauge,
                                                "1 where the last reload failed", ""};
inline constexpr FigureFamily kReloadSeconds = {"vedette_indicator_reload_seconds", FigureKind::kGauge,
                                                "how long the last reload took until every worker used it", ""};
inline constexpr FigureFamily kMatches = {"vedette_matches_total", FigureKind::kCounter,
                                          "indicators hit in alerts, by the feed that they came from", "source"};

// Alerts.
inline constexpr FigureFamily kAlertsDropped = {"vedette_alerts_dropped_total", FigureKind::kCounter,
                                                "alerts lost, wholly or to some audiences, by cause", "cause"};
inline constexpr FigureFamily kAlertsMuted = {"vedette_alerts_muted_total", FigureKind::kCounter,
                                              "alerts of which a mute hid every hit", "mute"};
inline constexpr FigureFamily kAlertQueueDepth = {"vedette_alert_queue_depth", FigureKind::kGauge,
                                                  "alerts that wait for the exporter", ""};
inline constexpr FigureFamily kAlertQueueCapacity = {"vedette_alert_queue_capacity", FigureKind::kGauge,
                                                     "alerts of each audience for which there is room, all workers",
                                                     ""};
inline constexpr FigureFamily kAlertLatency = {"vedette_alert_latency_seconds", FigureKind::kHistogram,
                                               "from a packet's capture to its alert's delivery", ""};

// The feed.
inline constexpr FigureFamily kFeedSilent = {"vedette_feed_partner_silent_seconds", FigureKind::kGauge,
                                             "since a partner was last connected; 0 while it is", "partner"};

// Memory and time.
inline constexpr FigureFamily kMemory = {"vedette_memory_bytes", FigureKind::kGauge,
                                         "memory held, by part; `process` is all that is resident", "part"};
inline constexpr FigureFamily kStarted = {"vedette_start_timestamp_seconds", FigureKind::kGauge,
                                          "when the process began, seconds since 1970", ""};

// Interfaces, by the name in the configuration.
inline constexpr FigureFamily kInterfaceUp = {"vedette_interface_up", FigureKind::kGauge,
                                              "1 while an interface's packets can be captured", "interface"};
inline constexpr FigureFamily kInterfaceState = {
    "vedette_interface_state", FigureKind::kGauge,
    "0 up, 1 down, 2 without carrier, 3 absent, 4 renamed and still captured, 5 cannot be captured", "interface"};
inline constexpr FigureFamily kInterfaceOutages = {"vedette_interface_outages_total", FigureKind::kCounter,
                                                   "times that an interface could not be captured", "interface"};
inline constexpr FigureFamily kInterfaceBlind = {"vedette_interface_blind_seconds_total", FigureKind::kCounter,
                                                 "for how long an interface could not be captured", "interface"};
// For partners, who are told no names of interfaces.
inline constexpr FigureFamily kBlind = {"vedette_blind_seconds_total", FigureKind::kCounter,
                                        "for how long interfaces could not be captured, all added up", "", true};

// Health.
inline constexpr FigureFamily kHelperUp = {"vedette_helper_up", FigureKind::kGauge,
                                           "1 while a process beside the sensor lives", "process"};
inline constexpr FigureFamily kAlarm = {"vedette_alarm_active", FigureKind::kGauge, "1 while an alarm is raised",
                                        "alarm"};
inline constexpr FigureFamily kAlarms = {"vedette_alarms_total", FigureKind::kCounter, "times that an alarm was raised",
                                         "alarm"};
inline constexpr FigureFamily kCanaries = {
    "vedette_canaries_total", FigureKind::kCounter,
    "canaries sent, and by result; `foreign`: names of canaries that others asked "
    "for",
    "result"};
inline constexpr FigureFamily kCanaryFailing = {"vedette_canary_failing", FigureKind::kGauge,
                                                "1 where the last canary was missed", ""};
inline constexpr FigureFamily kCanarySeconds = {"vedette_canary_seconds", FigureKind::kGauge,
                                                "how long the last canary took from packet to feed", ""};
inline constexpr FigureFamily kConfined = {"vedette_confinement_active", FigureKind::kGauge,
                                           "1 where a confinement of the process is in force", "kind"};

}  // namespace vedette::families
