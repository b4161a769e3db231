#include "exporter/feed/sequence.h"

#include <gtest/gtest.h>

namespace vedette {
namespace {

TEST(Sequence, InOrderNothingIsMissing) {
  SequenceTracker tracker;
  SequenceTracker::Arrival arrival = tracker.OnAlerts(5, 1, 3);
  EXPECT_TRUE(arrival.new_epoch);
  EXPECT_EQ(arrival.before + arrival.missing + arrival.skip, 0u);
  arrival = tracker.OnAlerts(5, 4, 1);
  EXPECT_FALSE(arrival.new_epoch);
  EXPECT_EQ(arrival.missing + arrival.skip, 0u);
  arrival = tracker.OnLast(5, 4);
  EXPECT_EQ(arrival.missing, 0u);
  EXPECT_EQ(tracker.next(), 5u);
}

TEST(Sequence, JoiningLateIsNoLoss) {
  SequenceTracker by_alerts;
  EXPECT_EQ(by_alerts.OnAlerts(5, 101, 2).before, 100u);
  EXPECT_EQ(by_alerts.OnAlerts(5, 103, 2).missing, 0u);
  SequenceTracker by_heartbeat;
  EXPECT_EQ(by_heartbeat.OnLast(5, 100).before, 100u);
  EXPECT_EQ(by_heartbeat.OnAlerts(5, 101, 1).missing, 0u);
  EXPECT_EQ(by_heartbeat.OnAlerts(5, 103, 1).missing, 1u);
}

TEST(Sequence, GoesOnWhereAnEarlierRunEnded) {
  SequenceTracker tracker;
  tracker.GoOnAfter(5, 10);
  const SequenceTracker::Arrival arrival = tracker.OnAlerts(5, 14, 2);
  EXPECT_FALSE(arrival.new_epoch);
  EXPECT_EQ(arrival.before, 0u);
  EXPECT_EQ(arrival.missing, 3u);
  SequenceTracker in_order;
  in_order.GoOnAfter(5, 10);
  EXPECT_EQ(in_order.OnLast(5, 10).missing, 0u);
  EXPECT_EQ(in_order.OnAlerts(5, 9, 4).skip, 2u) << "these are here";
  SequenceTracker anew;
  anew.GoOnAfter(5, 10);
  const SequenceTracker::Arrival next = anew.OnLast(7, 4);
  EXPECT_TRUE(next.new_epoch);
  EXPECT_EQ(next.before, 0u);
  EXPECT_EQ(next.missing, 4u);
}

TEST(Sequence, AGapShowsAtTheNextMessage) {
  SequenceTracker tracker;
  tracker.OnAlerts(5, 1, 10);
  EXPECT_EQ(tracker.OnAlerts(5, 21, 10).missing, 10u);
  EXPECT_EQ(tracker.OnAlerts(5, 31, 10).missing, 0u);
  EXPECT_EQ(tracker.OnLast(5, 45).missing, 5u) << "the end was lost";
  EXPECT_EQ(tracker.OnLast(5, 45).missing, 0u) << "and is told once";
}

TEST(Sequence, DuplicatesAreSkipped) {
  SequenceTracker tracker;
  tracker.OnAlerts(5, 1, 10);
  EXPECT_EQ(tracker.OnAlerts(5, 1, 10).skip, 10u);
  const SequenceTracker::Arrival arrival = tracker.OnAlerts(5, 6, 10);
  EXPECT_EQ(arrival.skip, 5u);
  EXPECT_EQ(arrival.missing, 0u);
  EXPECT_EQ(tracker.next(), 16u);
  EXPECT_EQ(tracker.OnLast(5, 3).missing, 0u) << "an old heartbeat";
  EXPECT_EQ(tracker.next(), 16u);
}

TEST(Sequence, ANewEpochCountsFromOne) {
  SequenceTracker tracker;
  tracker.OnAlerts(5, 1, 10);
  SequenceTracker::Arrival arrival = tracker.OnAlerts(6, 1, 1);
  EXPECT_TRUE(arrival.new_epoch);
  EXPECT_FALSE(arrival.went_back);
  EXPECT_EQ(arrival.missing + arrival.before + arrival.skip, 0u);
  arrival = tracker.OnAlerts(7, 4, 1);
  EXPECT_EQ(arrival.missing, 3u) << "we were here when it began";
  arrival = tracker.OnLast(6, 0);
  EXPECT_TRUE(arrival.new_epoch && arrival.went_back);
  EXPECT_EQ(arrival.missing, 0u);
}

}  // namespace
}  // namespace vedette
