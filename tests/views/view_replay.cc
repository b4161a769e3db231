#include "tests/views/view_replay.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "exporter/metrics/losses.h"
#include "sensor/pipeline/pipeline.h"
#include "sensor/pipeline/totals_figures.h"
#include "sensor/pipeline/worker.h"

namespace vedette::views {
namespace {

constexpr const char* kOriginators[] = {"cert-a", "cert-b", "cert-c", "cert-d"};
constexpr const char* kGroups[] = {"banks", "energy"};
constexpr const char* kSources[] = {"feed-1", "feed-2"};

// One partner of many: p0, p1 …
std::string PartnerName(size_t i) { return "p" + std::to_string(i); }

// What duplicates have in common; the same for a row and for its record.
using RowKey = std::tuple<std::string, std::string, std::string, std::string, std::string, IndicatorType>;

template <class Row>
RowKey KeyOf(const Row& row) {
  std::string recipients;
  for (const auto& recipient : row.recipients) recipients.append(recipient).append(1, '\n');
  return {std::string(row.id),         std::string(row.source),
          std::string(row.originator), std::string(row.sharing_group),
          std::move(recipients),       row.type};
}

std::shared_ptr<const IndicatorSet> Compile(const std::vector<Indicator>& rows, uint64_t& refused) {
  IndicatorSetBuilder builder;
  for (const Indicator& row : rows) builder.Add(row);
  CompileReport report;
  std::shared_ptr<const IndicatorSet> set = builder.Compile(report);
  refused += report.refused;
  return set;
}

// The rows that a partner may see: by what holds for them in the set, where the strictest TLP of an id holds for all.
// Rows know their place by their line. A duplicate goes with the one that was kept.
std::vector<Indicator> PermittedOf(const std::vector<Indicator>& rows, const IndicatorSet& set,
                                   const Clearance& clearance) {
  std::set<uint32_t> permitted, hidden;
  std::set<RowKey> permitted_keys;
  for (uint32_t i = 0; i < set.size(); ++i) {
    const IndicatorRecord record = set.at(i);
    if (clearance.Permits(record)) {
      permitted.insert(record.line);
      permitted_keys.insert(KeyOf(record));
    } else {
      hidden.insert(record.line);
    }
  }
  std::vector<Indicator> out;
  for (const Indicator& row : rows) {
    if (permitted.count(row.line) != 0 || (hidden.count(row.line) == 0 && permitted_keys.count(KeyOf(row)) != 0)) {
      out.push_back(row);
    }
  }
  return out;
}

std::vector<std::string_view> LinesOf(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return lines;
}

// All that a view holds of a flow's end.
void AppendEnd(const View& view, std::string& out) {
  const FlowSnapshot& flow = view.seen->flow;
  out += "end " + view.first_alert_id + " of " + std::to_string(view.alerts);
  for (const uint64_t number : {flow.id, flow.packets[0], flow.packets[1], flow.bytes[0], flow.bytes[1], flow.first_ns,
                                flow.last_ns, view.seen->packet, view.seen->time_ns, view.generation})
    out += ' ' + std::to_string(number);
  out += ' ' + std::to_string(view.hits.size()) + ' ' + std::to_string(view.seen->message.size()) + '\n';
}

}  // namespace

Replayed Replay(const Bursts& bursts, const Generations& generations, const std::vector<Clearance>& clearances,
                const ReplayOptions& options, size_t num_bursts) {
  Replayed out;
  out.views.resize(clearances.size());
  for (const std::vector<Indicator>& rows : generations) out.sets.push_back(Compile(rows, out.refused));

  SensorIdentity identity;
  identity.name = "sensor";
  identity.version = "1";
  AlertPolicy policy(CatalogueOf(out.sets[0], 1),
                     {.sensor = identity, .file_name = [](uint32_t) { return std::string_view("capture"); }});
  const std::unique_ptr<Renderer> renderer = MakeJsonRenderer();
  std::vector<Reader> readers;
  for (const Clearance& clearance : clearances) {
    readers.push_back(Reader::Of(readers.size(), clearance));
    if (options.ends) readers.back().takes.Add(EventKind::kClosed);
    readers.back().max_flows = options.max_flows;
  }
  View view;

  Doorbell doorbell;
  AlertQueue queue(doorbell, options.room);
  MatchConsumer consumer(queue, !options.live, 0, options.limits);
  if (options.ends) consumer.TellEnds();
  const auto kit_of = [&](size_t generation) {
    const std::shared_ptr<const IndicatorSet>& set = out.sets[generation];
    return MatchKit::Make(set, generation + 1, EmittedFor(set->wanted()));
  };
  KitExchange exchange;
  Worker worker(WorkerOptions(), consumer, kit_of(0), &exchange);
  const auto pop = [&] {
    while (queue.Front() != nullptr) {
      const std::unique_ptr<QueuedAlert> queued = queue.Pop();
      if (queued->alert.event == EventKind::kAlert) ++out.alerts;
      const Event* const event = policy.Decide(queued->alert);
      for (size_t i = 0; event != nullptr && i < readers.size(); ++i) {
        if (policy.Show(*event, readers[i], view) != ViewOutcome::kShown) continue;
        renderer->Append(view, out.views[i]);
        if (view.kind == EventKind::kClosed) AppendEnd(view, out.views[i]), ++out.ends;
      }
    }
  };
  size_t burst = 0, generation = 0;
  bursts([&](std::span<const Frame> frames) {
    if (generation + 1 < generations.size() && burst >= (generation + 1) * num_bursts / generations.size()) {
      ++generation;
      policy.AddGeneration(CatalogueOf(out.sets[generation], generation + 1));
      exchange.Offer(kit_of(generation));
    }
    worker.Process(frames);
    if (++burst % options.pop_every_bursts == 0) pop();
  });
  pop();
  worker.Finish();
  pop();
  out.counters = consumer.alert_counters();
  for (const Reader& reader : readers) out.flows_over_limit += reader.flows_over_limit;
  Totals totals;
  totals.decode = worker.decode_counters();
  totals.workers = worker.counters();
  totals.inspection = worker.inspection_counters();
  totals.tcp = worker.tcp_counters();
  Figures figures;
  AppendFigures(totals, figures);
  out.losses = LossesOf(figures);
  out.matching = worker.payload_match_counters();
  out.matching.hits_over_limit += worker.field_match_counters().hits_over_limit;
  return out;
}

Difference CompareViews(const Bursts& bursts, Generations generations, const std::vector<Clearance>& clearances,
                        const ReplayOptions& options, size_t num_bursts, Replayed* all) {
  for (std::vector<Indicator>& rows : generations) {
    for (size_t i = 0; i < rows.size(); ++i) rows[i].line = static_cast<uint32_t>(i + 1);
  }
  Difference out;
  Replayed with_all = Replay(bursts, generations, clearances, options, num_bursts);
  for (size_t i = 0; i < clearances.size(); ++i) {
    Generations own;
    for (size_t g = 0; g < generations.size(); ++g) {
      own.push_back(PermittedOf(generations[g], *with_all.sets[g], clearances[i]));
    }
    const Replayed alone = Replay(bursts, own, {clearances[i]}, options, num_bursts);
    const std::string& expected = alone.views[0];
    const std::string& seen = with_all.views[i];
    out.bytes += seen.size();
    if (seen == expected) continue;
    const std::vector<std::string_view> a = LinesOf(expected), b = LinesOf(seen);
    const size_t most = std::max(a.size(), b.size());
    for (size_t line = 0; line < most; ++line) {
      const std::string_view x = line < a.size() ? a[line] : "", y = line < b.size() ? b[line] : "";
      if (x == y) continue;
      out.differing += std::max(x.size(), y.size());
      if (out.example.empty()) {
        out.example = "partner " + std::to_string(i) + ", line " + std::to_string(line + 1) +
                      "\n  with only what it may see: " + std::string(x) + "\n  with all rows: " + std::string(y);
      }
    }
  }
  if (all != nullptr) *all = std::move(with_all);
  return out;
}

void AssignOwner(Indicator& row, std::mt19937_64& random) {
  constexpr Tlp kTlps[] = {Tlp::kNone, Tlp::kClear, Tlp::kGreen, Tlp::kAmber, Tlp::kAmberStrict, Tlp::kRed};
  row.originator = kOriginators[random() % 4];
  row.source = kSources[random() % 2];
  row.tlp = kTlps[random() % 6];
  row.sharing_group = random() % 5 == 0 ? kGroups[random() % 2] : "";
  row.recipients.clear();
  if (random() % 8 == 0) {
    for (size_t n = 1 + random() % 2; n > 0; --n) row.recipients.push_back(PartnerName(random() % 4));
  }
  row.id = "id-" + std::to_string(random());
  if (random() % 10 == 0) {
    // The strictest TLP of an id holds for all its rows, so that they are shown or hidden together.
    row.id = "shared-" + std::to_string(random() % 5);
    row.sharing_group.clear();
    row.recipients.clear();
  }
  if (random() % 2 == 0) row.confidence = static_cast<uint8_t>(random() % 101);
  if (random() % 3 == 0) row.description = "description " + std::to_string(random() % 3);
  row.file = "rows.csv";
}

std::vector<Clearance> SomeClearances(std::mt19937_64& random, size_t count) {
  constexpr Tlp kHighest[] = {Tlp::kClear, Tlp::kGreen, Tlp::kAmber, Tlp::kAmberStrict, Tlp::kRed};
  std::vector<Clearance> out(count);
  for (size_t i = 0; i < count; ++i) {
    Clearance& clearance = out[i];
    clearance.partner = PartnerName(i);
    for (const char* originator : kOriginators) {
      if (random() % 2 == 0) clearance.originators.emplace_back(originator);
    }
    if (i == 0 || clearance.originators.empty()) clearance.originators = {kOriginators[i % 4]};
    clearance.max_tlp = i == 0 ? Tlp::kGreen : kHighest[random() % 5];
    if (random() % 2 == 0) clearance.unmarked_sources = {kSources[random() % 2]};
    if (random() % 2 == 0) clearance.sharing_groups = {kGroups[random() % 2]};
  }
  return out;
}

}  // namespace vedette::views
