#include "exporter/policy/constituency.h"

#include <charconv>

#include "signatures/prefix_table.h"

namespace vedette {
namespace {

constexpr std::string_view kCountries =
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ "
    "CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO "
    "FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE "
    "JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO "
    "MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW "
    "PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM "
    "TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW ";

}  // namespace

std::optional<IpPrefix> ParseIpPrefix(std::string_view text, std::string& reason) {
  const size_t slash = text.find('/');
  const std::optional<IpAddress> address = IpAddress::Parse(text.substr(0, slash));
  if (!address) {
    reason = "is not a prefix such as 192.0.2.0/24 or 2001:db8::/32";
    return std::nullopt;
  }
  const unsigned width = address->is_v4() ? 32 : 128;
  unsigned length = width;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (status != std::errc() || end != digits.data() + digits.size() || length > width) {
      reason = "needs a prefix length from 1 to " + std::to_string(width);
      return std::nullopt;
    }
  }
  if (length == 0) {
    reason = "covers every address: nobody else could then claim by AS number or country";
    return std::nullopt;
  }
  const IpPrefix prefix{MaskAddress(*address, length), static_cast<uint8_t>(length)};
  if (prefix.network != *address) {
    reason = "has bits set after its length; write " + prefix.ToString();
    return std::nullopt;
  }
  return prefix;
}

bool IsCountryCode(std::string_view code) {
  return code.size() == 2 && code.find(' ') == std::string_view::npos &&
         kCountries.find(std::string(code) + ' ') != std::string_view::npos;
}

}  // namespace vedette
