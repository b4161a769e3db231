#include "exporter/output/file_sink.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/unit/exporter/handmade_alerts.h"
#include "tests/unit/temporary_folder.h"

namespace vedette {
namespace {

class FileSinkTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = (folder_ / "alerts.jsonl").string();
    records_.Add(IndicatorType::kHostname, "bad.example", "t-1");
    policy_ = std::make_unique<AlertPolicy>(
        records_.Catalogue(), AlertPolicy::Parts{.file_name = [](uint32_t) { return std::string_view("eth0"); }});
  }

  std::string Text() const {
    std::ifstream file(path_);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
  void Write(const std::string& text) const { std::ofstream(path_) << text; }
  // One alert behind what is there. The bytes that were cut off before.
  uint64_t AppendOne() {
    uint64_t cut_bytes = 0;
    const auto sink = FileSink::Append(path_, *policy_, cut_bytes, error_);
    if (sink == nullptr) return UINT64_MAX;
    EXPECT_TRUE(Deliver(MakeAlert(ObservableKind::kDnsQuery, "bad.example", {0}), *policy_, *sink));
    EXPECT_TRUE(sink->Close()) << sink->error();
    return cut_bytes;
  }

  const TemporaryFolder folder_;
  std::string path_, error_;
  RecordList records_;
  std::unique_ptr<AlertPolicy> policy_;
};

TEST_F(FileSinkTest, AppendsToWhatIsThere) {
  EXPECT_EQ(AppendOne(), 0u) << error_;
  const std::string first = Text();
  EXPECT_TRUE(nlohmann::json::accept(first)) << first;
  EXPECT_EQ(AppendOne(), 0u) << error_;
  EXPECT_EQ(Text(), first + first);
}

TEST_F(FileSinkTest, CutsOffALineThatWasNotFinished) {
  AppendOne();
  const std::string line = Text();
  // What a kill may leave.
  for (size_t left = 1; left < line.size(); left += left < 8 ? 1 : 97) {
    Write(line + line.substr(0, left));
    EXPECT_EQ(AppendOne(), left) << error_;
    ASSERT_EQ(Text(), line + line);
  }
  Write("{\"half");
  EXPECT_EQ(AppendOne(), 6u) << "the only line is one as well";
  EXPECT_EQ(Text(), line);
  const std::string longest(size_t{1} << 20, 'x');
  Write(longest);
  EXPECT_EQ(AppendOne(), longest.size());
  EXPECT_EQ(Text(), line);
}

TEST_F(FileSinkTest, LeavesAFileAloneThatHoldsNoLines) {
  const std::string foreign((size_t{1} << 20) + 1, '\0');
  Write(foreign);
  EXPECT_EQ(AppendOne(), UINT64_MAX);
  EXPECT_NE(error_.find(path_ + ": no newline in its last 1048576 bytes"), std::string::npos) << error_;
  EXPECT_EQ(Text(), foreign);
}

TEST_F(FileSinkTest, LeavesAFileToTheSensorThatHasIt) {
  Write("{\"unfin");  // perhaps the other's, on its way
  const int other = open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  ASSERT_EQ(flock(other, LOCK_EX | LOCK_NB), 0);
  EXPECT_EQ(AppendOne(), UINT64_MAX);
  EXPECT_EQ(error_, path_ + ": another sensor is writing it; end that one, or name another file");
  EXPECT_EQ(Text(), "{\"unfin");
  close(other);
  EXPECT_EQ(AppendOne(), 7u);
  // A sink that is open refuses the next one itself.
  uint64_t cut_bytes = 0;
  const auto first = FileSink::Append(path_, *policy_, cut_bytes, error_);
  ASSERT_NE(first, nullptr) << error_;
  EXPECT_EQ(AppendOne(), UINT64_MAX);
}

TEST_F(FileSinkTest, AppendsToWhatIsNoRegularFile) {
  path_ = "/dev/null";
  EXPECT_EQ(AppendOne(), 0u) << error_;
  path_ = folder_.path();
  EXPECT_EQ(AppendOne(), UINT64_MAX);
  EXPECT_NE(error_.find("cannot be written"), std::string::npos) << error_;
}

// A replay's output is that of one run.
TEST_F(FileSinkTest, OpenOverwrites) {
  Write("something else\n");
  const auto sink = FileSink::Open(path_, OutputFormat::kJsonl, *policy_, error_);
  ASSERT_NE(sink, nullptr) << error_;
  EXPECT_TRUE(sink->Close());
  EXPECT_EQ(Text(), "");
}

}  // namespace
}  // namespace vedette
