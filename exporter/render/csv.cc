// A row for a spreadsheet: RFC 4180, except that lines end in a plain newline.
#include <algorithm>
#include <string>
#include <string_view>

#include "exporter/alert/content_id.h"
#include "exporter/alert/signature.h"
#include "exporter/render/fields.h"
#include "exporter/render/renderer.h"
#include "parsers/base/community_id.h"
#include "parsers/base/csv_field.h"
#include "parsers/base/json_writer.h"
#include "parsers/base/text.h"
#include "parsers/base/time_text.h"

namespace vedette {
namespace {

constexpr std::string_view kHeader =
    "timestamp,severity,indicator_type,indicator_value,matched_in,matched_value,source,indicator_id,confidence,tlp,"
    "validity,description,tags,reference,other_hits,src_ip,src_port,src_country,src_asn,src_organisation,dest_ip,"
    "dest_port,dest_country,dest_asn,dest_organisation,matched_country,matched_asn,matched_organisation,proto,"
    "app_proto,suspect_ip,affected_ip,rule,packets_to_server,packets_to_client,community_id,file,packet,alert_id,"
    "incident_id,flow_id,capture\n";

class CsvRow {
 public:
  explicit CsvRow(std::string& out) : out_(out) {}
  ~CsvRow() { out_ += '\n'; }
  CsvRow(const CsvRow&) = delete;
  CsvRow& operator=(const CsvRow&) = delete;

  void Number(uint64_t number) { Plain(std::to_string(number)); }
  void Plain(std::string_view text) {
    if (!first_) out_ += ',';
    first_ = false;
    out_ += text;
  }
  // Text of others. A spreadsheet runs what begins with = + - @ as a formula, some also after a tab or a carriage
  // return: an apostrophe makes text of it. Control characters are written as contract 2 does.
  void Cell(std::string_view text) {
    Plain({});
    std::string cell;
    AppendEscapedControls(CutUtf8(text, kMaxValueBytes), cell);
    if (cell.empty()) return;
    constexpr std::string_view kFormulaStarts = "=+-@";
    if (kFormulaStarts.find(cell.front()) != std::string_view::npos) cell.insert(cell.begin(), '\'');
    AppendCsvField(cell, out_);
  }

 private:
  static void AppendEscapedControls(std::string_view text, std::string& out) { AppendEscaped(text, out); }

  std::string& out_;
  bool first_ = true;
};

void AppendPlace(const GeoRecord& place, CsvRow& row) {
  row.Cell(place.country_code.empty() ? place.country : place.country_code);
  row.Plain(place.asn ? std::to_string(*place.asn) : std::string());
  row.Cell(place.organisation);
}

class CsvRenderer final : public Renderer {
 public:
  std::string Header() const override { return std::string(kHeader); }
  uint64_t Append(const View& view, std::string& out) override;

 private:
  EveTime packet_time_;
};

uint64_t CsvRenderer::Append(const View& view, std::string& out) {
  if (view.kind != EventKind::kAlert) return 0;
  const Sighting& alert = *view.seen;
  const IndicatorRecord& best = view.best();
  const FlowSnapshot& flow = alert.flow;
  const bool ports = HasPorts(flow.protocol);
  const auto port_text = [ports](uint16_t port) { return ports ? std::to_string(port) : std::string(); };
  const auto address_of = [&flow](End end) {
    return end == End::kNone ? std::string() : EndPointOf(flow, end).address->ToString();
  };

  CsvRow row(out);
  row.Plain(packet_time_.Format(alert.time_ns));
  row.Number(SeverityOf(best));
  row.Plain(NameOf(best.type));
  row.Cell(best.value);
  row.Plain(NameOf(alert.kind));
  row.Cell(alert.value);
  row.Cell(best.source);
  row.Cell(best.id);
  row.Plain(best.confidence ? std::to_string(*best.confidence) : std::string());
  row.Plain(NameOf(best.tlp));
  row.Plain(NameOf(ValidityAt(best, alert.time_ns)));
  row.Cell(best.description);
  std::string tags;
  for (const std::string_view tag : best.tags) {
    if (!tags.empty()) tags += "; ";
    tags += tag;
  }
  row.Cell(tags);
  row.Cell(best.reference);
  row.Number(view.hits.size() - 1);
  for (const End end : {SenderOf(alert), OtherEnd(SenderOf(alert))}) {
    const EndPoint point = EndPointOf(flow, end);
    row.Plain(point.address->ToString());
    row.Plain(port_text(point.port));
    AppendPlace(view.PlaceOf(*point.address), row);
  }
  AppendPlace(view.PlaceOf(alert.address), row);
  row.Plain(ProtocolName(flow.protocol));
  row.Plain(NameOf(flow.app));
  row.Plain(view.roles->suspect_address ? view.roles->suspect_address->ToString() : address_of(view.roles->suspect));
  row.Plain(address_of(view.roles->affected));
  row.Plain(view.roles->rule);
  row.Number(flow.packets[0]);
  row.Number(flow.packets[1]);
  row.Plain(CommunityId(flow.client, flow.client_port, flow.server, flow.server_port, flow.protocol));
  row.Cell(view.file);
  row.Number(alert.packet);
  row.Plain(AlertId(alert, view.sensor->name, best));
  row.Plain(IncidentId(alert, best, *view.roles));
  row.Number(flow.id);
  row.Cell(view.capture);
  return 1;
}

}  // namespace

std::unique_ptr<Renderer> MakeCsvRenderer() { return std::make_unique<CsvRenderer>(); }

}  // namespace vedette
