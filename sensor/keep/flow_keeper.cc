#include "sensor/keep/flow_keeper.h"

#include <algorithm>
#include <utility>

namespace vedette {
namespace {

constexpr auto kPublishInterval = std::chrono::milliseconds(200);
// Of the ring: what the writer may be behind. Some times the largest packet at least.
constexpr size_t kQueueShare = 4;
constexpr size_t kLeastQueueBytes = size_t{1} << 20;
// Fragments of one datagram: IPv4 has no more.
constexpr size_t kMaxFragments = 8192;

// Of a datagram, whatever layer it lies in: all of its fragments have these addresses outermost.
uint64_t FragmentKeyOf(const Packet& packet) {
  const bool tunnel = !packet.outer.empty();
  const IpAddress& source = tunnel ? packet.outer.layers()[0].source : packet.source;
  const IpAddress& destination = tunnel ? packet.outer.layers()[0].destination : packet.destination;
  return Mix64(HashOf(source) ^ Mix64(HashOf(destination) + packet.identification + 1)) | uint64_t{1} << 63;
}

RecentPackets::Record RecordOf(const Frame& frame, uint32_t most_bytes, uint64_t ordinal) {
  return {.prev = 0,
          .fragments = 0,
          .ordinal = ordinal,
          .time_ns = frame.time_ns,
          .captured_bytes = std::min(frame.captured_bytes, most_bytes),
          .wire_bytes = frame.wire_bytes,
          .interface = frame.file,
          .link_type = frame.link_type,
          .reserved = 0};
}

}  // namespace

std::unique_ptr<FlowKeeper> FlowKeeper::Make(uint32_t lane, const Options& options, std::string& error) {
  std::unique_ptr<RecentPackets> ring = RecentPackets::Make(options.ring_bytes, error);
  if (ring == nullptr) return nullptr;
  Options bounded = options;
  bounded.packet_bytes = std::min(options.packet_bytes, kLargestPacket);
  return std::unique_ptr<FlowKeeper>(new FlowKeeper(lane, bounded, std::move(ring)));
}

FlowKeeper::FlowKeeper(uint32_t lane, const Options& options, std::unique_ptr<RecentPackets> ring)
    : lane_(lane),
      options_(options),
      ring_(std::move(ring)),
      queue_(std::max(options.ring_bytes / kQueueShare, kLeastQueueBytes)),
      requests_(kMaxRequests) {
  counters_.memory_bytes = ring_->memory_bytes() + queue_.capacity();
}

void FlowKeeper::Add(const Flow& flow, const Packet& packet) {
  const uint64_t key = KeepKeyOf(flow.first_packet, flow.client_port, flow.server_port);
  RecentPackets::Entry* const entry = ring_->Take(key);
  if (entry == nullptr) return;  // its next packet that is kept says that this one is missing
  if (entry->marked != 0) [[unlikely]] {
    const auto at = watched_.find(key);
    if (at != watched_.end() && at->second.state >= State::kFollowed) return Follow(at->second, flow, packet);
  } else if (flow.bypass) {
    if (entry->count == kHeldOfBypassed) return;
    ++entry->count;
  }
  const uint64_t ordinal = flow.packets(0) + flow.packets(1);
  if (packet.is_fragment) [[unlikely]] {
    ring_->AddLink(*entry, FragmentKeyOf(packet), ordinal);
  } else {
    ring_->Add(*entry, *packet.frame, options_.packet_bytes, ordinal);
  }
}

void FlowKeeper::AddFragment(const Frame& frame, const Packet& packet) {
  RecentPackets::Entry* const entry = ring_->Take(FragmentKeyOf(packet));
  if (entry != nullptr) ring_->Add(*entry, frame, options_.packet_bytes, 0);
}

bool FlowKeeper::Expect(uint64_t key) {
  if (watched_.contains(key)) return false;
  RecentPackets::Entry* const entry = watched_.size() < kMaxWatched ? ring_->Take(key) : nullptr;
  if (entry == nullptr) {
    ++counters_.not_followed;
    dirty_ = true;
    return false;
  }
  entry->marked = 1;
  watched_.try_emplace(key);
  return true;
}

void FlowKeeper::End(uint64_t key) {
  if (watched_.erase(key) == 0) return;
  if (RecentPackets::Entry* const entry = ring_->Find(key)) entry->marked = 0;
}

bool FlowKeeper::Push(const Asked& asked) {
  const size_t tail = requests_tail_.load(std::memory_order_relaxed);
  if (tail - requests_head_.load(std::memory_order_acquire) == kMaxRequests) return false;
  requests_[tail % kMaxRequests] = asked;
  requests_tail_.store(tail + 1, std::memory_order_release);
  return true;
}

bool FlowKeeper::TakeRequest(Asked& asked) {
  const size_t head = requests_head_.load(std::memory_order_relaxed);
  if (head == requests_tail_.load(std::memory_order_acquire)) return false;
  asked = requests_[head % kMaxRequests];
  requests_head_.store(head + 1, std::memory_order_release);
  return true;
}

void FlowKeeper::ServeSome() {
  uint64_t budget = kServeBytes;
  while (budget != 0) {
    Asked asked;
    if (!job_ && !TakeRequest(asked)) break;
    if (!job_) Begin(asked);
    if (job_ && !Run(budget)) break;
  }
  Publish();
}

void FlowKeeper::Begin(const Asked& asked) {
  const auto at = watched_.find(asked.key);
  if (at != watched_.end()) {
    if (at->second.state != State::kExpected) return;  // it is kept already: the exporter had forgotten it
    at->second.state = State::kAsked;
  }
  job_.emplace();
  job_->asked = asked;
  job_->course = {.flow_id = asked.flow_id,
                  .file = asked.file,
                  .bytes_left = options_.flow_bytes,
                  .packets_left = options_.flow_packets};
}

// The records of the flow behind those that were listed before, with the fragments of its datagrams. Of those before
// the request the newest, and half of the bounds at most.
void FlowKeeper::List() {
  Job& job = *job_;
  job.list.clear();
  job.next = 0;
  const bool first = job.listed_to == 0;
  uint64_t bytes = first ? options_.flow_bytes / 2 : UINT64_MAX;
  uint64_t packets = first ? std::max<uint64_t>(options_.flow_packets / 2, 1) : UINT64_MAX;
  const RecentPackets::Entry* const entry = ring_->Find(job.asked.key);
  if (entry == nullptr) return;
  const RecentPackets::Position newest = entry->newest;
  const auto list = [&](RecentPackets::Position from, RecentPackets::Position to, size_t most, auto&& each) {
    for (RecentPackets::Position at = from; at > to && most != 0; --most) {
      const RecentPackets::Record* const record = ring_->At(at);
      if (record == nullptr || packets == 0 || record->captured_bytes > bytes) return;
      job.list.push_back(at);
      --packets;
      bytes -= record->captured_bytes;
      each(*record);
      at = record->prev;
    }
  };
  list(newest, job.listed_to, SIZE_MAX, [&](const RecentPackets::Record& record) {
    const RecentPackets::Entry* const parts = record.fragments == 0 ? nullptr : ring_->Find(record.fragments);
    if (parts != nullptr) list(parts->newest, 0, kMaxFragments, [](const RecentPackets::Record&) {});
  });
  std::sort(job.list.begin(), job.list.end());
  job.list.erase(std::unique(job.list.begin(), job.list.end()), job.list.end());
  job.listed_to = newest;
}

bool FlowKeeper::Run(uint64_t& budget) {
  Job& job = *job_;
  if (job.asked.key == 0) {
    if (!queue_.TryPush({.file = job.asked.file, .kind = KeptPacket::Kind::kBarrier}, {})) return false;
    job_.reset();
    return true;
  }
  for (;;) {
    if (job.next == job.list.size()) {
      List();
      if (job.list.empty()) break;
    }
    for (; job.next < job.list.size(); ++job.next) {
      const RecentPackets::Record* const record = ring_->At(job.list[job.next]);
      if (record == nullptr) continue;  // overrun meanwhile: the next one says so
      if (budget == 0) return false;
      if (record->fragments != 0) {
        CountOrdinal(job.course, record->ordinal);
        continue;
      }
      if (job.full) {
        ++counters_.lost_bound;
        continue;
      }
      const Handed handed = Hand(job.course, *record, record->bytes(), true);
      if (handed == Handed::kNoRoom) return false;
      if (handed == Handed::kFull) job.full = true;
      budget -= std::min<uint64_t>(budget, record->captured_bytes + sizeof(RecentPackets::Record));
    }
  }
  Finish();
  return true;
}

void FlowKeeper::Finish() {
  const Job& job = *job_;
  const auto at = watched_.find(job.asked.key);
  if (at != watched_.end()) {
    at->second.state = job.full ? State::kFull : State::kFollowed;
    at->second.course = job.course;
  }
  job_.reset();
}

void FlowKeeper::CountOrdinal(Course& course, uint64_t ordinal) {
  if (ordinal == 0) return;
  if (ordinal > course.next_ordinal) {
    const uint64_t missing = ordinal - course.next_ordinal;
    course.missing += missing;
    (course.begun ? counters_.lost_between : counters_.lost_before) += missing;
  }
  course.next_ordinal = std::max(course.next_ordinal, ordinal + 1);
}

// kFull: with this packet its bounds are reached.
FlowKeeper::Handed FlowKeeper::Hand(Course& course, const RecentPackets::Record& record, Bytes bytes, bool from_ring) {
  CountOrdinal(course, record.ordinal);  // again where there was no room before: that changes nothing
  if (!queue_.HasRoom(bytes.size())) return Handed::kNoRoom;
  KeptPacket packet;
  packet.flow_id = course.flow_id;
  packet.time_ns = record.time_ns;
  packet.missing = std::exchange(course.missing, 0);
  packet.file = course.file;
  packet.captured_bytes = static_cast<uint32_t>(bytes.size());
  packet.wire_bytes = record.wire_bytes;
  packet.interface = record.interface;
  packet.link_type = record.link_type;
  packet.from_ring = from_ring;
  packet.begins = !course.begun;
  course.bytes_left -= std::min<uint64_t>(course.bytes_left, bytes.size());
  --course.packets_left;
  packet.ends = course.packets_left == 0 || course.bytes_left < kLeastLeft;
  if (!queue_.TryPush(packet, bytes)) return Handed::kNoRoom;  // cannot be
  counters_.flows += course.begun ? 0 : 1;
  course.begun = true;
  dirty_ = true;
  return packet.ends ? Handed::kFull : Handed::kYes;
}

void FlowKeeper::HandLive(Watched& watched, const RecentPackets::Record& record, Bytes bytes) {
  if (watched.state == State::kFull) {
    ++counters_.lost_bound;
    return;
  }
  const Handed handed = Hand(watched.course, record, bytes, false);
  if (handed == Handed::kFull) watched.state = State::kFull;
  if (handed != Handed::kNoRoom) return;
  // What follows says that it is missing.
  ++counters_.lost_queue;
  ++watched.course.missing;
}

void FlowKeeper::Follow(Watched& watched, const Flow& flow, const Packet& packet) {
  dirty_ = true;
  const uint64_t ordinal = flow.packets(0) + flow.packets(1);
  if (!packet.is_fragment) {
    const RecentPackets::Record record = RecordOf(*packet.frame, options_.packet_bytes, ordinal);
    return HandLive(watched, record, {packet.frame->data, record.captured_bytes});
  }
  CountOrdinal(watched.course, ordinal);
  std::vector<RecentPackets::Position> parts;
  const RecentPackets::Entry* const entry = ring_->Find(FragmentKeyOf(packet));
  for (RecentPackets::Position at = entry == nullptr ? 0 : entry->newest; parts.size() < kMaxFragments;) {
    const RecentPackets::Record* const record = ring_->At(at);
    if (record == nullptr) break;
    parts.push_back(at);
    at = record->prev;
  }
  for (auto at = parts.rbegin(); at != parts.rend(); ++at) {
    const RecentPackets::Record* const record = ring_->At(*at);
    HandLive(watched, *record, record->bytes());
  }
}

void FlowKeeper::Publish() {
  const auto now = std::chrono::steady_clock::now();
  if (!dirty_ || (now - published_at_ < kPublishInterval && !ended())) return;
  published_at_ = now;
  dirty_ = !published_.TryPublish(counters_);
}

}  // namespace vedette
