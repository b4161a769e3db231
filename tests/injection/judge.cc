#include "tests/injection/judge.h"

#include <string_view>
#include <unordered_set>

#include "parsers/base/text.h"
#include "tests/injection/findings.h"

namespace vedette::injection {
namespace {

// FNV-1a: the same on every machine.
uint64_t HashOf(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325ull;
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3ull;
  return hash;
}

Trace BaseOf(const Trace& whole, Base base, uint64_t seed, uint32_t one_in) {
  switch (base) {
    case Base::kClientOnly:
      return whole.OneSide(kClient);
    case Base::kServerOnly:
      return whole.OneSide(kServer);
    case Base::kLossy:
      return whole.Lossy(seed, one_in);
    default:
      return whole;
  }
}

// Each frame with data in two IP fragments.
std::vector<Frame> InFragments(const std::vector<Frame>& frames, Rng& rng, Arena& arena) {
  std::vector<Frame> out;
  out.reserve(frames.size() * 2);
  for (const Frame& frame : frames) {
    TcpFrame tcp;
    std::vector<std::vector<uint8_t>> fragments;
    if (Parse(frame, tcp) && tcp.payload_bytes != 0) {
      fragments = Fragmented(frame, tcp, static_cast<uint32_t>(rng.Next()));
    }
    if (fragments.empty()) out.push_back(frame);
    for (const std::vector<uint8_t>& bytes : fragments) {
      Frame& fragment = out.emplace_back(frame);
      fragment.data = reinterpret_cast<const uint8_t*>(arena.Copy(AsText(bytes)).data());
      fragment.captured_bytes = fragment.wire_bytes = static_cast<uint32_t>(bytes.size());
    }
  }
  return out;
}

// An example that does not depend on the order of a hash table.
void KeepLeast(std::string& example, const Finding& finding) {
  std::string text = finding.kind + " " + Escaped(finding.value);
  if (example.empty() || text < example) example = std::move(text);
}

}  // namespace

void Tally::Add(const Tally& other) {
  captures += other.captures;
  forged += other.forged;
  expected += other.expected;
  lost += other.lost;
  extra += other.extra;
  turned += other.turned;
}

void Result::Add(const Result& other) {
  if (tallies.empty()) tallies.resize(other.tallies.size());
  for (size_t i = 0; i < other.tallies.size(); ++i) {
    for (size_t base = 0; base < kBases; ++base) tallies[i][base].Add(other.tallies[i][base]);
  }
  changes.insert(changes.end(), other.changes.begin(), other.changes.end());
  captures += other.captures;
  captures_judged += other.captures_judged;
  for (size_t base = 0; base < kBases; ++base) findings[base] += other.findings[base];
}

Result JudgeCapture(const Trace& whole, const std::string& name, const std::vector<Variant>& variants,
                    const JudgeOptions& options) {
  Result result;
  result.tallies.resize(variants.size());
  result.captures = 1;
  const std::shared_ptr<const IndicatorSet> literals =
      options.max_literals == 0 ? nullptr : LiteralsOf(whole, options.max_literals);
  if (options.max_literals != 0 && literals == nullptr) return result;
  for (size_t b = 0; b < kBases; ++b) {
    const auto base = static_cast<Base>(b);
    const Trace trace = BaseOf(whole, base, options.seed ^ HashOf(name), options.lossy_one_in);
    const auto find = [&](const std::vector<Frame>& frames) {
      if (base != Base::kFragments) return FindingsIn(frames, literals);
      Rng rng(options.seed);
      Arena arena;
      return FindingsIn(InFragments(frames, rng, arena), literals);
    };
    Findings before = find(trace.frames());
    // Fields are judged without literals.
    if (literals != nullptr) std::erase_if(before, [](const auto& entry) { return entry.first.kind != "payload"; });
    if (before.empty()) continue;
    result.captures_judged = 1;
    result.findings[b] = before.size();
    for (size_t v = 0; v < variants.size(); ++v) {
      Rng rng(options.seed ^ HashOf(name) ^ HashOf(variants[v].name) * (b + 1));
      Injected injected;
      variants[v].inject(trace, rng, injected);
      std::unordered_set<std::string> touched;
      for (size_t c = 0; c < injected.touched.size(); ++c) {
        if (injected.touched[c]) touched.insert(trace.connections()[c].key);
      }
      if (touched.empty()) continue;
      const Findings after = find(injected.frames);
      Change change{v, base, name, {}, {}, {}};
      Tally& tally = change.tally;
      for (const auto& [finding, directions] : before) {
        if (!touched.contains(finding.flow)) continue;
        ++tally.expected;
        const auto found = after.find(finding);
        if (found == after.end()) {
          ++tally.lost;
          KeepLeast(change.lost, finding);
        } else if ((directions & ~found->second) != 0) {
          ++tally.turned;
        }
      }
      for (const auto& [finding, directions] : after) {
        if (literals != nullptr && finding.kind != "payload") continue;
        if (!touched.contains(finding.flow) || before.contains(finding)) continue;
        ++tally.extra;
        KeepLeast(change.extra, finding);
      }
      tally.captures = tally.expected != 0 ? 1 : 0;
      tally.forged = injected.forged;
      result.tallies[v][b] = tally;
      if (tally.lost + tally.extra != 0) result.changes.push_back(std::move(change));
    }
  }
  return result;
}

}  // namespace vedette::injection
