#include "exporter/metrics/metrics_endpoint.h"

#include <prometheus/collectable.h>
#include <prometheus/exposer.h>
#include <prometheus/metric_family.h>

#include <exception>
#include <utility>
#include <vector>

#include "parsers/text.h"

namespace vedette {
namespace {

// A connection holds one thread until it has asked and was answered, or until the time is over: who opens one and says
// nothing keeps nobody else out. More connections than threads wait, in a queue of civetweb's own, for their turn.
constexpr const char* kThreads = "8";
constexpr const char* kRequestMilliseconds = "2000";

prometheus::MetricType TypeOf(FigureKind kind) {
  switch (kind) {
    case FigureKind::kCounter:
      return prometheus::MetricType::Counter;
    case FigureKind::kGauge:
      return prometheus::MetricType::Gauge;
    case FigureKind::kHistogram:
      return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

prometheus::ClientMetric MetricOf(const Figure& figure) {
  prometheus::ClientMetric metric;
  // A source's name is what its file says; one that is not UTF-8 would have Prometheus refuse the whole page.
  if (!figure.family->label.empty())
    metric.label.push_back({std::string(figure.family->label), Escaped(figure.label_value)});
  metric.counter.value = metric.gauge.value = figure.value;
  if (figure.family->kind != FigureKind::kHistogram) return metric;
  const HistogramCounts& histogram = figure.histogram;
  uint64_t cumulative = 0;
  for (size_t i = 0; i < HistogramCounts::kBounds.size(); ++i) {
    cumulative += histogram.counts[i];
    metric.histogram.bucket.push_back({cumulative, HistogramCounts::kBounds[i]});
  }
  metric.histogram.sample_count = histogram.count;
  metric.histogram.sample_sum = histogram.sum_seconds;
  return metric;
}

class Collector : public prometheus::Collectable {
 public:
  explicit Collector(const FigureRegistry& registry) : registry_(registry) {}

  std::vector<prometheus::MetricFamily> Collect() const override {
    std::vector<prometheus::MetricFamily> out;
    std::vector<const FigureFamily*> families;
    const Figures figures = registry_.Collect();
    for (const Figure& figure : figures.all()) {
      // Figures of a family stand together, but several sources may have some.
      size_t at = families.size();
      while (at > 0 && families[at - 1] != figure.family) --at;
      if (at == 0) {
        families.push_back(figure.family);
        out.push_back(
            {std::string(figure.family->name), std::string(figure.family->help), TypeOf(figure.family->kind), {}});
        at = families.size();
      }
      out[at - 1].metric.push_back(MetricOf(figure));
    }
    return out;
  }

 private:
  const FigureRegistry& registry_;
};

}  // namespace

struct MetricsEndpoint::Impl {
  std::shared_ptr<Collector> collector;
  std::unique_ptr<prometheus::Exposer> exposer;  // after the collector: it goes first
};

MetricsEndpoint::MetricsEndpoint(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MetricsEndpoint::~MetricsEndpoint() = default;

std::unique_ptr<MetricsEndpoint> MetricsEndpoint::Open(const std::string& address, const FigureRegistry& registry,
                                                       std::string& error) {
  auto impl = std::make_unique<Impl>();
  impl->collector = std::make_shared<Collector>(registry);
  try {
    impl->exposer = std::make_unique<prometheus::Exposer>(std::vector<std::string>{
        "listening_ports", address, "num_threads", kThreads, "request_timeout_ms", kRequestMilliseconds});
  } catch (const std::exception& problem) {
    error = "metrics: cannot listen on " + address + " (" + problem.what() +
            "); is the port taken? choose another with `metrics: listen:`, or set it to `off`";
    return nullptr;
  }
  impl->exposer->RegisterCollectable(impl->collector);
  return std::unique_ptr<MetricsEndpoint>(new MetricsEndpoint(std::move(impl)));
}

uint16_t MetricsEndpoint::port() const {
  const std::vector<int> ports = impl_->exposer->GetListeningPorts();
  return ports.empty() ? 0 : static_cast<uint16_t>(ports[0]);
}

}  // namespace vedette
