#include "sensor/replay/carve_setup.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "sensor/capture/files/capture_files.h"
#include "sensor/replay/carve_folder.h"
#include "sensor/setup/complain.h"
#include "sensor/setup/progress.h"

namespace vedette {
namespace {

bool SawFragments(const DecodeCounters& decode) {
  const auto count = [&](NotDecoded reason) { return decode.not_decoded[static_cast<size_t>(reason)]; };
  return decode.datagrams_reassembled + count(NotDecoded::kFragmentHeld) + count(NotDecoded::kFragmentBad) +
             count(NotDecoded::kFragmentCut) + count(NotDecoded::kFragmentTimeout) +
             count(NotDecoded::kFragmentLimit) !=
         0;
}

}  // namespace

void CarveSetup::AddTo(CLI::App& app) {
  auto* const carve =
      app.add_option("--carve", folder_, "write every flow with an alert into this folder, each as a capture")
          ->type_name("DIR");
  app.add_option("--carve-flows", max_flows_, "carve at most this many flows, those that alert first (default 100000)")
      ->check(CLI::Range(uint64_t{1}, uint64_t{10'000'000}))
      ->type_name("N")
      ->needs(carve);
  app.add_flag("--force", force_, "carve even if the folder is not empty")->needs(carve);
}

bool CarveSetup::Open(const CaptureList& captures, std::string& error) {
  if (folder_.empty()) return true;
  for (const CaptureList::File& file : captures.files()) {
    if (file.kind != CaptureList::Kind::kPipe && file.kind != CaptureList::Kind::kGrowing && file.name != "-") continue;
    error =
        "--carve reads the capture a second time, which standard input and --follow do not allow; save it to a file "
        "first, and "
        "replay that";
    return false;
  }
  while (folder_.size() > 1 && folder_.back() == '/') folder_.pop_back();
  if (!PrepareCarveFolder(folder_, force_, captures, error)) return false;
  sink_ = std::make_unique<CarveSink>(max_flows_);
  return true;
}

void CarveSetup::NameIn(AlertPolicy& policy) const {
  if (sink_ == nullptr) return;
  policy.NameCaptures(
      [sink = sink_.get()](uint64_t flow_id) { return sink->Carves(flow_id) ? CarvedName(flow_id) : std::string(); });
}

bool CarveSetup::Run(const std::vector<std::span<const EndedFlow>>& ended, const CaptureOptions& options,
                     const std::shared_ptr<const CaptureList>& captures, const Totals& totals,
                     const std::atomic<bool>& stop) {
  if (sink_ == nullptr) return true;
  for (const std::span<const EndedFlow> flows : ended) sink_->SetEnds(flows);
  const std::vector<CarvedFlow> flows = sink_->TakeFlows();
  flows_left_out_ = totals.alerts.flows - std::min<uint64_t>(totals.alerts.flows, flows.size());
  std::unique_ptr<PacketFilter> filter;
  if (!options.filter.empty()) filter = PacketFilter::Compile(options.filter, report_.error);
  ProgressBar progress("carving");
  CarveInput input;
  input.open = [&](uint32_t first_file) {
    return std::make_unique<CaptureFiles>(captures, first_file, UINT32_MAX / 2);
  };
  input.file_name = [&](uint32_t file) { return std::string_view(captures->files()[file].name); };
  input.damage = totals.damage;
  input.filter = filter.get();
  input.since_ns = options.since_ns;
  input.until_ns = options.until_ns;
  input.fragments = SawFragments(totals.decode);
  input.on_progress = [&](const CaptureCounters& counters, uint64_t packets) { progress.Show({counters, packets}); };
  if (report_.error.empty()) report_ = Carve(flows, folder_, input, stop);
  progress.Clear();
  if (report_.error.empty()) return true;
  Complain("--carve: " + report_.error);
  return false;
}

std::string CarveSetup::Summary() const {
  if (sink_ == nullptr) return {};
  std::string out = "carved\n";
  const auto append = [&](std::string_view name, uint64_t count, bool always = false) {
    if (count != 0 || always) out += fmt::format("  {:<28} {:>15}\n", name, Thousands(count));
  };
  append("flows", report_.flows, true);
  append("files", report_.files, true);
  append("packets", report_.packets, true);
  out += fmt::format("  {:<28} {:>15}\n", "bytes", ByteSize(report_.bytes));
  append("left out: flows (--carve-flows)", flows_left_out_);
  append("left out: fragments", report_.fragments_left_out);
  append("cut to 262,144 bytes", report_.packets_cut);
  append("times beyond 2106", report_.times_beyond_pcap);
  out += ForTerminal(fmt::format("  in {}, listed in {}/{}", folder_, folder_, kCarveIndex)) + '\n';
  return out;
}

}  // namespace vedette
