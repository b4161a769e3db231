// Three partners with the same clearance and different constituencies: what each receives of pcaps/, over the real
// feed, against what pcaps/*.expected.jsonl say about roles.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/end_to_end/child_process.h"
#include "tests/unit/exporter/mmdb_files.h"

namespace vedette {
namespace {

using nlohmann::json;
using Lines = std::multiset<std::string>;
constexpr std::chrono::seconds kLimit{60};

// Who is responsible for an address, by what of its constituency; written down by hand for the addresses of pcaps/.
struct Owner {
  const char* begins;  // the address, as text
  const char* partner;
  const char* rule;
  const char* matched;
};
constexpr Owner kOwners[] = {
    {"94.45.", "campus", "prefix", "94.45.224.0/22"},  // in NL too, which does not count beside a prefix
    {"2001:43f8:110:", "campus", "prefix", "2001:43f8:110::/48"},
    {"193.0.2.", "ripe", "asn", "AS3333"},          // in NL too, likewise
    {"2001:67c:20a1:", "nation", "country", "NL"},  // its network is in no database
    {"200.3.14.", "nation", "country", "UY"},
};
constexpr const char* kConfig = R"(
sensor:
  name: demo
  resolvers: [94.45.224.53, 193.0.0.53]
feed:
  endpoint: tcp://127.0.0.1:%PORT%
  secret_key: sensor.key
  partners:
    - name: campus
      public_key: campus.pub
      originators: ["*"]
      scope: constituency
      constituency:
        prefixes: [94.45.224.0/22, 2001:43f8:110::/48]
    - name: nation
      public_key: nation.pub
      originators: ["*"]
      scope: constituency
      constituency:
        countries: [NL, UY]
    - name: ripe
      public_key: ripe.pub
      originators: ["*"]
      constituency:
        asns: [3333]
)";

std::string FreePort() {
  const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  EXPECT_EQ(bind(probe, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size), 0);
  close(probe);
  return std::to_string(ntohs(address.sin_port));
}

std::vector<json> ReadAlerts(const std::string& path) {
  std::vector<json> out;
  std::ifstream file(path);
  EXPECT_TRUE(file) << path;
  for (std::string line; std::getline(file, line);) out.push_back(json::parse(line));
  return out;
}

std::string Identity(const json& alert) {
  const std::string capture = alert["pcap_filename"];
  return capture.substr(capture.rfind('/') + 1) + ' ' + alert["pcap_cnt"].dump() + ' ' +
         alert["indicator"]["matched_in"].dump() + ' ' + alert["indicator"]["matched_value"].dump();
}

const Owner* OwnerOf(const json& alert, const char* role) {
  if (!alert["roles"].contains(role)) return nullptr;
  const std::string address = alert["roles"][role]["ip"];
  for (const Owner& owner : kOwners) {
    if (address.rfind(owner.begins, 0) == 0) return &owner;
  }
  return nullptr;
}

// {"side": …, "rule": …, "matched": …} for that partner, or null.
json ClaimOf(const json& alert, const std::string& partner) {
  const Owner* affected = OwnerOf(alert, "affected");
  const Owner* suspect = OwnerOf(alert, "suspect");
  if (affected != nullptr && affected->partner != partner) affected = nullptr;
  if (suspect != nullptr && suspect->partner != partner) suspect = nullptr;
  const Owner* told = affected != nullptr ? affected : suspect;
  if (told == nullptr) return {};
  return {{"side", affected != nullptr && suspect != nullptr ? "both"
                   : affected != nullptr                     ? "affected"
                                                             : "suspect"},
          {"rule", told->rule},
          {"matched", told->matched}};
}

class ConstituencyFeed : public testing::Test {
 protected:
  ConstituencyFeed() {
    const auto place = [](const char* country, uint32_t asn) {
      std::vector<MmdbEntry> entries = {{"country_code", Text(country)}};
      if (asn != 0) entries.push_back({"asn", MmdbValue::Uint32(asn)});
      return MapOf(std::move(entries));
    };
    geo_ = folder_.Write("geo.mmdb", MmdbFile({{"94.45.224.0", 19, place("NL", 64510)},
                                               {"193.0.0.0", 21, place("NL", 3333)},
                                               {"200.3.14.0", 24, place("UY", 28001)},
                                               {"200.160.0.0", 20, place("BR", 22548)},
                                               {"2001:67c:20a1::", 48, place("NL", 0)},
                                               {"2001:43f8:110::", 48, place("ZA", 64511)}},
                                              TestMetadata()));
    for (const char* who : {"sensor", "campus", "nation", "ripe"}) {
      ChildProcess keygen({VEDETTE_PROGRAM, "keygen", folder_.Path(who)});
      EXPECT_EQ(keygen.Wait(kLimit), 0) << keygen.err();
    }
    std::string config = kConfig;
    const std::string port = FreePort();
    config.replace(config.find("%PORT%"), 6, port);
    config_ = folder_.Write("sensor.yaml", config);
    endpoint_ = "tcp://127.0.0.1:" + port;
    for (const auto& entry : std::filesystem::directory_iterator(VEDETTE_SOURCE_DIR "/pcaps")) {
      const std::string path = entry.path().string();
      if (path.find(".expected.jsonl") == std::string::npos) continue;
      for (json& alert : ReadAlerts(path)) expected_.push_back(std::move(alert));
    }
    EXPECT_GT(expected_.size(), 30u);
  }

  // Replays pcaps/ to the three; what each received stands in its file, all alerts in all.jsonl.
  void Replay(const std::vector<std::string>& geo) {
    std::vector<std::string> command = {
        VEDETTE_PROGRAM, "replay", VEDETTE_SOURCE_DIR "/pcaps", "--indicators", VEDETTE_SOURCE_DIR "/pcaps/indicators",
        // Rows that these captures have of their own (tests/golden).
        "--indicators", VEDETTE_SOURCE_DIR "/pcaps/11-ssh-login.indicators.csv", "--indicators",
        VEDETTE_SOURCE_DIR "/pcaps/12-beacon-dtls.indicators.csv", "--publish", config_, "--partner-wait", "30",
        "--out", folder_.Path("all.jsonl")};
    command.insert(command.end(), geo.begin(), geo.end());
    ChildProcess replay(command);
    std::map<std::string, std::unique_ptr<ChildProcess>> subscribers;
    for (const char* who : {"campus", "nation", "ripe"}) {
      subscribers[who] = std::make_unique<ChildProcess>(
          std::vector<std::string>{VEDETTE_PROGRAM, "subscribe", endpoint_, "--server-key", folder_.Path("sensor.pub"),
                                   "--key", folder_.Path(std::string(who) + ".key"), "--view", who, "--out",
                                   folder_.Path(std::string(who) + ".jsonl"), "--until-end", "--idle", "60"});
    }
    ASSERT_EQ(replay.Wait(kLimit), 0) << replay.err();
    for (const auto& [who, subscriber] : subscribers)
      ASSERT_EQ(subscriber->Wait(kLimit), 0) << who << subscriber->err();
    said_ = replay.err();
  }
  std::vector<json> Received(const std::string& who) const { return ReadAlerts(folder_.Path(who + ".jsonl")); }
  // What any of the three is cleared for: everything but the community's list, which has no TLP.
  static bool Cleared(const json& alert) { return alert["indicator"]["source"] != "community"; }
  // "  name   N alerts" of the summary, or a line below it.
  bool Said(const std::string& name, size_t count, const std::string& unit = "") const {
    const std::string text = std::to_string(count) + unit + '\n';
    for (size_t at = said_.find(name); at != std::string::npos; at = said_.find(name, at + 1)) {
      const std::string line = said_.substr(at, said_.find('\n', at) + 1 - at);
      if (line.size() > text.size() && line.compare(line.size() - text.size() - 1, text.size() + 1, ' ' + text) == 0)
        return true;
    }
    return false;
  }

  TestFolder folder_;
  std::string geo_, config_, endpoint_, said_;
  std::vector<json> expected_;
};

TEST_F(ConstituencyFeed, EachReceivesWhatConcernsIt) {
  Replay({"--geo", geo_});
  for (const std::string who : {"campus", "nation", "ripe"}) {
    Lines expected, received;
    for (const json& alert : expected_) {
      const json claim = ClaimOf(alert, who);
      if (Cleared(alert) && (who == "ripe" || !claim.is_null())) expected.insert(Identity(alert) + ' ' + claim.dump());
    }
    for (const json& alert : Received(who)) {
      received.insert(Identity(alert) + ' ' + (alert.contains("constituency") ? alert["constituency"] : json()).dump());
      EXPECT_FALSE(alert.contains("responsible"));
      const std::string line = alert.dump();
      for (const char* other : {"campus", "nation", "ripe"})
        EXPECT_EQ(line.find(std::string("\"") + other + '"'), std::string::npos);
    }
    EXPECT_EQ(received, expected) << who;
    EXPECT_GE(received.size(), 5u) << who;
    EXPECT_TRUE(Said(who, received.size(), " alerts")) << said_;
  }
  EXPECT_EQ(said_.find("claims"), std::string::npos) << said_;
}

TEST_F(ConstituencyFeed, TheOperatorSeesAllWhoAreResponsible) {
  Replay({"--geo", geo_});
  Lines expected, written;
  for (const json& alert : expected_) {
    json responsible = json::array();
    for (const std::string who : {"campus", "nation", "ripe"}) {
      json claim = ClaimOf(alert, who);
      if (claim.is_null()) continue;
      claim["partner"] = who;
      responsible.push_back(claim);
    }
    expected.insert(Identity(alert) + ' ' + responsible.dump());
  }
  for (const json& alert : Received("all")) {
    written.insert(Identity(alert) + ' ' +
                   (alert.contains("responsible") ? alert["responsible"] : json::array()).dump());
    EXPECT_FALSE(alert.contains("constituency"));
    ASSERT_EQ(alert["geo"]["database"].size(), 1u);
    EXPECT_EQ(alert["geo"]["database"][0]["age_days"], 151);  // 2026-06-25 to the captures' 2026-11-23
    EXPECT_EQ(alert["geo"]["database"][0]["stale"], true);
  }
  EXPECT_EQ(written, expected);
}

TEST_F(ConstituencyFeed, WithoutDatabasesOnlyPrefixesCountAndTheRestIsToldAndCounted) {
  Replay({"--no-geo"});
  size_t cleared = 0, of_campus = 0;
  for (const json& alert : expected_) {
    cleared += Cleared(alert) ? 1 : 0;
    of_campus += Cleared(alert) && !ClaimOf(alert, "campus").is_null() ? 1 : 0;
  }
  EXPECT_EQ(Received("campus").size(), of_campus);
  EXPECT_EQ(Received("nation").size(), 0u);
  EXPECT_EQ(Received("ripe").size(), cleared) << "its scope is all";
  EXPECT_NE(said_.find("warning: partner `nation` claims countries, which no open"), std::string::npos) << said_;
  EXPECT_NE(said_.find("warning: partner `ripe` claims AS numbers, which no open"), std::string::npos) << said_;
  // Every alert of another address than campus' might have been the country's.
  size_t undecided = 0, outside = 0;
  for (const json& alert : expected_) {
    if (!Cleared(alert)) continue;
    bool known = true;
    for (const char* role : {"affected", "suspect"}) {
      const Owner* owner = OwnerOf(alert, role);
      if (alert["roles"].contains(role) && (owner == nullptr || owner->rule != std::string("prefix"))) known = false;
    }
    ++(known ? outside : undecided);
  }
  EXPECT_TRUE(Said("constituency undecided", undecided)) << said_;
  EXPECT_TRUE(Said("outside its constituency", outside)) << said_;
  EXPECT_TRUE(Said("outside its constituency", cleared - of_campus)) << said_;
}

}  // namespace
}  // namespace vedette
