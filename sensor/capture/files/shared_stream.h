// The files of a list that cannot be mapped, each read and decompressed once for all workers.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "sensor/capture/files/byte_source.h"
#include "sensor/capture/files/capture_list.h"
#include "sensor/capture/stream/decompressor.h"
#include "sensor/capture/stream/stream_ring.h"

namespace vedette {

// A thread that takes the streams of the list in its order: reads, decompresses, and puts the bytes into the ring that
// the workers read. Bounded in memory by the ring and the decompressor, and nothing is kept on disk.
class SharedStream {
 public:
  // For files [first, end) of the list and this many readers. nullptr with `error` for the user.
  static std::shared_ptr<SharedStream> Start(std::shared_ptr<const CaptureList> list, uint32_t first, uint32_t end,
                                             size_t num_readers, std::string& error);
  ~SharedStream();
  SharedStream(const SharedStream&) = delete;
  SharedStream& operator=(const SharedStream&) = delete;

  StreamRing& ring() { return *ring_; }
  // How much of this file has been read, in bytes on disk or through the pipe; any thread.
  uint64_t InputBytes(uint32_t file) const;

 private:
  SharedStream(std::shared_ptr<const CaptureList> list, uint32_t first, uint32_t end, std::unique_ptr<StreamRing> ring);
  void Run();
  StreamEnd Pump(const CaptureList::File& file);
  // Waits until input_ has more bytes, or no more will come. False: failed or stopped, see `end`.
  bool Fill(ByteSource& source, StreamEnd& end);
  bool Put(Bytes bytes);
  StreamEnd Copy(ByteSource& source);
  StreamEnd Decompress(ByteSource& source, Compression compression);

  const std::shared_ptr<const CaptureList> list_;
  const uint32_t first_file_, end_file_;
  const std::unique_ptr<StreamRing> ring_;
  std::vector<uint8_t> input_;
  size_t input_size_ = 0;
  bool source_ended_ = false;
  std::atomic<uint32_t> file_;
  std::atomic<uint64_t> input_bytes_{0};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace vedette
