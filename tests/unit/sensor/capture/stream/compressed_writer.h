// Compresses in memory, as gzip and zstd do.
#pragma once

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace vedette::testing {

// One member, with a deflate block for every `block_bytes`.
inline std::vector<uint8_t> Gzip(std::span<const uint8_t> data, size_t block_bytes = SIZE_MAX) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::vector<uint8_t> out(deflateBound(&stream, data.size()) + 16 * (data.size() / std::max<size_t>(block_bytes, 1)) +
                           256);
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  for (size_t at = 0;;) {
    const size_t count = std::min(block_bytes, data.size() - at);
    stream.next_in = const_cast<uint8_t*>(data.data() + at);
    stream.avail_in = static_cast<uInt>(count);
    at += count;
    const bool last = at == data.size();
    EXPECT_EQ(deflate(&stream, last ? Z_FINISH : Z_FULL_FLUSH), last ? Z_STREAM_END : Z_OK);
    if (last) break;
  }
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

// One frame, with a block for every `block_bytes` and a checksum where asked for.
inline std::vector<uint8_t> Zstd(std::span<const uint8_t> data, size_t block_bytes = SIZE_MAX, bool checksum = true) {
  ZSTD_CCtx* const context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, checksum ? 1 : 0);
  std::vector<uint8_t> out(ZSTD_compressBound(data.size()) + 16 * (data.size() / std::max<size_t>(block_bytes, 1)) +
                           256);
  ZSTD_outBuffer output{out.data(), out.size(), 0};
  for (size_t at = 0;;) {
    const size_t count = std::min(block_bytes, data.size() - at);
    ZSTD_inBuffer input{data.data() + at, count, 0};
    at += count;
    const bool last = at == data.size();
    EXPECT_EQ(ZSTD_compressStream2(context, &output, &input, last ? ZSTD_e_end : ZSTD_e_flush), 0u);
    if (last) break;
  }
  ZSTD_freeCCtx(context);
  out.resize(output.pos);
  return out;
}

}  // namespace vedette::testing
