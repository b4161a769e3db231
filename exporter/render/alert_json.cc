// Contract 3's JSON. The order of the keys is fixed and documented in docs/alert.md: EVE's fields first, as Suricata
// orders them, then what this project adds.
#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>

#include "exporter/alert/content_id.h"
#include "exporter/alert/signature.h"
#include "exporter/render/eve_message.h"
#include "exporter/render/fields.h"
#include "exporter/render/renderer.h"
#include "parsers/base/community_id.h"
#include "parsers/base/json_writer.h"
#include "parsers/base/text.h"
#include "parsers/base/time_text.h"

namespace vedette {
namespace {

constexpr size_t kMaxAlso = 100;             // further hits written out; the rest is counted
constexpr size_t kMaxTags = 64;              // of one indicator
constexpr size_t kMaxTagBytes = 512;         // MISP's longest taxonomy tags are below 200
constexpr size_t kMaxPayloadBytes = 256;     // of the bytes a payload pattern found: what matched, not an excerpt
constexpr size_t kMaxReferenceBytes = 2048;  // URLs beyond that are not followed by browsers either

constexpr uint64_t kNsPerSecond = 1'000'000'000;

bool IsIcmp(uint8_t protocol) { return protocol == 1 || protocol == 58; }

// Kept between alerts, which come in order of time.
struct Times {
  EveTime packet, flow;
};

class AlertJson {
 public:
  AlertJson(const View& view, Times& times, std::string& out)
      : alert_(*view.seen), view_(view), sensor_(*view.sensor), times_(times), json_(out) {}

  void Write() {
    json_.BeginObject();
    Header();
    AlertObject();
    WriteEveMessage(view_, json_);
    FlowObject();
    json_.Text("host", sensor_.name);
    json_.Plain("schema", kAlertSchema);
    json_.Plain("alert_id", AlertId(alert_, sensor_.name, view_.best()));
    json_.Plain("incident_id", IncidentId(alert_, view_.best(), *view_.roles));
    json_.Plain("state", "new");
    json_.Number("revision", uint64_t{1});
    Hits();
    RolesObject();
    ConstituencyObject();
    Geo();
    Evidence();
    Sensor();
    json_.EndObject();
  }

 private:
  void Header() {
    const FlowSnapshot& flow = alert_.flow;
    json_.Plain("timestamp", times_.packet.Format(alert_.time_ns));
    json_.Number("flow_id", flow.id);
    if (sensor_.replay) {
      json_.Text("pcap_filename", view_.file);
      json_.Number("pcap_cnt", alert_.packet);
    } else {
      json_.Text("in_iface", view_.file);
    }
    if (flow.num_vlans > 0) {
      json_.BeginArray("vlan");
      for (size_t i = 0; i < std::min<size_t>(flow.num_vlans, std::size(flow.vlan)); ++i) json_.Number(flow.vlan[i]);
      json_.EndArray();
    }
    json_.Plain("event_type", view_.kind == EventKind::kCanary ? "canary" : "alert");
    const End sender = SenderOf(alert_);
    const EndPoint source = EndPointOf(flow, sender), destination = EndPointOf(flow, OtherEnd(sender));
    const bool ports = HasPorts(flow.protocol);
    json_.Plain("src_ip", source.address->ToString());
    if (ports) json_.Number("src_port", source.port);
    json_.Plain("dest_ip", destination.address->ToString());
    if (ports) json_.Number("dest_port", destination.port);
    json_.Plain("proto", ProtocolName(flow.protocol));
    if (IsIcmp(flow.protocol)) {
      json_.Number("icmp_type", source.port);
      const IcmpPorts pair = IcmpPortsOf(flow.protocol, static_cast<uint8_t>(source.port), 0);
      if (pair.one_way) json_.Number("icmp_code", destination.port);
    }
    if (ports) json_.Plain("app_proto", NameOf(flow.app));
    const std::string community_id =
        CommunityId(flow.client, flow.client_port, flow.server, flow.server_port, flow.protocol);
    if (!community_id.empty()) json_.Plain("community_id", community_id);
    json_.Plain("direction", alert_.direction == Direction::kToServer ? "to_server" : "to_client");
  }

  void Party(std::string_view key, const IpAddress& address, uint16_t port) {
    json_.BeginObject(key);
    json_.Plain("ip", address.ToString());
    if (port != 0) json_.Number("port", port);
    json_.EndObject();
  }
  void Party(std::string_view key, End end) {
    const EndPoint point = EndPointOf(alert_.flow, end);
    Party(key, *point.address, HasPorts(alert_.flow.protocol) ? point.port : uint16_t{0});
  }

  void AlertObject() {
    const IndicatorRecord& best = view_.best();
    const Roles& roles = *view_.roles;
    json_.BeginObject("alert");
    json_.Plain("action", "allowed");
    json_.Number("gid", kSignatureGid);
    json_.Number("signature_id", SignatureId(best.type, alert_.kind));
    json_.Number("rev", kSignatureRev);
    json_.Text("signature", SignatureText(best, alert_.kind, alert_.value));
    json_.Plain("category", kSignatureCategory);
    json_.Number("severity", SeverityOf(best));
    if (roles.suspect_address) {
      Party("source", *roles.suspect_address, 0);
    } else if (roles.suspect != End::kNone) {
      Party("source", roles.suspect);
    }
    if (roles.affected != End::kNone) Party("target", roles.affected);
    json_.EndObject();
  }

  void FlowObject() {
    const FlowSnapshot& flow = alert_.flow;
    const bool ports = HasPorts(flow.protocol);
    json_.BeginObject("flow");
    json_.Number("pkts_toserver", flow.packets[0]);
    json_.Number("pkts_toclient", flow.packets[1]);
    json_.Number("bytes_toserver", flow.bytes[0]);
    json_.Number("bytes_toclient", flow.bytes[1]);
    json_.Plain("start", times_.flow.Format(flow.first_ns));
    json_.Plain("src_ip", flow.client.ToString());
    json_.Plain("dest_ip", flow.server.ToString());
    if (ports) {
      json_.Number("src_port", flow.client_port);
      json_.Number("dest_port", flow.server_port);
    }
    json_.EndObject();
  }

  // ---- what the project adds

  void OptionalText(std::string_view key, std::string_view text, size_t max_bytes = kMaxValueBytes) {
    if (!text.empty()) json_.Text(key, text, max_bytes);
  }

  void Indicator(const IndicatorRecord& record, bool is_best) {
    json_.Text("id", record.id);
    json_.Plain("type", NameOf(record.type));
    json_.Text("value", record.value);
    if (is_best) {
      json_.Plain("matched_in", NameOf(alert_.kind));
      json_.Observed("matched_value", alert_.value,
                     alert_.kind == ObservableKind::kPayload ? kMaxPayloadBytes : kMaxValueBytes);
    }
    json_.Text("source", record.source);
    OptionalText("originator", record.originator);
    OptionalText("description", record.description);
    if (!record.tags.empty()) {
      json_.BeginArray("tags");
      for (size_t i = 0; i < std::min(record.tags.size(), kMaxTags); ++i) json_.Text(record.tags[i], kMaxTagBytes);
      json_.EndArray();
    }
    json_.Plain("tlp", NameOf(record.tlp));
    OptionalText("pap", record.pap);
    OptionalText("sharing_group", record.sharing_group);
    // That there are some binds who handles the alert; who the others are is not its business.
    if (!record.recipients.empty()) json_.Bool("recipients_named", true);
    if (record.confidence) json_.Number("confidence", *record.confidence);
    if (record.valid_from_ns) json_.Plain("valid_from", Rfc3339(*record.valid_from_ns));
    if (record.valid_until_ns) json_.Plain("valid_until", Rfc3339(*record.valid_until_ns));
    json_.Plain("validity", NameOf(ValidityAt(record, alert_.time_ns)));
    OptionalText("reference", record.reference, kMaxReferenceBytes);
  }

  void Hits() {
    json_.BeginObject("indicator");
    Indicator(view_.best(), true);
    json_.EndObject();
    const size_t others = view_.hits.size() - 1;
    if (others == 0) return;
    json_.BeginArray("also");
    for (size_t i = 1; i <= std::min(others, kMaxAlso); ++i) {
      json_.BeginObject();
      Indicator(*view_.hits[i], false);
      json_.EndObject();
    }
    json_.EndArray();
    if (others > kMaxAlso) json_.Number("also_omitted", others - kMaxAlso);
  }

  static std::string_view NameOfEnd(End end) {
    return end == End::kClient ? "client" : end == End::kServer ? "server" : "none";
  }

  void Role(std::string_view key, End end) {
    const EndPoint point = EndPointOf(alert_.flow, end);
    json_.BeginObject(key);
    json_.Plain("side", NameOfEnd(end));
    json_.Plain("ip", point.address->ToString());
    if (HasPorts(alert_.flow.protocol)) json_.Number("port", point.port);
    json_.EndObject();
  }

  void RolesObject() {
    const Roles& roles = *view_.roles;
    json_.Plain("matched_side", roles.matched_both ? "both" : NameOfEnd(roles.matched_side));
    json_.BeginObject("roles");
    if (roles.suspect_address) {
      json_.BeginObject("suspect");
      json_.Plain("side", "none");
      json_.Plain("ip", roles.suspect_address->ToString());
      json_.EndObject();
    } else if (roles.suspect != End::kNone) {
      Role("suspect", roles.suspect);
    }
    if (roles.affected != End::kNone) Role("affected", roles.affected);
    json_.Plain("rule", roles.rule);
    json_.EndObject();
  }

  void ClaimMembers(const Claim& claim) {
    json_.Plain("side", claim.affected && claim.suspect ? "both" : claim.affected ? "affected" : "suspect");
    json_.Plain("rule", NameOf(claim.rule));
    json_.Plain("matched", claim.matched);
  }

  void ConstituencyObject() {
    if (view_.own_claim != nullptr) {
      json_.BeginObject("constituency");
      ClaimMembers(*view_.own_claim);
      json_.EndObject();
    }
    if (view_.responsible == nullptr || view_.responsible->claims.empty()) return;
    json_.BeginArray("responsible");
    for (const Claim& claim : view_.responsible->claims) {
      json_.BeginObject();
      json_.Text("partner", view_.constituencies->NameOfPartner(claim.partner));
      ClaimMembers(claim);
      json_.EndObject();
    }
    json_.EndArray();
  }

  void Place(std::string_view key, const IpAddress& address) {
    const GeoRecord& place = view_.PlaceOf(address);
    if (place.empty()) return;
    json_.BeginObject(key);
    OptionalText("country_code", place.country_code);
    OptionalText("country", place.country);
    OptionalText("continent_code", place.continent_code);
    OptionalText("city", place.city);
    if (place.latitude && place.longitude) {
      json_.BeginObject("location");
      json_.Decimal("lat", *place.latitude);
      json_.Decimal("lon", *place.longitude);
      json_.EndObject();
    }
    if (place.asn) json_.Number("asn", *place.asn);
    OptionalText("organisation", place.organisation);
    if (!place.flags.empty()) {
      json_.BeginArray("flags");
      for (const std::string& flag : place.flags) json_.Plain(flag);
      json_.EndArray();
    }
    json_.EndObject();
  }

  void Geo() {
    if (view_.geo == nullptr || view_.geo->databases().empty()) return;
    const End sender = SenderOf(alert_);
    json_.BeginObject("geo");
    Place("src", *EndPointOf(alert_.flow, sender).address);
    Place("dest", *EndPointOf(alert_.flow, OtherEnd(sender)).address);
    if (alert_.address.version() != 0) Place("matched", alert_.address);
    json_.BeginArray("database");
    for (const GeoDatabaseInfo& database : view_.geo->databases()) Database(database);
    json_.EndArray();
    json_.EndObject();
  }

  // Its age is judged at the packet's time: live that is now, and a replay says the same on any day.
  void Database(const GeoDatabaseInfo& database) {
    json_.BeginObject();
    json_.Text("name", database.name);
    if (!database.date.empty()) json_.Plain("date", database.date);
    const std::optional<int64_t> age = AgeDays(database, static_cast<int64_t>(alert_.time_ns / kNsPerSecond));
    if (age) json_.Number("age_days", static_cast<uint64_t>(*age));
    if (IsStale(age)) json_.Bool("stale", true);
    json_.EndObject();
  }

  void Evidence() {
    const FlowSnapshot& flow = alert_.flow;
    json_.BeginObject("evidence");
    json_.Number("packets_to_server", flow.packets[0]);
    json_.Number("packets_to_client", flow.packets[1]);
    json_.Number("bytes_to_server", flow.bytes[0]);
    json_.Number("bytes_to_client", flow.bytes[1]);
    json_.Bool("reply_seen", flow.packets[0] > 0 && flow.packets[1] > 0);
    json_.Bool("start_seen", flow.client_known);
    json_.Plain("first_time", times_.flow.Format(flow.first_ns));
    json_.Plain("last_time", times_.packet.Format(flow.last_ns));
    json_.Number("count", uint64_t{1});
    OptionalText("capture", view_.capture);
    json_.EndObject();
  }

  void Sensor() {
    json_.BeginObject("sensor");
    json_.Text("name", sensor_.name);
    json_.Text("version", sensor_.version);
    // Of the whole set: a partner could guess rows that it may not know, and see which guess gives the digest.
    if (!view_.for_partner) {
      json_.Text("indicators_digest", view_.indicators_digest);
      json_.Number("generation", view_.generation);
    }
    json_.EndObject();
  }

  const Sighting& alert_;
  const View& view_;
  const SensorIdentity& sensor_;
  Times& times_;
  JsonWriter json_;
};

class JsonRenderer final : public Renderer {
 public:
  uint64_t Append(const View& view, std::string& out) override {
    if (view.kind != EventKind::kAlert && view.kind != EventKind::kCanary) return 0;
    AlertJson(view, times_, out).Write();
    out += '\n';
    return 1;
  }

 private:
  Times times_;
};

}  // namespace

std::unique_ptr<Renderer> MakeJsonRenderer() { return std::make_unique<JsonRenderer>(); }

}  // namespace vedette
