// The constituency of a partner in the configuration.
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "exporter/feed/keys.h"
#include "sensor/config/config.h"
#include "tests/unit/temporary_folder.h"

namespace vedette {
namespace {

class ConfigPartners : public testing::Test {
 protected:
  ConfigPartners() { key_ = NewKeyPair().public_key; }

  // Loads a configuration whose one partner, from line 5 on, ends with `lines`. Its error without the path; "" where
  // there is none.
  std::string Load(const std::string& lines) {
    const std::string path = (folder_ / "sensor.yaml").string();
    std::ofstream(path) << "feed:\n  endpoint: tcp://127.0.0.1:*\n  secret_key: sensor.key\n  partners:\n    - name: "
                           "north\n      public_key: \""
                        << key_ << "\"\n"
                        << lines;
    config_ = Config();
    std::string error;
    if (LoadConfig(path, config_, error)) return {};
    EXPECT_EQ(error.find(path), 0u) << error;
    return error.substr(path.size());
  }
  const Clearance& partner() const { return config_.feed.partners.at(0).clearance; }

  const TemporaryFolder folder_;
  std::string key_;
  Config config_;
};

TEST_F(ConfigPartners, AllWhereNothingIsSaid) {
  ASSERT_EQ(Load(""), "");
  EXPECT_FALSE(partner().only_constituency);
  EXPECT_TRUE(partner().constituency.empty());
  ASSERT_EQ(Load("      scope: all\n"), "");
  EXPECT_FALSE(partner().only_constituency);
}

TEST_F(ConfigPartners, ReadsAConstituency) {
  ASSERT_EQ(Load("      scope: constituency\n"
                 "      constituency:\n"
                 "        prefixes: [192.0.2.0/24, 2001:db8::/32, 198.51.100.7]\n"
                 "        asns: [3333, 4294967295]\n"
                 "        countries: [NL, NO]\n"),
            "");
  EXPECT_TRUE(partner().only_constituency);
  const Constituency& own = partner().constituency;
  ASSERT_EQ(own.prefixes.size(), 3u);
  EXPECT_EQ(own.prefixes[0].ToString(), "192.0.2.0/24");
  EXPECT_EQ(own.prefixes[1].ToString(), "2001:db8::/32");
  EXPECT_EQ(own.prefixes[2].ToString(), "198.51.100.7/32");
  EXPECT_EQ(own.asns, (std::vector<uint32_t>{3333, 4'294'967'295}));
  EXPECT_EQ(own.countries, (std::vector<std::string>{"NL", "NO"}));
}

TEST_F(ConfigPartners, ErrorsNameTheLine) {
  struct Case {
    const char* lines;
    const char* says;
  };
  const Case cases[] = {
      {"      scope: own\n", ":7: `own` is no scope; write all or constituency"},
      {"      scope: constituency\n", ":7: partner `north` has the scope constituency and no `constituency`"},
      {"      constituency: {}\n", ":7: `constituency` needs"},
      {"      constituency: [NL]\n", ":7: `constituency` has to be a mapping"},
      {"      constituency: {asns: []}\n", ":7: `constituency` needs"},
      {"      constituency:\n        country: [NL]\n",
       ":8: unknown key `country` in `constituency`; the nearest known "
       "key is `countries`"},
      {"      constituency:\n        countries: NL\n", ":8: `countries` has to be a list"},
      {"      constituency:\n        countries:\n          - NL\n          - UK\n", ":10: `UK` in `countries` is no"},
      {"      constituency:\n        countries: [nl]\n", ":8: `nl` in `countries` is no country"},
      {"      constituency:\n        countries: [[NL]]\n", ":8: `countries` has to be a list of single values"},
      {"      constituency:\n        asns: [AS3333]\n", ":8: `AS3333` in `asns` is no AS number"},
      {"      constituency:\n        asns:\n          - 1\n          - 0\n", ":10: `0` in `asns` is no AS number"},
      {"      constituency:\n        asns: [4294967296]\n", ":8: `4294967296` in `asns`"},
      {"      constituency:\n        prefixes:\n          - 192.0.2.0/24\n          - 192.0.2.1/24\n",
       ":10: `192.0.2.1/24` in `prefixes` has bits set after its length; write 192.0.2.0/24"},
      {"      constituency:\n        prefixes: [0.0.0.0/0]\n", ":8: `0.0.0.0/0` in `prefixes` is every address"},
      {"      constituency:\n        prefixes: [example.org]\n", ":8: `example.org` in `prefixes` is not a prefix"},
  };
  for (const Case& c : cases) EXPECT_EQ(Load(c.lines).find(c.says), 0u) << Load(c.lines) << "\nexpected " << c.says;
}

TEST_F(ConfigPartners, AHundredThousandPrefixesAndNoMore) {
  std::string lines = "      constituency:\n        prefixes:\n";
  for (int i = 0; i < 100'000; ++i) {
    lines += "          - ";
    lines += std::to_string(1 + i / 65'536) + '.' + std::to_string(i / 256 % 256) + '.' + std::to_string(i % 256);
    lines += ".0/24\n";
  }
  ASSERT_EQ(Load(lines), "");
  EXPECT_EQ(partner().constituency.prefixes.size(), 100'000u);
  EXPECT_EQ(Load(lines + "          - 9.0.0.0/8\n").find(":9: `prefixes` has 100001 entries"), 0u);
}

}  // namespace
}  // namespace vedette
