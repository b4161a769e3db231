#include "sensor/live/reloader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <atomic>
#include <chrono>
#include <exception>
#include <set>
#include <string_view>
#include <utility>

#include "exporter/metrics/families.h"
#include "signatures/set/self_test.h"

namespace vedette {
namespace {

constexpr auto kLook =
    std::chrono::milliseconds(2);  // a worker takes its kit at its next burst, or 20 ms later on a silent link

std::map<std::string, uint64_t> GivingFiles(const IndicatorLoad& load) {
  std::map<std::string, uint64_t> giving;
  for (const IndicatorFile& file : load.files) {
    if (file.unused.empty()) giving[file.path] += file.rows;
  }
  return giving;
}

// The first of them, and how many more there are.
class Told {
 public:
  explicit Told(std::vector<std::string>& out) : out_(out) {}
  void Add(std::string sentence) {
    if (++count_ <= Reloader::kFilesTold) out_.push_back(std::move(sentence));
  }
  void End(std::string_view what) {
    if (count_ > Reloader::kFilesTold) out_.push_back(fmt::format("{} more {}", count_ - Reloader::kFilesTold, what));
  }
  size_t count() const { return count_; }

 private:
  std::vector<std::string>& out_;
  size_t count_ = 0;
};

int64_t Now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

Reloader::Reloader(Parts parts, const IndicatorLoad& first)
    : parts_(std::move(parts)),
      giving_(GivingFiles(first)),
      loaded_at_(Now()),
      newest_file_(first.newest_file),
      memory_bytes_(first.memory_bytes) {
  last_.indicators = first.indicators;
  last_.unusable = first.unusable;
  last_.digest = first.set->digest();
  last_.warnings = WarningsOf(first, 0);
  for (const std::string& warning : last_.warnings) parts_.log->Warn("indicators: " + warning, warning);
  thread_ = std::thread([this] {
    Work();
    const std::lock_guard<std::mutex> lock(mutex_);
    ended_ = true;
    ended_now_.notify_all();
  });
}

Reloader::~Reloader() {
  Stop(std::chrono::milliseconds(0));
  thread_.join();
}

bool Reloader::Stop(std::chrono::milliseconds limit) {
  std::unique_lock<std::mutex> lock(mutex_);
  stopping_ = true;
  wake_.notify_all();
  return ended_now_.wait_for(lock, limit, [&] { return ended_; });
}

uint64_t Reloader::Request() {
  const std::lock_guard<std::mutex> lock(mutex_);
  // One that runs may have read the files before whoever asks now changed them: then another follows.
  if (requested_ <= last_.number) requested_ = last_.number + 1;
  wake_.notify_all();
  return requested_;
}

Reloader::Outcome Reloader::last() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return last_;
}

bool Reloader::Stopping() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return stopping_;
}

void Reloader::Work() {
  for (;;) {
    Outcome outcome;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, [&] { return stopping_ || requested_ > last_.number; });
      if (stopping_) return;
      last_.number = requested_;
      last_.running = true;
      outcome = last_;
    }
    ReloadOnce(std::move(outcome));
  }
}

void Reloader::ReloadOnce(Outcome outcome) {
  const auto begin = std::chrono::steady_clock::now();
  const uint64_t generation = outcome.generation + 1;
  IndicatorLoad load;
  // What a library throws (no memory, most likely) is a reload that failed, not the end of the sensor.
  try {
    outcome.warnings.clear();
    outcome.notes.clear();
    load = parts_.load();
    outcome.error = load.error;
    outcome.warnings = WarningsOf(load, outcome.indicators);
    if (load.set != nullptr) outcome.notes = FilesGone(load);
    if (Stopping()) {
      outcome.error = "the sensor ends";
    } else {
      outcome.succeeded =
          load.set != nullptr && !LostAFile(load, outcome.error) && HandOver(load, generation, outcome.error);
    }
  } catch (const std::exception& problem) {
    outcome.succeeded = false;
    outcome.error = fmt::format("aborted: {}", problem.what());
  }
  outcome.running = false;
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (outcome.succeeded) {
    const uint64_t before = std::exchange(outcome.indicators, load.indicators);
    outcome.generation = generation;
    outcome.unusable = load.unusable;
    outcome.digest = load.set->digest();
    giving_ = GivingFiles(load);
    parts_.log->Info(
        fmt::format("reload: generation {} in use after {:.1f} s: {} indicators, {} before, {} rows unusable",
                    generation, outcome.seconds, outcome.indicators, before, outcome.unusable));
  } else {
    outcome.error +=
        fmt::format("; the {} indicators of generation {} stay in use", outcome.indicators, outcome.generation);
    parts_.log->Error("reload: " + outcome.error, Log::WithoutNumbers(outcome.error));
  }
  for (const std::string& note : outcome.notes) parts_.log->Info("reload: " + note, note);
  for (const std::string& warning : outcome.warnings) parts_.log->Warn("reload: " + warning, warning);
  const std::lock_guard<std::mutex> lock(mutex_);
  ++(outcome.succeeded ? succeeded_ : failed_);
  failing_ = !outcome.succeeded;
  if (outcome.succeeded) {
    loaded_at_ = Now();
    newest_file_ = load.newest_file;
    memory_bytes_ = load.memory_bytes;
  }
  last_ = std::move(outcome);
}

std::vector<std::string> Reloader::FilesGone(const IndicatorLoad& load) const {
  std::set<std::string_view> there;
  for (const IndicatorFile& file : load.files) there.insert(file.path);
  std::vector<std::string> out;
  Told gone(out);
  for (const auto& [path, rows] : giving_) {
    if (!there.contains(path)) gone.Add(fmt::format("{} no longer exists; it gave {} rows", path, rows));
  }
  gone.End("files no longer exist");
  return out;
}

std::vector<std::string> Reloader::WarningsOf(const IndicatorLoad& load, uint64_t indicators_before) const {
  std::vector<std::string> out;
  Told unused(out), shrunken(out);
  for (const IndicatorFile& file : load.files) {
    if (!file.unused.empty()) unused.Add(fmt::format("{} is not used: {}", file.path, file.unused));
  }
  unused.End("files are not used");
  for (const auto& [path, rows] : GivingFiles(load)) {
    const auto before = giving_.find(path);
    if (before == giving_.end() || rows >= (before->second + 1) / 2) continue;
    shrunken.Add(
        fmt::format("{} gives {} rows, but gave {} before; was it truncated in transfer?", path, rows, before->second));
  }
  shrunken.End("files give less than half of their previous rows");
  if (load.set != nullptr && shrunken.count() == 0 && load.indicators < indicators_before / 2) {
    out.push_back(fmt::format("less than half of the indicators are left, {} of {}; is a file missing?",
                              load.indicators, indicators_before));
  }
  if (!load.changed_settings.empty()) {
    out.push_back(fmt::format("the configuration was changed at {}; this takes effect at the next start",
                              fmt::join(load.changed_settings, ", ")));
  }
  return out;
}

bool Reloader::Gave(const std::string& path) const {
  if (giving_.contains(path)) return true;
  const auto inside = giving_.lower_bound(path + '/');
  return inside != giving_.end() && inside->first.starts_with(path + '/');
}

bool Reloader::LostAFile(const IndicatorLoad& load, std::string& error) const {
  size_t lost = 0;
  for (const IndicatorFile& file : load.files) {
    if (file.unused.empty() || !Gave(file.path)) continue;
    if (++lost == 1) error = fmt::format("{}: gave indicators before and gives none now: {}", file.path, file.unused);
  }
  if (lost > 1) error += fmt::format(" (and {} more such files)", lost - 1);
  if (lost > 0) error += "; fix it, or remove it if you no longer want its indicators";
  return lost > 0;
}

bool Reloader::WaitUntil(const std::function<bool()>& done, std::string& error) const {
  while (!done()) {
    if (Stopping()) {
      error = "the sensor ends";
      return false;
    }
    std::this_thread::sleep_for(kLook);
  }
  return true;
}

bool Reloader::HandOver(const IndicatorLoad& load, uint64_t generation, std::string& error) {
  if (!SelfTest(*load.set, error)) return false;
  // All kits are made before the first is handed out: a set is used by all workers or by none.
  std::vector<std::unique_ptr<MatchKit>> kits;
  for (size_t i = 0; i < parts_.workers.size(); ++i) {
    kits.push_back(MatchKit::Make(load.set, generation, load.wanted));
    if (kits.back() == nullptr) {
      error = "no memory for the matcher";
      return false;
    }
  }
  // Done before a worker can raise an alert of the new generation.
  const auto known = std::make_shared<std::atomic<bool>>(false);
  parts_.exporter->Post([add = parts_.add, set = load.set, generation, known] {
    add(set, generation);
    known->store(true, std::memory_order_release);
  });
  if (!WaitUntil([&] { return known->load(std::memory_order_acquire); }, error)) return false;
  for (size_t i = 0; i < kits.size(); ++i) parts_.workers[i]->Offer(std::move(kits[i]));
  for (KitExchange* worker : parts_.workers) {
    // One that has ended takes nothing any more, and raises nothing.
    if (!WaitUntil([&] { return worker->HasPassed(generation); }, error)) return false;
    worker->Collect();
  }
  // Behind the alerts of older generations that are still queued.
  parts_.exporter->Post([forget = parts_.forget, generation] { forget(generation); });
  return true;
}

void Reloader::AppendFigures(Figures& out) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  out.Add(families::kIndicators, static_cast<double>(last_.indicators));
  out.Add(families::kIndicatorsUnusable, static_cast<double>(last_.unusable));
  out.Add(families::kIndicatorGeneration, static_cast<double>(last_.generation));
  out.Add(families::kIndicatorLoaded, static_cast<double>(loaded_at_));
  out.Add(families::kIndicatorNewest, static_cast<double>(newest_file_));
  out.Add(families::kReloads, "succeeded", static_cast<double>(succeeded_));
  out.Add(families::kReloads, "failed", static_cast<double>(failed_));
  out.Add(families::kReloadFailing, failing_ ? 1 : 0);
  out.Add(families::kReloadWarnings, static_cast<double>(last_.running ? 0 : last_.warnings.size()));
  out.Add(families::kReloadSeconds, last_.running ? 0 : last_.seconds);
  out.Add(families::kMemory, "indicators", static_cast<double>(memory_bytes_));
}

}  // namespace vedette
