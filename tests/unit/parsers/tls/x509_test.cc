#include "parsers/tls/x509.h"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/unit/parsers/tls_samples.h"

namespace vedette {
namespace {

using testing::LeafCertificate;

struct Free {
  void operator()(X509* p) const { X509_free(p); }
  void operator()(BIO* p) const { BIO_free(p); }
  void operator()(X509_EXTENSION* p) const { X509_EXTENSION_free(p); }
};

struct NameEntry {
  const char* type;  // short name or dotted decimal
  int encoding;      // V_ASN1_…, MBSTRING_…
  std::string bytes;
  bool joins_last = false;
};

// Certificates as OpenSSL writes them: with the names given and no key, no signature.
class Maker {
 public:
  Maker() : certificate_(X509_new()) { X509_set_version(certificate_.get(), X509_VERSION_3); }
  Maker& Subject(const std::vector<NameEntry>& entries) {
    X509_NAME* name = X509_get_subject_name(certificate_.get());
    for (const NameEntry& e : entries) {
      EXPECT_EQ(X509_NAME_add_entry_by_txt(name, e.type, e.encoding, reinterpret_cast<const uint8_t*>(e.bytes.data()),
                                           static_cast<int>(e.bytes.size()), -1, e.joins_last ? -1 : 0),
                1);
    }
    return *this;
  }
  // `text` as openssl.cnf has it: "DNS:a,IP:192.0.2.1".
  Maker& AltNames(const std::string& text) {
    std::unique_ptr<X509_EXTENSION, Free> extension(
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, text.c_str()));
    EXPECT_NE(extension, nullptr);
    X509_add_ext(certificate_.get(), extension.get(), -1);
    return *this;
  }
  // A subjectAltName whose value is `der`.
  Maker& RawAltNames(const std::string& der) {
    ASN1_OCTET_STRING* value = ASN1_OCTET_STRING_new();
    ASN1_OCTET_STRING_set(value, reinterpret_cast<const uint8_t*>(der.data()), static_cast<int>(der.size()));
    std::unique_ptr<X509_EXTENSION, Free> extension(
        X509_EXTENSION_create_by_NID(nullptr, NID_subject_alt_name, 1, value));
    X509_add_ext(certificate_.get(), extension.get(), -1);
    ASN1_OCTET_STRING_free(value);
    return *this;
  }
  std::string Der() const {
    // OpenSSL writes no certificate that lacks a part.
    ASN1_INTEGER_set(X509_get_serialNumber(certificate_.get()), 7);
    X509_gmtime_adj(X509_getm_notBefore(certificate_.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate_.get()), 3600);
    const uint8_t* from = reinterpret_cast<const uint8_t*>(donor_.data());
    std::unique_ptr<X509, Free> donor(d2i_X509(nullptr, &from, static_cast<long>(donor_.size())));
    X509_set_pubkey(certificate_.get(), X509_get0_pubkey(donor.get()));
    const ASN1_OBJECT* oid = OBJ_nid2obj(NID_ecdsa_with_SHA256);
    const auto set = [&](const X509_ALGOR* algorithm) {
      X509_ALGOR_set0(const_cast<X509_ALGOR*>(algorithm), const_cast<ASN1_OBJECT*>(oid), V_ASN1_UNDEF, nullptr);
    };
    set(X509_get0_tbs_sigalg(certificate_.get()));
    const ASN1_BIT_STRING* signature = nullptr;
    const X509_ALGOR* outer = nullptr;
    X509_get0_signature(&signature, &outer, certificate_.get());
    set(outer);
    uint8_t* der = nullptr;
    const int size = i2d_X509(certificate_.get(), &der);
    EXPECT_GT(size, 0);
    std::string out(reinterpret_cast<const char*>(der), static_cast<size_t>(std::max(size, 0)));
    OPENSSL_free(der);
    return out;
  }
  X509* get() const { return certificate_.get(); }

 private:
  std::unique_ptr<X509, Free> certificate_;
  std::string donor_ = LeafCertificate();
};

std::string Der(uint8_t tag, const std::string& content) {
  std::string out(1, static_cast<char>(tag));
  if (content.size() < 0x80) {
    out += static_cast<char>(content.size());
  } else {
    out += {'\x83', static_cast<char>(content.size() >> 16), static_cast<char>(content.size() >> 8),
            static_cast<char>(content.size())};
  }
  return out + content;
}

// A certificate by hand, for what OpenSSL does not write: one attribute in the subject, no extensions, version 1.
std::string WithSubject(const std::string& oid, uint8_t tag, const std::string& value) {
  const std::string name = Der(0x30, Der(0x31, Der(0x30, Der(0x06, oid) + Der(tag, value))));
  return Der(0x30, Der(0x30, Der(0x02, "1") + Der(0x30, "") + Der(0x30, "") + Der(0x30, "") + name + Der(0x30, "")));
}
const std::string kCommonName = "\x55\x04\x03", kOrganisation = "\x55\x04\x0a";

// The subject in OpenSSL's words.
std::string SubjectByOpenSsl(X509* certificate) {
  std::unique_ptr<BIO, Free> out(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(out.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<size_t>(size)};
}

CertificateNames NamesOf(const std::string& der) {
  // Exact size, so that a sanitizer sees any read outside.
  const std::vector<uint8_t> exact(der.begin(), der.end());
  CertificateNames names;
  EXPECT_TRUE(ReadCertificateNames(exact, names));
  return names;
}

using Hosts = std::vector<std::string>;

TEST(CertificateNames, OfARealCertificate) {
  const CertificateNames names = NamesOf(LeafCertificate());
  EXPECT_EQ(names.hosts, (Hosts{"www.example.com", "*.example.net", "192.0.2.7", "2001:db8::7"}));
  EXPECT_EQ(names.subject, "CN=www.example.com,OU=Web,O=Example\\, Inc.,C=DE");
  EXPECT_EQ(names.issuer, "CN=Example Root,O=Example Authority,C=GB");
  EXPECT_FALSE(names.is_cut);
}

TEST(CertificateNames, TruncationIsRefusedOrSaysLess) {
  const std::string der = LeafCertificate();
  for (size_t length = 0; length < der.size(); ++length) {
    const std::vector<uint8_t> exact(der.begin(), der.begin() + static_cast<std::ptrdiff_t>(length));
    CertificateNames names;
    EXPECT_FALSE(ReadCertificateNames(exact, names)) << length;
  }
}

TEST(CertificateNames, BentBytesAreBounded) {
  const std::string der = LeafCertificate();
  for (size_t at = 0; at < der.size(); ++at) {
    for (const int value : {0x00, 0x01, 0x7f, 0x80, 0x84, 0xff}) {
      std::vector<uint8_t> bent(der.begin(), der.end());
      bent[at] = static_cast<uint8_t>(value);
      CertificateNames names;
      if (!ReadCertificateNames(bent, names)) continue;
      EXPECT_LE(names.subject.size(), der.size() * 5);
    }
  }
}

TEST(CertificateNames, CommonNameCountsWhereItIsAHost) {
  const auto hosts = [](const std::string& name) {
    return NamesOf(Maker().Subject({{"CN", MBSTRING_UTF8, name}}).Der()).hosts;
  };
  EXPECT_EQ(hosts("Evil.Example.com."), Hosts{"evil.example.com"});
  EXPECT_EQ(hosts("*.example.com"), Hosts{"*.example.com"});
  EXPECT_EQ(hosts("b\xc3\xbc"
                  "cher.de"),
            Hosts{"xn--bcher-kva.de"});
  EXPECT_EQ(hosts("192.0.2.1"), Hosts{"192.0.2.1"});
  EXPECT_EQ(hosts("2001:DB8::1"), Hosts{"2001:db8::1"});
  EXPECT_EQ(hosts("_dmarc.example.com"), Hosts{"_dmarc.example.com"});
  for (const char* none : {"Example Root CA", "localhost", "Example Corp.", "Version 1.0", "10.0.0.300", "a..b", ".com",
                           "a@example.com", "http://a.example/", "*", "x.*.example.com"}) {
    EXPECT_EQ(hosts(none), Hosts{}) << none;
  }
}

TEST(CertificateNames, EachHostOnce) {
  const CertificateNames names = NamesOf(
      Maker().Subject({{"CN", MBSTRING_ASC, "A.example"}}).AltNames("DNS:b.example,DNS:a.example,DNS:B.example").Der());
  EXPECT_EQ(names.hosts, (Hosts{"b.example", "a.example"}));
}

TEST(CertificateNames, EmbeddedNulStaysInItsPlace) {
  std::string san = "\x82\x14www.bank.com.evil.de";
  san[2 + 12] = '\0';
  const CertificateNames names =
      NamesOf(Maker().RawAltNames(std::string("\x30") + static_cast<char>(san.size()) + san).Der());
  ASSERT_EQ(names.hosts.size(), 1u);
  EXPECT_EQ(names.hosts[0], std::string("www.bank.com\0evil.de", 20));
  const std::string nul("www.bank.com\0.evil.de", 21);
  const CertificateNames subject = NamesOf(Maker().Subject({{"CN", V_ASN1_UTF8STRING, nul}}).Der());
  EXPECT_EQ(subject.hosts, Hosts{});
  EXPECT_EQ(subject.subject, "CN=www.bank.com\\00.evil.de");
}

TEST(CertificateNames, AlternativeNamesOfOtherKindsAreNotHosts) {
  const CertificateNames names =
      NamesOf(Maker().AltNames("email:a@b.example,URI:http://c.example/,RID:1.2.3,DNS:d.example").Der());
  EXPECT_EQ(names.hosts, Hosts{"d.example"});
}

TEST(CertificateNames, AddressesOfOddLengthAreNone) {
  EXPECT_EQ(NamesOf(Maker().RawAltNames(std::string("\x30\x09\x87\x03\x01\x02\x03\x87\x02\x01\x02", 11)).Der()).hosts,
            Hosts{});
}

// Every string type, against OpenSSL.
TEST(CertificateNames, SubjectIsWhatOpenSslPrints) {
  const std::vector<std::vector<NameEntry>> subjects = {
      {},
      {{"CN", MBSTRING_ASC, "a.example"}},
      {{"C", MBSTRING_ASC, "DE"}, {"O", MBSTRING_UTF8, "M\xc3\xbcller & S\xc3\xb6hne"}, {"CN", MBSTRING_ASC, "x"}},
      {{"O", V_ASN1_BMPSTRING, std::string("\0M\0\xfc\0l\x4e\x2d", 8)}},
      {{"O", V_ASN1_UNIVERSALSTRING, std::string("\0\0\0M\0\x01\xf6\x00", 8)}},
      {{"O", V_ASN1_T61STRING, "M\xfcller"}},
      {{"O", V_ASN1_IA5STRING, "plain"}, {"OU", V_ASN1_PRINTABLESTRING, "a+b"}},
      {{"O", MBSTRING_UTF8, "#lead"}, {"O", MBSTRING_UTF8, " both "}, {"O", MBSTRING_UTF8, " "}},
      {{"O", MBSTRING_UTF8, "a,b+c\"d\\e<f>g;h=i"}},
      {{"O", V_ASN1_UTF8STRING, "tab\there\nand\x7f"}},
      {{"CN", MBSTRING_ASC, "a"}, {"OU", MBSTRING_ASC, "b", true}, {"O", MBSTRING_ASC, "c"}},
      {{"emailAddress", MBSTRING_ASC, "a@b.example"}, {"DC", MBSTRING_ASC, "example"}, {"UID", MBSTRING_ASC, "u"}},
      {{"serialNumber", MBSTRING_ASC, "12"}, {"GN", MBSTRING_ASC, "g"}, {"SN", MBSTRING_ASC, "s"}},
      {{"title", MBSTRING_ASC, "t"}, {"businessCategory", MBSTRING_ASC, "b"}, {"jurisdictionC", MBSTRING_ASC, "US"}},
      {{"L", MBSTRING_ASC, "l"},
       {"ST", MBSTRING_ASC, "st"},
       {"street", MBSTRING_ASC, "s"},
       {"postalCode", MBSTRING_ASC, "1"}},
  };
  for (const auto& entries : subjects) {
    Maker maker;
    maker.Subject(entries);
    std::string theirs = SubjectByOpenSsl(maker.get());
    if (const size_t at = theirs.find("street="); at != std::string::npos) theirs.replace(at, 6, "STREET");
    EXPECT_EQ(NamesOf(maker.Der()).subject, theirs);
  }
}

TEST(CertificateNames, UnknownTypesAndValuesAreHex) {
  EXPECT_EQ(NamesOf(Maker().Subject({{"1.3.6.1.4.1.99999.1", V_ASN1_UTF8STRING, "hi"}}).Der()).subject,
            "1.3.6.1.4.1.99999.1=#0c026869");
  EXPECT_EQ(NamesOf(WithSubject(kCommonName, V_ASN1_OCTET_STRING, "a.example")).subject, "CN=#0409612e6578616d706c65");
}

TEST(CertificateNames, BrokenTextStaysUtf8) {
  EXPECT_EQ(NamesOf(WithSubject(kOrganisation, V_ASN1_UTF8STRING, "a\xff\xc3")).subject, "O=a\\FF\\C3");
  // A lone surrogate, and an odd byte at the end.
  EXPECT_EQ(NamesOf(WithSubject(kOrganisation, V_ASN1_BMPSTRING, std::string("\xd8\x00\0a\0", 5))).subject,
            "O=\xef\xbf\xbd"
            "a");
}

TEST(CertificateNames, HostsAreBounded) {
  std::string list;
  for (int i = 0; i < 3000; ++i) {
    const std::string name = std::to_string(i) + ".example";
    list += std::string("\x82") + static_cast<char>(name.size()) + name;
  }
  std::string der = "\x30\x82";
  der += static_cast<char>(list.size() >> 8);
  der += static_cast<char>(list.size() & 0xff);
  const CertificateNames names = NamesOf(Maker().RawAltNames(der + list).Der());
  EXPECT_EQ(names.hosts.size(), kMaxCertificateHosts);
  EXPECT_TRUE(names.is_cut);
}

TEST(CertificateNames, ConversionsAreBounded) {
  std::string list;
  for (int i = 10; i < 99; ++i) list += Der(0x82, "\xc3\xbc." + std::to_string(i) + ".example");
  const CertificateNames names = NamesOf(Maker().RawAltNames(Der(0x30, list + Der(0x82, "ascii.example"))).Der());
  EXPECT_EQ(names.hosts.size(), 17u);
  EXPECT_EQ(names.hosts.back(), "ascii.example");
  EXPECT_TRUE(names.is_cut);
}

TEST(CertificateNames, LongNamesAreNoHosts) {
  const std::string name(kMaxCertificateHostBytes + 1, 'a');
  const std::string san = std::string("\x82\x82\x01\x00", 4) + name;
  const CertificateNames names = NamesOf(Maker().RawAltNames(std::string("\x30\x82\x01\x04", 4) + san).Der());
  EXPECT_EQ(names.hosts, Hosts{});
  EXPECT_TRUE(names.is_cut);
}

TEST(CertificateNames, SubjectTextIsBounded) {
  const std::vector<NameEntry> entries(200, NameEntry{"O", V_ASN1_UTF8STRING, std::string(3000, 'o')});
  const CertificateNames names = NamesOf(Maker().Subject(entries).Der());
  EXPECT_LE(names.subject.size(), kMaxNameTextBytes + 3 * kMaxAttributeValueBytes);
  EXPECT_TRUE(names.is_cut);
}

}  // namespace
}  // namespace vedette
