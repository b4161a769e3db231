#include "tests/views/observed_rows.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "parsers/base/text.h"
#include "sensor/pipeline/worker.h"

namespace vedette::views {
namespace {

using Seen = std::pair<ObservableKind, std::string>;

class Collector : public BurstConsumer {
 public:
  void OnBurst(const ObservableBatch& batch, std::span<const EmissionContext>, std::span<const EndedFlow>) override {
    for (const Observable& o : batch.observables()) {
      if (IsContext(o.kind) || o.kind == ObservableKind::kPayload) continue;
      seen.emplace(o.kind, FormOf(o.kind) == ValueForm::kAddress ? o.address.ToString() : std::string(o.text));
    }
  }
  void OnProgress(uint32_t, uint64_t) override {}
  std::set<Seen> seen;
};

// As a content's value: every byte in hexadecimal.
std::string AsContent(std::string_view bytes) { return '|' + ToHex(bytes) + '|'; }

IndicatorType TypeFor(ObservableKind kind, std::mt19937_64& random) {
  switch (kind) {
    case ObservableKind::kIp:
    case ObservableKind::kIpInner:
    case ObservableKind::kIpQuoted:
    case ObservableKind::kDnsAnswer:
      return random() % 3 == 0 ? IndicatorType::kCidr : IndicatorType::kIp;
    case ObservableKind::kHttpUri:
      return IndicatorType::kUri;
    case ObservableKind::kHttpUrl:
      return IndicatorType::kUrl;
    case ObservableKind::kHttpUserAgent:
      return IndicatorType::kUserAgent;
    case ObservableKind::kTlsJa3:
      return IndicatorType::kJa3;
    case ObservableKind::kTlsJa3s:
      return IndicatorType::kJa3s;
    case ObservableKind::kTlsJa4:
      return IndicatorType::kJa4;
    case ObservableKind::kTlsCertSha1:
      return IndicatorType::kCertSha1;
    case ObservableKind::kTlsCertSha256:
      return IndicatorType::kCertSha256;
    case ObservableKind::kHttpXff:
      return IndicatorType::kContent;
    default:
      return random() % 2 == 0 ? IndicatorType::kDomain : IndicatorType::kHostname;
  }
}

}  // namespace

std::vector<Indicator> RowsForWhatIsSeen(const Bursts& bursts, std::mt19937_64& random, size_t most) {
  Collector collector;
  Worker worker(WorkerOptions(), collector);
  bursts([&](std::span<const Frame> frames) { worker.Process(frames); });
  worker.Finish();
  std::vector<Seen> seen(collector.seen.begin(), collector.seen.end());
  std::shuffle(seen.begin(), seen.end(), random);
  seen.resize(std::min(seen.size(), most));

  std::vector<Indicator> rows;
  for (const auto& [kind, text] : seen) {
    for (size_t n = 1 + random() % 4; n > 0; --n) {
      Indicator& row = rows.emplace_back();
      row.type = TypeFor(kind, random);
      row.value = text;
      if (FormOf(kind) == ValueForm::kText && text.size() >= 4 &&
          (random() % 3 == 0 || row.type == IndicatorType::kContent)) {
        const size_t begin = random() % (text.size() - 3), length = 4 + random() % 100;
        row.type = IndicatorType::kContent;
        row.value = AsContent(std::string_view(text).substr(begin, length));
        row.in = random() % 2 == 0 ? ObservableMask{kind} : ObservableMask{kind, ObservableKind::kPayload};
      } else if (row.type == IndicatorType::kCidr) {
        row.value += text.find(':') == std::string::npos ? "/24" : "/48";
      }
      row.direction = random() % 3 == 0 ? static_cast<IndicatorDirection>(random() % 3) : IndicatorDirection::kAny;
      AssignOwner(row, random);
    }
  }
  std::shuffle(rows.begin(), rows.end(), random);
  return rows;
}

}  // namespace vedette::views
