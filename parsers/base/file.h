// Files as the kernel knows them: the owner of a descriptor, reading and writing whole, replacing a file at once.
//
// Functions that fail return false, or nothing, and leave the reason in errno.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace vedette {

// Owns an open descriptor, or none. Not thread safe.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int descriptor) : descriptor_(descriptor) {}  // below 0: none
  ~FileDescriptor();                                                    // leaves errno as it is
  FileDescriptor(FileDescriptor&& other) noexcept : descriptor_(other.Release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;

  bool is_open() const { return descriptor_ >= 0; }
  int get() const { return descriptor_; }  // below 0: none
  int Release() { return std::exchange(descriptor_, -1); }
  // False: the last bytes may not have been written. The descriptor is gone all the same.
  bool Close();

 private:
  int descriptor_ = -1;
};

// All of `bytes`, at the descriptor's place or at `offset`.
[[nodiscard]] bool WriteAll(int descriptor, std::string_view bytes);
[[nodiscard]] bool WriteAllAt(int descriptor, std::string_view bytes, uint64_t offset);

// Until `size` bytes are there or the file ends: how many they are. From the descriptor's place, or from `offset`.
std::optional<size_t> ReadUpTo(int descriptor, char* to, size_t size);
std::optional<size_t> ReadUpToAt(int descriptor, char* to, size_t size, uint64_t offset);

// Brings the names in the folder of `path` to disk, so that a new file or a rename there survives a power cut. True
// also where the folder may be written and not listed, or has nothing to sync: the name comes in its own time.
[[nodiscard]] bool SyncFolderOf(const std::string& path);

// How a file is replaced.
struct Replacement {
  mode_t mode = 0640;                // of a new file, less the umask
  std::string_view suffix = ".new";  // behind the path: what is written first. A link there is not followed
  bool to_disk = true;               // fsync before the rename: a power cut leaves the old or the new text, never half
};
// Replaces the file at `path` by `text`: whoever opens it finds the old or the new text, whole. Leaves no part behind
// where that fails. One writer at a time.
[[nodiscard]] bool ReplaceFile(const std::string& path, std::string_view text, const Replacement& how = {});

}  // namespace vedette
