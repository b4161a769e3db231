// Many short texts in few large blocks, each named by 32 bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace vedette {

// A text keeps its place: views hold as long as the pool (also when the pool is moved).
// Layout of an entry: length as a base-128 varint, then the bytes. Entries do not cross blocks.
class StringPool {
 public:
  using Ref = uint32_t;                                       // 0 is the empty text
  static constexpr size_t kMaxTextBytes = size_t{64} * 1024;  // of one text; readers refuse longer ones before
  static constexpr size_t kMaxBytes = size_t{1} << 32;

  StringPool();

  // nullopt: the pool is full, or the text too long.
  std::optional<Ref> Add(std::string_view text);
  std::string_view at(Ref ref) const;
  void Prefetch(Ref ref) const { __builtin_prefetch(&blocks_[ref >> kBlockBits][ref & (kBlockBytes - 1)]); }
  size_t memory_bytes() const { return blocks_.size() * kBlockBytes; }
  // Up to the end of the last text.
  uint64_t used_bytes() const { return memory_bytes() - (kBlockBytes - used_); }

 private:
  static constexpr unsigned kBlockBits = 20;
  static constexpr size_t kBlockBytes = size_t{1} << kBlockBits;

  std::vector<std::unique_ptr<char[]>> blocks_;
  size_t used_ = kBlockBytes;  // of the last block
};

// Gives equal texts the same place in a pool. Needed while building only.
class StringInterner {
 public:
  explicit StringInterner(StringPool& pool) : pool_(pool) {}
  std::optional<StringPool::Ref> Intern(std::string_view text);

 private:
  void Grow();

  StringPool& pool_;
  std::vector<StringPool::Ref> slots_;  // 0: free
  size_t count_ = 0;
};

}  // namespace vedette
