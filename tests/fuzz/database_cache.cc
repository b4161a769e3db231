// Any bytes as a file of the cache: its content is given out only if it is the one whose digest the header has.
//
// The first byte chooses whether the header is set right for what follows; else the file is as it comes.
#include "signatures/patterns/database_cache.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/fuzz/input.h"

namespace {

using namespace vedette;

// Made once, removed at the end.
class Folder {
 public:
  Folder() { Check(mkdtemp(path_.data()) != nullptr); }
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_ = "/tmp/vedette-fuzz-cache-XXXXXX";
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Folder folder;
  FuzzInput input(data, size);
  const bool right = input.Byte() % 2 == 0;
  const std::string_view rest = input.Rest();
  const DatabaseCache::Key key = DatabaseCache::KeyOf(AsBytes("a key"));
  DatabaseCache cache(folder.path());
  const std::string path = folder.path() + "/" + DatabaseCache::FileNameOf(key);
  if (right) {
    cache.Store(key, rest);
    Check(cache.problem().empty() && cache.Load(key) == rest);
    // And with one byte of it another, at a place the content chooses.
    std::ifstream in(path, std::ios::binary);
    std::string bytes(std::istreambuf_iterator<char>(in), {});
    Check(DatabaseCache::ContentOf(bytes, key) == rest);
    bytes[(rest.empty() ? 0 : static_cast<uint8_t>(rest[0])) % bytes.size()] ^= 1;
    Check(!DatabaseCache::ContentOf(bytes, key));
    return 0;
  }
  std::ofstream(path, std::ios::binary | std::ios::trunc) << rest;
  Check(chmod(path.c_str(), 0600) == 0);
  const std::optional<std::string_view> content = DatabaseCache::ContentOf(rest, key);
  const std::optional<std::string> loaded = cache.Load(key);
  Check(content.has_value() == loaded.has_value() && (!content || *content == *loaded));
  Check(!content || rest.size() == content->size() + DatabaseCache::kHeaderBytes);
  return 0;
}
