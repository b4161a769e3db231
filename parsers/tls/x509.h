// The names in an X.509 certificate (RFC 5280), without verifying them.
//
// A separate walk over the DER: OpenSSL's d2i_X509 also decodes the public key and takes some 80 µs per
// certificate; this takes about one, and reads only what the names come from.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "parsers/base/bytes.h"

namespace vedette {

struct CertificateNames {
  // The DNS names and IP addresses of subjectAltName in their order, then the subject's common names if they are a
  // host name or an address and not among the former. Normal form of a host name (NormaliseHost): a wildcard stays
  // ("*.example.com"), as does a NUL or any other byte; an address in RFC 5952 form. Each once.
  std::vector<std::string> hosts;
  // RFC 4514 text: the last RDN first, UTF-8 whatever the encoding was. Common attribute types beyond RFC 4514's list
  // go by their names, the others as dotted decimal with the value in hex.
  std::string subject;
  std::string issuer;
  bool is_cut = false;  // a bound below was reached: there are more names, or longer ones
};

// Public authorities put up to some hundred names into a certificate, rarely more than a thousand.
constexpr size_t kMaxCertificateHosts = 1024;
// RFC 1035 allows 253 characters; longer names are not host names.
constexpr size_t kMaxCertificateHostBytes = 255;
// RFC 5280's upper bounds make names of a few hundred characters; hostile ones are cut after the last attribute that
// begins within this.
constexpr size_t kMaxNameTextBytes = 2048;
constexpr size_t kMaxNameAttributes = 64;
constexpr size_t kMaxAttributeValueBytes = 1024;

// The certificate at the beginning of `entry` by its own length (X.690 section 8.1), without trailing bytes; all
// of `entry` if it does not begin with a complete SEQUENCE. A digest over this is the one that tools compute,
// and a byte appended to the certificate does not hide it.
[[nodiscard]] Bytes CertificateOf(Bytes entry);

// False if `der` does not have the structure of a certificate up to its subject; `names` is then undefined. If the
// extensions cannot be read, the subject is still filled.
[[nodiscard]] bool ReadCertificateNames(Bytes der, CertificateNames& names);

}  // namespace vedette
