#include "exporter/geo/geo_database.h"

#include <fcntl.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string_view>
#include <utility>

#include "exporter/geo/geo_fields.h"
#include "parsers/base/errno_text.h"
#include "parsers/base/time_text.h"

namespace vedette {
namespace {

// Records read before a file is used: enough to see damage of a few percent, and whether it knows networks and
// countries. Under a millisecond, and at most some hundred pages of a file that is not in memory.
constexpr int kSamples = 256;
constexpr off_t kMaxFileBytes = off_t{4} << 30;
constexpr unsigned kMaxDepth = 128;  // bits of an IPv6 address

constexpr std::string_view kWhatToDo = "name another one, or put one into /var/lib/vedette/geo";

std::string Quoted(const std::string& path) { return "geolocation database '" + path + "'"; }

// Name of the file without folder and ending.
std::string StemOf(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  const size_t dot = name.find_last_of('.');
  if (dot != std::string::npos && dot > 0) name.resize(dot);
  return name;
}

// Looks at the file before libmaxminddb does, because it can say more of what is wrong.
bool LooksUsable(const std::string& path, std::string& error) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) {
    error = Quoted(path) + ": " + ErrnoText() + "; " + std::string(kWhatToDo);
    return false;
  }
  if (!S_ISREG(status.st_mode)) {
    error = Quoted(path) + ": not a regular file; name an .mmdb file";
    return false;
  }
  if (status.st_size > kMaxFileBytes) {
    error = Quoted(path) + ": larger than 4 GiB, more than is held in memory; name a smaller one";
    return false;
  }
  if (status.st_size == 0) {
    error = Quoted(path) + ": the file is empty; fetch or build it again";
    return false;
  }
  std::ifstream file(path, std::ios::binary);
  std::array<char, 4> head{};
  if (!file) {
    error = Quoted(path) + ": " + ErrnoText() + "; make it readable for this user";
    return false;
  }
  file.read(head.data(), head.size());
  const std::string_view magic(head.data(), head.size());
  if (magic.substr(0, 2) == "\x1f\x8b" || magic.substr(0, 2) == "PK" || magic == "\x28\xb5\x2f\xfd") {
    error = Quoted(path) + ": it is compressed or an archive; unpack it and name the .mmdb file inside";
    return false;
  }
  return true;
}

std::string OpenError(const std::string& path, int status) {
  switch (status) {
    case MMDB_FILE_OPEN_ERROR:
    case MMDB_IO_ERROR:
      return Quoted(path) + ": " + ErrnoText() + "; make it readable for this user";
    case MMDB_INVALID_METADATA_ERROR:
      return Quoted(path) +
             ": it has no MaxMind DB metadata, so it is another kind of file or was cut short; fetch or build it again";
    case MMDB_UNKNOWN_DATABASE_FORMAT_ERROR:
      return Quoted(path) + ": its format version is not 2, the only one there is a reader for; fetch a newer file";
    case MMDB_OUT_OF_MEMORY_ERROR:
      return Quoted(path) + ": out of memory while it was opened";
    default:
      return Quoted(path) + ": damaged (" + MMDB_strerror(status) + "); fetch or build it again";
  }
}

// Puts memory of our own where libmaxminddb has mapped the file: a look-up in a file that is being overwritten in place
// or cut short would end the process (SIGBUS). MMDB_close unmaps the one as the other. False: another size than when it
// was opened, or an error; errno is 0 where it was written meanwhile.
bool Detach(const std::string& path, const MMDB_s& mmdb) {
  const auto size = static_cast<size_t>(mmdb.file_size);
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  void* const copy = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  struct stat status {};
  bool same = copy != MAP_FAILED && fstat(fd, &status) == 0 && static_cast<size_t>(status.st_size) == size;
  if (copy != MAP_FAILED) errno = 0;
  for (size_t have = 0; same && have < size;) {
    const ssize_t got = pread(fd, static_cast<char*>(copy) + have, size - have, static_cast<off_t>(have));
    if (got < 0 && errno == EINTR) continue;
    same = got > 0;
    have += same ? static_cast<size_t>(got) : 0;
  }
  struct stat after {};
  same = same && fstat(fd, &after) == 0 && after.st_size == status.st_size &&
         after.st_mtim.tv_sec == status.st_mtim.tv_sec && after.st_mtim.tv_nsec == status.st_mtim.tv_nsec;
  void* const mapped = const_cast<uint8_t*>(mmdb.file_content);  // NOLINT(cppcoreguidelines-pro-type-const-cast)
  same = same && mprotect(copy, size, PROT_READ) == 0 &&
         mremap(copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, mapped) == mapped;
  const int error = errno;
  if (!same && copy != MAP_FAILED) munmap(copy, size);
  close(fd);
  errno = error;
  return same;
}

std::string DescriptionOf(const MMDB_metadata_s& metadata) {
  std::string first;
  for (size_t i = 0; i < metadata.description.count; ++i) {
    const MMDB_description_s* entry = metadata.description.descriptions[i];
    if (entry == nullptr || entry->description == nullptr) continue;
    if (entry->language != nullptr && std::strcmp(entry->language, "en") == 0) return entry->description;
    if (first.empty()) first = entry->description;
  }
  return first;
}

}  // namespace

GeoDatabase::GeoDatabase() = default;
GeoDatabase::~GeoDatabase() {
  if (mmdb_ != nullptr) MMDB_close(mmdb_.get());
}

std::unique_ptr<GeoDatabase> GeoDatabase::Open(const std::string& path, std::string& error) {
  if (!LooksUsable(path, error)) return nullptr;
  auto mmdb = std::make_unique<MMDB_s>();
  const int status = MMDB_open(path.c_str(), MMDB_MODE_MMAP, mmdb.get());
  if (status != MMDB_SUCCESS) {
    error = OpenError(path, status);
    return nullptr;
  }
  std::unique_ptr<GeoDatabase> database(new GeoDatabase);
  database->mmdb_ = std::move(mmdb);
  if (!Detach(path, *database->mmdb_)) {
    error = Quoted(path) + ": " + (errno == 0 ? "was written while it was read" : ErrnoText()) +
            "; write a new one beside it and rename it over this one";
    return nullptr;
  }
  const MMDB_metadata_s& metadata = database->mmdb_->metadata;
  GeoDatabaseInfo& info = database->info_;
  info.path = path;
  info.name = StemOf(path);
  info.type = metadata.database_type != nullptr ? metadata.database_type : "";
  info.description = DescriptionOf(metadata);
  info.date = DateText(metadata.build_epoch);
  if (!info.date.empty()) info.build_epoch = static_cast<int64_t>(metadata.build_epoch);  // else beyond the year 9999
  if (!database->Sample(error)) return nullptr;
  return database;
}

bool GeoDatabase::Sample(std::string& error) {
  uint64_t state = 1;  // the same walks in every run: a replay opens a file or refuses it, always
  int damaged = 0;
  for (int i = 0; i < kSamples; ++i) {
    uint64_t coins[2] = {Mix64(++state * 0x9e3779b97f4a7c15ull), Mix64(++state * 0x9e3779b97f4a7c15ull)};
    // IPv4 is one narrow branch of an IPv6 tree: half of the walks begin there.
    const bool from_v4 = i % 2 == 1 && mmdb_->metadata.ip_version == 6;
    const uint32_t start = from_v4 ? mmdb_->ipv4_start_node.node_value : 0;
    if (start >= mmdb_->metadata.node_count) continue;  // no IPv4 inside
    const unsigned depth = from_v4 || mmdb_->metadata.ip_version == 4 ? 32 : kMaxDepth;
    if (!WalkDown(start, depth, coins)) ++damaged;
  }
  if (damaged == 0) return true;
  error = Quoted(info_.path) + ": damaged: " + std::to_string(damaged) + " of " + std::to_string(kSamples) +
          " records that were tried cannot be read; fetch or build it again";
  return false;
}

bool GeoDatabase::WalkDown(uint32_t node, unsigned depth, uint64_t coins[2]) {
  for (unsigned i = 0; i < depth; ++i) {
    MMDB_search_node_s found;
    if (MMDB_read_node(mmdb_.get(), node, &found) != MMDB_SUCCESS) return false;
    bool right = (coins[i / 64] >> (i % 64) & 1) != 0;
    if ((right ? found.right_record_type : found.left_record_type) == MMDB_RECORD_TYPE_EMPTY) right = !right;
    switch (right ? found.right_record_type : found.left_record_type) {
      case MMDB_RECORD_TYPE_EMPTY:
        return true;
      case MMDB_RECORD_TYPE_SEARCH_NODE:
        node = static_cast<uint32_t>(right ? found.right_record : found.left_record);
        continue;
      case MMDB_RECORD_TYPE_DATA: {
        GeoFieldReader reader(right ? &found.right_record_entry : &found.left_record_entry);
        GeoRecord record;
        reader.Fill(record);
        info_.knows_networks |= record.asn.has_value();
        info_.knows_countries |= !record.country_code.empty();
        return !reader.corrupt();
      }
      default:
        return false;
    }
  }
  return false;  // deeper than an address is long
}

bool GeoDatabase::Fill(const IpAddress& address, GeoRecord& record) const {
  sockaddr_storage storage{};
  const Bytes wire = address.wire();
  if (address.is_v4()) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
    v4->sin_family = AF_INET;
    std::memcpy(&v4->sin_addr, wire.data(), 4);
  } else {
    if (mmdb_->metadata.ip_version == 4) return true;
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
    v6->sin6_family = AF_INET6;
    std::memcpy(&v6->sin6_addr, wire.data(), 16);
  }
  int status = MMDB_SUCCESS;
  MMDB_lookup_result_s result = MMDB_lookup_sockaddr(mmdb_.get(), reinterpret_cast<const sockaddr*>(&storage), &status);
  if (status != MMDB_SUCCESS) return false;
  if (!result.found_entry) return true;
  GeoFieldReader reader(&result.entry);
  if (reader.Fill(record)) record.databases.push_back(info_.name);
  return !reader.corrupt();
}

}  // namespace vedette
