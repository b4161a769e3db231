// What indicators cost: reading and compiling a million rows, looking values up, scanning payload, compiling patterns
// and taking them from the cache.
//
// Times are thread CPU time. Run: bench_indicators [--benchmark_filter=REGEX]
#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "signatures/readers/read_indicators.h"
#include "signatures/set/indicator_set.h"

namespace vedette {
namespace {

using Random = std::mt19937_64;

std::string RandomWord(Random& random, size_t low, size_t high) {
  static constexpr char kLetters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::string out(low + random() % (high - low + 1), 'a');
  for (char& c : out) c = kLetters[random() % 36];
  return out;
}

std::string RandomDomain(Random& random) {
  static constexpr const char* kEndings[] = {".com", ".net", ".org", ".ru", ".xyz", ".co.uk", ".info", ".top"};
  return RandomWord(random, 6, 18) + kEndings[random() % 8];
}

IpAddress RandomAddress(Random& random) {
  for (;;) {
    const auto bits = static_cast<uint32_t>(random());
    const uint8_t bytes[4] = {static_cast<uint8_t>(bits >> 24), static_cast<uint8_t>(bits >> 16),
                              static_cast<uint8_t>(bits >> 8), static_cast<uint8_t>(bits)};
    const IpAddress address = IpAddress::V4(bytes);
    if (!address.IsSpecial()) return address;
  }
}

struct Set {
  std::vector<std::string> domains;
  std::vector<IpAddress> addresses;
  std::shared_ptr<const IndicatorSet> set;
  CompileReport report;
};

std::string MakeCsv(size_t count, bool with_metadata, Set& made) {
  Random random(count);
  std::string csv = with_metadata ? "type,value,id,source,description,tags,tlp,valid_from\n" : "type,value\n";
  for (size_t i = 0; i < count; ++i) {
    made.domains.push_back(RandomDomain(random));
    made.addresses.push_back(RandomAddress(random));
    for (const bool domain : {true, false}) {
      csv.append(domain ? "domain," : "ip,").append(domain ? made.domains.back() : made.addresses.back().ToString());
      if (with_metadata) {
        csv += ",indicator--" + std::to_string(random()) + ",feed-" + std::to_string(i % 7) + ",Beacon of family " +
               std::to_string(i % 100) + R"(,"[""malware-type:rat"",""tlp:green""]",green,2026-01-)" +
               std::to_string(10 + i % 20) + "T10:00:00Z";
      }
      csv += '\n';
    }
  }
  return csv;
}

void Load(const std::string& csv, Set& out) {
  IndicatorSetBuilder builder;
  SourceReport source;
  ReadIndicatorText("bench.csv", csv, builder, source);
  out.report = {};
  out.set = builder.Compile(out.report);
}

// Arguments: rows of each kind; whether every row has an id of its own and a description.
void BM_ReadAndCompile(benchmark::State& state) {
  Set set;
  const std::string csv = MakeCsv(static_cast<size_t>(state.range(0)), state.range(1) != 0, set);
  for (auto _ : state) Load(csv, set);
  state.counters["rows"] = static_cast<double>(set.report.loaded);
  state.counters["bytes_per_row"] =
      static_cast<double>(set.report.memory_bytes) / static_cast<double>(set.report.loaded);
  state.counters["compile_s"] = set.report.exact_seconds;
  state.counters["s_per_million"] =
      benchmark::Counter(static_cast<double>(set.report.loaded) / 1e6,
                         benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(BM_ReadAndCompile)
    ->Args({100'000, 0})
    ->Args({1'000'000, 0})
    ->Args({1'000'000, 1})
    ->Unit(benchmark::kMillisecond);

const Set& SetOf(size_t count) {
  static Set set;
  static size_t made_for = 0;
  if (made_for != count) {
    set = {};
    Load(MakeCsv(count, false, set), set);
    made_for = count;
  }
  return set;
}

constexpr size_t kBatch = 64;     // observables of a burst
constexpr size_t kBatches = 512;  // more than the caches remember

template <class Fill>
void LookUp(benchmark::State& state, const Set& set, Fill&& fill) {
  std::vector<std::unique_ptr<ObservableBatch>> batches;
  for (size_t i = 0; i < kBatches; ++i) {
    batches.push_back(std::make_unique<ObservableBatch>());
    for (size_t j = 0; j < kBatch; ++j) fill(*batches.back());
  }
  MatchScratch scratch;
  if (!set.set->PrepareScratch(scratch)) state.SkipWithError("no scratch");
  std::vector<Hit> hits;
  uint64_t found = 0;
  size_t next = 0;
  for (auto _ : state) {
    hits.clear();
    set.set->Find(*batches[next++ % kBatches], scratch, hits);
    found += hits.size();
  }
  const auto total = static_cast<double>(state.iterations() * kBatch);
  state.counters["hits"] = static_cast<double>(found) / total;
  state.counters["time_each"] = benchmark::Counter(total, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

// Arguments: rows of each kind; share of observables that hit, in percent.
void BM_HostName(benchmark::State& state) {
  const Set& set = SetOf(static_cast<size_t>(state.range(0)));
  Random random(1);
  LookUp(state, set, [&](ObservableBatch& batch) {
    const bool hit = random() % 100 < static_cast<uint64_t>(state.range(1));
    const std::string& known = set.domains[random() % set.domains.size()];
    batch.AddText(ObservableKind::kDnsQuery, Direction::kToServer,
                  std::string("www.").append(hit ? known : RandomWord(random, 6, 18) + ".example.com"));
  });
}
void BM_Address(benchmark::State& state) {
  const Set& set = SetOf(static_cast<size_t>(state.range(0)));
  Random random(1);
  LookUp(state, set, [&](ObservableBatch& batch) {
    const bool hit = random() % 100 < static_cast<uint64_t>(state.range(1));
    const IpAddress address = hit ? set.addresses[random() % set.addresses.size()] : RandomAddress(random);
    batch.AddAddress(ObservableKind::kIp, Direction::kToServer, address, 443);
  });
}
BENCHMARK(BM_HostName)->ArgsProduct({{10'000, 100'000, 1'000'000}, {0, 100}});
BENCHMARK(BM_Address)->ArgsProduct({{10'000, 100'000, 1'000'000}, {0, 100}});

enum PatternKind : int64_t { kLiterals, kRegexes };

// Contents and expressions as shared rules hold them. The cache folder may be empty: none.
std::shared_ptr<const IndicatorSet> Patterns(size_t count, PatternKind kind, ObservableMask in,
                                             const std::string& cache_folder, CompileReport& report) {
  Random random(count);
  IndicatorSetBuilder builder;
  builder.set_cache_folder(cache_folder);
  Indicator indicator;
  indicator.type = kind == kLiterals ? IndicatorType::kContent : IndicatorType::kRegex;
  indicator.in = in;
  for (size_t i = 0; i < count; ++i) {
    if (i % 2 == 0) {
      indicator.value = RandomDomain(random);
      if (kind == kRegexes) indicator.value.append("/[a-z]{2,8}\\.php\\?id=[0-9]{1,6}");
    } else {
      indicator.value.assign(1, '/').append(RandomWord(random, 4, 9)).append(1, '/');
      indicator.value.append(RandomWord(random, 4, 12));
      indicator.value += kind == kLiterals ? ".php" : "[0-9a-f]{4,12}\\.(php|aspx?|jsp)";
    }
    builder.Add(indicator);
  }
  return builder.Compile(report);
}

// Arguments: patterns; 0 contents, 1 expressions; 1 from the cache, 0 compiled.
void BM_Patterns(benchmark::State& state) {
  std::string folder = "/tmp/vedette-bench-XXXXXX";
  const bool cached = state.range(2) != 0;
  if (cached && mkdtemp(folder.data()) == nullptr) state.SkipWithError("no temporary folder");
  const auto count = static_cast<size_t>(state.range(0));
  const auto kind = static_cast<PatternKind>(state.range(1));
  CompileReport report;
  if (cached) Patterns(count, kind, {}, folder, report);
  double seconds = 0;
  for (auto _ : state) {
    report = {};
    if (Patterns(count, kind, {}, cached ? folder : "", report) == nullptr) state.SkipWithError("no set");
    if (report.loaded != count || report.patterns_cached != cached) state.SkipWithError("not what it should be");
    seconds += report.patterns_seconds;
  }
  state.counters["patterns_ms"] = seconds * 1e3 / static_cast<double>(state.iterations());
  state.counters["MB"] = static_cast<double>(report.memory_bytes) / 1e6;
  if (cached) std::filesystem::remove_all(folder);
}
BENCHMARK(BM_Patterns)
    ->Args({10'000, kLiterals, 0})
    ->Args({10'000, kLiterals, 1})
    ->Args({1'000, kRegexes, 0})
    ->Args({10'000, kRegexes, 0})
    ->Args({10'000, kRegexes, 1})
    ->Unit(benchmark::kMillisecond);

// A stream of text as web servers send it, or of bytes as TLS does.
std::string Stream(bool text) {
  Random random(3);
  std::string out;
  while (out.size() < (4u << 20)) {
    if (!text) {
      const uint64_t word = random();
      out.append(reinterpret_cast<const char*>(&word), sizeof word);
    } else {
      static constexpr const char* kParts[] = {
          "<div class=\"", "\"><a href=\"/", "</a></div>\n", ".php?id=", "https://www.", ".com/", " the ", "ing of "};
      out.append(kParts[random() % 8]).append(RandomWord(random, 2, 9));
    }
  }
  return out;
}

// Arguments: bytes of a segment; 1 text, 0 random bytes; 1 a stream with seams, 0 datagrams; 0 literals, 1 expressions.
void BM_Payload(benchmark::State& state) {
  static std::shared_ptr<const IndicatorSet> sets[2];
  std::shared_ptr<const IndicatorSet>& set = sets[state.range(3)];
  CompileReport report;
  if (set == nullptr) set = Patterns(10'000, static_cast<PatternKind>(state.range(3)), {}, "", report);
  const std::string stream = Stream(state.range(1) != 0);
  const auto length = static_cast<size_t>(state.range(0));
  MatchScratch scratch;
  if (!set->PrepareScratch(scratch)) state.SkipWithError("no scratch");
  PayloadTail tail;
  std::vector<PayloadHit> hits;
  size_t at = 0;
  for (auto _ : state) {
    hits.clear();
    set->ScanPayload(AsBytes(std::string_view(stream).substr(at, length)), Direction::kToClient,
                     state.range(2) != 0 ? &tail : nullptr, scratch, hits);
    at = at + 2 * length <= stream.size() ? at + length : 0;
  }
  state.counters["scans_per_segment"] =
      static_cast<double>(scratch.counters.payload_scans) / static_cast<double>(state.iterations());
  state.SetBytesProcessed(static_cast<int64_t>(scratch.counters.payload_bytes));
}
BENCHMARK(BM_Payload)->ArgsProduct({{16, 64, 300, 1460}, {0, 1}, {0, 1}, {kLiterals, kRegexes}});

}  // namespace
}  // namespace vedette

int main(int argc, char** argv) {
  std::ifstream cpu("/proc/cpuinfo");
  for (std::string line; std::getline(cpu, line);) {
    if (line.rfind("model name", 0) != 0) continue;
    std::printf("%s\n", line.c_str());
    break;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
