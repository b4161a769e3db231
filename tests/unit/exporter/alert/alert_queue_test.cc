#include "exporter/alert/alert_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>
#include <vector>

namespace vedette {
namespace {

constexpr uint64_t kOne[] = {1};

std::unique_ptr<QueuedAlert> At(uint64_t packet, uint64_t rank = 0) {
  auto alert = std::make_unique<QueuedAlert>();
  alert->position = {packet, rank};
  return alert;
}

TEST(AlertQueue, RefusesWhenFullAndKeepsTheAlertWithTheCaller) {
  Doorbell doorbell;
  AlertQueue queue(doorbell, 2);
  auto a = At(1), b = At(2), c = At(3);
  EXPECT_TRUE(queue.TryPush(a, kOne));
  EXPECT_TRUE(queue.TryPush(b, kOne));
  EXPECT_FALSE(queue.TryPush(c, kOne));
  EXPECT_NE(c, nullptr);
  EXPECT_EQ(queue.Pop()->position.packet, 1u);
  EXPECT_TRUE(queue.TryPush(c, kOne));
}

TEST(AlertQueue, AFullAudienceTakesNoOthersRoom) {
  Doorbell doorbell;
  AlertQueue queue(doorbell, 2);
  const uint64_t kTwo[] = {2}, kBoth[] = {1, 2};
  for (uint64_t packet = 1; packet <= 2; ++packet) {
    auto alert = At(packet);
    EXPECT_TRUE(queue.TryPush(alert, kOne));
  }
  auto both = At(3), other = At(4);
  EXPECT_FALSE(queue.HasRoom(1));
  EXPECT_TRUE(queue.HasRoom(2));
  EXPECT_FALSE(queue.TryPush(both, kBoth));
  EXPECT_TRUE(queue.TryPush(other, kTwo));
  EXPECT_EQ(queue.Pop()->position.packet, 1u);
  EXPECT_TRUE(queue.TryPush(both, kBoth));
  EXPECT_FALSE(queue.HasRoom(1));
  EXPECT_FALSE(queue.HasRoom(2));
  EXPECT_EQ(queue.Pop()->position.packet, 2u);
  EXPECT_EQ(queue.Pop()->position.packet, 4u);
  EXPECT_TRUE(queue.HasRoom(1));
  EXPECT_TRUE(queue.HasRoom(2));
  queue.ForgetIdle();
  EXPECT_EQ(queue.Pop()->position.packet, 3u) << "what is in flight is not forgotten";
  EXPECT_EQ(queue.Front(), nullptr);
  EXPECT_EQ(queue.depth(), 0u);
}

// Long past the first of the pieces that the queue is made of, with some always in it.
TEST(AlertQueue, GoesOnForLong) {
  Doorbell doorbell;
  AlertQueue queue(doorbell);
  uint64_t taken = 0;
  for (uint64_t packet = 1; packet <= 5000; ++packet) {
    auto alert = At(packet);
    ASSERT_TRUE(queue.TryPush(alert, kOne));
    if (packet % 7 == 0) continue;
    ASSERT_EQ(queue.Front()->position.packet, taken + 1);
    ASSERT_EQ(queue.Pop()->position.packet, ++taken);
  }
  EXPECT_EQ(queue.depth(), 5000 - taken);
}

// What was in the alert before is not in the one that is filled again.
TEST(AlertQueue, GivenBackAlertsAreEmpty) {
  Doorbell doorbell;
  AlertQueue queue(doorbell);
  std::unique_ptr<QueuedAlert> alert = queue.MakeAlert();
  const QueuedAlert* const same = alert.get();
  Alert& filled = alert->alert;
  filled.event = EventKind::kClosed;
  filled.ordinal = 3;
  filled.generation = 4;
  filled.kind = ObservableKind::kDnsQuery;
  filled.direction = Direction::kToClient;
  filled.value = "secret.example";
  filled.address = *IpAddress::Parse("192.0.2.1");
  filled.message = {{ObservableKind::kDnsQuery, "secret.example"}};
  filled.flow.outer.resize(2);
  filled.flow.num_vlans = 2;
  filled.indicators = {1, 2};
  filled.told = {3};
  filled.audiences = {4};
  ASSERT_TRUE(queue.TryPush(alert, kOne));
  AlertQueue::GiveBack(queue.Pop());
  alert = queue.MakeAlert();
  ASSERT_EQ(alert.get(), same);
  const Alert& empty = alert->alert;
  EXPECT_EQ(empty.event, EventKind::kAlert);
  EXPECT_EQ(empty.ordinal, 0u);
  EXPECT_EQ(empty.generation, 0u);
  EXPECT_EQ(empty.kind, ObservableKind::kIp);
  EXPECT_EQ(empty.direction, Direction::kToServer);
  EXPECT_EQ(empty.value, "");
  EXPECT_EQ(empty.address, IpAddress());
  EXPECT_TRUE(empty.message.empty() && empty.flow.outer.empty() && empty.indicators.empty() && empty.told.empty() &&
              empty.audiences.empty());
  EXPECT_EQ(empty.flow.num_vlans, 0);
  // Of one with large buffers nothing is kept.
  alert->alert.value.assign(100'000, 'x');
  ASSERT_TRUE(queue.TryPush(alert, kOne));
  AlertQueue::GiveBack(queue.Pop());
  EXPECT_LT(queue.MakeAlert()->alert.value.capacity(), 1000u);
}

TEST(AlertQueue, AlertsGoRoundBetweenTwoThreads) {
  constexpr uint64_t kAlerts = 20'000;
  Doorbell doorbell;
  AlertQueue queue(doorbell, 2000);
  std::thread consumer([&] {
    for (uint64_t packet = 1; packet <= kAlerts;) {
      if (queue.Front() == nullptr) {
        std::this_thread::yield();
        continue;
      }
      std::unique_ptr<QueuedAlert> alert = queue.Pop();
      ASSERT_EQ(alert->position.packet, packet);
      ASSERT_EQ(alert->alert.indicators, std::vector<uint32_t>{static_cast<uint32_t>(packet)});
      ++packet;
      AlertQueue::GiveBack(std::move(alert));
    }
  });
  for (uint64_t packet = 1; packet <= kAlerts; ++packet) {
    std::unique_ptr<QueuedAlert> alert = queue.MakeAlert();
    ASSERT_TRUE(alert->alert.indicators.empty());
    alert->position.packet = packet;
    alert->alert.indicators = {static_cast<uint32_t>(packet)};
    while (!queue.TryPush(alert, kOne)) std::this_thread::yield();
  }
  consumer.join();
  EXPECT_EQ(queue.depth(), 0u);
}

TEST(AlertTurns, TakesOneOfEachQueueInTurn) {
  Doorbell doorbell;
  AlertQueue busy(doorbell), quiet(doorbell), other(doorbell);
  for (uint64_t packet = 1; packet <= 4; ++packet) {
    auto alert = At(packet);
    busy.TryPush(alert, kOne);
  }
  for (const uint64_t packet : {11, 12}) {
    auto alert = At(packet);
    other.TryPush(alert, kOne);
  }
  AlertTurns turns({&busy, &quiet, &other});
  std::vector<uint64_t> order;
  for (int i = 0; i < 3; ++i) order.push_back(turns.Next()->position.packet);
  auto late = At(21);
  quiet.TryPush(late, kOne);
  while (const auto alert = turns.Next()) order.push_back(alert->position.packet);
  EXPECT_EQ(order, (std::vector<uint64_t>{1, 11, 2, 21, 12, 3, 4}));
}

// The first queue is never empty: what comes to the last one waits for one alert of each of the others all the same.
TEST(AlertTurns, AQueueThatIsNeverEmptyHoldsUpNoOther) {
  Doorbell doorbell;
  AlertQueue storm(doorbell), other(doorbell);
  AlertTurns turns({&storm, &other});
  for (uint64_t packet = 1; packet <= 1000; ++packet) {
    for (int i = 0; i < 2; ++i) {
      auto alert = At(packet);
      storm.TryPush(alert, kOne);
    }
    auto alert = At(1'000'000 + packet);
    other.TryPush(alert, kOne);
    turns.Next();
    turns.Next();
    ASSERT_EQ(other.depth(), 0u) << packet;
  }
}

TEST(AlertMerger, WaitsForAWorkerThatMayStillFindAnEarlierAlert) {
  Doorbell doorbell;
  AlertQueue fast(doorbell), slow(doorbell);
  AlertMerger merger({&fast, &slow});
  auto later = At(10);
  fast.TryPush(later, kOne);
  fast.SetWatermark(20);
  slow.SetWatermark(5);
  EXPECT_EQ(merger.Next(), nullptr);
  auto earlier = At(7);
  slow.TryPush(earlier, kOne);
  EXPECT_EQ(merger.Next()->position.packet, 7u);
  slow.SetWatermark(9);
  EXPECT_EQ(merger.Next(), nullptr);
  slow.SetWatermark(10);
  EXPECT_EQ(merger.Next()->position.packet, 10u) << "need not wait for the next packet, which may take long";
  fast.Close();
  EXPECT_FALSE(merger.Finished());
  slow.Close();
  EXPECT_TRUE(merger.Finished());
}

TEST(AlertMerger, TheEndOfTheCaptureWaitsForEveryWorkersEnd) {
  Doorbell doorbell;
  AlertQueue first(doorbell), second(doorbell);
  AlertMerger merger({&first, &second});
  auto swept = At(10, 30), end = At(10, AlertPosition::kEndOfCapture | 20);
  first.TryPush(swept, kOne);
  first.TryPush(end, kOne);
  first.Close();
  second.SetWatermark(10);
  EXPECT_EQ(merger.Next()->position.rank, 30u);
  EXPECT_EQ(merger.Next(), nullptr) << "its end may still find something of an older flow";
  auto older = At(10, AlertPosition::kEndOfCapture | 10);
  second.TryPush(older, kOne);
  second.Close();
  EXPECT_EQ(merger.Next()->position.rank, AlertPosition::kEndOfCapture | 10);
  EXPECT_EQ(merger.Next()->position.rank, AlertPosition::kEndOfCapture | 20);
}

TEST(AlertMerger, OrdersByRankWithinAPacket) {
  Doorbell doorbell;
  AlertQueue a(doorbell), b(doorbell);
  AlertMerger merger({&a, &b});
  auto one = At(5, 30), two = At(5, 20), three = At(5, 0);
  a.TryPush(one, kOne);
  b.TryPush(three, kOne);
  b.TryPush(two, kOne);
  a.Close();
  b.Close();
  EXPECT_EQ(merger.Next()->position.rank, 0u);
  EXPECT_EQ(merger.Next()->position.rank, 20u);
  EXPECT_EQ(merger.Next()->position.rank, 30u);
}

// Three threads at their own pace: all alerts arrive, in order.
TEST(AlertMerger, MergesRunningWorkersInOrder) {
  constexpr uint64_t kPackets = 30'000;
  Doorbell doorbell;
  AlertQueue queues[3] = {AlertQueue(doorbell, 64), AlertQueue(doorbell, 64), AlertQueue(doorbell, 64)};
  std::vector<std::thread> workers;
  for (uint64_t w = 0; w < 3; ++w) {
    workers.emplace_back([&, w] {
      for (uint64_t packet = 1; packet <= kPackets; ++packet) {
        if (packet % 3 == w) {
          auto alert = At(packet);
          while (!queues[w].TryPush(alert, kOne)) std::this_thread::yield();
        }
        queues[w].SetWatermark(packet);
      }
      queues[w].Close();
    });
  }
  AlertMerger merger({&queues[0], &queues[1], &queues[2]});
  uint64_t last = 0, count = 0;
  while (!merger.Finished()) {
    const auto alert = merger.Next();
    if (alert == nullptr) continue;
    ASSERT_GT(alert->position.packet, last);
    last = alert->position.packet;
    ++count;
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(count, kPackets);
}

}  // namespace
}  // namespace vedette
