// Fingerprints of TLS clients and servers: JA3 and JA3S (BSD, Salesforce), JA4 (BSD, FoxIO; the TLS client one only).
#pragma once

#include <string>

#include "parsers/tls/tls_hello.h"

namespace vedette {

// The text whose MD5 is JA3: version, cipher suites, extensions, groups, point formats; decimal, without GREASE.
std::string Ja3Text(const ClientHello& hello);
// Version, cipher suite, extensions.
std::string Ja3sText(const ServerHello& hello);

// Lower-case hex; "" if the library has no MD5 (FIPS mode).
std::string Ja3(const ClientHello& hello);
std::string Ja3s(const ServerHello& hello);

enum class Ja4Transport : char { kTcp = 't', kQuic = 'q', kDtls = 'd' };

// The two characters for the first ALPN protocol if its first or last byte is not an ASCII letter or
// digit. The specification (technical_details/JA4.md) takes the first and last hex digit of the whole value. The
// programs published with it, whose values are in circulation, write 9 for a byte that is not ASCII.
enum class Ja4AlpnRule : uint8_t { kHexDigits, kNines };

std::string Ja4(const ClientHello& hello, Ja4Transport transport, Ja4AlpnRule rule = Ja4AlpnRule::kHexDigits);
// Whether the two rules give different values for this hello: its first protocol begins or ends outside ASCII.
bool Ja4HasTwoForms(const ClientHello& hello);

}  // namespace vedette
