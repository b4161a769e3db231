// A message of the feed, as a subscriber reads it. The first two bytes of each frame are its length.
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "exporter/feed/connections.h"
#include "exporter/feed/sequence.h"
#include "exporter/feed/wire_format.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vedette;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  ReadToken(input);
  const std::string topic = TopicOf("cert-a");
  SequenceTracker sequence;
  FeedHeader header;
  std::vector<std::string_view> frames;
  std::vector<std::string_view> lines;
  // Messages of three frames, one after the other.
  while (input.size() >= 2) {
    const size_t length = static_cast<uint8_t>(input[0]) << 8 | static_cast<uint8_t>(input[1]);
    input.remove_prefix(2);
    frames.push_back(input.substr(0, length));
    input.remove_prefix(frames.back().size());
    if (frames.size() < 3 && input.size() >= 2) continue;
    if (ReadMessage(frames, topic, header, lines) == WireError::kNone && header.event != FeedEvent::kOther) {
      const bool alerts = header.event == FeedEvent::kAlerts;
      if (alerts && lines.size() != header.count) std::abort();
      const uint64_t expected = sequence.epoch() == header.epoch ? sequence.next() : 1;
      const SequenceTracker::Arrival arrival = alerts ? sequence.OnAlerts(header.epoch, header.first, header.count)
                                                      : sequence.OnLast(header.epoch, header.last);
      if (arrival.skip > header.count || sequence.next() > kMaxNumber) std::abort();
      if (sequence.next() < expected) std::abort();  // never counts anything twice
      // What was read can be written, and reads the same.
      FeedHeader again;
      std::vector<std::string_view> same;
      header.schema.assign(1, 's');
      header.time.clear();
      if (header.event != FeedEvent::kAlerts && header.loss.empty()) header.loss.append("{}");
      const std::string text = WriteHeader(header);
      if (text.size() <= kMaxHeaderBytes &&
          (ReadMessage({topic, text, frames[2]}, topic, again, same) != WireError::kNone ||
           again.first != header.first || again.last != header.last || again.loss != header.loss)) {
        std::abort();
      }
    }
    frames.clear();
  }
  return 0;
}
