// What may stand before a protocol in one segment with it: the header that a load balancer puts in front, the
// negotiation with a proxy, the commands that ask for TLS and were not waited for. Each has its own end.
//
//   PROXY protocol, versions 1 and 2 (haproxy.org, proxy-protocol.txt)
//   SOCKS 4 and 4a, SOCKS 5 with user name and password (RFC 1928, RFC 1929): requests and answers
//   LDAP's StartTLS (RFC 4511 section 4.14), PostgreSQL's and MySQL's SSLRequest, X.224's connection request of RDP
//   text up to its last line end or '>': SMTP, IMAP, POP3, FTP, NNTP, IRC, ManageSieve, XMPP; only TLS follows it
//
// A preamble says little by itself: it counts where a protocol is recognised right behind it.
#pragma once

#include <cstddef>

#include "parsers/base/bytes.h"
#include "parsers/base/parser.h"

namespace vedette {

struct Preamble {
  size_t bytes = 0;
  bool only_tls = false;  // what follows it is looked at for TLS alone
};

// What the front of some bytes may be. Forms overlap: a SOCKS 5 greeting may be the beginning of a request.
struct Preambles {
  static constexpr size_t kMost = 4;
  Preamble found[kMost];
  size_t size = 0;
  bool need_more = false;  // one begins and is not whole
};
Preambles FindPreambles(Bytes first);
// False where FindPreambles finds none and needs no more; cheaper.
bool MayHavePreamble(Bytes first);

// One behind the other: a PROXY header, a greeting, a password and a request; more is made up.
constexpr size_t kMaxPreambles = 5;
// Text that is looked through for its end.
constexpr size_t kMaxPreambleTextBytes = 4096;

}  // namespace vedette
