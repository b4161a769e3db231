// Names out of a certificate: any bytes.
#include "parsers/tls/x509.h"

#include <cstdint>
#include <cstdlib>
#include <vector>

#include "parsers/base/text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::vector<uint8_t> exact(data, data + size);
  const vedette::Bytes certificate = vedette::CertificateOf(exact);
  if (certificate.data() != exact.data() || certificate.size() > exact.size()) std::abort();
  vedette::CertificateNames names;
  if (!vedette::ReadCertificateNames(exact, names)) return 0;
  if (names.hosts.size() > vedette::kMaxCertificateHosts) std::abort();
  for (const std::string* text : {&names.subject, &names.issuer}) {
    // Whatever the encoding was, the text is UTF-8.
    for (std::string_view rest = *text; !rest.empty();) {
      const size_t length = vedette::Utf8Length(rest);
      if (length == 0) std::abort();
      rest.remove_prefix(length);
    }
  }
  return 0;
}
