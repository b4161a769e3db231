#include "sensor/setup/feed_setup.h"

#include <fmt/format.h>

#include <algorithm>

#include "exporter/metrics/losses.h"
#include "parsers/base/counter.h"
#include "parsers/base/text.h"
#include "sensor/pipeline/totals_figures.h"
#include "sensor/setup/complain.h"
#include "sensor/setup/progress.h"
#include "signatures/canary.h"

namespace vedette {

bool FeedSetup::Open(const Config& config, Partners& partners, AlertPolicy& policy, std::string& error,
                     std::function<void(std::string_view)> log, std::function<void(std::string_view)> warn) {
  config_ = config;
  partners_ = &partners;
  if (!log) log = [](std::string_view line) { Say("feed        {}\n", ForTerminal(line)); };
  if (!warn) warn = log;
  const auto without_prefix = [](const std::function<void(std::string_view)>& to) {
    return [to](std::string_view line) {
      constexpr std::string_view kPrefix = "feed: ";  // `to` says so itself
      to(line.starts_with(kPrefix) ? line.substr(kPrefix.size()) : line);
    };
  };
  config_.feed.log = without_prefix(log);
  config_.feed.warn = without_prefix(warn);
  publisher_ = FeedPublisher::Open(config_.feed, error);
  if (publisher_ == nullptr) return false;
  sink_ = std::make_unique<FeedSink>(*publisher_, partners, policy);
  const auto count = std::count_if(config_.feed.partners.begin(), config_.feed.partners.end(),
                                   [](const PartnerConfig& partner) { return partner.name != kCanaryView; });
  log(fmt::format("{} for {} partners", publisher_->endpoint(), count));
  return true;
}

void FeedSetup::TellLosses(const Pipeline& pipeline) {
  TellLosses([&pipeline] { return pipeline.Snapshot(); });
}

void FeedSetup::TellLosses(std::function<Totals()> totals, const FigureSource* more) {
  sink_->TellLosses([totals = std::move(totals), more] {
    Figures figures;
    AppendFigures(totals(), figures);
    if (more != nullptr) more->AppendFigures(figures);
    return LossesOf(figures);
  });
}

void FeedSetup::WaitForPartners(std::chrono::seconds limit, const std::atomic<bool>& stop) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!stop.load()) {
    if (publisher_->WaitForPartners(std::chrono::milliseconds(200))) return;
    if (std::chrono::steady_clock::now() < end) continue;
    Say("warning: not every partner has connected within {}; those that have not will not receive this replay\n",
        Span(static_cast<double>(limit.count())));
    return;
  }
}

std::string FeedSetup::Summary() const {
  if (publisher_ == nullptr) return {};
  std::string out = "feed\n";
  for (const std::unique_ptr<Partner>& one : partners_->all()) {
    const PartnerCounters& partner = one->counters;
    if (one->config.name == kCanaryView) continue;
    out += fmt::format("  {:<28} {:>15}\n", one->config.name, Thousands(partner.published) + " alerts");
    ForEachTold(partner, [&](std::string_view why, uint64_t n) {
      if (n != 0) out += fmt::format("    {:<26} {:>15}\n", why, Thousands(n));
    });
  }
  ForEachTold(publisher_->counters(), [&](std::string_view what, uint64_t n) {
    if (n != 0) out += fmt::format("  {:<28} {:>15}\n", what, Thousands(n));
  });
  return out;
}

}  // namespace vedette
