#include "parsers/tls/x509.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string_view>

#include "parsers/base/address.h"
#include "parsers/base/text.h"

namespace vedette {
namespace {

// Identifier octets (X.690 section 8.1.2) that a certificate needs.
enum Tag : uint8_t {
  kOid = 0x06,
  kUtf8String = 0x0c,
  kNumericString = 0x12,
  kPrintableString = 0x13,
  kTeletexString = 0x14,
  kIa5String = 0x16,
  kVisibleString = 0x1a,
  kUniversalString = 0x1c,
  kBmpString = 0x1e,
  kBoolean = 0x01,
  kInteger = 0x02,
  kOctetString = 0x04,
  kSequence = 0x30,
  kSet = 0x31,
  kVersion = 0xa0,       // [0] EXPLICIT
  kExtensions = 0xa3,    // [3] EXPLICIT
  kSanDnsName = 0x82,    // [2] IA5String
  kSanIpAddress = 0x87,  // [7] OCTET STRING
};

struct Element {
  uint8_t tag = 0;
  Bytes content;
  Bytes encoding;  // tag, length and content
};

// One element; lengths may be longer than DER's shortest form, as in some real certificates. No multi-byte tags and no
// indefinite lengths.
bool ReadElement(ByteReader& reader, Element& element) {
  const ByteReader start = reader;
  uint8_t first = 0;
  if (!reader.ReadU8(element.tag) || (element.tag & 0x1f) == 0x1f || !reader.ReadU8(first)) return false;
  size_t length = first;
  if (first & 0x80) {
    const int num_octets = first & 0x7f;
    if (num_octets == 0 || num_octets > 4) return false;
    length = 0;
    for (int i = 0; i < num_octets; ++i) {
      uint8_t octet = 0;
      if (!reader.ReadU8(octet)) return false;
      length = length << 8 | octet;
    }
  }
  if (!reader.ReadBytes(length, element.content)) return false;
  element.encoding = start.rest().first(reader.position() - start.position());
  return true;
}

bool ReadTagged(ByteReader& reader, uint8_t tag, Bytes& content) {
  ByteReader ahead = reader;
  Element element;
  if (!ReadElement(ahead, element) || element.tag != tag) return false;
  reader = ahead;
  content = element.content;
  return true;
}

bool Skip(ByteReader& reader, uint8_t tag) {
  Bytes content;
  return ReadTagged(reader, tag, content);
}

// Object identifiers by their encoded content.
constexpr std::string_view kCommonName("\x55\x04\x03", 3);
constexpr std::string_view kSubjectAltName("\x55\x1d\x11", 3);

struct AttributeType {
  std::string_view oid;
  std::string_view name;
};
// RFC 4514 section 3, and others that certificates really carry (RFC 4519, PKCS #9, CA/Browser Forum).
constexpr AttributeType kAttributeTypes[] = {
    {kCommonName, "CN"},
    {{"\x55\x04\x04", 3}, "SN"},
    {{"\x55\x04\x05", 3}, "serialNumber"},
    {{"\x55\x04\x06", 3}, "C"},
    {{"\x55\x04\x07", 3}, "L"},
    {{"\x55\x04\x08", 3}, "ST"},
    {{"\x55\x04\x09", 3}, "STREET"},
    {{"\x55\x04\x0a", 3}, "O"},
    {{"\x55\x04\x0b", 3}, "OU"},
    {{"\x55\x04\x0c", 3}, "title"},
    {{"\x55\x04\x0f", 3}, "businessCategory"},
    {{"\x55\x04\x11", 3}, "postalCode"},
    {{"\x55\x04\x29", 3}, "name"},
    {{"\x55\x04\x2a", 3}, "GN"},
    {{"\x55\x04\x2e", 3}, "dnQualifier"},
    {{"\x55\x04\x61", 3}, "organizationIdentifier"},
    {{"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19", 10}, "DC"},
    {{"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01", 10}, "UID"},
    {{"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01", 9}, "emailAddress"},
    {{"\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x01", 11}, "jurisdictionL"},
    {{"\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x02", 11}, "jurisdictionST"},
    {{"\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x03", 11}, "jurisdictionC"},
};

std::string_view AttributeTypeName(Bytes oid) {
  for (const AttributeType& type : kAttributeTypes) {
    if (type.oid == AsText(oid)) return type.name;
  }
  return {};
}

// "1.3.6.1": base 128, the first two arcs in one number. An arc beyond 64 bits wraps; it only has to be text.
void AppendOid(Bytes oid, std::string& out) {
  uint64_t arc = 0;
  bool first = true;
  for (const uint8_t octet : oid) {
    arc = arc << 7 | (octet & 0x7f);
    if (octet & 0x80) continue;
    if (first) {
      const uint64_t root = std::min<uint64_t>(arc / 40, 2);
      out += std::to_string(root) + '.' + std::to_string(arc - root * 40);
    } else {
      out += '.' + std::to_string(arc);
    }
    first = false;
    arc = 0;
  }
}

void AppendUtf8(uint32_t code_point, std::string& out) {
  if (code_point > 0x10ffff || (code_point >= 0xd800 && code_point < 0xe000)) code_point = 0xfffd;
  const auto tail = [&](int shift) { return static_cast<char>(0x80 | (code_point >> shift & 0x3f)); };
  if (code_point < 0x80) {
    out += static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    out += {static_cast<char>(0xc0 | code_point >> 6), tail(0)};
  } else if (code_point < 0x10000) {
    out += {static_cast<char>(0xe0 | code_point >> 12), tail(6), tail(0)};
  } else {
    out += {static_cast<char>(0xf0 | code_point >> 18), tail(12), tail(6), tail(0)};
  }
}

// BMPString, with UTF-16 surrogates as found in practice.
std::string Utf8FromUtf16(Bytes bytes) {
  std::string out;
  for (size_t i = 0; i + 2 <= bytes.size(); i += 2) {
    uint32_t unit = static_cast<uint32_t>(bytes[i] << 8 | bytes[i + 1]);
    if (unit >= 0xd800 && unit < 0xdc00 && i + 4 <= bytes.size()) {
      const auto low = static_cast<uint32_t>(bytes[i + 2] << 8 | bytes[i + 3]);
      if (low >= 0xdc00 && low < 0xe000) {
        unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
        i += 2;
      }
    }
    AppendUtf8(unit, out);
  }
  return out;
}

std::string Utf8FromUtf32(Bytes bytes) {
  std::string out;
  ByteReader reader(bytes);
  for (uint32_t code_point = 0; reader.ReadU32(code_point);) AppendUtf8(code_point, out);
  return out;
}

std::string Utf8FromLatin1(Bytes bytes) {
  std::string out;
  for (const uint8_t byte : bytes) AppendUtf8(byte, out);
  return out;
}

bool IsString(uint8_t tag) {
  switch (tag) {
    case kUtf8String:
    case kNumericString:
    case kPrintableString:
    case kTeletexString:
    case kIa5String:
    case kVisibleString:
    case kUniversalString:
    case kBmpString:
      return true;
    default:
      return false;
  }
}

// What a string says, as UTF-8; bytes that a string should not hold stay as they are.
std::string Utf8Of(uint8_t tag, Bytes content) {
  switch (tag) {
    case kBmpString:
      return Utf8FromUtf16(content);
    case kUniversalString:
      return Utf8FromUtf32(content);
    case kTeletexString:
      return Utf8FromLatin1(content);  // T.61 in name, Latin-1 in practice
    default:
      return std::string(AsText(content));
  }
}

void AppendHexPair(char c, std::string& out) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  const auto byte = static_cast<uint8_t>(c);
  out += {'\\', kDigits[byte >> 4], kDigits[byte & 15]};
}

// RFC 4514 section 2.4. Control characters, and bytes that are not UTF-8, as hex pairs.
void AppendAttributeValue(std::string_view value, std::string& out) {
  for (size_t i = 0; i < value.size();) {
    const char c = value[i];
    const size_t length = Utf8Length(value.substr(i));
    const bool edge = (c == ' ' && (i == 0 || i + 1 == value.size())) || (c == '#' && i == 0);
    if (length == 0 || static_cast<uint8_t>(c) < 0x20 || c == 0x7f) {
      AppendHexPair(c, out);
    } else if (edge || std::string_view("\"+,;<>\\").find(c) != std::string_view::npos) {
      out += {'\\', c};
    } else {
      out.append(value.substr(i, length));
    }
    i += std::max<size_t>(length, 1);
  }
}

// AttributeTypeAndValue ::= SEQUENCE { type OBJECT IDENTIFIER, value ANY }
struct Attribute {
  Bytes type;
  Element value;
  bool joins_next = false;  // the next one in the certificate belongs to the same RDN
};

// Name ::= SEQUENCE OF RelativeDistinguishedName; RelativeDistinguishedName ::= SET OF AttributeTypeAndValue.
// In the certificate's order, kMaxNameAttributes of them at most.
bool ReadName(Bytes name, std::vector<Attribute>& attributes, bool& is_cut) {
  ByteReader rdns(name);
  Bytes set;
  while (!rdns.empty()) {
    if (!ReadTagged(rdns, kSet, set)) return false;
    ByteReader members(set);
    while (!members.empty()) {
      Bytes pair;
      Attribute attribute;
      if (!ReadTagged(members, kSequence, pair)) return false;
      ByteReader reader(pair);
      if (!ReadTagged(reader, kOid, attribute.type) || !ReadElement(reader, attribute.value)) return false;
      attribute.joins_next = !members.empty();
      if (attributes.size() == kMaxNameAttributes) {
        is_cut = true;
        return true;
      }
      attributes.push_back(attribute);
    }
  }
  return true;
}

void AppendAttribute(const Attribute& attribute, std::string& out, bool& is_cut) {
  const std::string_view name = AttributeTypeName(attribute.type);
  if (!name.empty() && IsString(attribute.value.tag)) {
    Bytes content = attribute.value.content;
    if (content.size() > kMaxAttributeValueBytes) {
      content = content.first(kMaxAttributeValueBytes);
      is_cut = true;
    }
    out.append(name);
    out += '=';
    AppendAttributeValue(Utf8Of(attribute.value.tag, content), out);
    return;
  }
  if (name.empty()) {
    AppendOid(attribute.type.first(std::min(attribute.type.size(), kMaxAttributeValueBytes)), out);
  } else {
    out.append(name);
  }
  Bytes encoding = attribute.value.encoding;
  if (encoding.size() > kMaxAttributeValueBytes) {
    encoding = encoding.first(kMaxAttributeValueBytes);
    is_cut = true;
  }
  out += "=#" + ToHex(AsText(encoding));
}

// RFC 4514 section 2.1: the last RDN first; within one the last attribute first, which it leaves open.
std::string NameText(const std::vector<Attribute>& attributes, bool& is_cut) {
  std::string out;
  for (size_t i = attributes.size(); i-- > 0;) {
    if (out.size() > kMaxNameTextBytes) {
      is_cut = true;
      break;
    }
    if (!out.empty()) out += attributes[i].joins_next ? '+' : ',';
    AppendAttribute(attributes[i], out, is_cut);
  }
  return out;
}

// A normalised name of at least two labels made of letters, digits, '-' and '_', a wildcard as the first label at most;
// "Example Corp." and "localhost" are none.
bool LooksLikeHost(std::string_view name) {
  if (name.substr(0, 2) == "*.") name.remove_prefix(2);
  if (name.find('.') == std::string_view::npos) return false;
  size_t label_bytes = 0;
  bool has_letter_last = false;  // in the label at hand
  for (const char c : name) {
    if (c == '.') {
      if (label_bytes == 0) return false;
      label_bytes = 0;
      has_letter_last = false;
      continue;
    }
    const bool letter = c >= 'a' && c <= 'z';
    if (!letter && !(c >= '0' && c <= '9') && c != '-' && c != '_') return false;
    has_letter_last |= letter;
    if (++label_bytes > 63) return false;
  }
  return label_bytes != 0 && has_letter_last;  // "version 1.0" and "10.0.0.300" end in a number
}

// libidn2 takes up to 130 µs for a long name, and no certificate that a public authority issues has one that is not
// ASCII (RFC 5280 section 4.2.1.6).
constexpr int kMaxConversions = 16;

// Takes kMaxCertificateHosts names, those that turn out to be none or to be there already included.
class HostCollector {
 public:
  explicit HostCollector(CertificateNames& names) : names_(names) {}

  void AddDnsName(std::string_view name) {
    if (name.empty() || !MayTake(name)) return;
    if (name.size() > kMaxCertificateHostBytes) {
      names_.is_cut = true;
    } else {
      Add(NormaliseHost(name));
    }
  }
  void AddAddress(Bytes wire) {
    if ((wire.size() != 4 && wire.size() != 16) || !MayTake({})) return;
    Add((wire.size() == 4 ? IpAddress::V4(wire.data()) : IpAddress::V6(wire.data())).ToString());
  }
  void AddCommonName(const Element& value) {
    // Four bytes a character at most.
    if (!IsString(value.tag) || value.content.size() > kMaxCertificateHostBytes * 4) return;
    const std::string text = Utf8Of(value.tag, value.content);
    if (!MayTake(text)) return;
    if (const auto address = IpAddress::Parse(text)) return Add(address->ToString());
    if (text.size() > kMaxCertificateHostBytes) return;
    std::string host = NormaliseHost(text);
    if (LooksLikeHost(host)) Add(std::move(host));
  }

 private:
  bool MayTake(std::string_view name) {
    const bool is_ascii = std::all_of(name.begin(), name.end(), [](char c) { return static_cast<uint8_t>(c) < 0x80; });
    if (num_taken_ == kMaxCertificateHosts || (!is_ascii && num_converted_ == kMaxConversions)) {
      names_.is_cut = true;
      return false;
    }
    ++num_taken_;
    num_converted_ += is_ascii ? 0 : 1;
    return true;
  }
  // Each once. A handful of hashes side by side is searched faster than a set is filled.
  void Add(std::string host) {
    const size_t hash = std::hash<std::string>()(host);
    for (size_t i = 0; i < hashes_.size(); ++i) {
      if (hashes_[i] == hash && names_.hosts[i] == host) return;
    }
    hashes_.push_back(hash);
    names_.hosts.push_back(std::move(host));
  }

  CertificateNames& names_;
  std::vector<size_t> hashes_;  // of names_.hosts
  size_t num_taken_ = 0;
  int num_converted_ = 0;
};

// SubjectAltName ::= SEQUENCE OF GeneralName (RFC 5280 section 4.2.1.6)
void ReadSubjectAltName(Bytes extension_value, HostCollector& hosts) {
  ByteReader reader(extension_value);
  Bytes list;
  if (!ReadTagged(reader, kSequence, list)) return;
  ByteReader general_names(list);
  for (Element name; ReadElement(general_names, name);) {
    if (name.tag == kSanDnsName) hosts.AddDnsName(AsText(name.content));
    if (name.tag == kSanIpAddress) hosts.AddAddress(name.content);
  }
}

// Extensions ::= SEQUENCE OF SEQUENCE { extnID OID, critical BOOLEAN OPTIONAL, extnValue OCTET STRING }
void ReadExtensions(Bytes explicit_content, HostCollector& hosts) {
  ByteReader reader(explicit_content);
  Bytes list, extension, id, value;
  if (!ReadTagged(reader, kSequence, list)) return;
  ByteReader extensions(list);
  while (ReadTagged(extensions, kSequence, extension)) {
    ByteReader fields(extension);
    if (!ReadTagged(fields, kOid, id) || AsText(id) != kSubjectAltName) continue;
    Skip(fields, kBoolean);  // left out where it is false
    if (ReadTagged(fields, kOctetString, value)) ReadSubjectAltName(value, hosts);
  }
}

}  // namespace

Bytes CertificateOf(Bytes entry) {
  ByteReader reader(entry);
  Element certificate;
  return ReadElement(reader, certificate) && certificate.tag == kSequence ? certificate.encoding : entry;
}

// Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue }
// TBSCertificate ::= SEQUENCE { version [0] DEFAULT v1, serialNumber INTEGER, signature SEQUENCE, issuer Name,
//   validity SEQUENCE, subject Name, subjectPublicKeyInfo SEQUENCE, issuerUniqueID [1], subjectUniqueID [2],
//   extensions [3] }
bool ReadCertificateNames(Bytes der, CertificateNames& names) {
  ByteReader outer(der);
  Bytes certificate, tbs, version, issuer, subject;
  if (!ReadTagged(outer, kSequence, certificate)) return false;
  ByteReader parts(certificate);
  if (!ReadTagged(parts, kSequence, tbs)) return false;
  ByteReader fields(tbs);
  std::vector<Attribute> issuer_attributes, subject_attributes;
  (void)ReadTagged(fields, kVersion, version);
  if (!Skip(fields, kInteger) || !Skip(fields, kSequence) || !ReadTagged(fields, kSequence, issuer) ||
      !Skip(fields, kSequence) || !ReadTagged(fields, kSequence, subject) ||
      !ReadName(issuer, issuer_attributes, names.is_cut) || !ReadName(subject, subject_attributes, names.is_cut)) {
    return false;
  }
  names.issuer = NameText(issuer_attributes, names.is_cut);
  names.subject = NameText(subject_attributes, names.is_cut);

  HostCollector hosts(names);
  for (Element element; ReadElement(fields, element);) {
    if (element.tag == kExtensions) ReadExtensions(element.content, hosts);
  }
  for (const Attribute& attribute : subject_attributes) {
    if (AsText(attribute.type) == kCommonName) hosts.AddCommonName(attribute.value);
  }
  return true;
}

}  // namespace vedette
