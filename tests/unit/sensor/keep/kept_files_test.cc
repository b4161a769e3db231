#include "sensor/keep/kept_files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pcap/pcap.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <regex>
#include <string>
#include <vector>

#include "sensor/capture/files/pcapng_file.h"
#include "tests/unit/temporary_folder.h"

namespace vedette {
namespace {

using std::chrono::seconds;

struct Read {
  uint64_t time_ns;
  std::string bytes;
  uint16_t link_type, interface;
};

class Kept : public ::testing::Test {
 protected:
  void SetUp() override {
    options_.folder = folder_.path().string();
    options_.interfaces = {"eth0", "eth1"};
    options_.log = [this](std::string_view text, bool is_problem) {
      (is_problem ? problems_ : good_).emplace_back(text);
    };
  }
  void Open() {
    files_.reset();
    std::string error;
    files_ = KeptFiles::Open(options_, error);
    ASSERT_NE(files_, nullptr) << error;
  }
  // A packet of a flow that began in `file`; 0: one that goes on.
  void Write(const std::string& bytes, uint64_t file = 0, uint32_t interface = 0, uint16_t link_type = 1) {
    KeptPacket packet;
    packet.flow_id = 12345;
    packet.time_ns = 1'700'000'000'123'456'789 + ++written_;
    packet.captured_bytes = static_cast<uint32_t>(bytes.size());
    packet.wire_bytes = packet.captured_bytes + 1;
    packet.interface = interface;
    packet.link_type = link_type;
    packet.begins = file != 0;
    packet.file = file;
    files_->Write(packet, AsBytes(bytes), now_);
  }
  void Pass(seconds time) {
    now_ += time;
    files_->Tick(now_);
  }
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(options_.folder))
      names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }
  std::string PathOf(const std::string& name) const { return options_.folder + '/' + name; }
  std::string TextOf(const std::string& name) const {
    std::ifstream file(PathOf(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::vector<Read> PacketsOf(const std::string& name) const {
    const std::string text = TextOf(name);
    PcapngReader reader(AsBytes(text), 0);
    std::vector<Read> packets;
    Frame frames[8];
    while (!reader.done()) {
      const size_t count = reader.Read(frames, UINT64_MAX);
      for (size_t i = 0; i < count; ++i) {
        const Frame& frame = frames[i];
        packets.push_back({frame.time_ns, std::string(AsText(frame.bytes())), frame.link_type, frame.interface});
      }
    }
    EXPECT_FALSE(reader.damaged()) << name << ": " << reader.damage_reason();
    return packets;
  }
  // As libpcap reads it, and so tcpdump.
  int CountWithLibpcap(const std::string& name) const {
    char error[PCAP_ERRBUF_SIZE];
    pcap_t* const pcap =
        pcap_open_offline_with_tstamp_precision(PathOf(name).c_str(), PCAP_TSTAMP_PRECISION_NANO, error);
    EXPECT_NE(pcap, nullptr) << error;
    if (pcap == nullptr) return -1;
    pcap_pkthdr* header;
    const u_char* bytes;
    int count = 0, status;
    while ((status = pcap_next_ex(pcap, &header, &bytes)) == 1) ++count;
    EXPECT_EQ(status, PCAP_ERROR_BREAK) << pcap_geterr(pcap);
    pcap_close(pcap);
    return count;
  }

  TemporaryFolder folder_;
  KeptFiles::Options options_;
  std::unique_ptr<KeptFiles> files_;
  std::vector<std::string> problems_, good_;
  KeptFiles::Time now_ = std::chrono::steady_clock::now();
  uint64_t written_ = 0;
};

TEST_F(Kept, IsACaptureOfEveryReader) {
  Open();
  const std::string name = files_->NameOf(files_->newest());
  EXPECT_TRUE(std::regex_match(name, std::regex("vedette-[0-9]{8}T[0-9]{6}Z-000001\\.pcapng"))) << name;
  Write("first", 1);
  Write("second, longer", 0, 1);
  Write("", 0, 0);
  EXPECT_TRUE(Names().empty()) << "not yet on disk";
  Pass(seconds(2));
  ASSERT_EQ(Names(), std::vector<std::string>{name});
  const std::vector<Read> packets = PacketsOf(name);
  ASSERT_EQ(packets.size(), 3u);
  EXPECT_EQ(packets[0].bytes, "first");
  EXPECT_EQ(packets[0].time_ns, 1'700'000'000'123'456'790u);
  EXPECT_EQ(packets[1].bytes, "second, longer");
  EXPECT_EQ(packets[1].interface, 1);
  EXPECT_EQ(CountWithLibpcap(name), 3);
  const std::string text = TextOf(name);
  EXPECT_NE(text.find("vedette: flow_id 12345 begins here"), std::string::npos);
  EXPECT_NE(text.find("eth1"), std::string::npos);
  struct stat status {};
  stat(PathOf(name).c_str(), &status);
  EXPECT_EQ(status.st_mode & 0777 & ~0640u, 0u);
  EXPECT_EQ(files_->counters().packets, 3u);
}

TEST_F(Kept, SaysWhatIsMissing) {
  Open();
  KeptPacket packet;
  packet.flow_id = 5;
  packet.begins = true;
  packet.missing = 17;
  packet.file = 1;
  files_->Write(packet, {}, now_);
  packet.begins = false;
  packet.missing = 3;
  packet.ends = true;
  files_->Write(packet, {}, now_);
  files_->Close(now_);
  const std::string text = TextOf(Names().at(0));
  EXPECT_NE(text.find("flow_id 5 begins here; its first 17 packets are missing"), std::string::npos);
  EXPECT_NE(text.find("before this one, 3 packets of flow_id 5 are missing; no more of flow_id 5 is kept"),
            std::string::npos);
}

// A flow begins in the file that its alert names, although the next one has begun meanwhile.
TEST_F(Kept, RotatesAndFlowsBeginWhereTheirAlertsSay) {
  options_.file_bytes = 4096;
  Open();
  Write(std::string(5000, 'a'), 1);
  ASSERT_EQ(files_->newest(), 2u);
  Write("goes on");
  Write("asked for before", 1);
  Write(std::string(5000, 'b'), 2);
  EXPECT_EQ(files_->newest(), 2u) << "the first is still open";
  files_->Barrier(2);
  Write("c", 2);
  EXPECT_EQ(files_->newest(), 3u);
  Write("late", 1);
  files_->Close(now_);
  const std::vector<std::string> names = Names();
  ASSERT_EQ(names.size(), 2u);
  EXPECT_EQ(names[0], files_->NameOf(1));
  EXPECT_EQ(PacketsOf(names[0]).size(), 2u);
  EXPECT_EQ(PacketsOf(names[1]).size(), 4u);
}

TEST_F(Kept, RotatesByAge) {
  options_.file_age = seconds(60);
  Open();
  Write("a", 1);
  Pass(seconds(59));
  EXPECT_EQ(files_->newest(), 1u);
  Pass(seconds(2));
  EXPECT_EQ(files_->newest(), 2u);
  files_->Barrier(2);
  Pass(seconds(600));
  EXPECT_EQ(files_->newest(), 2u) << "nothing is in it";
}

TEST_F(Kept, KeepsTheQuotaAndWhatIsNotItsOwn) {
  options_.quota_bytes = 100'000;
  options_.file_bytes = 20'000;
  for (const char* other : {"notes.txt", "vedette-saved.pcapng", "saved-20260101T000000Z-000001.pcapng"})
    std::ofstream(PathOf(other)) << std::string(50'000, 'x');
  std::ofstream(PathOf("vedette-20200101T000000Z-000009.pcapng")) << std::string(60'000, 'y');
  Open();
  for (int i = 0; i < 100; ++i) {
    const uint64_t newest = files_->newest();
    Write(std::string(3000, 'z'), newest);
    Pass(seconds(1));
    if (files_->newest() != newest) files_->Barrier(files_->newest());
    uint64_t sum = 0;
    for (const std::string& name : Names()) {
      if (name.starts_with("vedette-20")) sum += std::filesystem::file_size(PathOf(name));
    }
    ASSERT_LE(sum, options_.quota_bytes);
  }
  EXPECT_GT(files_->counters().removed, 5u);
  EXPECT_EQ(files_->counters().lost_quota, 0u);
  const std::vector<std::string> names = Names();
  EXPECT_TRUE(std::count(names.begin(), names.end(), "notes.txt"));
  EXPECT_TRUE(std::count(names.begin(), names.end(), "vedette-saved.pcapng"));
  EXPECT_FALSE(std::count(names.begin(), names.end(), "vedette-20200101T000000Z-000009.pcapng"));
  for (const std::string& name : names) {
    if (name.starts_with("vedette-20")) {
      EXPECT_GT(CountWithLibpcap(name), 0);
    }
  }
  EXPECT_TRUE(problems_.empty());
}

// A second start within the same second, and one more.
TEST_F(Kept, NamesAreNotGivenTwice) {
  for (int start = 0; start < 4; ++start) {
    Open();
    Write(std::to_string(start), 1);
    files_->Close(now_);
  }
  const std::vector<std::string> names = Names();
  ASSERT_EQ(names.size(), 4u);
  std::vector<std::string> found;
  for (const std::string& name : names) found.push_back(PacketsOf(name).at(0).bytes);
  std::sort(found.begin(), found.end());
  EXPECT_EQ(found, (std::vector<std::string>{"0", "1", "2", "3"}));
}

TEST_F(Kept, AFolderHasOneSensor) {
  Open();
  std::string error;
  EXPECT_EQ(KeptFiles::Open(options_, error), nullptr);
  EXPECT_NE(error.find("another sensor"), std::string::npos) << error;
  KeptFiles::Options missing = options_;
  missing.folder += "/none";
  EXPECT_EQ(KeptFiles::Open(missing, error), nullptr);
  EXPECT_NE(error.find("create this folder"), std::string::npos) << error;
}

// tcpdump reads files of one link type only.
TEST_F(Kept, LinkTypesAreFilesOfTheirOwn) {
  Open();
  Write("ethernet", 1, 0, 1);
  Write("raw", 0, 1, 101);
  Write("ethernet again", 0, 0, 1);
  files_->Close(now_);
  const std::vector<std::string> names = Names();
  ASSERT_EQ(names.size(), 2u);
  EXPECT_TRUE(names[0].ends_with("-000001.link-101.pcapng")) << names[0];
  EXPECT_EQ(CountWithLibpcap(names[0]), 1);
  EXPECT_EQ(CountWithLibpcap(names[1]), 2);
}

// A file that is moved away, to be kept from the quota, is whole; the next packets go to one of its name.
TEST_F(Kept, FilesMayBeMovedAway) {
  Open();
  Write("one", 1);
  Pass(seconds(2));
  const std::string name = Names().at(0);
  std::filesystem::rename(PathOf(name), PathOf("saved.pcapng"));
  Write("two");
  Pass(seconds(2));
  Write("three");
  Pass(seconds(2));
  EXPECT_EQ(PacketsOf("saved.pcapng").size() + PacketsOf(name).size(), 3u);
  EXPECT_EQ(files_->counters().packets, 3u);
  EXPECT_EQ(files_->counters().lost_disk, 0u);
}

// The kernel writes a part of it, as on a full disk: the file ends with the last whole packet, what was lost is counted
// and said, and packets go on where there is room again.
TEST_F(Kept, AFullDiskCostsPacketsAndNothingElse) {
  signal(SIGXFSZ, SIG_IGN);
  Open();
  Write("before", 1);
  Pass(seconds(2));
  const std::string name = Names().at(0);
  rlimit limit{};
  getrlimit(RLIMIT_FSIZE, &limit);
  rlimit small = limit;
  small.rlim_cur = std::filesystem::file_size(PathOf(name)) + 700;
  setrlimit(RLIMIT_FSIZE, &small);
  for (int i = 0; i < 5; ++i) Write(std::string(1000, 'x'));
  Pass(seconds(2));
  setrlimit(RLIMIT_FSIZE, &limit);
  EXPECT_EQ(files_->counters().lost_disk, 5u);
  EXPECT_EQ(files_->counters().failing, 1u);
  ASSERT_EQ(problems_.size(), 1u);
  EXPECT_EQ(PacketsOf(name).size(), 1u);
  Write("at once");  // the next attempt is a second later
  EXPECT_EQ(PacketsOf(name).size(), 1u);
  Pass(seconds(2));
  EXPECT_EQ(files_->counters().failing, 0u);
  Write("after");
  Pass(seconds(2));
  const std::vector<Read> packets = PacketsOf(name);
  ASSERT_EQ(packets.size(), 2u);
  EXPECT_EQ(packets[1].bytes, "after");
  EXPECT_EQ(CountWithLibpcap(name), 2);
  EXPECT_NE(TextOf(name).find("before this one, 6 packets of any flow could not be written"), std::string::npos);
  EXPECT_EQ(good_.size(), 1u);
  signal(SIGXFSZ, SIG_DFL);
}

}  // namespace
}  // namespace vedette
