#include "exporter/feed/zap.h"

#include <gtest/gtest.h>

namespace vedette {
namespace {

using Frames = std::vector<std::string>;

const Frames kGood = {"1.0", "request", "vedette", "127.0.0.1", "", "CURVE", std::string(32, 'k')};

using Decision = std::variant<ZapAnswer, ZapRefusal>;

Decision Everyone(const std::string&, std::string_view) { return ZapAnswer{"cert-a", "1.2"}; }

TEST(Zap, LetsInWhoIsKnown) {
  std::string key;
  std::string address;
  const Frames reply = AnswerZap(kGood, [&](const std::string& k, std::string_view a) {
    key = k;
    address = a;
    return Decision(ZapAnswer{"cert-a", "1.2"});
  });
  ASSERT_EQ(reply.size(), 6u);
  EXPECT_EQ(reply[0], "1.0");
  EXPECT_EQ(reply[1], "request");
  EXPECT_EQ(reply[2], "200");
  EXPECT_EQ(reply[4], "cert-a");
  EXPECT_EQ(reply[5], std::string("\x12Vedette-Connection\0\0\0\x03", 23) + "1.2");
  EXPECT_EQ(key.size(), 40u);
  EXPECT_EQ(address, "127.0.0.1");
}

TEST(Zap, RefusesWhoIsNot) {
  const Frames reply = AnswerZap(kGood, [](const std::string&, std::string_view) { return ZapRefusal::kUnknownKey; });
  ASSERT_EQ(reply.size(), 6u);
  EXPECT_EQ(reply[2], "400");
  EXPECT_EQ(reply[4], "");
  EXPECT_EQ(reply[5], "");
}

TEST(Zap, TellsAPartnerThatItIsNotNow) {
  const Frames reply = AnswerZap(kGood, [](const std::string&, std::string_view) { return ZapRefusal::kNotNow; });
  EXPECT_EQ(reply, (Frames{"1.0", "request", "500", "not now", "", ""}));
}

TEST(Zap, RefusesAnythingElse) {
  EXPECT_TRUE(AnswerZap({}, Everyone).empty());
  EXPECT_TRUE(AnswerZap({"1.0"}, Everyone).empty());
  const auto status = [](size_t frame, const std::string& value) {
    Frames request = kGood;
    request[frame] = value;
    return AnswerZap(request, Everyone)[2];
  };
  EXPECT_EQ(status(0, "2.0"), "500");
  EXPECT_EQ(status(2, "other"), "500");
  EXPECT_EQ(status(5, "NULL"), "400");
  EXPECT_EQ(status(5, "PLAIN"), "400");
  EXPECT_EQ(status(6, ""), "400");
  EXPECT_EQ(status(6, std::string(33, 'k')), "400");
  Frames longer = kGood;
  longer.push_back("password");
  EXPECT_EQ(AnswerZap(longer, Everyone)[2], "500");
  Frames shorter = kGood;
  shorter.pop_back();
  EXPECT_EQ(AnswerZap(shorter, Everyone)[2], "500");
}

}  // namespace
}  // namespace vedette
