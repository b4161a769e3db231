#include "sensor/capture/files/capture_list.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "sensor/capture/files/capture_files.h"
#include "tests/unit/sensor/capture/capture_writer.h"
#include "tests/unit/sensor/capture/read_capture.h"
#include "tests/unit/temporary_folder.h"

namespace vedette {
namespace {

using testing::PcapngWriter;
using testing::PcapWriter;
using testing::Read;

// A capture of `count` packets of `packet_bytes`, each of which begins with `mark`.
std::vector<uint8_t> Capture(uint8_t mark, int count = 1, size_t packet_bytes = 10) {
  PcapWriter writer;
  std::vector<uint8_t> packet(packet_bytes, mark);
  for (int i = 0; i < count; ++i) writer.Packet(1'700'000'000, static_cast<uint32_t>(i % 1'000'000), packet, 10);
  return writer.out.bytes;
}

// "hello\n"
constexpr std::string_view kTextAsGzip(
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48\xcd\xc9\xc9\xe7\x02\x00\x20\x30\x3a\x36\x06\x00\x00\x00", 26);

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

std::string ResolveError(const std::vector<std::string>& paths) {
  std::string error;
  EXPECT_EQ(Resolve(paths, error), nullptr);
  return error;
}

TEST(CaptureList, NamedFilesMustBeCaptures) {
  const TemporaryFolder folder;
  EXPECT_EQ(ResolveError({}), "no capture named; give files, folders or - for standard input");
  EXPECT_EQ(ResolveError({folder / "absent"}), (folder / "absent").string() + ": No such file or directory");
  const std::string gz = folder.Write("a.gz", AsBytes(kTextAsGzip));
  EXPECT_EQ(ResolveError({gz}), gz + ": not a pcap or pcapng capture: gzip-compressed, and then: text");
  const std::string text = folder.Write("notes", AsBytes("hello\n"));
  EXPECT_EQ(ResolveError({text}), text + ": not a pcap or pcapng capture: text");
  const std::string binary = folder.Write("binary", AsBytes("\x01\x02\x03\x04\x05"));
  EXPECT_EQ(ResolveError({binary}),
            binary + ": not a pcap or pcapng capture: of an unknown kind (it begins with 01 02 03 04 05)");
  const std::string stump = folder.Write("stump", AsBytes("\x01\x02\x03"));
  EXPECT_EQ(ResolveError({stump}), stump +
                                       ": not a pcap or pcapng capture: only 3 bytes long; if it should be a "
                                       "capture, fetch it again");
}

TEST(CaptureList, PipesAndDevicesAreNoFiles) {
  const TemporaryFolder folder;
  const std::string fifo = folder / "fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(ResolveError({fifo}),
            fifo + ": it is a pipe (FIFO), which can be read only once; give it as standard input: replay - < PIPE");
  EXPECT_EQ(ResolveError({"/dev/null"}), "/dev/null: it is a device, not a capture file");
  folder.Write("1", Capture(1));
  const auto list = MustResolve({folder.path()});
  EXPECT_EQ(list->files().size(), 1u);
  EXPECT_EQ(list->num_skipped(), 1u);
}

TEST(CaptureList, FolderWithoutCapturesIsAnError) {
  const TemporaryFolder folder;
  EXPECT_EQ(ResolveError({folder.path()}),
            folder.path().string() + ": no pcap or pcapng capture in this folder or below");
  folder.Write("sub/README", AsBytes("text"));
  EXPECT_EQ(ResolveError({folder.path()}),
            folder.path().string() + ": no pcap or pcapng capture in this folder or below (1 other files, such as " +
                (folder / "sub/README").string() + ": text)");
}

TEST(CaptureList, LinksToFilesAreFollowedLinksToFoldersOnlyWhereNamed) {
  const TemporaryFolder outside;
  const TemporaryFolder folder;
  const std::string target = outside.Write("target", Capture(1));
  std::filesystem::create_symlink(target, folder / "file");
  std::filesystem::create_symlink(outside.path(), folder / "folder");
  std::filesystem::create_symlink(folder.path(), folder / "loop");
  std::filesystem::create_symlink("/nonexistent", folder / "nowhere");
  const auto list = MustResolve({folder.path()});
  ASSERT_EQ(list->files().size(), 1u);
  EXPECT_EQ(list->files()[0].name, folder / "file");
  EXPECT_EQ(list->num_skipped(), 3u);
  EXPECT_EQ(MustResolve({folder / "folder"})->files().size(), 1u);
}

TEST(CaptureList, EmptyFilesOfAFolderAreDamageWhereNamedLikeCaptures) {
  const TemporaryFolder folder;
  folder.Write("cap/done", {});  // the folder's name says nothing about the file
  folder.Write("cap/tcpdump.pcap12", {});
  folder.Write("cap/whole.pcap", Capture(1));
  const auto list = MustResolve({folder.path()});
  ASSERT_EQ(list->files().size(), 2u);
  EXPECT_EQ(list->files()[0].name, folder / "cap/tcpdump.pcap12");
  ASSERT_EQ(list->num_skipped(), 1u);
  EXPECT_EQ(list->skipped()[0].name, folder / "cap/done");
  EXPECT_EQ(list->skipped()[0].reason, "empty");
  EXPECT_EQ(MustResolve({folder / "cap/done"})->files().size(), 1u);  // named by the user: said to be a capture
}

TEST(CaptureList, NestingIsBounded) {
  const TemporaryFolder folder;
  std::string deep;
  for (int i = 0; i <= CaptureList::kMaxDepth + 1; ++i) deep += "d/";
  folder.Write(deep + "1", Capture(1));
  EXPECT_NE(ResolveError({folder.path()}).find("folders are nested deeper than 64"), std::string::npos);
}

TEST(CaptureList, NamesStayAsGiven) {
  const TemporaryFolder folder;
  folder.Write("x/1", Capture(1));
  const auto list = MustResolve({folder / "x/", folder / "x/../x/1"});
  ASSERT_EQ(list->files().size(), 2u);
  EXPECT_EQ(list->files()[0].name, folder / "x/1");
  EXPECT_EQ(list->files()[1].name, folder / "x/../x/1");
}

TEST(CaptureList, NameOrder) {
  const std::vector<std::string> in_order = {"",
                                             "0",
                                             "00",
                                             "1",
                                             "01",
                                             "001",
                                             "2",
                                             "10",
                                             "A",
                                             "a",
                                             "a-1",
                                             "a.pcap",
                                             "a1",
                                             "a1b2",
                                             "a1b10",
                                             "a02b1",
                                             "a18446744073709551616",
                                             "a99999999999999999999",
                                             "b",
                                             "\xc3\xa4"};
  std::vector<std::string> shuffled = in_order;
  std::mt19937_64 random(1);
  for (int round = 0; round < 20; ++round) {
    std::shuffle(shuffled.begin(), shuffled.end(), random);
    std::sort(shuffled.begin(), shuffled.end(), NameBefore);
    for (size_t i = 0; i < shuffled.size(); ++i) {
      for (size_t j = 0; j < shuffled.size(); ++j) {
        EXPECT_EQ(NameBefore(shuffled[i], shuffled[j]), i < j) << shuffled[i] << " " << shuffled[j];
      }
    }
  }
  EXPECT_TRUE(NameBefore("trace2", "trace10"));
  EXPECT_TRUE(NameBefore("2026-11-24T09", "2026-11-24T10"));
}

// Puts a file in the place of standard input for a moment.
class StandardInput {
 public:
  explicit StandardInput(int fd) : saved_(dup(STDIN_FILENO)) { dup2(fd, STDIN_FILENO); }
  ~StandardInput() {
    dup2(saved_, STDIN_FILENO);
    close(saved_);
  }

 private:
  int saved_;
};

TEST(CaptureList, StandardInputFromAPipe) {
  const std::vector<uint8_t> capture = Capture(7, 10'000, 100);
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  std::thread writer([&] {
    for (size_t at = 0; at < capture.size();) {
      const ssize_t written = write(ends[1], capture.data() + at, std::min<size_t>(capture.size() - at, 777));
      if (written <= 0) break;
      at += static_cast<size_t>(written);
    }
    close(ends[1]);
  });
  std::shared_ptr<const CaptureList> list;
  {
    const StandardInput input(ends[0]);
    list = MustResolve({"-"});
  }
  close(ends[0]);
  ASSERT_NE(list, nullptr);
  EXPECT_EQ(list->total_bytes(), 0u) << "not known";
  CaptureFiles files(list);
  EXPECT_EQ(files.FileName(0), "-");
  EXPECT_EQ(Read(files).size(), 10'000u);
  EXPECT_TRUE(files.damage().empty());
  EXPECT_EQ(files.counters().input_bytes_read, capture.size());
  writer.join();
}

TEST(CaptureList, StandardInputFromAFile) {
  const TemporaryFolder folder;
  const int fd = open(folder.Write("1", Capture(7, 3)).c_str(), O_RDONLY);
  const StandardInput input(fd);
  close(fd);
  CaptureFiles files(MustResolve({"-"}));
  EXPECT_EQ(Read(files).size(), 3u);
  EXPECT_EQ(ResolveError({"-", "-"}), "-: standard input is named twice; it can be read once");
}

TEST(CaptureList, StandardInputThatIsNoCaptureIsRefusedAtItsFirstBytes) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(write(ends[1], kTextAsGzip.data(), kTextAsGzip.size()), 26);  // and the writer goes on for ever
  std::string error;
  {
    const StandardInput input(ends[0]);
    error = ResolveError({"-"});
  }
  EXPECT_EQ(error, "standard input: not a pcap or pcapng capture: gzip-compressed, and then: text");
  close(ends[0]);
  close(ends[1]);
}

TEST(CaptureList, EmptyStandardInputIsDamage) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[1]);
  std::shared_ptr<const CaptureList> list;
  {
    const StandardInput input(ends[0]);
    list = MustResolve({"-"});
  }
  close(ends[0]);
  CaptureFiles files(list);
  EXPECT_TRUE(Read(files).empty());
  EXPECT_EQ(files.damage().size(), 1u);
}

TEST(CaptureList, StopEndsTheWaitForTheFirstBytes) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  std::atomic<bool> stop{false};
  std::thread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    stop = true;
  });
  CaptureList::Options options;
  options.stop = &stop;
  const std::string path = "-";
  std::string error;
  {
    const StandardInput input(ends[0]);
    EXPECT_NE(CaptureList::Resolve(std::span(&path, 1), options, error), nullptr) << error;
  }
  stopper.join();
  close(ends[0]);
  close(ends[1]);
}

TEST(CaptureFormat, NamesWhatItSees) {
  const std::string tar = std::string(257, 'a') + "ustar\0";
  EXPECT_EQ(DescribeOther(AsBytes(tar + std::string(200, '\0'))).description, "a tar archive; unpack it first");
  EXPECT_TRUE(DescribeOther(AsBytes("BZh91AY")).holds_packets);
  EXPECT_TRUE(DescribeOther(AsBytes("PK\x03\x04")).holds_packets);
  for (const char* json : {"{\"timestamp\":1}\n", " [\n {\"Event\": 1}]", "\xef\xbb\xbf{\n\"a\":1}"})
    EXPECT_EQ(DescribeOther(AsBytes(json)).description, "JSON, which is not read yet") << json;
  EXPECT_EQ(DescribeOther(AsBytes("[section] is text")).description, "text");
  EXPECT_EQ(DescribeOther(AsBytes("\x7f"
                                  "ELF\x02"))
                .description,
            "a program (ELF)");
  EXPECT_EQ(DescribeOther(AsBytes("%PDF-1.4")).description, "a PDF document");
  EXPECT_EQ(IdentifyCapture({}), CaptureFormat::kEmpty);
  EXPECT_EQ(IdentifyCapture(AsBytes("\xd4\xc3\xb2")), CaptureFormat::kOther);
}

}  // namespace
}  // namespace vedette
