#include "signatures/indicator.h"

#include <array>

#include "parsers/text.h"

namespace vedette {
namespace {

using enum ObservableKind;

constexpr ObservableMask kHostNames = {kDnsQuery, kDnsCname, kHttpHost, kHttpHostField, kTlsSni, kTlsCertName};
constexpr ObservableMask kAddresses = {kIp,       kIpInner,       kIpQuoted, kDnsAnswer,
                                       kHttpHost, kHttpHostField, kHttpXff,  kTlsSni};
constexpr ObservableMask kTexts = {kDnsQuery,      kDnsCname,      kHttpHost,    kHttpHostField, kHttpUri, kHttpUrl,
                                   kHttpUserAgent, kHttpXff,       kTlsSni,      kTlsJa3,        kTlsJa3s, kTlsJa4,
                                   kTlsCertSha1,   kTlsCertSha256, kTlsCertName, kPayload};

struct Row {
  std::string_view name;
  ObservableMask places;       // looked in where the row says nothing; empty: nothing shows such values yet
  ObservableMask may_look_in;  // what a row's `in` may choose from
};

// Contract 5's table, in the order of IndicatorType.
constexpr std::array<Row, static_cast<size_t>(IndicatorType::kCount)> kTable = {{
    {"ip", kAddresses, kAddresses},
    {"cidr", kAddresses, kAddresses},
    {"ip:port", {kIp, kIpInner, kHttpUrl}, {kIp, kIpInner, kHttpUrl}},
    {"domain", kHostNames, kHostNames},
    {"hostname", kHostNames, kHostNames},
    {"url", {kHttpUrl}, {kHttpUrl}},
    {"uri", {kHttpUri}, {kHttpUri}},
    {"user_agent", {kHttpUserAgent}, {kHttpUserAgent}},
    {"ja3", {kTlsJa3}, {kTlsJa3}},
    {"ja3s", {kTlsJa3s}, {kTlsJa3s}},
    {"ja4", {kTlsJa4}, {kTlsJa4}},
    {"hassh", {}, {}},
    {"hassh_server", {}, {}},
    {"cert.sha1", {kTlsCertSha1}, {kTlsCertSha1}},
    {"cert.sha256", {kTlsCertSha256}, {kTlsCertSha256}},
    {"file.md5", {}, {}},
    {"file.sha1", {}, {}},
    {"file.sha256", {}, {}},
    {"email", {}, {}},
    {"wallet", {}, {}},
    {"content", {kPayload}, kTexts},
    {"regex", {kPayload}, kTexts},
}};

constexpr std::array<std::string_view, 6> kTlpNames = {"amber+strict", "clear",        "green",
                                                       "amber",        "amber+strict", "red"};

}  // namespace

std::string_view NameOf(IndicatorType type) { return kTable[static_cast<size_t>(type)].name; }

std::optional<IndicatorType> IndicatorTypeOf(std::string_view name) {
  for (size_t i = 0; i < kTable.size(); ++i) {
    if (kTable[i].name == name) return static_cast<IndicatorType>(i);
  }
  return std::nullopt;
}

ObservableMask DefaultPlacesOf(IndicatorType type) { return kTable[static_cast<size_t>(type)].places; }
ObservableMask PossiblePlacesOf(IndicatorType type) { return kTable[static_cast<size_t>(type)].may_look_in; }

ObservableMask EmittedFor(ObservableMask looked_in) {
  ObservableMask mask{kIp,         kIpQuoted,      kDnsQuery,  kDnsAnswer, kDnsCname, kHttpHost, kHttpHostField,
                      kHttpUri,    kHttpUserAgent, kTlsSni,    kPayload,   kDnsType,  kDnsRcode, kHttpMethod,
                      kHttpTarget, kHttpStatus,    kTlsVersion};
  mask.Add(looked_in);
  if (looked_in.Intersects({kTlsCertSha1, kTlsCertSha256, kTlsCertName})) {
    mask.Add(ObservableMask{kTlsSubject, kTlsIssuer});
  }
  return mask;
}

std::string_view NameOf(Tlp tlp) { return kTlpNames[static_cast<size_t>(tlp)]; }

std::optional<Tlp> TlpOf(std::string_view name) {
  std::string lowered = LowerAscii(name);
  std::string_view text = lowered;
  if (text.substr(0, 4) == "tlp:") text.remove_prefix(4);
  if (text == "white") return Tlp::kClear;
  for (size_t i = 1; i < kTlpNames.size(); ++i) {
    if (kTlpNames[i] == text) return static_cast<Tlp>(i);
  }
  return std::nullopt;
}

}  // namespace vedette
