// gzip (RFC 1952), through zlib.
#pragma once

#include <memory>
#include <string>

#include "sensor/capture/stream/decompressor.h"

struct z_stream_s;

namespace vedette {

class GzipDecompressor final : public Decompressor {
 public:
  static bool Recognises(Bytes head);
  static std::unique_ptr<Decompressor> Make(std::string& error);
  ~GzipDecompressor() override;

  Step Run(Bytes in, std::span<uint8_t> out) override;
  void Finish() override;

 private:
  enum class State : uint8_t { kInMember, kBetweenMembers, kPadding };

  GzipDecompressor();
  // A byte after a complete member. False: it belongs to the next one.
  bool Between(uint8_t byte);

  std::unique_ptr<z_stream_s> zlib_;
  State state_ = State::kInMember;
  uint64_t position_ = 0;  // in the compressed input
};

}  // namespace vedette
