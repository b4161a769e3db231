// Figures for Prometheus: GET /metrics, in the text format of prometheus-cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "exporter/metrics/figures.h"
#include "exporter/metrics/page_server.h"

namespace vedette {

// Serves in a thread of its own, which calls the registry's Collect. Nothing a client does reaches the sensor's other
// threads or keeps another client waiting (page_server.h).
class MetricsEndpoint {
 public:
  // `address`: "127.0.0.1:9477"; no IPv6 address; port 0 picks a free one. nullptr with an error that names it and says
  // what to do. `registry` outlives the endpoint.
  static std::unique_ptr<MetricsEndpoint> Open(const std::string& address, const FigureRegistry& registry,
                                               std::string& error);
  ~MetricsEndpoint();
  uint16_t port() const;

 private:
  explicit MetricsEndpoint(std::unique_ptr<PageServer> server);
  std::unique_ptr<PageServer> server_;
};

}  // namespace vedette
