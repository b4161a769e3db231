#include "sensor/live/mute_control.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/temporary_folder.h"

namespace vedette {
namespace {

using Json = nlohmann::json;

constexpr int64_t kNow = 1'795'428'000'000'000'000;

class MuteControlTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string error;
    store_ = MuteStore::Open((folder_ / "mutes.json").string(), {}, kNow, error);
    ASSERT_NE(store_, nullptr) << error;
    control_ = std::make_unique<MuteControl>(
        *store_, [this] { ++changes_; }, [this](const vedette::Mute&) { return remarks_; }, log_);
  }
  Json Mute(Json request) { return control_->Mute(request, kNow); }

  const TemporaryFolder folder_;
  Log log_;
  std::unique_ptr<MuteStore> store_;
  std::unique_ptr<MuteControl> control_;
  std::vector<std::string> remarks_;
  int changes_ = 0;
};

TEST_F(MuteControlTest, SaysWhereNothingIsHidden) {
  remarks_ = {"the mute of indicator t-1 hides nothing"};
  const Json made = Mute({{"indicator", "t-1"}, {"for_seconds", 60}, {"reason", "red team"}, {"by", "alice"}});
  EXPECT_EQ(made["warnings"], Json(remarks_));
  EXPECT_EQ(control_->List().size(), 1u);
}

TEST_F(MuteControlTest, MutesListsAndEnds) {
  const Json made = Mute({{"indicator", "t-1"},
                          {"network", "10.0.0.0/8"},
                          {"for_seconds", 86'400},
                          {"reason", "red team"},
                          {"by", "alice"}});
  EXPECT_FALSE(made.contains("ok")) << made;  // the server says that it is
  EXPECT_EQ(changes_, 1);
  const Json list = control_->List();
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0]["indicator"], "t-1");
  EXPECT_EQ(list[0]["network"], "10.0.0.0/8");
  EXPECT_EQ(list[0]["by"], "alice");
  EXPECT_EQ(list[0]["created"], "2026-11-23T10:00:00Z");
  EXPECT_EQ(list[0]["until"], "2026-11-24T10:00:00Z");
  EXPECT_EQ(list[0]["hits"], 0);
  EXPECT_EQ(list[0]["configured"], false);
  EXPECT_EQ(control_->Unmute({{"mute", "t-1"}})["mute"]["id"], list[0]["id"]);
  EXPECT_EQ(changes_, 2);
  EXPECT_TRUE(control_->List().empty());
}

TEST_F(MuteControlTest, RefusesWhatIsNoMute) {
  const Json good = {{"indicator", "t-1"}, {"for_seconds", 60}, {"reason", "red team"}, {"by", "alice"}};
  for (const auto& [key, value] : std::initializer_list<std::pair<const char*, Json>>{{"for_seconds", nullptr},
                                                                                      {"for_seconds", 0},
                                                                                      {"for_seconds", -5},
                                                                                      {"for_seconds", "24h"},
                                                                                      {"for_seconds", 91 * 86'400},
                                                                                      {"for_seconds", 1e300},
                                                                                      {"for_seconds", UINT64_MAX},
                                                                                      {"reason", ""},
                                                                                      {"indicator", ""},
                                                                                      {"network", "10.0.0.1/8"},
                                                                                      {"value", "bad.example"}}) {
    Json request = good;
    request[key] = value;
    EXPECT_EQ(Mute(request).value("ok", true), false) << request;
  }
  EXPECT_THROW(Mute({{"indicator", 7}, {"for_seconds", 60}}), Json::exception);  // the server answers for it
  EXPECT_EQ(control_->Unmute({{"mute", "nothing"}}).value("ok", true), false);
  EXPECT_EQ(changes_, 0);
}

}  // namespace
}  // namespace vedette
