#include "exporter/geo/geo_fields.h"

#include <maxminddb.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "parsers/base/json_writer.h"

namespace vedette {
namespace {

constexpr size_t kMaxNameBytes = 256;  // the longest organisation in GeoLite2 has 110 characters

bool IsCode(std::string_view text) {
  return text.size() == 2 &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); });
}

std::string Upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  return text;
}

bool ParseNumber(std::string_view text, uint32_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

bool Take(std::string& field, std::string value) {
  if (!field.empty() || value.empty()) return false;
  field = std::move(value);
  return true;
}

}  // namespace

bool GeoFieldReader::Get(const Path& path, MMDB_entry_data_s& data) {
  if (corrupt_) return false;
  const char* const keys[] = {path.keys[0], path.keys[1], path.keys[2], nullptr};
  data = {};
  const int status = MMDB_aget_value(entry_, &data, keys);
  if (status == MMDB_SUCCESS) return data.has_data;
  if (status != MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR) corrupt_ = true;
  return false;
}

std::string GeoFieldReader::Text(const Path& path) {
  MMDB_entry_data_s data;
  if (!Get(path, data) || data.type != MMDB_DATA_TYPE_UTF8_STRING || data.data_size == 0) return {};
  return std::string(CutUtf8({data.utf8_string, data.data_size}, kMaxNameBytes));
}

std::optional<double> GeoFieldReader::Degrees(const Path& path, double limit) {
  MMDB_entry_data_s data;
  if (!Get(path, data)) return std::nullopt;
  double value = 0;
  if (data.type == MMDB_DATA_TYPE_DOUBLE) {
    value = data.double_value;
  } else if (data.type == MMDB_DATA_TYPE_FLOAT) {
    value = static_cast<double>(data.float_value);
  } else if (data.type == MMDB_DATA_TYPE_UTF8_STRING) {
    const char* end = data.utf8_string + data.data_size;
    const auto result = std::from_chars(data.utf8_string, end, value);
    if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
  } else {
    return std::nullopt;
  }
  return std::isfinite(value) && std::fabs(value) <= limit ? std::optional(value) : std::nullopt;
}

std::optional<uint32_t> GeoFieldReader::Number(const Path& path) {
  MMDB_entry_data_s data;
  if (!Get(path, data)) return std::nullopt;
  switch (data.type) {
    case MMDB_DATA_TYPE_UINT16:
      return data.uint16;
    case MMDB_DATA_TYPE_UINT32:
      return data.uint32;
    case MMDB_DATA_TYPE_UINT64:
      return data.uint64 <= UINT32_MAX ? std::optional(static_cast<uint32_t>(data.uint64)) : std::nullopt;
    case MMDB_DATA_TYPE_INT32:
      return data.int32 >= 0 ? std::optional(static_cast<uint32_t>(data.int32)) : std::nullopt;
    case MMDB_DATA_TYPE_UTF8_STRING: {
      std::string_view text(data.utf8_string, data.data_size);  // "AS64496"
      if (text.substr(0, 2) == "AS") text.remove_prefix(2);
      uint32_t number = 0;
      return ParseNumber(text, number) ? std::optional(number) : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

bool GeoFieldReader::True(const Path& path) {
  MMDB_entry_data_s data;
  if (!Get(path, data)) return false;
  switch (data.type) {
    case MMDB_DATA_TYPE_BOOLEAN:
      return data.boolean;
    case MMDB_DATA_TYPE_UINT16:
      return data.uint16 != 0;
    case MMDB_DATA_TYPE_UINT32:
      return data.uint32 != 0;
    case MMDB_DATA_TYPE_UTF8_STRING:
      return std::string_view(data.utf8_string, data.data_size) == "true";
    default:
      return false;
  }
}

bool GeoFieldReader::FillCountry(GeoRecord& record) {
  bool any = false;
  MMDB_entry_data_s data;
  std::string code, name;
  if (record.country_code.empty() || record.country.empty()) {
    if (Get({{"country", nullptr, nullptr}}, data)) {
      if (data.type == MMDB_DATA_TYPE_MAP) {
        code = Text({{"country", "iso_code", nullptr}});
        name = Text({{"country", "names", "en"}});
      } else {
        std::string text = Text({{"country", nullptr, nullptr}});  // ipinfo: a code in one product, a name in another
        (IsCode(text) ? code : name) = std::move(text);
      }
    }
    if (code.empty()) code = Text({{"country_code", nullptr, nullptr}});
    if (name.empty()) name = Text({{"country_name", nullptr, nullptr}});
    if (!IsCode(code)) code.clear();
    // A name goes with its code: two databases that disagree about the country must not be mixed.
    if (record.country_code.empty()) {
      any = Take(record.country_code, Upper(std::move(code))) || any;
      any = Take(record.country, std::move(name)) || any;
    } else if (record.country_code == Upper(std::move(code))) {
      any = Take(record.country, std::move(name)) || any;
    }
  }
  if (record.continent_code.empty()) {
    std::string continent = Text({{"continent", "code", nullptr}});
    if (continent.empty()) continent = Text({{"continent_code", nullptr, nullptr}});
    if (continent.empty()) continent = Text({{"continent", nullptr, nullptr}});
    if (IsCode(continent)) any = Take(record.continent_code, Upper(std::move(continent))) || any;
  }
  return any;
}

bool GeoFieldReader::FillCity(GeoRecord& record) {
  bool any = false;
  if (record.city.empty()) {
    std::string city = Text({{"city", "names", "en"}});
    if (city.empty()) city = Text({{"city", nullptr, nullptr}});
    any = Take(record.city, std::move(city));
  }
  if (!record.latitude) {
    constexpr double kMaxLatitude = 90, kMaxLongitude = 180;
    auto latitude = Degrees({{"location", "latitude", nullptr}}, kMaxLatitude);
    auto longitude = Degrees({{"location", "longitude", nullptr}}, kMaxLongitude);
    if (!latitude) latitude = Degrees({{"latitude", nullptr, nullptr}}, kMaxLatitude);
    if (!longitude) longitude = Degrees({{"longitude", nullptr, nullptr}}, kMaxLongitude);
    if (!latitude) latitude = Degrees({{"lat", nullptr, nullptr}}, kMaxLatitude);
    if (!longitude) longitude = Degrees({{"lng", nullptr, nullptr}}, kMaxLongitude);
    if (latitude && longitude) {
      record.latitude = latitude;
      record.longitude = longitude;
      any = true;
    }
  }
  return any;
}

bool GeoFieldReader::FillNetwork(GeoRecord& record) {
  bool any = false;
  std::optional<uint32_t> asn;
  for (const Path& path : {Path{{"autonomous_system_number", nullptr, nullptr}},
                           Path{{"traits", "autonomous_system_number", nullptr}}, Path{{"asn", nullptr, nullptr}}}) {
    if (!asn) asn = Number(path);
  }
  std::string organisation;
  for (const Path& path :
       {Path{{"autonomous_system_organization", nullptr, nullptr}},
        Path{{"traits", "autonomous_system_organization", nullptr}}, Path{{"as_name", nullptr, nullptr}},
        Path{{"organisation", nullptr, nullptr}}, Path{{"organization", nullptr, nullptr}},
        Path{{"traits", "organization", nullptr}}, Path{{"name", nullptr, nullptr}}, Path{{"org", nullptr, nullptr}}}) {
    if (organisation.empty()) organisation = Text(path);
  }
  // As with country and name: the organisation belongs to its number.
  if (!record.asn) {
    if (asn && *asn != 0) {
      record.asn = asn;
      any = true;
    }
    any = Take(record.organisation, std::move(organisation)) || any;
  } else if (asn == record.asn) {
    any = Take(record.organisation, std::move(organisation)) || any;
  }
  return any;
}

bool GeoFieldReader::FillFlags(GeoRecord& record) {
  struct Flag {
    const char* name;
    Path paths[3];
  };
  // What the databases call it: MaxMind's `traits` and Anonymous-IP, the default database, ipinfo.
  static constexpr Flag kFlags[] = {
      {"anonymous", {{{"is_anonymous"}}, {{"traits", "is_anonymous"}}, {}}},
      {"anonymous_proxy", {{{"is_anonymous_proxy"}}, {{"traits", "is_anonymous_proxy"}}, {}}},
      {"anycast", {{{"is_anycast"}}, {{"traits", "is_anycast"}}, {}}},
      {"drop", {{{"is_drop"}}, {}, {}}},
      {"hosting", {{{"is_hosting_provider"}}, {{"traits", "is_hosting_provider"}}, {{"hosting"}}}},
      {"public_proxy", {{{"is_public_proxy"}}, {{"traits", "is_public_proxy"}}, {{"proxy"}}}},
      {"relay", {{{"relay"}}, {}, {}}},
      {"residential_proxy", {{{"is_residential_proxy"}}, {{"traits", "is_residential_proxy"}}, {}}},
      {"satellite", {{{"is_satellite_provider"}}, {{"traits", "is_satellite_provider"}}, {}}},
      {"tor_exit", {{{"is_tor_exit_node"}}, {{"traits", "is_tor_exit_node"}}, {{"tor"}}}},
      {"vpn", {{{"is_anonymous_vpn"}}, {{"traits", "is_anonymous_vpn"}}, {{"vpn"}}}},
  };
  bool any = false;
  for (const Flag& flag : kFlags) {
    const bool is_true = std::any_of(std::begin(flag.paths), std::end(flag.paths),
                                     [this](const Path& path) { return path.keys[0] != nullptr && True(path); });
    if (!is_true) continue;
    const auto place = std::lower_bound(record.flags.begin(), record.flags.end(), flag.name);
    if (place != record.flags.end() && *place == flag.name) continue;
    record.flags.insert(place, flag.name);
    any = true;
  }
  return any;
}

bool GeoFieldReader::Fill(GeoRecord& record) {
  MMDB_entry_data_s data;
  if (!Get({{nullptr, nullptr, nullptr}}, data) || data.type != MMDB_DATA_TYPE_MAP) return false;
  bool any = FillCountry(record);
  any = FillCity(record) || any;
  any = FillNetwork(record) || any;
  any = FillFlags(record) || any;
  return any;
}

}  // namespace vedette
