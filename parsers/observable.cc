#include "parsers/observable.h"

namespace vedette {
namespace {

struct Row {
  std::string_view name;
  ValueForm form;
};

constexpr std::array<Row, kObservableKinds> kTable = {{
    {"ip", ValueForm::kAddress},         {"ip.inner", ValueForm::kAddress},     {"ip.quoted", ValueForm::kAddress},
    {"dns.query", ValueForm::kText},     {"dns.answer", ValueForm::kAddress},   {"dns.cname", ValueForm::kText},
    {"http.host", ValueForm::kText},     {"http.host_field", ValueForm::kText}, {"http.uri", ValueForm::kText},
    {"http.url", ValueForm::kText},      {"http.user_agent", ValueForm::kText}, {"http.xff", ValueForm::kText},
    {"tls.sni", ValueForm::kText},       {"tls.ja3", ValueForm::kText},         {"tls.ja3s", ValueForm::kText},
    {"tls.ja4", ValueForm::kText},       {"tls.cert.sha1", ValueForm::kText},   {"tls.cert.sha256", ValueForm::kText},
    {"tls.cert.name", ValueForm::kText}, {"payload", ValueForm::kBytes},        {"dns.type", ValueForm::kText},
    {"dns.rcode", ValueForm::kText},     {"http.method", ValueForm::kText},     {"http.target", ValueForm::kText},
    {"http.status", ValueForm::kText},   {"tls.version", ValueForm::kText},     {"tls.subject", ValueForm::kText},
    {"tls.issuer", ValueForm::kText},
}};

}  // namespace

std::string_view NameOf(ObservableKind kind) { return kTable[static_cast<size_t>(kind)].name; }

ValueForm FormOf(ObservableKind kind) { return kTable[static_cast<size_t>(kind)].form; }

std::optional<ObservableKind> ObservableKindOf(std::string_view name) {
  for (size_t i = 0; i < static_cast<size_t>(kFirstContext); ++i) {
    if (kTable[i].name == name) return static_cast<ObservableKind>(i);
  }
  return std::nullopt;
}

}  // namespace vedette
