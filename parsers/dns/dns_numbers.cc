#include "parsers/dns/dns_numbers.h"

#include <array>

namespace vedette {
namespace {

struct NamedType {
  uint16_t number;
  std::string_view name;
};
constexpr NamedType kTypes[] = {
    {1, "A"},        {2, "NS"},          {5, "CNAME"},  {6, "SOA"},     {10, "NULL"},   {12, "PTR"},
    {13, "HINFO"},   {15, "MX"},         {16, "TXT"},   {17, "RP"},     {18, "AFSDB"},  {24, "SIG"},
    {25, "KEY"},     {28, "AAAA"},       {29, "LOC"},   {33, "SRV"},    {35, "NAPTR"},  {36, "KX"},
    {37, "CERT"},    {38, "A6"},         {39, "DNAME"}, {41, "OPT"},    {42, "APL"},    {43, "DS"},
    {44, "SSHFP"},   {45, "IPSECKEY"},   {46, "RRSIG"}, {47, "NSEC"},   {48, "DNSKEY"}, {49, "DHCID"},
    {50, "NSEC3"},   {51, "NSEC3PARAM"}, {52, "TLSA"},  {53, "SMIMEA"}, {55, "HIP"},    {59, "CDS"},
    {60, "CDNSKEY"}, {61, "OPENPGPKEY"}, {62, "CSYNC"}, {63, "ZONEMD"}, {64, "SVCB"},   {65, "HTTPS"},
    {99, "SPF"},     {249, "TKEY"},      {250, "TSIG"}, {251, "IXFR"},  {252, "AXFR"},  {255, "ANY"},
    {256, "URI"},    {257, "CAA"}};

// By number, as DnsTypeName needs it for every message.
constexpr size_t kTypeNames = 258;
constexpr std::array<std::string_view, kTypeNames> kTypeNameOf = [] {
  std::array<std::string_view, kTypeNames> names{};
  for (const NamedType& type : kTypes) names[type.number] = type.name;
  return names;
}();

constexpr std::array<std::string_view, 12> kRcodes = {"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN",
                                                      "NOTIMP",  "REFUSED", "YXDOMAIN", "YXRRSET",
                                                      "NXRRSET", "NOTAUTH", "NOTZONE",  "DSOTYPENI"};

}  // namespace

std::string_view DnsTypeName(uint16_t type) { return type < kTypeNames ? kTypeNameOf[type] : std::string_view(); }

std::string_view DnsRcodeName(unsigned rcode) {
  if (rcode < kRcodes.size()) return kRcodes[rcode];
  return rcode == 16 ? "BADVERS" : rcode == 23 ? "BADCOOKIE" : std::string_view();
}

}  // namespace vedette
