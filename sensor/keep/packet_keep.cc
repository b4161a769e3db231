#include "sensor/keep/packet_keep.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "exporter/metrics/counter_figures.h"

namespace vedette {
namespace {

// The writer looks for packets that often: they are to be in the file within a second, and no lane has to wake it.
constexpr auto kPause = std::chrono::milliseconds(10);
constexpr int kPacketsBetweenTicks = 256;

}  // namespace

std::unique_ptr<PacketKeep> PacketKeep::Open(KeptFiles::Options files, const FlowKeeper::Options& flows,
                                             std::string& error) {
  std::unique_ptr<KeptFiles> opened = KeptFiles::Open(std::move(files), error);
  if (opened == nullptr) return nullptr;
  return std::unique_ptr<PacketKeep>(new PacketKeep(std::move(opened), flows));
}

PacketKeep::PacketKeep(std::unique_ptr<KeptFiles> files, const FlowKeeper::Options& flows)
    : flows_(flows), files_(std::move(files)), sink_(*files_, keepers_) {
  writer_ = std::thread([this] { Run(); });
}

PacketKeep::~PacketKeep() {
  if (!writer_.joinable()) return;
  complete_.store(true);
  writer_.join();
}

FlowKeeper* PacketKeep::AddLane(std::string& error) {
  std::unique_ptr<FlowKeeper> keeper = FlowKeeper::Make(static_cast<uint32_t>(keepers_.size()), flows_, error);
  if (keeper == nullptr) return nullptr;
  const std::lock_guard<std::mutex> lock(mutex_);
  keepers_.push_back(std::move(keeper));
  return keepers_.back().get();
}

// The packet that was captured first among those at hand, again and again.
bool PacketKeep::WriteSome(KeptFiles::Time now) {
  bool any = false;
  for (int i = 0; i < kPacketsBetweenTicks; ++i) {
    FlowKeeper* first = nullptr;
    KeptPacket packet, earliest;
    Bytes bytes, earliest_bytes;
    for (const std::unique_ptr<FlowKeeper>& keeper : keepers_) {
      if (!keeper->queue().Front(packet, bytes)) continue;
      if (packet.kind == KeptPacket::Kind::kBarrier) {
        barriers_[keeper->lane()] = packet.file;
        keeper->queue().Pop();
        any = true;
        continue;
      }
      if (first != nullptr && packet.time_ns >= earliest.time_ns) continue;
      first = keeper.get();
      earliest = packet;
      earliest_bytes = bytes;
    }
    if (first == nullptr) break;
    files_->Write(earliest, earliest_bytes, now);
    first->queue().Pop();
    any = true;
  }
  return any;
}

// A lane that has ended asks for nothing more but at the end of all.
void PacketKeep::TellBarrier() {
  uint64_t barrier = UINT64_MAX;
  for (const std::unique_ptr<FlowKeeper>& keeper : keepers_) {
    if (!keeper->ended()) barrier = std::min(barrier, barriers_[keeper->lane()]);
  }
  if (barrier != UINT64_MAX) files_->Barrier(barrier);
}

void PacketKeep::Run() {
  for (;;) {
    const bool complete = complete_.load(std::memory_order_acquire);  // before the last look into the queues
    const KeptFiles::Time now = std::chrono::steady_clock::now();
    bool any = false;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      barriers_.resize(keepers_.size(), 1);
      any = WriteSome(now);
      TellBarrier();
    }
    files_->Tick(now);
    if (any) continue;
    if (complete) break;
    std::this_thread::sleep_for(kPause);
  }
  files_->Close(std::chrono::steady_clock::now());
}

void PacketKeep::Finish() {
  for (const std::unique_ptr<FlowKeeper>& keeper : keepers_) {
    while (!keeper->Served()) {
      keeper->Serve();
      if (!keeper->Served()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    keeper->Serve();
  }
  complete_.store(true, std::memory_order_release);
  writer_.join();
}

void PacketKeep::AppendFigures(Figures& out) const {
  KeeperCounters sum;
  for (const std::unique_ptr<FlowKeeper>& keeper : keepers_) AddCounters(sum, keeper->counters(), false);
  AppendCounters(sum, out);
  AppendCounters(sink_.counters(), out);
  AppendCounters(files_->counters(), out);
}

std::string PacketKeep::Summary() const {
  Figures figures;
  AppendFigures(figures);
  return fmt::format("kept  {:.0f} packets of {:.0f} flows with alerts; {:.0f} packets lost\n",
                     figures.Value(families::kKeptPackets), figures.Value(families::kKeptFlows, "kept"),
                     figures.Sum(families::kKeptLost));
}

}  // namespace vedette
