// Compiled databases kept in a folder, because compiling ten thousand expressions takes seconds and reading them back
// milliseconds.
//
// A file is used only if it is this user's, nobody else may write or read it, its header names the very thing that is
// asked for, and the SHA-256 of its content is the one in its header: what reads the content relies on that. A file
// that fails any of it is as good as none and is written anew. Files appear whole (written aside, synced, renamed), so
// any number of processes may share a folder.
//
//   offset  bytes
//        0      8  "VEDCACHE"
//        8      4  format version, little endian
//       12     32  key: SHA-256 of all that the content depends on
//       44      8  bytes of the content, little endian
//       52     32  SHA-256 of the content
//       84         content
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "parsers/base/bytes.h"
#include "parsers/base/file.h"

namespace vedette {

class DatabaseCache {
 public:
  using Key = std::array<uint8_t, 32>;
  static constexpr size_t kHeaderBytes = 84;
  static constexpr uint64_t kMaxFileBytes = uint64_t{1} << 30;  // of one file; 10,000 expressions take some 20 MB
  // Of all files; what was used longest ago goes first. The sets of some months of a sensor.
  static constexpr uint64_t kMaxFolderBytes = uint64_t{2} << 30;

  DatabaseCache() = default;                   // none: holds nothing, keeps nothing
  explicit DatabaseCache(std::string folder);  // made where it is not there; empty: none

  void set_max_folder_bytes(uint64_t bytes) { max_folder_bytes_ = bytes; }

  bool enabled() const { return !folder_.empty(); }
  const std::string& folder() const { return folder_; }
  // Why it cannot be used as it should be; empty: nothing was wrong. For a warning; compiling goes on without it.
  const std::string& problem() const { return problem_; }

  // The content kept under the key; nullopt: none that can be used.
  std::optional<std::string> Load(const Key& key);
  void Store(const Key& key, std::string_view content);

  static Key KeyOf(Bytes bytes);  // SHA-256
  // The content of a file's bytes; nullopt: not a whole and unharmed file of that key.
  static std::optional<std::string_view> ContentOf(std::string_view file, const Key& key);
  static std::string FileNameOf(const Key& key);

 private:
  FileDescriptor OpenFolder();
  void MakeRoom(int folder, const std::string& except);
  void Complain(std::string what);

  std::string folder_, problem_;
  uint64_t max_folder_bytes_ = kMaxFolderBytes;
};

}  // namespace vedette
