// From an alert to what a reader sees: contract 3's JSON, a table row, a CSV row.
//
// One thread uses a renderer. Roles, geolocation and the choice of hits are decided here, once per alert and view.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/alert/alert.h"
#include "exporter/alert/roles.h"
#include "exporter/geo/geo.h"
#include "exporter/policy/constituency_table.h"
#include "signatures/set/indicator_set.h"

namespace vedette {

constexpr std::string_view kAlertSchema = "vedette-alert/1";  // version of docs/alert.schema.json

struct SensorIdentity {
  std::string name;  // of the sensor, as its operator calls it
  std::string version;
  bool replay = true;                // a capture, not an interface: pcap_filename is set
  std::vector<IpAddress> resolvers;  // see DecideRoles
};

// One generation of indicators as a renderer sees it: what an alert's indexes mean.
struct IndicatorCatalogue {
  std::function<IndicatorRecord(uint32_t)> at;  // its views hold as long as the catalogue does
  uint32_t size = 0;
  std::string digest;
  uint64_t generation = 0;              // 0: answers the alerts of every generation (replay, where nothing is reloaded)
  std::optional<uint32_t> canary = {};  // the indicator of the sensor's test of itself
  std::vector<Audience> audiences = {};
};
inline IndicatorCatalogue CatalogueOf(std::shared_ptr<const IndicatorSet> set, uint64_t generation = 0) {
  const auto size = static_cast<uint32_t>(set->size());
  std::string digest = set->digest();
  const std::optional<uint32_t> canary = set->canary();
  std::vector<Audience> audiences = set->audiences();
  return {[set = std::move(set)](uint32_t index) { return set->at(index); },
          size,
          std::move(digest),
          generation,
          canary,
          std::move(audiences)};
}

// What may be shown to whom.
using HitFilter = std::function<bool(const IndicatorRecord&)>;

// What of an alert one partner receives.
struct PartnerView {
  HitFilter filter;
  PartnerId partner = 0;           // in the ConstituencyTable
  bool only_constituency = false;  // only where it is responsible for who is affected or who is suspect

  // The renderer's: what a message may show to this partner, and the generation that this was found for.
  mutable ObservableMask context = {};
  mutable std::optional<uint64_t> context_of = {};
};
enum class PartnerOutcome : uint8_t {
  kShown,
  kNotCleared,  // no hit that it may see
  kToldBefore,  // it was told of that value in this flow, by another of its hits: new ones are nothing new to it
  // With `only_constituency`:
  kOutsideConstituency,  // others are responsible, or nobody is
  kUndecided,            // no database knows where the addresses are, and that could have made it responsible
  kNoRole,               // nobody is affected and nobody suspect, so there is nobody to be responsible for
};

// What a person is shown of one alert, or of several of the same indicator, place, value and pair of hosts.
struct TableRow {
  std::string key;  // the same for those that repeat each other
  uint64_t first_ns = 0, last_ns = 0, count = 1;
  std::string indicator, source, field;
  std::string matched;  // the value in the traffic, where it is not the indicator's
  std::string client, client_without_port, client_place, server, server_place;
  std::string capture;
};

class AlertRenderer {
 public:
  // `geo` may be null; it and what `file_name` refers to outlive the renderer.
  AlertRenderer(IndicatorCatalogue indicators, GeoLookup* geo, SensorIdentity identity,
                std::function<std::string_view(uint32_t)> file_name);
  AlertRenderer(std::shared_ptr<const IndicatorSet> indicators, GeoLookup* geo, SensorIdentity identity,
                std::function<std::string_view(uint32_t)> file_name)
      : AlertRenderer(CatalogueOf(std::move(indicators)), geo, std::move(identity), std::move(file_name)) {}
  ~AlertRenderer();

  // Whose constituency the addresses of an alert are in; null, as at first: not said. Outlives the renderer.
  void set_constituencies(ConstituencyTable* constituencies);
  // Where the packets of an alert's flow are carved to, by flow id; empty: nowhere. Shown as evidence.capture.
  void NameCaptures(std::function<std::string(uint64_t)> capture_of);

  // A reload: alerts of the new generation may come, those of older ones still do until ForgetBefore.
  void AddGeneration(IndicatorCatalogue indicators);
  void ForgetBefore(uint64_t generation);

  // One line of JSON with its newline, appended to `out`. False, and nothing appended, where no hit may be shown. For
  // the operator: names every partner that is responsible.
  bool AppendJson(const Alert& alert, const HitFilter& filter, std::string& out);
  // The same for one partner: says whether that one is responsible, and nothing of the others. Of the message that the
  // value came in, shows what is shown of every message and what the partner's own indicators look in: parsers emit
  // more where others' do. Appends only with kShown.
  PartnerOutcome AppendPartnerJson(const Alert& alert, const PartnerView& view, std::string& out);
  bool AppendCsv(const Alert& alert, const HitFilter& filter, std::string& out);
  static std::string_view CsvHeader();  // with its newline
  // A row for a person, two lines of at most kTableColumns: time, indicator and its source, both ends with country and
  // network, protocol and field; a third one with the capture that the flow is carved to.
  bool AppendTableRow(const Alert& alert, const HitFilter& filter, std::string& out);
  // The same in parts, so that one row can stand for alerts that repeat each other. False: nothing to show.
  bool MakeTableRow(const Alert& alert, const HitFilter& filter, TableRow& row);
  static void AppendTableRow(const TableRow& row, std::string& out);
  static std::string TableHeader();
  static constexpr size_t kTableColumns = 160;

  // Alerts of a generation that is no longer known, or with an index outside it: none of their hits can be shown.
  uint64_t unresolved() const;

  struct Impl;  // exporter/render/shown.h

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace vedette
