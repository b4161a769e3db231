// From an alert to what a reader sees: contract 3's JSON, a table row, a CSV row.
//
// One thread uses a renderer. Roles, geolocation and the choice of hits are decided here, once per alert and view.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "exporter/alert.h"
#include "exporter/geo.h"
#include "signatures/indicator_set.h"

namespace vedette {

constexpr std::string_view kAlertSchema = "vedette-alert/1";  // version of docs/alert.schema.json

struct SensorIdentity {
  std::string name;  // of the sensor, as its operator calls it
  std::string version;
  bool replay = true;  // a capture, not an interface: pcap_filename is set
};

// Which end of a flow is which, and the rule that says so (contract 3, `roles`).
enum class End : uint8_t { kNone, kClient, kServer };
struct Roles {
  End matched_side = End::kNone;  // the end the value belongs to; kNone where it belongs to neither, as a DNS answer
  bool matched_both = false;
  End suspect = End::kNone;   // who is said to do harm
  End affected = End::kNone;  // who is harmed and should be told
  std::string_view rule;      // stable name: "address-is-suspect", "name-looked-up", …; see exporter/README.md
};
Roles DecideRoles(const Alert& alert, const IndicatorRecord& best);

// What may be shown to whom.
using HitFilter = std::function<bool(const IndicatorRecord&)>;

class AlertRenderer {
 public:
  AlertRenderer(std::shared_ptr<const IndicatorSet> indicators, GeoLookup* geo, SensorIdentity identity,
                std::function<std::string_view(uint32_t)> file_name);
  ~AlertRenderer();

  // One line of JSON with its newline, appended to `out`. False, and nothing appended, where no hit may be shown.
  bool AppendJson(const Alert& alert, const HitFilter& filter, std::string& out);
  bool AppendCsv(const Alert& alert, const HitFilter& filter, std::string& out);
  static std::string_view CsvHeader();  // with its newline
  // A row for a person: time, indicator and its source, both ends with country and network, protocol and field.
  bool AppendTableRow(const Alert& alert, const HitFilter& filter, std::string& out);
  static std::string TableHeader();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vedette
