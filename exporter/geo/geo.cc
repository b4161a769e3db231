#include "exporter/geo/geo.h"

#include <algorithm>
#include <map>
#include <utility>

#include "exporter/geo/file_watch.h"
#include "exporter/geo/geo_database.h"

namespace vedette {
namespace {

// Remembered look-ups; alerts repeat few addresses. Direct-mapped, filled on use: about 20 MB when full.
constexpr size_t kCacheEntries = 65'536;
// Databases at once: each is one more look-up for an address not yet remembered.
constexpr size_t kMaxDatabases = 16;
// Between two looks at the files, and the time for which a new one has to stay the same: databases change once a day.
constexpr std::chrono::seconds kLookInterval{5};

constexpr int64_t kSecondsPerDay = 86'400;

std::string Quoted(const std::string& path) { return "geolocation database '" + path + "'"; }

}  // namespace

std::optional<int64_t> AgeDays(const GeoDatabaseInfo& database, int64_t seconds) {
  if (database.build_epoch <= 0) return std::nullopt;
  return std::max<int64_t>(0, seconds - database.build_epoch) / kSecondsPerDay;
}

std::string StaleWarning(const GeoDatabaseInfo& database, int64_t seconds) {
  const std::optional<int64_t> age = AgeDays(database, seconds);
  if (!IsStale(age)) return {};
  return Quoted(database.path) + " was built on " + database.date + ", " + std::to_string(*age) +
         " days ago: addresses may have moved since; install a newer one (of the default ones, those in "
         "/var/lib/vedette/geo take precedence)";
}

struct GeoLookup::Impl {
  struct File {
    std::unique_ptr<GeoDatabase> database;
    FileWatch watch;
    bool failing = false;  // its last replacement could not be used
  };
  struct Entry {
    IpAddress address;
    uint64_t version;  // of the databases that it was found in
    GeoRecord record;
  };

  void Reopen(size_t index, int64_t now_seconds);

  std::vector<File> files;
  std::vector<GeoDatabaseInfo> infos;
  std::vector<std::unique_ptr<Entry>> cache{kCacheEntries};
  GeoRecord nowhere;
  GeoCounters counters;
  uint64_t version = 0;
  std::chrono::system_clock::time_point last_look;
  std::function<void(std::string_view, bool)> log;
};

GeoLookup::GeoLookup() : impl_(std::make_unique<Impl>()) {}
GeoLookup::~GeoLookup() = default;
GeoLookup::GeoLookup(GeoLookup&&) noexcept = default;
GeoLookup& GeoLookup::operator=(GeoLookup&&) noexcept = default;

bool GeoLookup::Open(const std::string& path, std::string& error) {
  if (impl_->files.size() == kMaxDatabases) {
    error = Quoted(path) + ": one more than the " + std::to_string(kMaxDatabases) + " that can be open; omit one";
    return false;
  }
  FileWatch watch(path);  // before it is opened: what comes later is seen as a change
  std::unique_ptr<GeoDatabase> database = GeoDatabase::Open(path, error);
  if (database == nullptr) return false;
  impl_->infos.push_back(database->info());
  impl_->files.push_back({std::move(database), std::move(watch)});
  ++impl_->version;
  return true;
}

const GeoRecord& GeoLookup::Find(const IpAddress& address) {
  if (impl_->files.empty() || address.version() == 0 || address.IsSpecial()) return impl_->nowhere;
  std::unique_ptr<Impl::Entry>& slot = impl_->cache[HashOf(address) % kCacheEntries];
  if (slot != nullptr && slot->version == impl_->version && slot->address == address) {
    ++impl_->counters.remembered;
    return slot->record;
  }
  ++impl_->counters.looked_up;
  if (slot == nullptr) slot = std::make_unique<Impl::Entry>();
  slot->address = address;
  slot->version = impl_->version;
  slot->record = GeoRecord();
  for (const Impl::File& file : impl_->files) {
    if (!file.database->Fill(address, slot->record)) ++impl_->counters.lookup_errors;
  }
  return slot->record;
}

void GeoLookup::Refresh(std::chrono::system_clock::time_point now) {
  // A clock that was set back does not stop the looking.
  if (now >= impl_->last_look && now - impl_->last_look < kLookInterval) return;
  impl_->last_look = now;
  for (size_t i = 0; i < impl_->files.size(); ++i) {
    switch (impl_->files[i].watch.Look()) {
      case FileWatch::Seen::kNothing:
        break;
      case FileWatch::Seen::kReplaced:
        impl_->Reopen(i, std::chrono::system_clock::to_time_t(now));
        break;
      case FileWatch::Seen::kGone:
        if (impl_->log) impl_->log(Quoted(impl_->infos[i].path) + " is gone; its content stays in use", true);
        break;
    }
  }
}

void GeoLookup::Impl::Reopen(size_t index, int64_t now_seconds) {
  GeoDatabaseInfo& info = infos[index];
  std::string said;
  std::unique_ptr<GeoDatabase> fresh = GeoDatabase::Open(info.path, said);
  const bool failed = fresh == nullptr;
  files[index].failing = failed;
  counters.failing =
      static_cast<uint64_t>(std::count_if(files.begin(), files.end(), [](const File& file) { return file.failing; }));
  if (failed) {
    ++counters.failed_reloads;
    said += " (the one built on " + info.date + " stays in use until the file changes again)";
  } else {
    said = Quoted(info.path) + " was replaced: built on " + fresh->info().date + ", the previous one on " + info.date;
    info = fresh->info();
    if (const std::optional<int64_t> age = AgeDays(info, now_seconds); IsStale(age))
      said += "; that is " + std::to_string(*age) + " days ago: addresses may have moved since";
    files[index].database = std::move(fresh);
    ++version;
    ++counters.reloads;
  }
  if (log) log(said, failed);
}

void GeoLookup::set_log(std::function<void(std::string_view, bool)> log) { impl_->log = std::move(log); }

const std::vector<GeoDatabaseInfo>& GeoLookup::databases() const { return impl_->infos; }

const GeoCounters& GeoLookup::counters() const { return impl_->counters; }

uint64_t GeoLookup::version() const { return impl_->version; }

GeoDatabaseFigures FiguresOf(const GeoDatabaseInfo& database, int64_t seconds) {
  const std::optional<int64_t> age = AgeDays(database, seconds);
  return {.built = static_cast<double>(database.build_epoch),
          .age_days = age ? std::optional<double>(static_cast<double>(*age)) : std::nullopt};
}

std::vector<std::string> LabelsOf(const std::vector<GeoDatabaseInfo>& databases) {
  std::vector<std::string> labels;
  std::map<std::string_view, size_t> namesakes;
  for (const GeoDatabaseInfo& database : databases) {
    const size_t before = namesakes[database.name]++;
    labels.push_back(before == 0 ? database.name : database.name + "-" + std::to_string(before + 1));
  }
  return labels;
}

}  // namespace vedette
