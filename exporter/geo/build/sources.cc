#include "exporter/geo/build/sources.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <fstream>
#include <iterator>
#include <optional>

#include "parsers/base/bytes.h"
#include "parsers/base/errno_text.h"

namespace vedette {
namespace {

bool Fail(const std::string& path, size_t line, const std::string& reason, std::string& error) {
  error = path + (line == 0 ? std::string() : ":" + std::to_string(line)) + ": " + reason;
  return false;
}

std::optional<Place128> PlaceFromText(std::string_view text) {
  uint32_t number = 0;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, number);
  if (result.ec == std::errc() && result.ptr == end) return number;
  const auto address = IpAddress::Parse(text);
  return address && address->is_v6() ? std::optional(PlaceOf(*address)) : std::nullopt;
}

// "# Generated: Thu, 25 Jun 2026 04:33:59 GMT"
void ReadDate(const std::string& comment, uint64_t& created) {
  const size_t at = comment.find("Generated:");
  if (at == std::string::npos) return;
  std::tm date{};
  const size_t comma = comment.find(", ", at);
  if (comma == std::string::npos || strptime(comment.c_str() + comma + 2, "%d %b %Y %H:%M:%S", &date) == nullptr)
    return;
  const std::time_t time = timegm(&date);
  if (time > 0) created = std::max(created, static_cast<uint64_t>(time));
}

class LiblocReader {
 public:
  LiblocReader(std::string_view file, const std::string& path, GeoSource& source, std::string& error)
      : file_(file), path_(path), source_(source), error_(error) {}

  bool Read() {
    ByteReader reader(AsBytes(file_));
    Bytes magic;
    uint8_t version = 0;
    uint32_t created_high = 0, created_low = 0;
    if (!reader.ReadBytes(7, magic) || AsText(magic) != "LOCDBXX" || !reader.ReadU8(version)) {
      return Fail(path_, 0, "not a libloc database; install the package libloc-database", error_);
    }
    if (version != 1) return Fail(path_, 0, "libloc format version " + std::to_string(version) + ", not 1", error_);
    if (!reader.ReadU32(created_high) || !reader.ReadU32(created_low) || !reader.Skip(size_t{3} * 4) ||
        !ReadSection(reader, as_) || !ReadSection(reader, networks_) || !ReadSection(reader, tree_) ||
        !ReadSection(reader, countries_) || !ReadSection(reader, pool_)) {
      return Fail(path_, 0, "cut short; install the package libloc-database again", error_);
    }
    source_.created = static_cast<uint64_t>(created_high) << 32 | created_low;
    ReadNames();
    if (!Walk(0, 0, 0, NetworkFacts())) return Fail(path_, 0, "its tree is damaged", error_);
    return true;
  }

 private:
  static constexpr size_t kNodeBytes = 12, kNetworkBytes = 12;
  static constexpr uint32_t kNoNetwork = 0xffffffff;

  bool ReadSection(ByteReader& reader, Bytes& section) {
    uint32_t offset = 0, length = 0;
    if (!reader.ReadU32(offset) || !reader.ReadU32(length) || offset > file_.size() || length > file_.size() - offset) {
      return false;
    }
    section = AsBytes(file_.substr(offset, length));
    return true;
  }

  std::string Name(uint32_t offset) const {
    if (offset >= pool_.size()) return {};
    const std::string_view rest = AsText(pool_.subspan(offset));
    return std::string(rest.substr(0, rest.find('\0')));
  }

  void ReadNames() {
    ByteReader as(as_);
    uint32_t number = 0, name = 0;
    while (as.ReadU32(number) && as.ReadU32(name)) source_.organisations[number] = Name(name);
    ByteReader countries(countries_);
    Bytes code, continent;
    while (countries.ReadBytes(2, code) && countries.ReadBytes(2, continent) && countries.ReadU32(name)) {
      const uint16_t country = CountryCode(static_cast<char>(code[0]), static_cast<char>(code[1]));
      const bool known = CountryCode(static_cast<char>(continent[0]), static_cast<char>(continent[1])) != 0;
      if (country != 0)
        source_.countries[country] = {Name(name), known ? std::string(AsText(continent)) : std::string()};
    }
  }

  bool ReadNetwork(uint32_t index, NetworkFacts& facts) const {
    if (index >= networks_.size() / kNetworkBytes) return false;
    ByteReader reader(networks_.subspan(index * kNetworkBytes, kNetworkBytes));
    Bytes code;
    if (!reader.ReadBytes(2, code) || !reader.Skip(2) || !reader.ReadU32(facts.asn) || !reader.ReadU16(facts.flags)) {
      return false;
    }
    facts.country = CountryCode(static_cast<char>(code[0]), static_cast<char>(code[1]));
    facts.flags &= kAnonymousProxy | kSatelliteProvider | kAnycast | kDrop;
    return true;
  }

  void Emit(Place128 prefix, unsigned depth, const NetworkFacts& facts) {
    if (facts.empty()) return;
    Place128 last = depth == 0 ? kLastPlace : prefix | ((Place128{1} << (128 - depth)) - 1);
    constexpr Place128 kMapped = Place128{0xffff} << 32;
    if (depth >= 96 && prefix >> 32 == 0xffff) {
      prefix -= kMapped;
      last -= kMapped;
    }
    if (!source_.ranges.empty() && source_.ranges.back().facts == facts && source_.ranges.back().last + 1 == prefix) {
      source_.ranges.back().last = last;
    } else {
      source_.ranges.push_back({prefix, last, facts});
    }
  }

  // `inherited`: of the networks above.
  bool Walk(uint32_t node, Place128 prefix, unsigned depth, NetworkFacts inherited) {
    if (depth > 128 || node >= tree_.size() / kNodeBytes) return false;
    ByteReader reader(tree_.subspan(node * kNodeBytes, kNodeBytes));
    uint32_t children[2] = {0, 0}, network = 0;
    if (!reader.ReadU32(children[0]) || !reader.ReadU32(children[1]) || !reader.ReadU32(network)) return false;
    if (network != kNoNetwork && !ReadNetwork(network, inherited)) return false;
    if (children[0] == 0 && children[1] == 0) {
      Emit(prefix, depth, inherited);
      return true;
    }
    if (depth == 128) return false;
    // A tree has no node twice: a file that says so would keep us walking for ever.
    if (++nodes_walked_ > tree_.size() / kNodeBytes) return false;
    for (unsigned bit = 0; bit < 2; ++bit) {
      const Place128 below = prefix | Place128{bit} << (127 - depth);
      if (children[bit] == 0) {
        Emit(below, depth + 1, inherited);
      } else if (!Walk(children[bit], below, depth + 1, inherited)) {
        return false;
      }
    }
    return true;
  }

  std::string_view file_;
  const std::string& path_;
  GeoSource& source_;
  std::string& error_;
  Bytes as_, networks_, tree_, countries_, pool_;
  size_t nodes_walked_ = 0;
};

}  // namespace

bool ReadTorGeoip(const std::string& path, GeoSource& source, std::string& error) {
  std::ifstream file(path);
  if (!file) return Fail(path, 0, ErrnoText() + "; install the package tor-geoipdb", error);
  std::string line;
  size_t number = 0;
  while (std::getline(file, line)) {
    ++number;
    if (line.empty()) continue;
    if (line[0] == '#') {
      ReadDate(line, source.created);
      continue;
    }
    const std::string_view text(line);
    const size_t first_comma = text.find(','), second_comma = text.find(',', first_comma + 1);
    if (first_comma == std::string_view::npos || second_comma == std::string_view::npos) {
      return Fail(path, number, "not of the form first,last,country", error);
    }
    const auto first = PlaceFromText(text.substr(0, first_comma));
    const auto last = PlaceFromText(text.substr(first_comma + 1, second_comma - first_comma - 1));
    const std::string_view code = text.substr(second_comma + 1);
    if (!first || !last || *first > *last) return Fail(path, number, "not a range of addresses", error);
    const uint16_t country = code.size() == 2 ? CountryCode(code[0], code[1]) : uint16_t{0};
    if (country != 0) source.ranges.push_back({*first, *last, {country, 0, 0}});
  }
  return true;
}

bool ReadLibloc(const std::string& path, GeoSource& source, std::string& error) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Fail(path, 0, ErrnoText() + "; install the package libloc-database", error);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return LiblocReader(bytes, path, source, error).Read();
}

bool ReadCountryNames(const std::string& path, std::map<uint16_t, CountryName>& names, std::string& error) {
  std::ifstream file(path);
  if (!file) return Fail(path, 0, ErrnoText() + "; install the package tzdata", error);
  std::string line;
  while (std::getline(file, line)) {
    if (line.size() < 4 || line[0] == '#' || line[2] != '\t') continue;
    const uint16_t country = CountryCode(line[0], line[1]);
    if (country != 0) names[country].name = line.substr(3);
  }
  return true;
}

}  // namespace vedette
