// What the feed counts.
#pragma once

#include <cstdint>

#include "exporter/metrics/families.h"
#include "parsers/base/counter.h"

namespace vedette {

namespace families {

inline constexpr FigureFamily kFeedUnheard = {"vedette_feed_alerts_unheard_total", FigureKind::kCounter,
                                              "alerts sent while their partner was not connected", ""};
inline constexpr FigureFamily kFeedBatches = {"vedette_feed_batches_total", FigureKind::kCounter, "batches sent", ""};
inline constexpr FigureFamily kFeedRefused = {"vedette_feed_refused_total", FigureKind::kCounter,
                                              "connections and requests refused, by reason", "reason"};

inline constexpr FigureFamily kFeedDropped = {"vedette_feed_alerts_dropped_total", FigureKind::kCounter,
                                              "alerts that a partner was too slow for", "partner"};
inline constexpr FigureFamily kFeedConnections = {"vedette_feed_connections", FigureKind::kGauge,
                                                  "connections that receive the feed now, by partner", "partner"};
inline constexpr FigureFamily kFeedSuspended = {
    "vedette_feed_partner_suspended", FigureKind::kGauge,
    "1 for a partner that sent messages into the feed and is let in no more until it is readmitted", "partner"};

}  // namespace families

// Of a partner with one connection: alerts = received + unheard + dropped + oversized + malformed.
struct FeedCounters {
  uint64_t alerts = 0;  // handed to Publish, all views added up, those of former partners too
  uint64_t batches = 0;
  uint64_t heartbeats = 0;
  uint64_t connections = 0;  // authenticated handshakes

  uint64_t unheard_alerts = 0;    // sent while their partner was not connected
  uint64_t dropped_alerts = 0;    // because the partner's queue was full; by partner: PartnerFeedCounters
  uint64_t dropped_batches = 0;   // the same, in batches
  uint64_t oversized_alerts = 0;  // a line over kMaxLineBytes
  uint64_t malformed_alerts = 0;  // not one line

  uint64_t refused_unknown_key = 0;
  uint64_t refused_not_curve = 0;
  uint64_t refused_wrong_server_key = 0;
  uint64_t refused_handshakes = 0;     // broken or given up otherwise
  uint64_t refused_subscriptions = 0;  // for a view not its own
  uint64_t refused_suspended = 0;      // handshakes of a partner that broke the protocol before
  uint64_t refused_too_many = 0;       // handshakes beyond the connections that a partner may have
  uint64_t protocol_breaches = 0;      // messages or too many subscriptions from a partner
  uint64_t closed_connections = 0;     // that we ended: standing still, one too many, or in doubt
  uint64_t ended_subscriptions = 0;    // of connections that had ended before they were granted
  uint64_t accept_failures = 0;        // no descriptor left for a new connection

  static constexpr auto Counters() {
    using namespace families;
    using C = FeedCounters;
    return CounterTable(
        Count(&C::alerts, "handed to the feed"), Count(&C::heartbeats, "heartbeats sent"),
        Count(&C::connections, "authenticated handshakes"),
        Count(&C::unheard_alerts, kFeedUnheard).Told("sent while not connected"), Count(&C::batches, kFeedBatches),
        Count(&C::dropped_alerts, "alerts that a partner was too slow for").Told("dropped: partner too slow"),
        Count(&C::dropped_batches, "batches that a partner was too slow for"),
        Count(&C::oversized_alerts, kAlertsDropped, "line_too_long", "lines too long for a batch")
            .Told("dropped: line too long"),
        Count(&C::malformed_alerts, kAlertsDropped, "line_too_long", "alerts that are not one line")
            .Told("dropped: line too long"),
        Count(&C::refused_unknown_key, kFeedRefused, "unknown_key", "handshakes with a key that is no partner's")
            .Told("refused: unknown key"),
        Count(&C::refused_not_curve, kFeedRefused, "not_curve", "connections without encryption")
            .Told("refused: not encrypted"),
        Count(&C::refused_wrong_server_key, kFeedRefused, "wrong_server_key", "handshakes with another server's key")
            .Told("refused: wrong server key"),
        Count(&C::refused_handshakes, kFeedRefused, "handshake", "handshakes broken or given up otherwise")
            .Told("refused: broken handshake"),
        Count(&C::refused_subscriptions, kFeedRefused, "view_of_another", "requests for a view of another partner")
            .Told("refused: view of another"),
        Count(&C::refused_suspended, kFeedRefused, "suspended", "handshakes of a partner that is suspended")
            .Told("refused: broke the protocol"),
        Count(&C::refused_too_many, kFeedRefused, "too_many_connections", "connections beyond a partner's limit")
            .Told("refused: too many connections"),
        Count(&C::protocol_breaches, kFeedRefused, "protocol_breach", "messages or too many requests from a partner")
            .Told("refused: broke the protocol"),
        Count(&C::accept_failures, kFeedRefused, "no_descriptor", "connections for which there was no descriptor"),
        Count(&C::closed_connections, "connections that the feed ended"),
        Count(&C::ended_subscriptions, "requests of connections that had ended"));
  }
};

// Of one partner.
struct PartnerFeedCounters {
  uint64_t dropped_alerts = 0;  // because its queue was full
  uint64_t connections = 0;     // that receive the view now
  uint64_t suspended = 0;       // 1: let in no more until FeedPublisher::Readmit

  static constexpr auto Counters() {
    using namespace families;
    using C = PartnerFeedCounters;
    return CounterTable(Count(&C::dropped_alerts, kFeedDropped), Count(&C::connections, kFeedConnections),
                        Count(&C::suspended, kFeedSuspended));
  }
};

}  // namespace vedette
