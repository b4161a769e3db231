// Any text as a regular expression, any bytes as what it is looked for in. In a field, alone and between others, PCRE2
// says whether it is there; in a stream, every way of cutting has to give the same end and the same bytes.
//
// The input: the length of the expression and the expression; a seed for the cuts; the rest is the text.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "signatures/patterns/regex_parser.h"
#include "signatures/set/indicator_set.h"
#include "tests/fuzz/input.h"

namespace {

using namespace vedette;

constexpr size_t kMaxTextBytes = 600;

struct Free {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
  void operator()(pcre2_compile_context* context) const { pcre2_compile_context_free(context); }
};

// nullopt: PCRE2 does not say.
std::optional<bool> PcreFinds(std::string_view expression, std::string_view text) {
  // A character beyond ASCII is repeated as a whole here, and by its last byte there.
  if (std::any_of(expression.begin(), expression.end(), [](char c) { return static_cast<uint8_t>(c) >= 0x80; })) {
    return std::nullopt;
  }
  const std::unique_ptr<pcre2_compile_context, Free> context(pcre2_compile_context_create(nullptr));
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  int error = 0;
  PCRE2_SIZE where = 0;
  const std::unique_ptr<pcre2_code, Free> code(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(expression.data()),
                                                             expression.size(), 0, &error, &where, context.get()));
  if (code == nullptr) return std::nullopt;
  const std::unique_ptr<pcre2_match_data, Free> data(pcre2_match_data_create(1, nullptr));
  std::vector<int> work(20'000);
  const int result = pcre2_dfa_match(code.get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), 0,
                                     PCRE2_DFA_SHORTEST, data.get(), nullptr, work.data(), work.size());
  if (result < 0 && result != PCRE2_ERROR_NOMATCH) return std::nullopt;
  return result >= 0;
}

struct Found {
  bool found = false;
  int64_t end = 0;
  uint32_t length = 0;
  friend bool operator==(const Found&, const Found&) = default;
};

template <class NextLength>
Found InStream(const IndicatorSet& set, MatchScratch& scratch, std::string_view text, NextLength&& next_length) {
  Found out;
  PayloadTail tail;
  for (size_t at = 0; at < text.size();) {
    const size_t length = std::min<size_t>(next_length(), text.size() - at);
    std::vector<PayloadHit> hits;
    set.ScanPayload(AsBytes(text.substr(at, length)), Direction::kToServer, &tail, scratch, hits);
    Check(hits.size() <= 1);
    if (!hits.empty() && !out.found) out = {true, static_cast<int64_t>(at) + hits[0].end_offset, hits[0].length};
    at += length;
  }
  return out;
}

void InFields(std::string_view expression, std::string_view text) {
  IndicatorSetBuilder builder;
  Indicator indicator;
  indicator.type = IndicatorType::kRegex;
  indicator.value = expression;
  indicator.in = {ObservableKind::kHttpUserAgent};
  if (!builder.Add(indicator)) return;
  CompileReport report;
  const std::shared_ptr<const IndicatorSet> set = builder.Compile(report);
  Check(set != nullptr && set->size() == 1 && report.loaded + report.problems_total == 1);
  MatchScratch scratch;
  Check(set->PrepareScratch(scratch));
  ObservableBatch batch;
  const size_t middle = text.size() / 2;
  for (const std::string_view part : {text.substr(0, middle), text, text.substr(middle)}) {
    batch.AddText(ObservableKind::kHttpUserAgent, Direction::kToServer, part);
  }
  std::vector<Hit> hits;
  set->Find(batch, scratch, hits);
  Check(scratch.counters.scan_errors == 0);
  if (report.loaded == 0) return Check(hits.empty());
  const std::string normal(set->at(0).value);
  for (uint32_t i = 0; i < batch.size(); ++i) {
    const bool found = std::any_of(hits.begin(), hits.end(), [&](const Hit& hit) { return hit.observable == i; });
    Check(PcreFinds(normal, batch.observables()[i].text).value_or(found) == found);
  }
}

void InPayload(std::string_view expression, std::string_view text, uint32_t random) {
  IndicatorSetBuilder builder;
  Indicator indicator;
  indicator.type = IndicatorType::kRegex;
  indicator.value = expression;
  if (!builder.Add(indicator)) return;
  CompileReport report;
  const std::shared_ptr<const IndicatorSet> set = builder.Compile(report);
  Check(set != nullptr);
  if (report.loaded == 0) return;
  MatchScratch scratch;
  Check(set->PrepareScratch(scratch));
  const Found whole = InStream(*set, scratch, text, [&] { return text.size(); });
  if (whole.found) {
    std::string reason;
    const std::optional<Regex> regex = ParseRegex(set->at(0).value, false, reason);
    Check(regex && whole.length >= regex->min_width() && whole.length <= regex->max_width());
    const std::string_view shown = text.substr(static_cast<size_t>(whole.end) - whole.length, whole.length);
    Check(PcreFinds(set->at(0).value, shown).value_or(true));
  }
  Check(PcreFinds(set->at(0).value, text).value_or(whole.found) == whole.found);
  for (const size_t longest : {size_t{1}, size_t{40}, size_t{300}}) {
    Check(InStream(*set, scratch, text, [&] {
            random = random * 1664525 + 1013904223;
            return 1 + (random >> 16) % longest;
          }) == whole);
  }
  Check(scratch.counters.scan_errors == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzInput input(data, size);
  const std::string_view expression = input.Text();
  const uint32_t seed = input.Number16();
  const std::string_view text = input.Take(kMaxTextBytes);
  InFields(expression, text);
  InPayload(expression, text, seed);
  return 0;
}
