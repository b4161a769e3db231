#include "parsers/base/digest.h"

#include <gtest/gtest.h>

#include <string>

namespace vedette {
namespace {

// RFC 1321 appendix A.5, FIPS 180-4 examples.
TEST(Digester, GivesPublishedValues) {
  EXPECT_EQ(Digester(DigestAlgorithm::kMd5).Of(AsBytes("abc")).Hex(), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(Digester(DigestAlgorithm::kSha1).Of(AsBytes("abc")).Hex(), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(Digester(DigestAlgorithm::kSha256).Of(AsBytes("abc")).Hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Digester, DigestsNothing) {
  EXPECT_EQ(Digester(DigestAlgorithm::kMd5).Finish().Hex(), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(Digester(DigestAlgorithm::kSha1).Of({}).Hex(), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
}

TEST(Digester, PiecesMakeTheWhole) {
  const std::string text(1000, 'x');
  Digester whole(DigestAlgorithm::kSha256), pieces(DigestAlgorithm::kSha256);
  for (size_t at = 0; at < text.size(); at += 7) pieces.Update(AsBytes(std::string_view(text).substr(at, 7)));
  EXPECT_EQ(whole.Of(AsBytes(text)).Hex(), pieces.Finish().Hex());
}

TEST(Digester, BeginsAnewAfterFinish) {
  Digester digester(DigestAlgorithm::kMd5);
  const std::string first = digester.Of(AsBytes("abc")).Hex();
  EXPECT_NE(digester.Of(AsBytes("abd")).Hex(), first);
  EXPECT_EQ(digester.Of(AsBytes("abc")).Hex(), first);
}

TEST(Digester, SizesAreThoseOfTheAlgorithms) {
  EXPECT_EQ(Digester(DigestAlgorithm::kMd5).Finish().size, 16);
  EXPECT_EQ(Digester(DigestAlgorithm::kSha1).Finish().size, 20);
  EXPECT_EQ(Digester(DigestAlgorithm::kSha256).Finish().size, 32);
}

TEST(Digester, CanBeMoved) {
  Digester first(DigestAlgorithm::kMd5);
  first.Update(AsBytes("a"));
  Digester second = std::move(first);
  second.Update(AsBytes("bc"));
  EXPECT_EQ(second.Finish().Hex(), "900150983cd24fb0d6963f7d28e17f72");
}

TEST(Digester, TellsWhatItHasSoFarAndGoesOn) {
  Digester digester(DigestAlgorithm::kSha256);
  const std::string empty = Digester(DigestAlgorithm::kSha256).Finish().Hex();
  EXPECT_EQ(digester.SoFar().Hex(), empty);
  digester.Update(AsBytes(std::string_view("ab")));
  EXPECT_EQ(digester.SoFar().Hex(), Digester(DigestAlgorithm::kSha256).Of(AsBytes(std::string_view("ab"))).Hex());
  digester.Update(AsBytes(std::string_view("c")));
  EXPECT_EQ(digester.SoFar().Hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(digester.Finish().Hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(digester.SoFar().Hex(), empty);
}

}  // namespace
}  // namespace vedette
