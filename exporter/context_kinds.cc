#include "exporter/context_kinds.h"

namespace vedette {

ObservableMask KindsEmittedFor(ObservableMask looked_in) {
  using K = ObservableKind;
  ObservableMask mask{K::kIp,       K::kIpQuoted, K::kDnsQuery,      K::kDnsAnswer,  K::kDnsCname,
                      K::kHttpHost, K::kHttpUri,  K::kHttpUserAgent, K::kTlsSni,     K::kPayload,
                      K::kDnsType,  K::kDnsRcode, K::kHttpMethod,    K::kHttpStatus, K::kTlsVersion};
  mask.Add(looked_in);
  const ObservableMask certificates{K::kTlsCertSha1, K::kTlsCertSha256, K::kTlsCertName};
  if (looked_in.Intersects(certificates)) mask.Add(ObservableMask{K::kTlsSubject, K::kTlsIssuer});
  return mask;
}

}  // namespace vedette
