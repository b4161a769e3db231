#include "exporter/clearance.h"

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
  EXPECT_FALSE(Partner().Permits(Record("cert-alpha", Tlp::kNone)));
  Clearance clearance = Partner();
  clearance.unmarked_sources = {"feed"};
  EXPECT_TRUE(clearance.Permits(Record("cert-alpha", Tlp::kNone)));
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
