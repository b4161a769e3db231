#include "sensor/capture/stream/decompressor.h"

#include "sensor/capture/stream/gzip_decompressor.h"
#include "sensor/capture/stream/zstd_decompressor.h"

namespace vedette {

Compression IdentifyCompression(Bytes head) {
  if (GzipDecompressor::Recognises(head)) return Compression::kGzip;
  if (ZstdDecompressor::Recognises(head)) return Compression::kZstd;
  return Compression::kNone;
}

const char* NameOf(Compression compression) {
  switch (compression) {
    case Compression::kGzip:
      return "gzip";
    case Compression::kZstd:
      return "zstd";
    case Compression::kNone:
      break;
  }
  return "not compressed";
}

std::unique_ptr<Decompressor> Decompressor::Make(Compression compression, std::string& error) {
  switch (compression) {
    case Compression::kGzip:
      return GzipDecompressor::Make(error);
    case Compression::kZstd:
      return ZstdDecompressor::Make(error);
    case Compression::kNone:
      break;
  }
  return nullptr;
}

}  // namespace vedette
