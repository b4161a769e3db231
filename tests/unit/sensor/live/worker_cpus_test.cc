#include "sensor/live/worker_cpus.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "sensor/capture/cpu.h"

namespace vedette {
namespace {

using Cpus = std::vector<uint32_t>;

TEST(ParseCpuList, AsTheKernelWritesThem) {
  EXPECT_EQ(ParseCpuList("0"), Cpus{0});
  EXPECT_EQ(ParseCpuList("0-3,8,10-11\n"), (Cpus{0, 1, 2, 3, 8, 10, 11}));
  EXPECT_EQ(ParseCpuList(""), Cpus());
  EXPECT_EQ(ParseCpuList("none"), Cpus());
  EXPECT_EQ(ParseCpuList(",,7,x,"), Cpus{7});
  EXPECT_EQ(ParseCpuList("5-4"), Cpus());
  EXPECT_LE(ParseCpuList("0-4294967295").size(), 1025u) << "bounded";
}

TEST(ChooseCpus, OneWorkerGoesWhereverThereIsRoom) {
  CaptureConfig capture;
  std::string error;
  EXPECT_EQ(ChooseCpus(capture, error), std::vector<int>{-1});
}

TEST(ChooseCpus, SeveralWorkersHaveACpuEach) {
  const Cpus allowed = AllowedCpus();
  CaptureConfig capture;
  capture.interface = "lo";
  capture.workers = static_cast<uint32_t>(allowed.size());
  std::string error;
  const std::vector<int> cpus = ChooseCpus(capture, error);
  ASSERT_EQ(cpus.size(), allowed.size()) << error;
  if (allowed.size() == 1) return;
  EXPECT_EQ(std::set<int>(cpus.begin(), cpus.end()), std::set<int>(allowed.begin(), allowed.end()));
  capture.pin.automatic = false;
  EXPECT_EQ(ChooseCpus(capture, error), std::vector<int>(allowed.size(), -1));
  capture.workers += 1;
  EXPECT_TRUE(ChooseCpus(capture, error).empty());
  EXPECT_NE(error.find("this process may use " + std::to_string(allowed.size()) + " CPU"), std::string::npos) << error;
}

TEST(ChooseCpus, ThoseThatAreNamed) {
  const Cpus allowed = AllowedCpus();
  CaptureConfig capture;
  capture.pin = {.automatic = false, .cpus = {allowed.back()}};
  std::string error;
  EXPECT_EQ(ChooseCpus(capture, error), std::vector<int>{static_cast<int>(allowed.back())});
  capture.pin.cpus = {1023};
  EXPECT_TRUE(ChooseCpus(capture, error).empty());
  EXPECT_NE(error.find("CPU 1023"), std::string::npos) << error;
}

TEST(RunOnCpu, IsOverAtItsEnd) {
  const Cpus allowed = AllowedCpus();
  {
    const RunOnCpu here(static_cast<int>(allowed.back()));
    EXPECT_EQ(AllowedCpus(), Cpus{allowed.back()});
    const RunOnCpu nowhere(5000), wherever(-1);
    EXPECT_EQ(AllowedCpus(), Cpus{allowed.back()});
  }
  EXPECT_EQ(AllowedCpus(), allowed);
}

}  // namespace
}  // namespace vedette
