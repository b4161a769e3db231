#include "signatures/last_label.h"

#include <gtest/gtest.h>

namespace vedette {
namespace {

TEST(LastLabel, TellsWhatItIs) {
  LastLabels labels;
  for (int twice = 0; twice < 2; ++twice) {
    for (const char* host : {"evil.com", "com", "a.co.uk", "x.ck", "x.xn--p1ai", "x.zip", "x.py"})
      EXPECT_EQ(labels.Of(host), LastLabel::kTopLevel) << host;
    for (const char* host : {"a.test", "a.local", "a.example", "a.internal", "localhost"})
      EXPECT_EQ(labels.Of(host), LastLabel::kSpecialUse) << host;
    for (const char* host : {"svchost.exe", "gate.php", "x.docm"})
      EXPECT_EQ(labels.Of(host), LastLabel::kFileEnding) << host;
    for (const char* host : {"20.1.2.0-255", "a.7z"}) EXPECT_EQ(labels.Of(host), LastLabel::kNumber) << host;
    for (const char* host : {"a.qqzz", "", "a."}) EXPECT_EQ(labels.Of(host), LastLabel::kUnknown) << host;
  }
}

}  // namespace
}  // namespace vedette
