#include "signatures/prefix_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "parsers/base/network.h"

namespace vedette {
namespace {

std::vector<uint32_t> Covering(const PrefixTable& table, const IpAddress& address) {
  std::vector<uint32_t> out;
  table.ForEachCovering(address, [&](uint32_t entry) { out.push_back(entry); });
  return out;
}

PrefixTable::Prefix P(const char* network, uint8_t length, uint32_t entry) {
  return {IpAddress::Parse(network).value(), length, entry};
}

TEST(PrefixTable, ReportsAllPrefixesLongestFirst) {
  PrefixTable table;
  table.Build({P("20.0.0.0", 8, 1), P("20.1.0.0", 16, 2), P("20.1.2.0", 24, 3), P("20.1.2.128", 25, 4),
               P("2400::", 16, 5), P("2400:1::", 32, 6)});
  EXPECT_EQ(Covering(table, *IpAddress::Parse("20.1.2.200")), (std::vector<uint32_t>{4, 3, 2, 1}));
  EXPECT_EQ(Covering(table, *IpAddress::Parse("20.1.2.1")), (std::vector<uint32_t>{3, 2, 1}));
  EXPECT_EQ(Covering(table, *IpAddress::Parse("20.255.255.255")), (std::vector<uint32_t>{1}));
  EXPECT_EQ(Covering(table, *IpAddress::Parse("21.0.0.0")), (std::vector<uint32_t>{}));
  EXPECT_EQ(Covering(table, *IpAddress::Parse("2400:1::9")), (std::vector<uint32_t>{6, 5}));
  EXPECT_EQ(Covering(table, *IpAddress::Parse("2400:2::9")), (std::vector<uint32_t>{5}));
  EXPECT_EQ(Covering(table, *IpAddress::Parse("::")), (std::vector<uint32_t>{}));
}

TEST(PrefixTable, AnEmptyTableCoversNothing) {
  PrefixTable table;
  EXPECT_EQ(Covering(table, *IpAddress::Parse("20.1.2.200")), (std::vector<uint32_t>{}));
  table.Build({});
  EXPECT_EQ(Covering(table, *IpAddress::Parse("20.1.2.200")), (std::vector<uint32_t>{}));
}

TEST(PrefixTable, AgreesWithTryingEveryPrefix) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 60; ++round) {
    // Addresses close to each other, so that prefixes nest and touch; the ends of the address space among them.
    const bool v6 = round % 2 == 1;
    const auto address = [&] {
      uint8_t bytes[16] = {};
      const uint8_t fill = random() % 3 == 0 ? 0xff : 0;
      for (uint8_t& byte : bytes) byte = random() % 3 == 0 ? static_cast<uint8_t>(random()) : fill;
      bytes[0] = random() % 2 == 0 ? 0x20 : fill;
      return v6 ? IpAddress::V6(bytes) : IpAddress::V4(bytes);
    };
    std::vector<PrefixTable::Prefix> prefixes;
    std::set<std::pair<IpAddress, unsigned>> distinct;
    for (uint32_t i = 0; i < 200; ++i) {
      const auto length = static_cast<unsigned>(random() % (v6 ? 129 : 33));
      const IpAddress network = MaskAddress(address(), length);
      if (!distinct.emplace(network, length).second) continue;
      prefixes.push_back({network, static_cast<uint8_t>(length), i});
    }
    PrefixTable table;
    table.Build(prefixes);
    for (int i = 0; i < 500; ++i) {
      const IpAddress probe = i % 2 == 0 ? address() : prefixes[random() % prefixes.size()].network;
      std::vector<PrefixTable::Prefix> expected;
      for (const PrefixTable::Prefix& prefix : prefixes) {
        if (MaskAddress(probe, prefix.length) == prefix.network) expected.push_back(prefix);
      }
      std::sort(expected.begin(), expected.end(), [](const auto& a, const auto& b) { return a.length > b.length; });
      std::vector<uint32_t> entries;
      for (const PrefixTable::Prefix& prefix : expected) entries.push_back(prefix.entry);
      EXPECT_EQ(Covering(table, probe), entries) << probe.ToString();
    }
  }
}

}  // namespace
}  // namespace vedette
