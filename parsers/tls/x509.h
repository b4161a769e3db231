// The names in an X.509 certificate (RFC 5280), read for what they say, not for whether they are true.
//
// A walk of its own over the DER: OpenSSL's d2i_X509 decodes the public key on the way and takes some 80 µs a
// certificate; this takes about one, and reads only what names are taken from.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "parsers/base/bytes.h"

namespace vedette {

struct CertificateNames {
  // The DNS names and IP addresses of subjectAltName in their order, then the subject's common names where they are a
  // host name or an address and not among the former. Normal form of a host name (NormaliseHost): a wildcard stays
  // ("*.example.com"), a NUL or any other byte stays in its place; an address as RFC 5952 writes it. Each once.
  std::vector<std::string> hosts;
  // RFC 4514 text: the last RDN first, UTF-8 whatever the encoding was. Common attribute types beyond RFC 4514's list
  // go by their names, the others as dotted decimal with the value in hex.
  std::string subject;
  std::string issuer;
  bool is_cut = false;  // a bound below was reached: there are more names, or longer ones
};

// Public authorities put up to some hundred names into a certificate, few more than a thousand.
constexpr size_t kMaxCertificateHosts = 1024;
// RFC 1035 allows 253 characters; longer ones name no host.
constexpr size_t kMaxCertificateHostBytes = 255;
// RFC 5280's upper bounds make names of a few hundred characters; hostile ones are cut after the last attribute that
// begins within this.
constexpr size_t kMaxNameTextBytes = 2048;
constexpr size_t kMaxNameAttributes = 64;
constexpr size_t kMaxAttributeValueBytes = 1024;

// The certificate at the beginning of `entry` by its own length (X.690 section 8.1), without what stands behind it; all
// of `entry` where it does not begin with a whole SEQUENCE. A digest over this is what tools make of the certificate,
// and a byte added behind it does not hide it.
[[nodiscard]] Bytes CertificateOf(Bytes entry);

// False where `der` has not the structure of a certificate up to its subject; `names` then means nothing. Extensions
// that cannot be read leave the subject in place.
[[nodiscard]] bool ReadCertificateNames(Bytes der, CertificateNames& names);

}  // namespace vedette
