#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>

#include "exporter/feed/keys.h"
#include "sensor/config/sections.h"
#include "signatures/canary.h"
#include "signatures/indicator.h"

namespace vedette {
namespace {

constexpr size_t kMaxCountries = 250;  // all there are

// A partner as it stands in the file.
struct PartnerEntry {
  PartnerConfig partner;
  std::vector<std::string> key_files;
};

void ReadName(const Section& section, PartnerEntry& entry) { section.Read("name", entry.partner.name, "a name"); }

void ReadPartnerKey(const Section& section, PartnerEntry& entry) {
  std::string key, error;
  section.Read("public_key", key, "40 characters of Z85, or the path of a .pub file");
  if (key.empty()) {
    section.Fail("partner `" + entry.partner.name +
                 "` needs a `public_key`: its .pub file, or the 40 characters in it");
    return;
  }
  // What cannot be looked at is read below, which says why it cannot be.
  std::error_code unseen;
  const std::string path = section.file().Resolve(key);
  const bool is_path = key.size() != 40 || key.find('/') != std::string::npos;
  if (is_path && (std::filesystem::exists(path, unseen) || unseen)) key = path;
  if (std::filesystem::exists(key, unseen)) entry.key_files.push_back(key);
  if (!ReadPublicKey(key, entry.partner.public_key, error)) section.Fail("public_key", error);
}

void ReadMaxTlp(const Section& section, PartnerEntry& entry) {
  std::string tlp;
  section.Read("max_tlp", tlp, "clear, green, amber, amber+strict or red");
  if (tlp.empty()) return;
  if (const auto parsed = TlpOf(tlp)) {
    entry.partner.clearance.max_tlp = *parsed;
  } else {
    section.Fail("max_tlp", "`" + tlp + "` is no TLP; write clear, green, amber, amber+strict or red");
  }
}

void ReadScope(const Section& section, PartnerEntry& entry) {
  std::string scope = "all";
  section.Read("scope", scope, "all or constituency");
  entry.partner.clearance.only_constituency = scope == "constituency";
  if (!entry.partner.clearance.only_constituency && scope != "all")
    section.Fail("scope", "`" + scope + "` is no scope; write all or constituency");
  if (entry.partner.clearance.only_constituency && !section.Find("constituency")) {
    section.Fail("scope", "partner `" + entry.partner.name +
                              "` has the scope constituency and no `constituency`: it would receive nothing");
  }
}

void ReadPrefixes(const Section& section, Constituency& out) {
  section.ForEachText("prefixes", Constituency::kMaxPrefixes, [&out](const std::string& text) -> std::string {
    std::string reason;
    const std::optional<IpPrefix> prefix = ParseIpPrefix(text, reason);
    if (prefix) out.prefixes.push_back(*prefix);
    return reason;
  });
}

void ReadAsns(const Section& section, Constituency& out) {
  section.ForEachText("asns", Constituency::kMaxAsns, [&out](const std::string& text) -> std::string {
    uint32_t number = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (status != std::errc() || end != text.data() + text.size() || number == 0)
      return "is no AS number: a whole number such as 3333";
    out.asns.push_back(number);
    return {};
  });
}

void ReadCountries(const Section& section, Constituency& out) {
  section.ForEachText("countries", kMaxCountries, [&out](const std::string& text) -> std::string {
    if (!IsCountryCode(text)) return "is no country: two capital letters of ISO 3166-1, such as NL (and GB, not UK)";
    out.countries.push_back(text);
    return {};
  });
}

std::vector<std::string> NetworksOf(const Constituency& constituency) {
  std::vector<std::string> networks;
  for (const IpPrefix& prefix : constituency.prefixes) networks.push_back(prefix.ToString());
  return networks;
}

Keys<Constituency> ConstituencyKeys() {
  using C = Constituency;
  return {
      OwnKey<C>({"prefixes", "a list of prefixes", "[]", "192.0.2.0/24, 2001:db8::/32"}, NetworksOf, ReadPrefixes),
      OwnKey<C>({"asns", "a list of AS numbers", "[]", "3333"}, &C::asns, ReadAsns),
      OwnKey<C>({"countries", "a list of two-letter codes of ISO 3166-1", "[]", "NL"}, &C::countries, ReadCountries),
  };
}

Constituency& ConstituencyOf(PartnerEntry& entry) { return entry.partner.clearance.constituency; }
const Constituency& ConstituencyOf(const PartnerEntry& entry) { return entry.partner.clearance.constituency; }

// As any section, and it is not empty.
void ReadConstituency(const Section& section, PartnerEntry& entry) {
  const YAML::Node node = section.Find("constituency");
  if (!node) return;
  const Keys<Constituency> keys = ConstituencyKeys();
  const size_t problems_before = section.file().problems().size();
  ReadKeys(Section(node, "constituency", NamesOf(keys), section.file()), keys, ConstituencyOf(entry));
  if (ConstituencyOf(entry).empty() && section.file().problems().size() == problems_before)
    section.Fail("constituency", "`constituency` needs `prefixes`, `asns` or `countries` that are not empty");
}

// A list of texts in the clearance.
Key<PartnerEntry> ClearanceKey(std::string name, std::vector<std::string> Clearance::*member, std::string help) {
  return OwnKey<PartnerEntry>(
      {name, "a list of texts", "[]", std::move(help)},
      [=](const PartnerEntry& entry) { return entry.partner.clearance.*member; },
      [=](const Section& section, PartnerEntry& entry) { entry.partner.clearance.*member = section.ReadList(name); });
}

Keys<PartnerEntry> PartnerKeys() {
  using P = PartnerEntry;
  Key<P> constituency = SectionKey<P, Constituency>(
      "constituency", "what it looks after; the longest prefix of all partners before AS number before country",
      ConstituencyKeys(), [](auto& entry) -> auto& { return ConstituencyOf(entry); });
  constituency.read = ReadConstituency;
  return {
      OwnKey<P>(
          {"name", "a name", "", "its view; a-z, 0-9 and -"}, [](const P& entry) { return entry.partner.name; },
          ReadName)
          .Example("cert-alpha"),
      OwnKey<P>(
          {"public_key", "40 characters of Z85, or the path of a .pub file", "",
           "the file it sent, or the 40 characters in it"},
          [](const P& entry) { return entry.partner.public_key; }, ReadPartnerKey)
          .Example("cert-alpha.pub"),
      ClearanceKey("originators", &Clearance::originators, "whose indicators it may know; \"*\" for all")
          .Example("[cert-alpha, cert-beta]"),
      OwnKey<P>(
          {"max_tlp", "clear, green, amber, amber+strict or red", std::string(NameOf(Clearance().max_tlp)),
           "the highest TLP it is given"},
          [](const P& entry) { return entry.partner.clearance.max_tlp; }, ReadMaxTlp),
      ClearanceKey("sharing_groups", &Clearance::sharing_groups,
                   "groups that it belongs to; what is bound to another group does not go to it"),
      OwnKey<P>(
          {"scope", "all or constituency", "all", "or `constituency`: only what concerns its constituency"},
          [](const P& entry) { return entry.partner.clearance.only_constituency; }, ReadScope),
      std::move(constituency),
  };
}

void ReadPartner(const Section& section, const Keys<PartnerEntry>& keys, const std::vector<std::string>& unmarked,
                 Config& config) {
  PartnerEntry entry;
  ReadName(section, entry);
  const std::string& name = entry.partner.name;
  if (name.empty()) return section.Fail("a partner needs a `name`");
  for (const PartnerConfig& other : config.feed.partners) {
    if (other.name == name) return section.Fail("two partners are named `" + name + "`");
  }
  if (name == kCanaryView) {
    return section.Fail("`" + name + "` is the name of the sensor's own view; call the partner something else");
  }
  ReadKeys(section, keys, entry);
  entry.partner.clearance.partner = name;
  entry.partner.clearance.unmarked_sources = unmarked;
  for (std::string& file : entry.key_files) config.public_key_files.push_back(std::move(file));
  config.feed.partners.push_back(std::move(entry.partner));
}

void ReadPartners(const Section& feed, Config& config) {
  const std::vector<std::string> unmarked = feed.ReadList("unmarked_sources");
  const YAML::Node partners = feed.Find("partners");
  if (!partners || partners.IsNull()) return;
  if (!partners.IsSequence()) return feed.Fail("partners", "`partners` has to be a list");
  const Keys<PartnerEntry> keys = PartnerKeys();
  for (const YAML::Node& node : partners) {
    ReadPartner(Section(node, "partners", NamesOf(keys), feed.file()), keys, unmarked, config);
  }
}

// A running sensor has one partner more than its file: its own, which is asked for by none of these names.
std::optional<PartnerEntry> EntryOf(const Config& config, const std::string& name) {
  for (const PartnerConfig& partner : config.feed.partners) {
    if (partner.name == name) return PartnerEntry{partner, {}};
  }
  return std::nullopt;
}

void ComparePartners(const Config& before, const Config& now, const std::string& path,
                     std::vector<std::string>& changed) {
  const Keys<PartnerEntry> keys = PartnerKeys();
  std::vector<std::string> names;
  for (const Config* config : {&before, &now}) {
    for (const PartnerConfig& partner : config->feed.partners) {
      if (std::find(names.begin(), names.end(), partner.name) == names.end()) names.push_back(partner.name);
    }
  }
  for (const std::string& name : names) {
    const std::optional<PartnerEntry> one = EntryOf(before, name), other = EntryOf(now, name);
    std::vector<std::string> differences;
    if (one && other) CompareKeys(keys, *one, *other, "", differences);
    if (!one || !other || !differences.empty()) changed.push_back(path + ": " + name);
  }
}

}  // namespace

Key<Config> PartnersKey() {
  KeyText text = {"partners", "a list of partners", "[]", "who receives the feed, and what each may know"};
  text.in_use = true;
  text.keys = TextsOf(PartnerKeys());
  text.is_list = true;
  return {text, ReadPartners, ComparePartners};
}

}  // namespace vedette
