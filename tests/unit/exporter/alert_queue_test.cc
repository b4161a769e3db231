#include "exporter/alert_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

namespace vedette {
namespace {

std::unique_ptr<QueuedAlert> At(uint64_t packet, uint64_t rank = 0) {
  auto alert = std::make_unique<QueuedAlert>();
  alert->position = {packet, rank};
  return alert;
}

TEST(AlertQueue, RefusesWhenFullAndKeepsTheAlertWithTheCaller) {
  Doorbell doorbell;
  AlertQueue queue(doorbell, 2);
  auto a = At(1), b = At(2), c = At(3);
  EXPECT_TRUE(queue.TryPush(a));
  EXPECT_TRUE(queue.TryPush(b));
  EXPECT_FALSE(queue.TryPush(c));
  EXPECT_NE(c, nullptr);
  EXPECT_EQ(queue.Pop()->position.packet, 1u);
  EXPECT_TRUE(queue.TryPush(c));
}

TEST(AlertMerger, WaitsForAWorkerThatMayStillFindAnEarlierAlert) {
  Doorbell doorbell;
  AlertQueue fast(doorbell), slow(doorbell);
  AlertMerger merger({&fast, &slow});
  auto later = At(10);
  fast.TryPush(later);
  fast.SetWatermark(20);
  slow.SetWatermark(5);
  EXPECT_EQ(merger.Next(), nullptr);
  auto earlier = At(7);
  slow.TryPush(earlier);
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
  first.TryPush(swept);
  first.TryPush(end);
  first.Close();
  second.SetWatermark(10);
  EXPECT_EQ(merger.Next()->position.rank, 30u);
  EXPECT_EQ(merger.Next(), nullptr) << "its end may still find something of an older flow";
  auto older = At(10, AlertPosition::kEndOfCapture | 10);
  second.TryPush(older);
  second.Close();
  EXPECT_EQ(merger.Next()->position.rank, AlertPosition::kEndOfCapture | 10);
  EXPECT_EQ(merger.Next()->position.rank, AlertPosition::kEndOfCapture | 20);
}

TEST(AlertMerger, OrdersByRankWithinAPacket) {
  Doorbell doorbell;
  AlertQueue a(doorbell), b(doorbell);
  AlertMerger merger({&a, &b});
  auto one = At(5, 30), two = At(5, 20), three = At(5, 0);
  a.TryPush(one);
  b.TryPush(three);
  b.TryPush(two);
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
          while (!queues[w].TryPush(alert)) std::this_thread::yield();
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
