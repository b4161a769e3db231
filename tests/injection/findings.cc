#include "tests/injection/findings.h"

#include <algorithm>

#include "sensor/pipeline/worker.h"
#include "signatures/readers/read_indicators.h"

namespace vedette::injection {
namespace {

constexpr uint8_t kProtocolTcp = 6;
constexpr size_t kLiteralBytes = 10;

std::string EndOf(const IpAddress& address, uint16_t port) {
  return std::string(AsText(address.wire())) + static_cast<char>(port >> 8) + static_cast<char>(port & 0xff);
}

class Collector final : public BurstConsumer {
 public:
  explicit Collector(Findings& out) : out_(out) {}
  void OnBurst(const ObservableBatch& batch, std::span<const EmissionContext> contexts,
               std::span<const EndedFlow>) override {
    for (const Observable& o : batch.observables()) {
      if (IsContext(o.kind) || o.kind == ObservableKind::kIp || o.context >= contexts.size()) continue;
      const FlowSnapshot& flow = contexts[o.context].flow;
      if (flow.protocol != kProtocolTcp) continue;
      const std::string a = EndOf(flow.client, flow.client_port), b = EndOf(flow.server, flow.server_port);
      Finding finding{std::min(a, b) + std::max(a, b), std::string(NameOf(o.kind)), {}};
      if (o.kind == ObservableKind::kPayload) {
        finding.value = std::to_string(o.pattern);
      } else if (FormOf(o.kind) == ValueForm::kAddress) {
        finding.value = o.address.ToString();
      } else {
        finding.value = o.text;
      }
      out_[std::move(finding)] |= o.direction == Direction::kToServer ? 1 : 2;
    }
  }
  void OnProgress(uint32_t, uint64_t) override {}

 private:
  Findings& out_;
};

bool IsPlain(uint8_t byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte == '-';
}

// The first run of plain text in it; empty where there is none.
std::string_view PlainText(Bytes bytes) {
  size_t run = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    run = IsPlain(bytes[i]) ? run + 1 : 0;
    if (run == kLiteralBytes) return AsText(bytes.subspan(i + 1 - run, run));
  }
  return {};
}

}  // namespace

Findings FindingsIn(std::span<const Frame> frames, const std::shared_ptr<const IndicatorSet>& literals, size_t burst) {
  Findings found;
  Collector collector(found);
  std::unique_ptr<MatchKit> kit;
  if (literals != nullptr) kit = MatchKit::Make(literals, 0, ObservableMask::All());
  Worker worker(WorkerOptions(), collector, std::move(kit));
  std::vector<Frame> numbered;
  for (size_t begin = 0; begin < frames.size(); begin += numbered.size()) {
    const auto part = frames.subspan(begin, std::min(burst, frames.size() - begin));
    numbered.assign(part.begin(), part.end());
    for (size_t i = 0; i < numbered.size(); ++i) {
      numbered[i].number = begin + i + 1;
      numbered[i].file = 0;
    }
    worker.Process(numbered);
  }
  worker.Finish();
  return found;
}

std::shared_ptr<const IndicatorSet> LiteralsOf(const Trace& trace, size_t max) {
  std::vector<std::string_view> texts;
  for (size_t i = 0; i < trace.frames().size(); ++i) {
    const TcpFrame* tcp = trace.tcp(i);
    if (tcp == nullptr) continue;
    const std::string_view text = PlainText({trace.frames()[i].data + tcp->payload, tcp->captured_payload_bytes});
    if (!text.empty()) texts.push_back(text);
  }
  IndicatorSetBuilder builder;
  std::string error;
  size_t added = 0;
  const size_t step = texts.size() / std::max<size_t>(max, 1) + 1;
  for (size_t i = 0; i < texts.size(); i += step) {
    if (AddFromText("content:" + std::string(texts[i]), builder, error)) ++added;
  }
  CompileReport report;
  return added == 0 ? nullptr : builder.Compile(report);
}

}  // namespace vedette::injection
