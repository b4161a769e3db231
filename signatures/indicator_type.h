// The types of indicators (contract 5): one row each, from which everything that depends on a type derives.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "parsers/base/observable_kind.h"

namespace vedette {

enum class IndicatorType : uint8_t {
  kIp,
  kCidr,
  kIpPort,
  kDomain,
  kHostname,
  kUrl,
  kUri,
  kUserAgent,
  kJa3,
  kJa3s,
  kJa4,
  kHassh,
  kHasshServer,
  kCertSha1,
  kCertSha256,
  kFileMd5,
  kFileSha1,
  kFileSha256,
  kEmail,
  kWallet,
  kContent,
  kRegex,
  kCount
};
constexpr size_t kIndicatorTypes = static_cast<size_t>(IndicatorType::kCount);

// Values that are compared with each other share a space.
enum class KeySpace : uint8_t {
  kHost,         // domain and hostname
  kAddress,      // ip
  kAddressPort,  // ip:port
  kUrl,
  kUri,
  kUserAgent,
  kJa3,
  kJa3s,
  kJa4,
  kCertSha1,
  kCertSha256,
  kPrefix,   // cidr: looked up in the prefix table
  kContent,  // looked up by scanning
  kRegex,    // the same
};
constexpr size_t kKeySpaces = static_cast<size_t>(KeySpace::kRegex) + 1;

struct IndicatorTypeTraits {
  constexpr IndicatorTypeTraits(IndicatorType of, uint16_t stable_number, std::string_view contract_name,
                                std::optional<KeySpace> key_space, ObservableMask default_places,
                                ObservableMask possible_places)
      : type(of),
        number(stable_number),
        name(contract_name),
        space(key_space),
        places(default_places),
        may_look_in(possible_places) {}

  IndicatorType type;
  uint16_t number;                // for files and `signature_id`: never changes, and is never used again
  std::string_view name;          // contract 5's: "ip:port", "cert.sha1"
  std::optional<KeySpace> space;  // none: nothing looks such values up
  ObservableMask places;          // looked in where the row says nothing; empty: nothing shows such values yet
  ObservableMask may_look_in;     // what a row's `in` may choose from
};

inline constexpr std::array<IndicatorTypeTraits, kIndicatorTypes> kIndicatorTypeTable = [] {
  using enum IndicatorType;
  using K = ObservableKind;
  using L = ExactLookup;
  using T = IndicatorTypeTraits;
  constexpr auto looked_up = [](auto... lookups) {
    return ObservableMask::Where([&](const ObservableTraits& kind) { return ((kind.lookup == lookups) || ...); });
  };
  constexpr ObservableMask addresses = looked_up(L::kAddress, L::kAddressPort, L::kHostOrAddress, L::kAddressText);
  constexpr ObservableMask ends = looked_up(L::kAddressPort, L::kUrl);
  constexpr ObservableMask hosts = looked_up(L::kHostName, L::kHostOrAddress);
  constexpr ObservableMask texts = ObservableMask::Where([](const ObservableTraits& kind) {
    return kind.patterns != PatternField::kNone || kind.form == ValueForm::kBytes;
  });
  constexpr ObservableMask none = {};
  constexpr auto whole = [](IndicatorType type, uint16_t number, std::string_view name, KeySpace space, auto... kinds) {
    return T{type, number, name, space, {kinds...}, {kinds...}};
  };
  return std::array<IndicatorTypeTraits, kIndicatorTypes>{{
      T{kIp, 1, "ip", KeySpace::kAddress, addresses, addresses},
      T{kCidr, 2, "cidr", KeySpace::kPrefix, addresses, addresses},
      T{kIpPort, 3, "ip:port", KeySpace::kAddressPort, ends, ends},
      T{kDomain, 4, "domain", KeySpace::kHost, hosts, hosts},
      T{kHostname, 5, "hostname", KeySpace::kHost, hosts, hosts},
      whole(kUrl, 6, "url", KeySpace::kUrl, K::kHttpUrl),
      whole(kUri, 7, "uri", KeySpace::kUri, K::kHttpUri),
      whole(kUserAgent, 8, "user_agent", KeySpace::kUserAgent, K::kHttpUserAgent),
      whole(kJa3, 9, "ja3", KeySpace::kJa3, K::kTlsJa3),
      whole(kJa3s, 10, "ja3s", KeySpace::kJa3s, K::kTlsJa3s),
      whole(kJa4, 11, "ja4", KeySpace::kJa4, K::kTlsJa4),
      T{kHassh, 12, "hassh", std::nullopt, none, none},
      T{kHasshServer, 13, "hassh_server", std::nullopt, none, none},
      whole(kCertSha1, 14, "cert.sha1", KeySpace::kCertSha1, K::kTlsCertSha1),
      whole(kCertSha256, 15, "cert.sha256", KeySpace::kCertSha256, K::kTlsCertSha256),
      T{kFileMd5, 16, "file.md5", std::nullopt, none, none},
      T{kFileSha1, 17, "file.sha1", std::nullopt, none, none},
      T{kFileSha256, 18, "file.sha256", std::nullopt, none, none},
      T{kEmail, 19, "email", std::nullopt, none, none},
      T{kWallet, 20, "wallet", std::nullopt, none, none},
      T{kContent, 21, "content", KeySpace::kContent, {K::kPayload}, texts},
      T{kRegex, 22, "regex", KeySpace::kRegex, {K::kPayload}, texts},
  }};
}();

constexpr const IndicatorTypeTraits& TraitsOf(IndicatorType type) {
  return kIndicatorTypeTable[static_cast<size_t>(type)];
}
constexpr std::string_view NameOf(IndicatorType type) { return TraitsOf(type).name; }
std::optional<IndicatorType> IndicatorTypeOf(std::string_view name);
constexpr ObservableMask DefaultPlacesOf(IndicatorType type) { return TraitsOf(type).places; }
constexpr ObservableMask PossiblePlacesOf(IndicatorType type) { return TraitsOf(type).may_look_in; }
constexpr std::optional<KeySpace> KeySpaceOf(IndicatorType type) { return TraitsOf(type).space; }
// Where a text of that kind is a key as a whole.
std::optional<KeySpace> TextSpaceOf(ObservableKind kind);

}  // namespace vedette
