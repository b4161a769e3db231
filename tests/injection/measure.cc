// measure_injection [--jobs N] [--seed N] [--payload] [--every N] [--only TEXT] [--variant TEXT] [--bar SHARE]
//                   [--json FILE] [--verbose] [--list] CAPTURE|FOLDER…
//
// Injects each variant of tests/injection into each capture, whole, one-sided and lossy, and prints which share of the
// observables of TCP flows remains. Ends with "N passed, N failed": one for each variant and base that must hide
// nothing; it fails below --bar (0.99, less for the few of variants.cc), and where nothing was judged at all.
//
//   --payload       judges literals in payload, taken from the capture, instead of fields
//   --every N       one capture in N, by name
//   --only TEXT     captures whose path holds it;  --variant TEXT: variants whose name begins with it
//   --verbose       what was lost and what came in addition, with the captures' names
//   --list          the variants and what each injects
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "parsers/base/text.h"
#include "sensor/capture/files/capture_list.h"
#include "tests/injection/judge.h"

namespace vedette::injection {
namespace {

struct Arguments {
  JudgeOptions judge;
  size_t jobs = 1, every = 1;
  double bar = 0.99;
  std::string only, variant, json;
  bool verbose = false, list = false;
  std::vector<std::string> paths;
};

constexpr size_t kLiterals = 48;  // of a capture, with --payload

bool Read(int argc, char** argv, Arguments& out) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.rfind("--", 0) != 0) {
      out.paths.push_back(word);
    } else if (word == "--payload") {
      out.judge.max_literals = kLiterals;
    } else if (word == "--verbose") {
      out.verbose = true;
    } else if (word == "--list") {
      out.list = true;
    } else if (i + 1 == argc) {
      return false;
    } else {
      const char* value = argv[++i];
      if (word == "--jobs") {
        out.jobs = std::max(1ul, std::strtoul(value, nullptr, 10));
      } else if (word == "--seed") {
        out.judge.seed = std::strtoull(value, nullptr, 10);
      } else if (word == "--every") {
        out.every = std::max(1ul, std::strtoul(value, nullptr, 10));
      } else if (word == "--bar") {
        out.bar = std::strtod(value, nullptr);
      } else if (word == "--only") {
        out.only = value;
      } else if (word == "--variant") {
        out.variant = value;
      } else if (word == "--json") {
        out.json = value;
      } else {
        return false;
      }
    }
  }
  return out.list || !out.paths.empty();
}

// The same whatever folder the corpus is in.
std::string ShortName(const std::string& path, const std::vector<std::string>& roots) {
  for (const std::string& root : roots) {
    if (path.size() > root.size() && path.compare(0, root.size(), root) == 0) {
      const size_t begin = path.find_first_not_of('/', root.size());
      if (begin != std::string::npos) return path.substr(begin);
    }
  }
  return path.substr(path.rfind('/') + 1);
}

Result JudgeAll(const std::vector<std::string>& paths, const std::vector<Variant>& variants,
                const Arguments& arguments) {
  std::vector<Result> results(paths.size());
  std::atomic<size_t> next{0};
  std::vector<std::thread> threads;
  for (size_t job = 0; job < arguments.jobs; ++job) {
    threads.emplace_back([&] {
      for (size_t i = next++; i < paths.size(); i = next++) {
        const Trace trace = Trace::Load(paths[i]);
        results[i] = JudgeCapture(trace, ShortName(paths[i], arguments.paths), variants, arguments.judge);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  Result sum;
  sum.tallies.resize(variants.size());
  for (const Result& result : results) sum.Add(result);
  return sum;
}

bool Must(Expect expect, size_t base) {
  const bool one_side =
      base == static_cast<size_t>(Base::kClientOnly) || base == static_cast<size_t>(Base::kServerOnly);
  return expect == Expect::kKept || (expect == Expect::kKeptIfSeen && !one_side);
}

std::string Share(const Tally& tally, bool must, double bar) {
  if (tally.expected == 0) return "-";
  return fmt::format("{:.3f}{}", tally.recall(), !must ? " " : tally.recall() < bar ? "!" : "=");
}

void PrintTable(const Result& result, const std::vector<Variant>& variants, double bar) {
  fmt::print("{:<34}", "variant");
  for (const char* name : kBaseNames) fmt::print(" {:>7}", name);
  fmt::print(" {:>9} {:>7} {:>7} {:>7}\n", "expected", "lost", "extra", "turned");
  Tally must_sum;
  for (size_t v = 0; v < variants.size(); ++v) {
    fmt::print("{:<34}", variants[v].name);
    Tally sum;
    for (size_t b = 0; b < kBases; ++b) {
      const Tally& tally = result.tallies[v][b];
      const bool must = Must(variants[v].expect, b);
      fmt::print(" {:>7}", Share(tally, must, bar));
      sum.Add(tally);
      if (must) must_sum.Add(tally);
    }
    fmt::print(" {:>9} {:>7} {:>7} {:>7}\n", sum.expected, sum.lost, sum.extra, sum.turned);
  }
  fmt::print("=: must hide nothing, and does not; !: does; otherwise shown only\n");
  fmt::print("of all that must remain: {} of {}, {:.4f}\n", must_sum.expected - must_sum.lost, must_sum.expected,
             must_sum.recall());
}

void PrintChanges(const Result& result, const std::vector<Variant>& variants) {
  std::vector<Change> changes = result.changes;
  std::stable_sort(changes.begin(), changes.end(),
                   [](const Change& a, const Change& b) { return a.variant < b.variant; });
  for (const Change& change : changes) {
    const std::string where =
        fmt::format("{} {}", variants[change.variant].name, kBaseNames[static_cast<size_t>(change.base)]);
    if (change.tally.lost != 0) {
      fmt::print("lost {}: {} of {} of {}, such as {}\n", where, change.tally.lost, change.tally.expected,
                 change.capture, change.lost);
    }
    if (change.tally.extra != 0) {
      fmt::print("extra {}: {} of {}, such as {}\n", where, change.tally.extra, change.capture, change.extra);
    }
  }
}

// One object a line.
bool WriteJson(const Result& result, const std::vector<Variant>& variants, const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  if (file == nullptr) return false;
  for (size_t v = 0; v < variants.size(); ++v) {
    for (size_t b = 0; b < kBases; ++b) {
      const Tally& tally = result.tallies[v][b];
      fmt::print(file,
                 "{{\"variant\":\"{}\",\"base\":\"{}\",\"must\":{},\"captures\":{},\"forged\":{},\"expected\":{},"
                 "\"lost\":{},\"extra\":{},\"turned\":{},\"recall\":{:.6f}}}\n",
                 variants[v].name, kBaseNames[b], Must(variants[v].expect, b), tally.captures, tally.forged,
                 tally.expected, tally.lost, tally.extra, tally.turned, tally.recall());
    }
  }
  return std::fclose(file) == 0;
}

int Main(int argc, char** argv) {
  Arguments arguments;
  if (!Read(argc, argv, arguments)) {
    std::fprintf(
        stderr,
        "usage: measure_injection [--jobs N] [--seed N] [--payload] [--every N] [--only TEXT] [--variant TEXT] "
        "[--bar SHARE] [--json FILE] [--verbose] [--list] CAPTURE|FOLDER...\n");
    return 2;
  }
  std::vector<Variant> variants = AllVariants();
  std::erase_if(variants, [&](const Variant& v) { return v.name.rfind(arguments.variant, 0) != 0; });
  if (arguments.list) {
    for (const Variant& variant : variants) {
      const char* expect = variant.expect == Expect::kKept         ? "must hide nothing"
                           : variant.expect == Expect::kKeptIfSeen ? "must hide nothing where both sides are seen"
                                                                   : "shown only";
      fmt::print("{:<34} {} ({})\n", variant.name, variant.about, expect);
    }
    return 0;
  }
  std::string error;
  const std::shared_ptr<const CaptureList> list = CaptureList::Resolve(arguments.paths, {}, error);
  if (list == nullptr) {
    std::fprintf(stderr, "%s\n", error.c_str());
    return 2;
  }
  std::vector<std::string> paths;
  for (const CaptureList::File& file : list->files()) {
    if (file.error.empty() && file.path.find(arguments.only) != std::string::npos) paths.push_back(file.path);
  }
  const size_t all = paths.size();
  std::vector<std::string> sampled;
  for (size_t i = 0; i < paths.size(); i += arguments.every) sampled.push_back(paths[i]);
  const Result result = JudgeAll(sampled, variants, arguments);
  PrintTable(result, variants, arguments.bar);
  if (arguments.verbose) PrintChanges(result, variants);
  fmt::print("{} of {} captures read (seed {}), {} with {} of TCP flows:", sampled.size(), all, arguments.judge.seed,
             result.captures_judged, arguments.judge.max_literals == 0 ? "observables" : "literals");
  for (size_t b = 0; b < kBases; ++b) fmt::print(" {} {}", result.findings[b], kBaseNames[b]);
  fmt::print("\n");
  if (!arguments.json.empty() && !WriteJson(result, variants, arguments.json)) {
    std::fprintf(stderr, "%s: cannot be written\n", arguments.json.c_str());
    return 2;
  }
  size_t passed = 0, failed = 0;
  for (size_t v = 0; v < variants.size(); ++v) {
    for (size_t b = 0; b < kBases; ++b) {
      const Tally& tally = result.tallies[v][b];
      if (!Must(variants[v].expect, b) || tally.expected == 0) continue;
      ++(tally.recall() < arguments.bar ? failed : passed);
    }
  }
  if (passed + failed == 0) {
    fmt::print("nothing was found, so nothing was tested\n");
    failed = 1;
  }
  fmt::print("{} passed, {} failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace vedette::injection

int main(int argc, char** argv) { return vedette::injection::Main(argc, argv); }
