// The kinds of observables: one row each, from which everything that depends on a kind derives.
//
// A new kind is an enumerator and a row. What the row says is used by the parsers (`observe`), by the indicator set
// (where a type looks, how a value is looked up, which patterns are looked for together), and by the exporter
// (`signature_id`, EVE's members, roles). A row without one of its traits does not compile.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

namespace vedette {

// In the order of the table. The position is nobody's business but this program's: files and messages have a kind's
// name or number. Kinds from kFirstContext on tell about a message and are carried into its alert; they are neither
// matched nor listed by `observe`.
enum class ObservableKind : uint8_t {
  kIp,
  kIpInner,
  kIpQuoted,
  kDnsQuery,
  kDnsAnswer,
  kDnsCname,
  kHttpHost,       // of the request target, else of the Host field
  kHttpHostField,  // only where it differs from the target's
  kHttpUri,
  kHttpUrl,
  kHttpUserAgent,
  kHttpXff,
  kTlsSni,
  kTlsJa3,
  kTlsJa3s,
  kTlsJa4,
  kTlsCertSha1,
  kTlsCertSha256,
  kTlsCertName,
  kSshClient,
  kSshServer,
  kSshHassh,
  kSshHasshServer,
  kSshHostKeySha256,
  kDtlsSni,
  kDtlsJa3,
  kDtlsJa4,
  kPayload,
  kDnsType,     // the query's type: "A", "AAAA", "TYPE65"
  kDnsRcode,    // of a response: "NOERROR", "NXDOMAIN"
  kHttpMethod,  // as on the wire
  kHttpTarget,  // as on the wire, only where it is an absolute URI
  kHttpStatus,  // three digits
  kTlsVersion,  // as negotiated, else as offered: "TLS 1.2"
  kTlsSubject,
  kTlsIssuer,    // of the first certificate, RFC 4514 text
  kSshSoftware,  // the sender's ssh.client or ssh.server
  kCount
};
constexpr size_t kObservableKinds = static_cast<size_t>(ObservableKind::kCount);
constexpr ObservableKind kFirstContext = ObservableKind::kDnsType;

enum class ValueForm : uint8_t { kText, kAddress, kBytes };
enum class TextCase : uint8_t { kAsSent, kLower };  // kLower: parsers write it in lower case

// How an indicator's value is compared with one of this kind.
enum class ExactLookup : uint8_t {
  kNone,
  kAddress,        // an address …
  kAddressPort,    // … of which the port is known as well
  kHostName,       // a name, and the domains that it is in
  kHostOrAddress,  // a name, or an address written instead of one
  kAddressText,    // an address as a text
  kUrl,            // a URL as a whole, with its address and port where it has them
  kWholeText,      // equal texts
};

// Texts in which patterns are looked for together.
enum class PatternField : uint8_t { kNone, kHosts, kUris, kOthers };

// What parsers write although no indicator looks in it: the context of an alert.
enum class Emission : uint8_t { kAlways, kIfLookedIn, kWithCertificates };

// Whose the value is, which decides the roles of an alert (exporter/alert/roles.h).
enum class Ownership : uint8_t {
  kNobody,
  kEndOfPacket,       // an address of the packet, of one within it, or of one that it quotes
  kLookedUp,          // in DNS
  kRequested,         // of an HTTP request: the server's, or what a proxy is to fetch
  kServer,            // the name by which the client calls the server
  kServerSoftware,    // which the server runs
  kClientSoftware,    // which the client runs
  kForwarded,         // somebody's behind the proxy that is the client
  kCertificateOwner,  // the sender's, with its certificate
  kSender,
};

// EVE's object and member in which an alert shows the value; no name: the object is that of the message.
enum class EveObject : uint8_t { kNone, kDns, kHttp, kTls, kSsh };
enum class EveShape : uint8_t {
  kNone,
  kText,
  kNumber,       // three digits
  kHash,         // {"hash": …}
  kFingerprint,  // hex with colons
  kSoftware,     // {"proto_version": …, "software_version": …} of SSH's identification
  kAnswer,       // an element of dns.answers
};
struct EveMember {
  EveObject object;
  std::string_view name;
  EveShape shape;
};

struct ObservableTraits {
  // All of them, so that none is forgotten.
  constexpr ObservableTraits(ObservableKind of, uint16_t stable_number, std::string_view contract_name,
                             ValueForm value_form, TextCase text_case_, ExactLookup exact_lookup,
                             PatternField pattern_field, Emission emission_, Ownership ownership_, EveMember eve_)
      : kind(of),
        number(stable_number),
        name(contract_name),
        form(value_form),
        text_case(text_case_),
        lookup(exact_lookup),
        patterns(pattern_field),
        emission(emission_),
        ownership(ownership_),
        eve(eve_) {}

  ObservableKind kind;
  uint16_t number;        // for files and `signature_id`: never changes, and is never used again
  std::string_view name;  // contract 2's
  ValueForm form;
  TextCase text_case;
  ExactLookup lookup;
  PatternField patterns;
  Emission emission;
  Ownership ownership;
  EveMember eve;
};

// Numbers are in blocks: 1 addresses, 11 DNS, 21 HTTP, 41 TLS, 61 SSH, 81 DTLS, with room for what each protocol may get.
// clang-format off
inline constexpr std::array<ObservableTraits, kObservableKinds> kObservableTable = [] {
  using enum ObservableKind;
  using F = ValueForm;
  using C = TextCase;
  using L = ExactLookup;
  using P = PatternField;
  using E = Emission;
  using O = Ownership;
  constexpr EveMember kNoMember = {EveObject::kNone, "", EveShape::kNone};
  constexpr auto dns = [](std::string_view name, EveShape shape) { return EveMember{EveObject::kDns, name, shape}; };
  constexpr auto http = [](std::string_view name, EveShape shape) { return EveMember{EveObject::kHttp, name, shape}; };
  constexpr auto tls = [](std::string_view name, EveShape shape) { return EveMember{EveObject::kTls, name, shape}; };
  constexpr auto ssh = [](std::string_view name, EveShape shape) { return EveMember{EveObject::kSsh, name, shape}; };
  using T = ObservableTraits;
  return std::array<ObservableTraits, kObservableKinds>{{
    T{kIp,            1,   "ip",              F::kAddress, C::kAsSent, L::kAddressPort,   P::kNone,   E::kAlways,           O::kEndOfPacket,      kNoMember},
    T{kIpInner,       2,   "ip.inner",        F::kAddress, C::kAsSent, L::kAddressPort,   P::kNone,   E::kIfLookedIn,       O::kEndOfPacket,      kNoMember},
    T{kIpQuoted,      3,   "ip.quoted",       F::kAddress, C::kAsSent, L::kAddress,       P::kNone,   E::kAlways,           O::kEndOfPacket,      kNoMember},
    T{kDnsQuery,      11,  "dns.query",       F::kText,    C::kLower,  L::kHostName,      P::kHosts,  E::kAlways,           O::kLookedUp,         dns("rrname", EveShape::kText)},
    T{kDnsAnswer,     12,  "dns.answer",      F::kAddress, C::kAsSent, L::kAddress,       P::kNone,   E::kAlways,           O::kLookedUp,         dns("answers", EveShape::kAnswer)},
    T{kDnsCname,      13,  "dns.cname",       F::kText,    C::kLower,  L::kHostName,      P::kHosts,  E::kAlways,           O::kLookedUp,         dns("answers", EveShape::kAnswer)},
    T{kHttpHost,      21,  "http.host",       F::kText,    C::kLower,  L::kHostOrAddress, P::kHosts,  E::kAlways,           O::kRequested,        http("hostname", EveShape::kText)},
    T{kHttpHostField, 26,  "http.host_field", F::kText,    C::kLower,  L::kHostOrAddress, P::kHosts,  E::kAlways,           O::kRequested,        http("", EveShape::kNone)},
    T{kHttpUri,       22,  "http.uri",        F::kText,    C::kAsSent, L::kWholeText,     P::kUris,   E::kAlways,           O::kRequested,        http("url", EveShape::kText)},
    T{kHttpUrl,       23,  "http.url",        F::kText,    C::kAsSent, L::kUrl,           P::kUris,   E::kIfLookedIn,       O::kRequested,        http("url", EveShape::kText)},
    T{kHttpUserAgent, 24,  "http.user_agent", F::kText,    C::kAsSent, L::kWholeText,     P::kOthers, E::kAlways,           O::kClientSoftware,   http("http_user_agent", EveShape::kText)},
    T{kHttpXff,       25,  "http.xff",        F::kText,    C::kAsSent, L::kAddressText,   P::kOthers, E::kIfLookedIn,       O::kForwarded,        http("xff", EveShape::kText)},
    T{kTlsSni,        41,  "tls.sni",         F::kText,    C::kLower,  L::kHostOrAddress, P::kHosts,  E::kAlways,           O::kServer,           tls("sni", EveShape::kText)},
    T{kTlsJa3,        42,  "tls.ja3",         F::kText,    C::kLower,  L::kWholeText,     P::kOthers, E::kIfLookedIn,       O::kClientSoftware,   tls("ja3", EveShape::kHash)},
    T{kTlsJa3s,       43,  "tls.ja3s",        F::kText,    C::kLower,  L::kWholeText,     P::kOthers, E::kIfLookedIn,       O::kServerSoftware,   tls("ja3s", EveShape::kHash)},
    T{kTlsJa4,        44,  "tls.ja4",         F::kText,    C::kLower,  L::kWholeText,     P::kOthers, E::kIfLookedIn,       O::kClientSoftware,   tls("ja4", EveShape::kText)},
    T{kTlsCertSha1,   45,  "tls.cert.sha1",   F::kText,    C::kLower,  L::kWholeText,     P::kOthers, E::kIfLookedIn,       O::kCertificateOwner, tls("fingerprint", EveShape::kFingerprint)},
    T{kTlsCertSha256, 46,  "tls.cert.sha256", F::kText,    C::kLower,  L::kWholeText,     P::kOthers, E::kIfLookedIn,       O::kCertificateOwner, tls("", EveShape::kNone)},
    T{kTlsCertName,   47,  "tls.cert.name",   F::kText,    C::kLower,  L::kHostName,      P::kHosts,  E::kIfLookedIn,       O::kCertificateOwner, tls("", EveShape::kNone)},
    T{kSshClient,     61,  "ssh.client",      F::kText,    C::kAsSent, L::kNone,          P::kOthers, E::kAlways,           O::kClientSoftware,   ssh("client", EveShape::kSoftware)},
    T{kSshServer,     62,  "ssh.server",      F::kText,    C::kAsSent, L::kNone,          P::kOthers, E::kAlways,           O::kServerSoftware,   ssh("server", EveShape::kSoftware)},
    T{kSshHassh,      63,  "ssh.hassh",       F::kText,    C::kLower,  L::kWholeText,     P::kOthers, E::kIfLookedIn,       O::kClientSoftware,   ssh("client", EveShape::kHash)},
    T{kSshHasshServer, 64, "ssh.hassh_server", F::kText,   C::kLower,  L::kWholeText,     P::kOthers, E::kIfLookedIn,       O::kServerSoftware,   ssh("server", EveShape::kHash)},
    T{kSshHostKeySha256, 65, "ssh.host_key.sha256", F::kText, C::kLower, L::kNone,        P::kOthers, E::kIfLookedIn,       O::kServer,           ssh("", EveShape::kNone)},
    T{kDtlsSni,       81,  "dtls.sni",        F::kText,    C::kLower,  L::kHostOrAddress, P::kHosts,  E::kAlways,           O::kServer,           tls("sni", EveShape::kText)},
    T{kDtlsJa3,       82,  "dtls.ja3",        F::kText,    C::kLower,  L::kWholeText,     P::kOthers, E::kIfLookedIn,       O::kClientSoftware,   tls("ja3", EveShape::kHash)},
    T{kDtlsJa4,       83,  "dtls.ja4",        F::kText,    C::kLower,  L::kWholeText,     P::kOthers, E::kIfLookedIn,       O::kClientSoftware,   tls("ja4", EveShape::kText)},
    T{kPayload,       900, "payload",         F::kBytes,   C::kAsSent, L::kNone,          P::kNone,   E::kAlways,           O::kSender,           kNoMember},
    T{kDnsType,       18,  "dns.type",        F::kText,    C::kAsSent, L::kNone,          P::kNone,   E::kAlways,           O::kNobody,           dns("rrtype", EveShape::kText)},
    T{kDnsRcode,      19,  "dns.rcode",       F::kText,    C::kAsSent, L::kNone,          P::kNone,   E::kAlways,           O::kNobody,           dns("rcode", EveShape::kText)},
    T{kHttpMethod,    37,  "http.method",     F::kText,    C::kAsSent, L::kNone,          P::kNone,   E::kAlways,           O::kNobody,           http("http_method", EveShape::kText)},
    T{kHttpTarget,    38,  "http.target",     F::kText,    C::kAsSent, L::kNone,          P::kNone,   E::kAlways,           O::kNobody,           http("url", EveShape::kText)},
    T{kHttpStatus,    39,  "http.status",     F::kText,    C::kAsSent, L::kNone,          P::kNone,   E::kAlways,           O::kNobody,           http("status", EveShape::kNumber)},
    T{kTlsVersion,    57,  "tls.version",     F::kText,    C::kAsSent, L::kNone,          P::kNone,   E::kAlways,           O::kNobody,           tls("version", EveShape::kText)},
    T{kTlsSubject,    58,  "tls.subject",     F::kText,    C::kAsSent, L::kNone,          P::kNone,   E::kWithCertificates, O::kNobody,           tls("subject", EveShape::kText)},
    T{kTlsIssuer,     59,  "tls.issuer",      F::kText,    C::kAsSent, L::kNone,          P::kNone,   E::kWithCertificates, O::kNobody,           tls("issuerdn", EveShape::kText)},
    T{kSshSoftware,   70,  "ssh.software",    F::kText,    C::kAsSent, L::kNone,          P::kNone,   E::kAlways,           O::kNobody,           ssh("", EveShape::kNone)},
  }};
}();
// clang-format on

constexpr const ObservableTraits& TraitsOf(ObservableKind kind) { return kObservableTable[static_cast<size_t>(kind)]; }
constexpr bool IsContext(ObservableKind kind) { return kind >= kFirstContext; }
// Contract 2's name, as static text.
constexpr std::string_view NameOf(ObservableKind kind) { return TraitsOf(kind).name; }
constexpr ValueForm FormOf(ObservableKind kind) { return TraitsOf(kind).form; }
// The kind of that name; a context kind has no name to find.
std::optional<ObservableKind> ObservableKindOf(std::string_view name);

// A set of kinds. Its bits are positions: it is never written to a file.
class ObservableMask {
 public:
  constexpr ObservableMask() = default;
  constexpr ObservableMask(std::initializer_list<ObservableKind> kinds) {
    for (ObservableKind kind : kinds) Add(kind);
  }
  static constexpr ObservableMask All() {
    ObservableMask mask;
    mask.words_.fill(~uint64_t{0});
    return mask;
  }
  // The kinds whose traits `chosen` says yes to.
  template <class Chosen>
  static constexpr ObservableMask Where(Chosen chosen) {
    ObservableMask mask;
    for (const ObservableTraits& traits : kObservableTable) {
      if (chosen(traits)) mask.Add(traits.kind);
    }
    return mask;
  }
  constexpr void Add(ObservableKind kind) { words_[WordOf(kind)] |= BitOf(kind); }
  constexpr void Add(ObservableMask other) {
    for (size_t i = 0; i < kWords; ++i) words_[i] |= other.words_[i];
  }
  constexpr bool Has(ObservableKind kind) const { return (words_[WordOf(kind)] & BitOf(kind)) != 0; }
  constexpr bool Intersects(ObservableMask other) const { return !Intersection(*this, other).empty(); }
  constexpr bool empty() const { return *this == ObservableMask(); }
  static constexpr ObservableMask Intersection(ObservableMask a, ObservableMask b) {
    for (size_t i = 0; i < kWords; ++i) a.words_[i] &= b.words_[i];
    return a;
  }
  friend constexpr bool operator==(const ObservableMask&, const ObservableMask&) = default;

 private:
  static constexpr size_t kWords = 2;
  static constexpr size_t WordOf(ObservableKind kind) { return static_cast<size_t>(kind) / 64; }
  static constexpr uint64_t BitOf(ObservableKind kind) { return uint64_t{1} << static_cast<unsigned>(kind) % 64; }

  std::array<uint64_t, kWords> words_{};
};
static_assert(kObservableKinds <= 128);

}  // namespace vedette
