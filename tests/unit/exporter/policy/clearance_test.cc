#include "exporter/policy/clearance.h"

#include <gtest/gtest.h>

namespace vedette {
namespace {

IndicatorRecord Record(std::string_view originator, Tlp tlp) {
  IndicatorRecord record;
  record.originator = originator;
  record.source = "feed";
  record.tlp = tlp;
  return record;
}

Clearance Partner() {
  Clearance clearance;
  clearance.partner = "north";
  clearance.originators = {"cert-alpha"};
  return clearance;
}

TEST(Clearance, OnlyGrantedOriginators) {
  EXPECT_TRUE(Partner().Permits(Record("cert-alpha", Tlp::kGreen)));
  EXPECT_FALSE(Partner().Permits(Record("cert-beta", Tlp::kGreen)));
  Clearance all = Partner();
  all.originators = {"*"};
  EXPECT_TRUE(all.Permits(Record("cert-beta", Tlp::kGreen)));
}

TEST(Clearance, NoHigherTlpThanGiven) {
  EXPECT_TRUE(Partner().Permits(Record("cert-alpha", Tlp::kAmber)));
  EXPECT_FALSE(Partner().Permits(Record("cert-alpha", Tlp::kAmberStrict)));
  EXPECT_FALSE(Partner().Permits(Record("cert-alpha", Tlp::kRed)));
}

TEST(Clearance, WithoutTlpOnlyWhereTheSourceIsListed) {
  Clearance clearance = Partner();
  clearance.max_tlp = Tlp::kRed;
  EXPECT_FALSE(clearance.Permits(Record("cert-alpha", Tlp::kNone)));
  clearance.unmarked_sources = {"other"};
  EXPECT_FALSE(clearance.Permits(Record("cert-alpha", Tlp::kNone)));
  clearance.unmarked_sources = {"feed"};
  EXPECT_TRUE(clearance.Permits(Record("cert-alpha", Tlp::kNone)));
}

// A listed source does not lift what is unmarked over a partner's highest TLP.
TEST(Clearance, WithoutTlpIsAmberStrict) {
  Clearance clearance = Partner();
  clearance.unmarked_sources = {"feed"};
  for (const Tlp too_low : {Tlp::kClear, Tlp::kGreen, Tlp::kAmber}) {
    clearance.max_tlp = too_low;
    EXPECT_FALSE(clearance.Permits(Record("cert-alpha", Tlp::kNone))) << NameOf(too_low);
  }
  for (const Tlp enough : {Tlp::kAmberStrict, Tlp::kRed}) {
    clearance.max_tlp = enough;
    EXPECT_TRUE(clearance.Permits(Record("cert-alpha", Tlp::kNone))) << NameOf(enough);
  }
}

TEST(Clearance, NamedRecipientsAndSharingGroups) {
  IndicatorRecord record = Record("cert-alpha", Tlp::kGreen);
  record.recipients = {"south"};
  EXPECT_FALSE(Partner().Permits(record));
  record.recipients = {"south", "north"};
  EXPECT_TRUE(Partner().Permits(record));
  record.sharing_group = "banks";
  EXPECT_FALSE(Partner().Permits(record));
  Clearance clearance = Partner();
  clearance.sharing_groups = {"banks"};
  EXPECT_TRUE(clearance.Permits(record));
}

}  // namespace
}  // namespace vedette
