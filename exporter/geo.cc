#include "exporter/geo.h"

#include <maxminddb.h>
#include <netinet/in.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string_view>
#include <utility>

#include "exporter/geo_fields.h"
#include "exporter/time_text.h"

namespace vedette {
namespace {

// Remembered look-ups; alerts repeat few addresses. Direct-mapped, filled on use: about 20 MB when full.
constexpr size_t kCacheEntries = 65'536;
// Databases at once: each is one more look-up for an address not yet remembered.
constexpr size_t kMaxDatabases = 16;

constexpr std::string_view kWhatToDo = "build the default database with deploy/geo, or name another one";

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
    error = Quoted(path) + ": " + std::strerror(errno) + "; " + std::string(kWhatToDo);
    return false;
  }
  if (!S_ISREG(status.st_mode)) {
    error = Quoted(path) + ": not a regular file; name an .mmdb file";
    return false;
  }
  if (status.st_size == 0) {
    error = Quoted(path) + ": the file is empty; fetch or build it again";
    return false;
  }
  std::ifstream file(path, std::ios::binary);
  std::array<char, 4> head{};
  if (!file) {
    error = Quoted(path) + ": " + std::strerror(errno) + "; make it readable for this user";
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
      return Quoted(path) + ": " + std::strerror(errno) + "; make it readable for this user";
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

class Database {
 public:
  Database() = default;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database() {
    if (open_) MMDB_close(&mmdb_);
  }

  bool Open(const std::string& path, std::string& error) {
    if (!LooksUsable(path, error)) return false;
    const int status = MMDB_open(path.c_str(), MMDB_MODE_MMAP, &mmdb_);
    if (status != MMDB_SUCCESS) {
      error = OpenError(path, status);
      return false;
    }
    open_ = true;
    const MMDB_metadata_s& metadata = mmdb_.metadata;
    info.path = path;
    info.name = StemOf(path);
    info.type = metadata.database_type != nullptr ? metadata.database_type : "";
    info.description = DescriptionOf(metadata);
    info.build_epoch = static_cast<int64_t>(std::min<uint64_t>(metadata.build_epoch, INT64_MAX));
    info.date = DateText(metadata.build_epoch);
    return true;
  }

  // Fills what is still empty in `record`. False: the database is corrupt there.
  bool Fill(const IpAddress& address, GeoRecord& record) const {
    sockaddr_storage storage{};
    const Bytes wire = address.wire();
    if (address.is_v4()) {
      auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
      v4->sin_family = AF_INET;
      std::memcpy(&v4->sin_addr, wire.data(), 4);
    } else {
      if (mmdb_.metadata.ip_version == 4) return true;
      auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
      v6->sin6_family = AF_INET6;
      std::memcpy(&v6->sin6_addr, wire.data(), 16);
    }
    int status = MMDB_SUCCESS;
    MMDB_lookup_result_s result = MMDB_lookup_sockaddr(&mmdb_, reinterpret_cast<const sockaddr*>(&storage), &status);
    if (status != MMDB_SUCCESS) return false;
    if (!result.found_entry) return true;
    GeoFieldReader reader(&result.entry);
    if (reader.Fill(record)) record.databases.push_back(info.name);
    return !reader.corrupt();
  }

  GeoDatabaseInfo info;

 private:
  MMDB_s mmdb_{};
  bool open_ = false;
};

}  // namespace

struct GeoLookup::Impl {
  struct Entry {
    IpAddress address;
    GeoRecord record;
  };
  std::vector<std::unique_ptr<Database>> databases;
  std::vector<GeoDatabaseInfo> infos;
  std::vector<std::unique_ptr<Entry>> cache{kCacheEntries};
  GeoRecord nowhere;
  uint64_t lookup_errors = 0;
};

GeoLookup::GeoLookup() : impl_(std::make_unique<Impl>()) {}
GeoLookup::~GeoLookup() = default;
GeoLookup::GeoLookup(GeoLookup&&) noexcept = default;
GeoLookup& GeoLookup::operator=(GeoLookup&&) noexcept = default;

bool GeoLookup::Open(const std::string& path, std::string& error) {
  if (impl_->databases.size() == kMaxDatabases) {
    error = Quoted(path) + ": one more than the " + std::to_string(kMaxDatabases) + " that can be open; leave one out";
    return false;
  }
  auto database = std::make_unique<Database>();
  if (!database->Open(path, error)) return false;
  impl_->infos.push_back(database->info);
  impl_->databases.push_back(std::move(database));
  for (auto& entry : impl_->cache) entry.reset();
  return true;
}

const GeoRecord& GeoLookup::Find(const IpAddress& address) {
  if (impl_->databases.empty() || address.version() == 0) return impl_->nowhere;
  std::unique_ptr<Impl::Entry>& slot = impl_->cache[HashOf(address) % kCacheEntries];
  if (slot != nullptr && slot->address == address) return slot->record;
  if (slot == nullptr) slot = std::make_unique<Impl::Entry>();
  slot->address = address;
  slot->record = GeoRecord();
  if (address.IsSpecial()) return slot->record;
  for (const auto& database : impl_->databases) {
    if (!database->Fill(address, slot->record)) ++impl_->lookup_errors;
  }
  return slot->record;
}

const std::vector<GeoDatabaseInfo>& GeoLookup::databases() const { return impl_->infos; }

uint64_t GeoLookup::lookup_errors() const { return impl_->lookup_errors; }

}  // namespace vedette
