// Memory for the bytes of one burst: handed out in order, given back all at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace vedette {

// Not thread safe; one per worker. A view into it holds until Reset. Blocks stay allocated for the next burst, except
// those that were made for one large request.
class Arena {
 public:
  char* Allocate(size_t bytes) {
    if (bytes > kBlockBytes) {
      large_.push_back(std::make_unique<char[]>(bytes));
      return large_.back().get();
    }
    if (blocks_.empty() || used_ + bytes > kBlockBytes) {
      ++block_;
      if (blocks_.size() < block_) blocks_.push_back(std::make_unique<char[]>(kBlockBytes));
      used_ = 0;
    }
    char* out = blocks_[block_ - 1].get() + used_;
    used_ += bytes;
    return out;
  }
  std::string_view Copy(std::string_view text) {
    char* out = Allocate(text.size());
    if (!text.empty()) std::memcpy(out, text.data(), text.size());
    return {out, text.size()};
  }
  void Reset() {
    large_.clear();
    block_ = blocks_.empty() ? 0 : 1;
    used_ = 0;
  }

 private:
  static constexpr size_t kBlockBytes = size_t{64} * 1024;  // a burst of 32 packets rarely emits more

  std::vector<std::unique_ptr<char[]>> blocks_;
  std::vector<std::unique_ptr<char[]>> large_;
  size_t block_ = 0;  // blocks in use; the current one is blocks_[block_ - 1]
  size_t used_ = 0;   // bytes used of it
};

}  // namespace vedette
