// view_corpus SHARED [--seconds N] [--seed N] [--only TEXT]
//
// Captures of SHARED/corpus in random order, as many as fit into the time (default 50 s), with indicators made of what
// each shows and shared by random owners. Of each, what every partner's view shows is compared with what it shows
// where nothing is listed but what the partner may see: no byte may differ. Some are replayed with low limits, so that
// they are met. Ends with a line "N passed, N failed".
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "sensor/capture/files/capture_files.h"
#include "tests/views/observed_rows.h"
#include "tests/views/view_replay.h"

namespace vedette::views {
namespace {

constexpr uintmax_t kLargestBytes = 5'000'000;
constexpr size_t kValues = 60, kPartners = 4;

bool Check(const std::string& path, std::mt19937_64& random, bool low_limits, Difference& out, Replayed& all) {
  std::string error;
  const std::vector<std::string> paths = {path};
  CaptureList::Options list_options;
  std::atomic<bool> stop{false};
  list_options.stop = &stop;
  const auto list = CaptureList::Resolve(paths, list_options, error);
  if (list == nullptr) return false;
  size_t num_bursts = 0;
  const Bursts bursts = [&](const std::function<void(std::span<const Frame>)>& each) {
    CaptureFiles source(list);
    std::span<const Frame> frames;
    num_bursts = 0;
    while (source.Poll(frames) != PollStatus::kEnd) {
      ++num_bursts;
      each(frames);
    }
  };
  const std::vector<Indicator> rows = RowsForWhatIsSeen(bursts, random, kValues);
  if (rows.empty()) return false;
  const std::vector<Clearance> clearances = SomeClearances(random, kPartners);
  ReplayOptions options;
  if (low_limits) {
    options.live = true;
    options.room = 3;
    options.pop_every_bursts = 4;
    options.limits = {.alerts_per_flow = 3, .remembered = 6};
  }
  Generations generations = {rows};
  if (random() % 2 == 0) {
    std::vector<Indicator> later = rows;
    std::shuffle(later.begin(), later.end(), random);
    generations[0].resize(rows.size() / 2 + 1);
    generations.push_back(std::move(later));
  }
  out = CompareViews(bursts, generations, clearances, options, num_bursts, &all);
  return true;
}

int Main(int argc, char** argv) {
  std::string shared, only;
  double seconds = 50;
  uint64_t seed = 1;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--seconds" && i + 1 < argc) {
      seconds = std::atof(argv[++i]);
    } else if (argument == "--seed" && i + 1 < argc) {
      seed = std::strtoull(argv[++i], nullptr, 10);
    } else if (argument == "--only" && i + 1 < argc) {
      only = argv[++i];
    } else {
      shared = argument;
    }
  }
  const std::filesystem::path folder = std::filesystem::path(shared) / "corpus/captures";
  std::vector<std::string> captures;
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, error)) {
    if (!entry.is_regular_file() || entry.file_size() > kLargestBytes) continue;
    if (entry.path().string().find(only) != std::string::npos) captures.push_back(entry.path().string());
  }
  if (captures.empty()) {
    std::fprintf(stderr, "view_corpus: no captures in %s\n", folder.c_str());
    return 2;
  }
  std::sort(captures.begin(), captures.end());
  std::mt19937_64 random(seed);
  std::shuffle(captures.begin(), captures.end(), random);
  const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  size_t passed = 0, failed = 0, bytes = 0, differing = 0;
  AlertCounters met;
  for (size_t i = 0; i < captures.size() && std::chrono::steady_clock::now() < until; ++i) {
    Difference difference;
    Replayed all;
    // Of its own, so that a capture is checked the same way alone.
    std::mt19937_64 own(seed ^ std::hash<std::string>()(captures[i].substr(folder.string().size())));
    if (!Check(captures[i], own, own() % 2 == 0, difference, all)) continue;
    bytes += difference.bytes;
    differing += difference.differing;
    met.dropped_queue_full += all.counters.dropped_queue_full;
    met.dropped_flow_limit += all.counters.dropped_flow_limit;
    met.unremembered += all.counters.unremembered;
    if (difference.differing == 0) {
      ++passed;
      continue;
    }
    ++failed;
    std::printf("FAILED %s: %zu bytes differ; %s\n", captures[i].c_str(), difference.differing,
                difference.example.substr(0, 4000).c_str());
  }
  std::printf("%zu of %zu captures; %zu bytes of views compared, %zu differ\n", passed + failed, captures.size(), bytes,
              differing);
  std::printf("limits met: %llu alerts dropped of a full queue, %llu of a flow with too many, %llu not remembered\n",
              static_cast<unsigned long long>(met.dropped_queue_full),
              static_cast<unsigned long long>(met.dropped_flow_limit),
              static_cast<unsigned long long>(met.unremembered));
  if (bytes == 0 || met.dropped_queue_full == 0 || met.dropped_flow_limit == 0 || met.unremembered == 0) {
    std::printf("not all that is to be tested was\n");
    ++failed;
  }
  std::printf("%zu passed, %zu failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace vedette::views

int main(int argc, char** argv) { return vedette::views::Main(argc, argv); }
