#include "sensor/capture/files/capture_files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "tests/unit/sensor/capture/capture_writer.h"
#include "tests/unit/sensor/capture/read_capture.h"
#include "tests/unit/temporary_folder.h"

namespace vedette {
namespace {

using testing::PcapngWriter;
using testing::PcapWriter;
using testing::Read;
using testing::Seen;

// A capture of `count` packets of `packet_bytes`, each of which begins with `mark`.
std::vector<uint8_t> Capture(uint8_t mark, int count = 1, size_t packet_bytes = 10) {
  PcapWriter writer;
  std::vector<uint8_t> packet(packet_bytes, mark);
  for (int i = 0; i < count; ++i) writer.Packet(1'700'000'000, static_cast<uint32_t>(i % 1'000'000), packet, 10);
  return writer.out.bytes;
}

std::shared_ptr<const CaptureList> Resolve(const std::vector<std::string>& paths, std::string& error) {
  error.clear();
  return CaptureList::Resolve(paths, {}, error);
}

std::shared_ptr<const CaptureList> MustResolve(const std::vector<std::string>& paths) {
  std::string error;
  auto list = Resolve(paths, error);
  EXPECT_NE(list, nullptr) << error;
  return list;
}

TEST(CaptureFiles, FolderIsOneCaptureInNameOrder) {
  const TemporaryFolder folder;
  folder.Write("trace10", Capture(10));
  folder.Write("trace2", Capture(2));
  folder.Write("trace", Capture(0));
  folder.Write("b/2", Capture(22));
  folder.Write("b/1", Capture(21, 2));
  folder.Write("a.pcap", Capture(1));
  PcapngWriter ng;
  ng.Section(true);
  ng.Interface(1);
  ng.Enhanced(0, 1, 1000, std::vector<uint8_t>{99}, 1);
  folder.Write("c.pcapng", ng.out.bytes);
  folder.Write("README.txt", AsBytes("captures of a Tuesday\n"));
  folder.Write("cut.pcap.gz", AsBytes("\x1f\x8b\x08"));
  folder.Write("cut.gz", AsBytes("\x1f\x8b\x08"));

  const auto list = MustResolve({folder.path()});
  CaptureFiles files(list);
  const std::vector<Seen> expected = {{folder / "a.pcap", 1, 1}, {folder / "b/1", 1, 21},      {folder / "b/1", 2, 21},
                                      {folder / "b/2", 1, 22},   {folder / "c.pcapng", 1, 99}, {folder / "trace", 1, 0},
                                      {folder / "trace2", 1, 2}, {folder / "trace10", 1, 10}};
  EXPECT_EQ(Read(files), expected);
  ASSERT_EQ(files.damage().size(), 1u);
  EXPECT_EQ(files.damage()[0].file, folder / "cut.pcap.gz");
  EXPECT_EQ(files.damage()[0].offset, 3u);
  ASSERT_EQ(list->skipped().size(), 2u);
  EXPECT_EQ(list->skipped()[0].name, folder / "README.txt");
  EXPECT_EQ(list->skipped()[0].reason, "text");
  EXPECT_FALSE(list->skipped()[0].holds_packets);
  EXPECT_EQ(list->skipped()[1].name, folder / "cut.gz");
  EXPECT_EQ(list->skipped()[1].reason, "gzip-compressed, and nothing of it can be decompressed");
  EXPECT_TRUE(list->skipped()[1].holds_packets);
}

TEST(CaptureFiles, CountersTellProgress) {
  const TemporaryFolder folder;
  const std::string first = folder.Write("1", Capture(1, 40));
  const std::string second = folder.Write("2", Capture(2, 3));
  CaptureFiles files(MustResolve({first, second}));
  const uint64_t total = 24 + 40 * 26 + 24 + 3 * 26;
  EXPECT_EQ(files.counters().total_input_bytes, total);
  EXPECT_EQ(files.counters().input_bytes_read, 0u);
  std::span<const Frame> frames;
  ASSERT_EQ(files.Poll(frames), PollStatus::kFrames);
  EXPECT_EQ(files.counters().input_bytes_read, 24u + 32u * 26u);
  EXPECT_EQ(files.counters().frames, 32u);
  EXPECT_EQ(files.counters().captured_bytes, 320u);
  Read(files);
  EXPECT_EQ(files.counters().frames, 43u);
  EXPECT_EQ(files.counters().wire_bytes, 430u);
  EXPECT_EQ(files.counters().input_bytes_read, total);
}

TEST(CaptureFiles, WorkersSeeTheSameWhateverHappensToTheFolder) {
  const TemporaryFolder folder;
  folder.Write("1", Capture(1));
  folder.Write("3", Capture(3));
  const auto list = MustResolve({folder.path()});
  CaptureFiles early(list);
  const std::vector<Seen> before = Read(early);
  folder.Write("2", Capture(2));
  {
    std::ofstream grown(folder / "1", std::ios::binary | std::ios::app);
    grown << "more that the run does not see";
  }
  CaptureFiles late(list);
  EXPECT_EQ(Read(late), before);
  EXPECT_TRUE(late.damage().empty());
}

TEST(CaptureFiles, OneFileOfTheListOnItsOwn) {
  const TemporaryFolder folder;
  for (const char* name : {"1", "2", "3"}) folder.Write(name, Capture(static_cast<uint8_t>(*name)));
  const auto list = MustResolve({folder.path()});
  CaptureFiles second(list, 1, 1);
  EXPECT_EQ(second.counters().total_input_bytes, 50u);
  EXPECT_EQ(Read(second), (std::vector<Seen>{{folder / "2", 1, '2'}}));
}

TEST(CaptureFiles, DamageEndsAFileNotTheRun) {
  const TemporaryFolder folder;
  std::vector<uint8_t> cut = Capture(1, 2);
  cut.pop_back();
  folder.Write("1", cut);
  folder.Write("2-empty.pcap", {});
  folder.Write("3", Capture(3));
  CaptureFiles files(MustResolve({folder.path()}));
  EXPECT_EQ(Read(files), (std::vector<Seen>{{folder / "1", 1, 1}, {folder / "3", 1, 3}}));
  ASSERT_EQ(files.damage().size(), 2u);
  EXPECT_EQ(files.damage()[0].file, folder / "1");
  EXPECT_EQ(files.damage()[0].offset, 50u);
  EXPECT_EQ(files.damage()[0].reason, "the file ends inside packet 2 (9 of 10 bytes)");
  EXPECT_EQ(files.damage()[1].file, folder / "2-empty.pcap");
  EXPECT_EQ(files.damage()[1].reason, "the file is empty: it has not even a file header");
  EXPECT_EQ(files.counters().input_bytes_read, files.counters().total_input_bytes);
}

TEST(CaptureFiles, FileGoneReplacedOrCutSinceTheRunBegan) {
  const TemporaryFolder folder;
  const std::string gone = folder.Write("1", Capture(1));
  const std::string replaced = folder.Write("2", Capture(2));
  const std::string cut = folder.Write("3", Capture(3, 2));
  const auto list = MustResolve({folder.path()});
  std::filesystem::remove(gone);
  std::filesystem::rename(folder.Write("new", Capture(4)), replaced);
  std::filesystem::resize_file(cut, 60);
  CaptureFiles files(list);
  EXPECT_EQ(Read(files), (std::vector<Seen>{{cut, 1, 3}}));
  ASSERT_EQ(files.damage().size(), 3u);
  EXPECT_EQ(files.damage()[0].reason, "No such file or directory");
  EXPECT_EQ(files.damage()[1].reason, "another file has taken its place since the run began");
  EXPECT_EQ(files.damage()[2].reason, "the file was 76 bytes long when the run began and is now 60");
  EXPECT_EQ(files.damage()[2].offset, 60u);
}

// Touching what a mapped file has lost would end the process.
TEST(CaptureFiles, FileCutWhileItIsRead) {
  const TemporaryFolder folder;
  const std::string path = folder.Write("1", Capture(1, 30'000, 1000));
  CaptureFiles files(MustResolve({path}));
  std::span<const Frame> frames;
  ASSERT_EQ(files.Poll(frames), PollStatus::kFrames);
  std::filesystem::resize_file(path, 10'000'000);
  uint64_t count = frames.size();
  while (files.Poll(frames) == PollStatus::kFrames) {
    for (const Frame& frame : frames) ASSERT_EQ(frame.data[frame.captured_bytes - 1], 1);
    count += frames.size();
  }
  EXPECT_EQ(count, (10'000'000u - 24) / 1016);
  ASSERT_EQ(files.damage().size(), 1u);
  EXPECT_EQ(files.damage()[0].offset, 10'000'000u);
  EXPECT_EQ(files.damage()[0].reason, "the file was 30480024 bytes long and shrank to 10000000 while it was read");
}

TEST(CaptureFiles, LargeFileThroughManyWindows) {
  const TemporaryFolder folder;
  std::mt19937_64 random(1);
  PcapWriter writer;
  writer.RandomPackets(random, 20'000, 1500);
  const std::string path = folder.Write("1", writer.out.bytes);
  CaptureFiles files(MustResolve({path}));
  std::span<const Frame> frames;
  size_t at = 0;
  while (files.Poll(frames) == PollStatus::kFrames) {
    for (const Frame& frame : frames) {
      const Bytes bytes = frame.bytes();
      ASSERT_TRUE(
          std::equal(bytes.begin(), bytes.end(), writer.expected[at].bytes.begin(), writer.expected[at].bytes.end()));
      ++at;
    }
  }
  EXPECT_EQ(at, writer.expected.size());
  EXPECT_TRUE(files.damage().empty());
}

TEST(CaptureFiles, RecordLargerThanAWindow) {
  const TemporaryFolder folder;
  PcapWriter writer(false, 0xa1b2c3d4, 1, UINT32_MAX);
  for (int i = 0; i < 4; ++i) writer.Packet(1, 2, std::vector<uint8_t>(7'000'000, static_cast<uint8_t>(i)), 7'000'000);
  CaptureFiles files(MustResolve({folder.Write("1", writer.out.bytes)}));
  EXPECT_EQ(Read(files).size(), 4u);
  EXPECT_TRUE(files.damage().empty());
}

// One packet behind a gigabyte of blocks that hold none: a stop and the progress bar wait for no Poll.
TEST(CaptureFiles, OnePollPassesOverSoMuchWithoutPackets) {
  constexpr uint64_t kBlocks = 8192;
  constexpr uint32_t kBlockBytes = 128 << 10;
  constexpr uint64_t kMostPerPoll = uint64_t{65} << 20;
  const TemporaryFolder folder;
  PcapngWriter writer;
  writer.Section(false);
  writer.Interface(1);
  const size_t head_bytes = writer.out.bytes.size();
  writer.Enhanced(0, 1, 1000, std::vector<uint8_t>{7}, 1);
  const std::span<const uint8_t> all(writer.out.bytes), packet = all.subspan(head_bytes);
  const std::string path = folder.Write("1", all.first(head_bytes));
  const int file = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  auto at = static_cast<off_t>(head_bytes);
  constexpr uint32_t kStart[] = {0x0bad, kBlockBytes};
  for (uint64_t i = 0; i < kBlocks; ++i, at += kBlockBytes) {
    ASSERT_EQ(pwrite(file, kStart, sizeof kStart, at), ssize_t{sizeof kStart});
    ASSERT_EQ(pwrite(file, &kBlockBytes, sizeof kBlockBytes, at + kBlockBytes - 4), ssize_t{sizeof kBlockBytes});
  }
  ASSERT_EQ(pwrite(file, packet.data(), packet.size(), at), static_cast<ssize_t>(packet.size()));
  close(file);

  CaptureFiles files(MustResolve({path}));
  std::span<const Frame> frames;
  uint64_t before = 0, polls = 0, packets = 0;
  for (PollStatus status = PollStatus::kWorking; status != PollStatus::kEnd; ++polls) {
    status = files.Poll(frames);
    EXPECT_EQ(frames.empty(), status != PollStatus::kFrames);
    packets += frames.size();
    const uint64_t now = files.counters().input_bytes_read;
    EXPECT_LE(now - before, kMostPerPoll);
    before = now;
  }
  EXPECT_EQ(packets, 1u);
  EXPECT_GE(polls, 16u);
  EXPECT_TRUE(files.damage().empty());
}

TEST(CaptureFiles, AnotherCaptureInAFileIsNamed) {
  const TemporaryFolder folder;
  PcapngWriter ng;
  ng.Section(false);
  ng.Interface(1);
  const std::vector<uint8_t> first = Capture(1, 3);
  for (const std::vector<uint8_t>& second : {Capture(2, 3), ng.out.bytes}) {
    std::vector<uint8_t> both = first;
    both.insert(both.end(), second.begin(), second.end());
    CaptureFiles files(MustResolve({folder.Write("1", both)}));
    EXPECT_EQ(Read(files).size(), 3u);
    ASSERT_EQ(files.damage().size(), 1u);
    EXPECT_EQ(files.damage()[0].offset, first.size());
    EXPECT_NE(files.damage()[0].reason.find("another capture begins here"), std::string::npos);
  }
}

}  // namespace
}  // namespace vedette
