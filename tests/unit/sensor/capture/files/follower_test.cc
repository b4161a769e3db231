#include "sensor/capture/files/follower.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "sensor/capture/files/capture_files.h"
#include "tests/unit/sensor/capture/capture_writer.h"
#include "tests/unit/sensor/capture/stream/compressed_writer.h"
#include "tests/unit/temporary_folder.h"

namespace vedette {
namespace {

using testing::PcapWriter;
using Data = std::vector<uint8_t>;

// Packets of one byte each, which is their mark.
Data Capture(const std::vector<uint8_t>& marks) {
  PcapWriter writer;
  for (const uint8_t mark : marks) writer.Packet(1, 2, Data{mark}, 1);
  return writer.out.bytes;
}
constexpr size_t kHeaderBytes = 24, kPacketBytes = 17;

class Followed {
 public:
  explicit Followed(const std::string& path) {
    CaptureList::Options options;
    options.follow = true;
    options.warn = [this](const std::string& what) {
      const std::lock_guard<std::mutex> lock(mutex_);
      warnings_.push_back(what);
    };
    std::string error;
    list_ = CaptureList::Resolve(std::span(&path, 1), options, error);
    EXPECT_NE(list_, nullptr) << error;
    files_ = std::make_unique<CaptureFiles>(list_);
  }
  // The marks of the packets that come, as many as are expected and what comes soon after.
  std::string Next(size_t expected) {
    std::string marks;
    std::span<const Frame> frames;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (marks.size() < expected && std::chrono::steady_clock::now() < deadline) {
      const PollStatus status = files_->Poll(frames);
      EXPECT_NE(status, PollStatus::kEnd);
      for (const Frame& frame : frames) marks += static_cast<char>(frame.data[0]);
    }
    return marks + Nothing(std::chrono::milliseconds(50));
  }
  // What comes within a time.
  std::string Nothing(std::chrono::milliseconds time = std::chrono::milliseconds(600)) {
    std::string marks;
    std::span<const Frame> frames;
    const auto deadline = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < deadline) {
      files_->Poll(frames);
      for (const Frame& frame : frames) marks += static_cast<char>(frame.data[0]);
    }
    return marks;
  }
  const CaptureFiles& files() const { return *files_; }
  std::vector<std::string> warnings() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return warnings_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> warnings_;
  std::shared_ptr<const CaptureList> list_;
  std::unique_ptr<CaptureFiles> files_;
};

// Open for writing, as a capture program has it.
class Writer {
 public:
  explicit Writer(const std::string& path, int flags = O_CREAT | O_TRUNC)
      : fd_(open(path.c_str(), O_WRONLY | flags, 0600)) {
    EXPECT_GE(fd_, 0);
  }
  ~Writer() { close(fd_); }
  void Write(Bytes bytes) { EXPECT_EQ(write(fd_, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size())); }
  void Cut() {
    EXPECT_EQ(ftruncate(fd_, 0), 0);
    lseek(fd_, 0, SEEK_SET);
  }

 private:
  int fd_;
};

TEST(FollowFile, PacketsComeAsTheyAreWrittenAndHalfOnesWait) {
  const TemporaryFolder folder;
  const Data all = Capture({'a', 'b', 'c', 'd'});
  Writer writer(folder / "1.pcap");
  Followed followed(folder / "1.pcap");  // still without content
  EXPECT_EQ(followed.Nothing(), "");
  writer.Write(Bytes(all).first(10));
  EXPECT_EQ(followed.Nothing(), "");
  writer.Write(Bytes(all).subspan(10, kHeaderBytes - 10 + 2 * kPacketBytes + 5));
  EXPECT_EQ(followed.Next(2), "ab");
  writer.Write(Bytes(all).subspan(kHeaderBytes + 2 * kPacketBytes + 5));
  EXPECT_EQ(followed.Next(2), "cd");
  EXPECT_EQ(followed.Nothing(), "");
  EXPECT_TRUE(followed.files().damage().empty());
}

TEST(FollowFile, RotationByRenamingByReplacingAndByCutting) {
  const TemporaryFolder folder;
  const std::string path = folder / "1.pcap";
  Writer first(path);
  first.Write(Capture({'a'}));
  Followed followed(path);
  EXPECT_EQ(followed.Next(1), "a");

  std::filesystem::rename(path, folder / "1.pcap.1");
  EXPECT_EQ(followed.Nothing(), "") << "none in its place yet";
  first.Write(Bytes(Capture({'b'})).subspan(kHeaderBytes));  // the writer has not noticed
  EXPECT_EQ(followed.Next(1), "b");
  {
    Writer second(path);
    second.Write(Capture({'c'}));
  }
  EXPECT_EQ(followed.Next(1), "c");

  folder.Write("next", Capture({'d', 'e'}));
  std::filesystem::rename(folder / "next", path);
  EXPECT_EQ(followed.Next(2), "de");

  Writer third(path, 0);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));  // or it is not seen that there was more
  third.Cut();
  third.Write(Capture({'f'}));
  EXPECT_EQ(followed.Next(1), "f");
  EXPECT_TRUE(followed.files().damage().empty());
  EXPECT_EQ(followed.files().FileName(3), path);
}

TEST(FollowFile, HalfAPacketAtTheEndOfARotatedFileIsDamage) {
  const TemporaryFolder folder;
  const std::string path = folder.Write("1.pcap", Bytes(Capture({'a', 'b'})).first(kHeaderBytes + kPacketBytes + 3));
  Followed followed(path);
  EXPECT_EQ(followed.Next(1), "a");
  std::filesystem::remove(path);
  folder.Write("1.pcap", Capture({'c'}));
  EXPECT_EQ(followed.Next(1), "c");
  ASSERT_EQ(followed.files().damage().size(), 1u);
  EXPECT_EQ(followed.files().damage()[0].offset, kHeaderBytes + kPacketBytes);
}

TEST(FollowFile, CompressedAsItGrows) {
  const TemporaryFolder folder;
  const Data plain = Capture({'a', 'b', 'c'});
  const Data packed = testing::Gzip(plain, kHeaderBytes + kPacketBytes);
  Writer writer(folder / "1.pcap.gz");
  Followed followed(folder / "1.pcap.gz");
  std::string marks;
  for (const uint8_t& byte : packed) writer.Write({&byte, 1});
  EXPECT_EQ(followed.Next(3), "abc");
}

TEST(FollowFolder, TakesWhatIsThereAndThenWhatIsComplete) {
  const TemporaryFolder folder;
  folder.Write("2.pcap", Capture({'b'}));
  folder.Write("10.pcap", Capture({'c'}));
  folder.Write("sub/1.pcap.gz", testing::Gzip(Capture({'d'})));
  folder.Write("notes.txt", AsBytes("text"));
  folder.Write("1.pcap", Capture({'a'}));
  Followed followed(folder.path());
  EXPECT_EQ(followed.Next(4), "abcd");

  {
    Writer writer(folder / "11.pcap");
    writer.Write(Capture({'e', 'f'}));
    EXPECT_EQ(followed.Nothing(), "") << "somebody is writing it";
    Writer later(folder / "12.pcap");
    later.Write(Capture({'g'}));
  }
  EXPECT_EQ(followed.Next(3).size(), 3u);

  const TemporaryFolder elsewhere;
  elsewhere.Write("13.pcap", Capture({'h'}));
  std::filesystem::rename(elsewhere / "13.pcap", folder / "13.pcap");
  EXPECT_EQ(followed.Next(1), "h");
  folder.Write("new/deeper/1.pcap", Capture({'i'}));
  EXPECT_EQ(followed.Next(1), "i");
  EXPECT_TRUE(followed.files().damage().empty());
  EXPECT_TRUE(followed.warnings().empty());
}

TEST(FollowFolder, NothingTwiceUnderAnotherNameAndNothingMissedUnderTheSame) {
  const TemporaryFolder folder;
  folder.Write("1.pcap", Capture({'a'}));
  Followed followed(folder.path());
  EXPECT_EQ(followed.Next(1), "a");
  std::filesystem::rename(folder / "1.pcap", folder / "1.pcap.old");
  EXPECT_EQ(followed.Nothing(), "");
  {
    // As tcpdump -W begins again: the same file, cut and written.
    Writer writer(folder / "1.pcap.old");
    writer.Write(Capture({'b'}));
  }
  EXPECT_EQ(followed.Next(1), "b");
  {
    Writer writer(folder / "1.pcap.old", O_APPEND);
    writer.Write(Bytes(Capture({'c'})).subspan(kHeaderBytes));
  }
  EXPECT_EQ(followed.Nothing(), "");
  ASSERT_EQ(followed.warnings().size(), 1u);
  EXPECT_NE(followed.warnings()[0].find("17 bytes were appended"), std::string::npos) << followed.warnings()[0];
}

TEST(FollowFolder, OneWithoutPacketsIsNotWhatIsWrittenInItsPlace) {
  const TemporaryFolder folder;
  Followed followed(folder.path());
  folder.Write("quiet.pcap", Capture({}));
  EXPECT_EQ(followed.Nothing(), "");
  folder.Write("quiet.pcap", Capture({'a', 'b'}));
  EXPECT_EQ(followed.Next(2), "ab");
}

TEST(FollowFolder, SaysWhatCannotBeOpened) {
  const TemporaryFolder folder;
  Followed followed(folder.path());
  std::filesystem::create_symlink(folder / "loop.pcap", folder / "loop.pcap");
  folder.Write("good.pcap", Capture({'a'}));
  EXPECT_EQ(followed.Next(1), "a");
  EXPECT_EQ(followed.Nothing(), "");
  ASSERT_EQ(followed.warnings().size(), 1u);
  EXPECT_EQ(followed.warnings()[0],
            (folder / "loop.pcap").string() + ": is not read: Too many levels of symbolic links");
}

TEST(FollowFolder, NamesThatWritersGiveAtTheEnd) {
  const TemporaryFolder folder;
  Followed followed(folder.path());
  {
    Writer writer(folder / ".trace.pcap.Xy12Zw");
    writer.Write(Capture({'a'}));
  }
  std::filesystem::rename(folder / ".trace.pcap.Xy12Zw", folder / "trace.pcap");
  EXPECT_EQ(followed.Next(1), "a");
  EXPECT_TRUE(followed.files().damage().empty());
}

// A list of a followed folder that holds as many captures, of which nothing has been read.
std::shared_ptr<const CaptureList> Taken(const TemporaryFolder& folder, uint32_t num_captures) {
  CaptureList::Options options;
  options.follow = true;
  std::string error;
  const std::string path = folder.path();
  auto list = CaptureList::Resolve(std::span(&path, 1), options, error);
  EXPECT_NE(list, nullptr) << error;
  while (list->WaitForFile(num_captures - 1) != CaptureList::Next::kFile) {
  }
  return list;
}

std::string MarksOf(CaptureSource& source, size_t expected) {
  std::string marks;
  std::span<const Frame> frames;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (marks.size() < expected && std::chrono::steady_clock::now() < deadline) {
    source.Poll(frames);
    for (const Frame& frame : frames) marks += static_cast<char>(frame.data[0]);
  }
  return marks;
}

TEST(FollowFolder, WhatBecomesOfNamesBetweenTakingAndReading) {
  const TemporaryFolder folder;
  folder.Write("1.pcap", Capture({'a'}));
  folder.Write("2.pcap", Capture({'b'}));
  folder.Write("3.pcap.gz", testing::Gzip(Capture({'c'})));
  folder.Write("4.pcap", Capture({'d'}));
  const auto list = Taken(folder, 4);
  std::filesystem::rename(folder / "1.pcap", folder / "2.pcap");
  std::filesystem::remove(folder / "3.pcap.gz");
  folder.Write("new", Capture({'e'}));
  std::filesystem::rename(folder / "new", folder / "4.pcap");  // in its place
  std::string error;
  const auto sources = CaptureFiles::ForWorkers(list, 2, error);
  ASSERT_EQ(sources.size(), 2u) << error;
  std::array<std::string, 2> marks;
  std::thread first([&] { marks[0] = MarksOf(*sources[0], 5); });
  marks[1] = MarksOf(*sources[1], 5);
  first.join();
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(marks[i], "abcde");
    EXPECT_TRUE(sources[i]->damage().empty()) << sources[i]->damage()[0].reason;
  }
}

TEST(FollowFolder, OnlySoManyAreHeldOpen) {
  const TemporaryFolder folder;
  constexpr size_t kTooMany = 5;
  constexpr uint32_t kCaptures = FolderFollower::kMaxUnread + kTooMany;
  for (uint32_t i = 0; i < kCaptures; ++i) folder.Write(std::to_string(i) + ".pcap", Capture({'a'}));
  const auto list = Taken(folder, kCaptures);
  for (uint32_t i = 0; i < kCaptures; ++i) std::filesystem::remove(folder / (std::to_string(i) + ".pcap"));
  CaptureFiles files(list);
  EXPECT_EQ(MarksOf(files, FolderFollower::kMaxUnread), std::string(FolderFollower::kMaxUnread, 'a'));
  ASSERT_EQ(files.damage().size(), kTooMany);
  EXPECT_EQ(files.damage()[0].reason, "No such file or directory");
}

}  // namespace
}  // namespace vedette
