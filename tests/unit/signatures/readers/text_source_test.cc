#include "signatures/readers/text_source.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace vedette {
namespace {

class TextFile : public testing::Test {
 protected:
  TextFile() {
    char name[] = "/tmp/vedette_text_XXXXXX";
    folder_ = mkdtemp(name);
  }
  ~TextFile() override { std::filesystem::remove_all(folder_); }

  std::string Write(std::string_view text) {
    const std::string path = folder_ + "/list.txt";
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  std::string folder_;
};

// A text that is larger than the window, of short lines and a few long ones.
std::string LargeText() {
  std::mt19937 random(7);
  std::string text;
  while (text.size() < 5 * TextSource::kWindowBytes) {
    const bool is_long = random() % 5000 == 0;
    text.append(random() % (is_long ? 2 * TextSource::kWindowBytes : 40), static_cast<char>('a' + random() % 26));
    text += random() % 3 == 0 ? "\r\n" : random() % 20 == 0 ? "\r" : "\n";
  }
  return text;
}

std::string All(TextSource& text, size_t step) {
  std::string out;
  for (std::string_view ahead; !(ahead = text.Ahead()).empty();) {
    out += ahead.substr(0, step);
    text.Skip(std::min(step, ahead.size()));
  }
  return out;
}

TEST_F(TextFile, IsTheSameInMemoryInAFileAndInAPipe) {
  const std::string text = LargeText();
  TextSource memory(TextSource::InMemory{text});
  TextSource file(Write(text));
  const std::string pipe = folder_ + "/pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  std::thread writer([&] { std::ofstream(pipe, std::ios::binary) << text; });
  TextSource piped(pipe);
  writer.join();
  for (TextSource* source : {&memory, &file, &piped}) {
    EXPECT_EQ(source->error(), "");
    EXPECT_EQ(source->size(), text.size());
    EXPECT_EQ(source->Head(), text.substr(0, TextSource::kHeadBytes));
    EXPECT_TRUE(All(*source, 10'007) == text);
    EXPECT_EQ(source->position(), text.size());
    EXPECT_EQ(source->error(), "");
  }
}

TEST_F(TextFile, GoesWhereItIsToldTo) {
  const std::string text = LargeText();
  TextSource file(Write("\xef\xbb\xbf" + text));  // a byte order mark is no part of it
  EXPECT_EQ(file.size(), text.size());
  std::mt19937 random(9);
  for (int i = 0; i < 300; ++i) {
    const size_t position = random() % (text.size() + 1);
    file.Seek(position);
    EXPECT_EQ(file.position(), position);
    const std::string_view ahead = file.Ahead();
    ASSERT_GE(ahead.size(), std::min(TextSource::kAheadBytes, text.size() - position));
    ASSERT_TRUE(ahead == std::string_view(text).substr(position, ahead.size())) << position;
  }
}

// Line by line, the window is not seen.
TEST_F(TextFile, HasLines) {
  const std::string text = LargeText();
  constexpr size_t kMaxBytes = 1000;
  for (const LineReader::Ends ends : {LineReader::Ends::kNewline, LineReader::Ends::kAnyReturn}) {
    std::vector<std::string> wanted, lines;
    for (size_t at = 0; at < text.size();) {
      const bool any = ends == LineReader::Ends::kAnyReturn;
      const size_t end = std::min(any ? text.find_first_of("\r\n", at) : text.find('\n', at), text.size());
      std::string line = text.substr(at, end - at);
      at = end + (text.compare(end, 2, "\r\n") == 0 ? 2 : 1);
      if (line.size() > kMaxBytes) {
        line = line.substr(0, kMaxBytes) + "…";
      } else if (line.ends_with('\r')) {
        line.pop_back();
      }
      wanted.push_back(line);
    }
    TextSource file(Write(text));
    LineReader reader(file, ends, kMaxBytes);
    while (reader.Next()) {
      lines.push_back(std::string(reader.line()) + (reader.too_long() ? "…" : ""));
      ASSERT_EQ(reader.number(), lines.size());
    }
    EXPECT_TRUE(lines == wanted) << lines.size() << ' ' << wanted.size();
  }
}

TEST_F(TextFile, SaysWhyItIsNone) {
  EXPECT_EQ(TextSource(folder_ + "/missing").error(), "cannot be opened: No such file or directory");
  EXPECT_EQ(TextSource(Write("")).error(), "is empty");
  EXPECT_EQ(TextSource(Write("PK\x03\x04")).error(), "is a zip archive: unpack it first (unzip)");
  std::string text = LargeText();
  text.back() = '\0';
  EXPECT_EQ(TextSource(Write(text)).error(), "is not text: it holds NUL bytes; a CSV file or a list is needed");
}

TEST_F(TextFile, SaysThatItWasChanged) {
  const std::string text = LargeText(), path = Write(text);
  {
    TextSource file(path);
    std::filesystem::resize_file(path, text.size() - 1);
    EXPECT_LT(All(file, 5000).size(), text.size());
    EXPECT_EQ(file.error(), "was changed while it was read: load it again");
  }
  {
    TextSource file(path);
    std::fstream(path, std::ios::binary | std::ios::in | std::ios::out)
        .seekp(static_cast<std::streamoff>(text.size() - 9))
        .put('\0');
    EXPECT_EQ(All(file, 5000).find('\0'), std::string::npos);
    EXPECT_EQ(file.error(), "was changed while it was read: load it again");
  }
}

}  // namespace
}  // namespace vedette
