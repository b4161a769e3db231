#include "exporter/metrics/metrics_endpoint.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <utility>
#include <vector>

#include "parsers/base/text.h"

namespace vedette {
namespace {

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

std::string PageOf(const FigureRegistry& registry) {
  std::vector<prometheus::MetricFamily> out;
  std::vector<const FigureFamily*> families;
  const Figures figures = registry.Collect();
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
  return prometheus::TextSerializer().Serialize(out);
}

}  // namespace

MetricsEndpoint::MetricsEndpoint(std::unique_ptr<PageServer> server) : server_(std::move(server)) {}
MetricsEndpoint::~MetricsEndpoint() = default;

std::unique_ptr<MetricsEndpoint> MetricsEndpoint::Open(const std::string& address, const FigureRegistry& registry,
                                                       std::string& error) {
  std::string reason;
  std::unique_ptr<PageServer> server = PageServer::Open(
      address, "/metrics", "text/plain; version=0.0.4; charset=utf-8", [&registry] { return PageOf(registry); },
      reason);
  if (server == nullptr) {
    error = "metrics: cannot listen on " + address + " (" + reason +
            "); is the port taken? choose another with `metrics: listen:`, or set it to `off`";
    return nullptr;
  }
  return std::unique_ptr<MetricsEndpoint>(new MetricsEndpoint(std::move(server)));
}

uint16_t MetricsEndpoint::port() const { return server_->port(); }

}  // namespace vedette
