// Figures for Prometheus: an HTTP server that answers GET /metrics, through prometheus-cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "exporter/metrics/figures.h"

namespace vedette {

// Serves in eight threads of its own, which call the registry's Collect. Nothing a client does reaches the sensor's
// other threads; one that does not ask within two seconds is cut off.
class MetricsEndpoint {
 public:
  // `address`: "127.0.0.1:9477"; no IPv6 address; port 0 picks a free one. nullptr with an error that names it and says
  // what to do. `registry` outlives the endpoint.
  static std::unique_ptr<MetricsEndpoint> Open(const std::string& address, const FigureRegistry& registry,
                                               std::string& error);
  ~MetricsEndpoint();
  uint16_t port() const;

 private:
  struct Impl;
  explicit MetricsEndpoint(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vedette
