#include "parsers/ssh/ssh.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "parsers/registry.h"
#include "tests/unit/parsers/stream_feeding.h"

namespace vedette {
namespace {

using testing::Turn;
using Values = std::vector<std::string>;

constexpr Direction kUp = Direction::kToServer, kDown = Direction::kToClient;

std::string U32(size_t value) {
  std::string out;
  for (const int shift : {24, 16, 8, 0}) out += static_cast<char>(value >> shift & 0xff);
  return out;
}
std::string Text(const std::string& text) { return U32(text.size()) + text; }

std::string Packet(const std::string& payload) {
  size_t padding = 8 - (5 + payload.size()) % 8;
  if (padding < 4) padding += 8;
  return U32(1 + payload.size() + padding) + static_cast<char>(padding) + payload + std::string(padding, '\0');
}

// MD5 of "k1,k2;c1,c2;m1;z1,z2" and of "k1,k2;s1;n1,n2;y1".
const std::string kHassh = "0e15848853733786ae859a464c8be29a", kHasshServer = "5ae99428ddae630dfa43639ac23243c8";
std::string KexInit() {
  std::string body = "\x14" + std::string(16, 'c');
  for (const char* list : {"k1,k2", "h1", "c1,c2", "s1", "m1", "n1,n2", "z1,z2", "y1", "", ""}) body += Text(list);
  return Packet(body + std::string(5, '\0'));
}

std::string HostKey(const std::string& algorithm = "ssh-ed25519") {
  return Text(algorithm) + Text(std::string(32, 'K'));
}
// Of HostKey(), as `ssh-keygen -l -E sha256` has it in base64.
const std::string kHostKeySha256 = "3ebc8db892742baff0427d3a2635f01eab2c1324765cf81b8178a74e7dbde25a";
std::string KexReply(const std::string& key, char number = 31) {
  return Packet(number + Text(key) + Text(std::string(32, 'f')) + Text(std::string(80, 's')));
}
const std::string kNewKeys = Packet("\x15");
const std::string kEncrypted = std::string(200, '\xee');
const std::string kClient = "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", kServer = "SSH-2.0-dropbear_2022.83\r\n";

std::vector<Turn> Conversation() {
  return {{kDown, kServer + KexInit()},
          {kUp, kClient + KexInit() + Packet("\x1e" + Text("e"))},
          {kDown, KexReply(HostKey()) + kNewKeys + kEncrypted},
          {kUp, kNewKeys + kEncrypted}};
}

const Values kValues = {"ssh.server < SSH-2.0-dropbear_2022.83",
                        "ssh.hassh_server < " + kHasshServer,
                        "ssh.software < SSH-2.0-dropbear_2022.83",
                        "ssh.client > SSH-2.0-OpenSSH_9.2p1 Debian-2",
                        "ssh.hassh > " + kHassh,
                        "ssh.software > SSH-2.0-OpenSSH_9.2p1 Debian-2",
                        "ssh.host_key.sha256 < " + kHostKeySha256,
                        "ssh.software < SSH-2.0-dropbear_2022.83"};

TEST(Ssh, EmitsWhatBothEndsSay) {
  EXPECT_EQ(testing::ExpectSameInPieces<SshParser>(Conversation()), kValues);
  testing::ExpectPrefixesAreQuiet<SshParser>(Conversation());
}

TEST(Ssh, IsRecognisedByItsFirstBytes) {
  const auto identify = [](const std::string& text) { return SshParser::Identify(AsBytes(text), kDown); };
  EXPECT_EQ(identify("SSH-"), Probe::kNeedMore);
  EXPECT_EQ(identify("SSH-2"), Probe::kYes);
  EXPECT_EQ(identify("SSH-1.99-x"), Probe::kYes);
  EXPECT_EQ(identify("SSH-x"), Probe::kNo);
  EXPECT_EQ(identify("SSL"), Probe::kNo);
  const std::string first = kServer;
  EXPECT_EQ(IdentifyStream(AsBytes(first), kDown).protocol, SshProtocol::kId);
}

TEST(Ssh, OtherLinesMayComeBefore) {
  EXPECT_EQ(testing::ExpectSameInPieces<SshParser>(
                {{kDown, "Welcome\n" + std::string(3000, 'x') + "\r\n\r\n" + kServer + KexInit()}}),
            Values(kValues.begin(), kValues.begin() + 3));
  EXPECT_EQ(testing::ExpectSameInPieces<SshParser>({{kDown, std::string(20000, 'x') + "\r\n" + kServer}}), Values());
}

TEST(Ssh, OfSsh1TheIdentificationOnly) {
  EXPECT_EQ(testing::ExpectSameInPieces<SshParser>({{kDown, "SSH-1.5-x\n" + KexInit()}, {kUp, "SSH-1.5-y\n"}}),
            (Values{"ssh.server < SSH-1.5-x", "ssh.client > SSH-1.5-y"}));
  EXPECT_EQ(testing::ExpectSameInPieces<SshParser>({{kDown, "SSH-1.99-x\n" + KexInit()}}).size(), 3u);
}

TEST(Ssh, ALineThatIsTooLongIsNone) {
  const std::string begin = "SSH-2.0-", most = begin + std::string(SshParser::kMaxLineBytes - 2 - begin.size(), 'x');
  EXPECT_EQ(testing::ExpectSameInPieces<SshParser>({{kDown, most + "\r\n"}}), Values{"ssh.server < " + most});
  EXPECT_EQ(testing::ExpectSameInPieces<SshParser>({{kDown, most + "y\r\n"}}), Values());
}

TEST(Ssh, HostKeysOfEveryExchange) {
  const auto seen = [](const std::string& packets) {
    return testing::ExpectSameInPieces<SshParser>({{kDown, kServer + packets}});
  };
  const std::string key = "ssh.host_key.sha256 < " + kHostKeySha256;
  EXPECT_EQ(seen(KexReply(HostKey(), 30)).at(1), key) << "RFC 4432";
  // RFC 4419: a group, whose numbers are no key, then the reply.
  const std::string group = Packet("\x1f" + Text('\0' + std::string(256, '\xfe')) + Text("\x02"));
  EXPECT_EQ(seen(group + KexReply(HostKey(), 33)).at(1), key);
  EXPECT_EQ(seen(Packet("\x02" + Text("ignored")) + KexReply(HostKey())).at(1), key);
  EXPECT_EQ(seen(KexReply(HostKey("ssh-ed25519-cert-v01@openssh.com"))).size(), 1u) << "of which the key is a part";
  EXPECT_EQ(seen(kNewKeys + KexReply(HostKey())).size(), 1u) << "encrypted";
  EXPECT_EQ(seen(KexReply(std::string("\0\0\0\x09", 4) + "ssh")).size(), 1u) << "a length that lies";
}

TEST(Ssh, LengthsThatCannotBeEndADirection) {
  for (const size_t length : {size_t{0}, size_t{11}, SshParser::kMaxPacketBytes + 1, size_t{0xffffffff}}) {
    EXPECT_EQ(testing::ExpectSameInPieces<SshParser>({{kDown, kServer + U32(length) + "\x04\x14" + KexInit()}}).size(),
              1u);
  }
  EXPECT_EQ(
      testing::ExpectSameInPieces<SshParser>({{kDown, kServer + U32(20) + "\x14\x14" + std::string(18, 'x')}}).size(),
      1u);
  // Lists that do not fit their packet.
  const std::string lie = Packet("\x14" + std::string(16, 'c') + U32(1000) + "x");
  EXPECT_EQ(testing::ExpectSameInPieces<SshParser>({{kDown, kServer + lie + KexReply(HostKey())}}).size(), 1u);
}

TEST(Ssh, KnowsItsPlaceAfterAGapWithinAPacket) {
  const std::string debug = Packet("\x04" + Text(std::string(100, 'd')));
  for (size_t from = 4; from <= debug.size(); ++from) {
    for (const size_t to : {from, from + 1, debug.size()}) {
      if (to > debug.size() || to < from) continue;
      SshParser parser;
      testing::ParserBatch batch;
      const std::string before = kServer + debug.substr(0, from), after = debug.substr(to) + KexInit();
      parser.Feed({.data = AsBytes(before), .direction = kDown, .start = true}, batch);
      parser.Feed({.data = AsBytes(after), .direction = kDown, .gap_bytes = static_cast<uint32_t>(to - from)}, batch);
      EXPECT_EQ(batch.size(), 3u) << from << " to " << to;
    }
  }
  SshParser lost;
  testing::ParserBatch batch;
  const std::string after = KexInit();
  lost.Feed({.data = AsBytes(kServer), .direction = kDown, .start = true}, batch);
  EXPECT_EQ(lost.Feed({.data = AsBytes(after), .direction = kDown, .gap_bytes = 1}, batch).progress, Progress::kSkip);
}

TEST(Ssh, FindsAPacketWhereTheIdentificationIsMissing) {
  SshParser parser;
  testing::ParserBatch batch;
  const std::string packets = KexInit() + KexReply(HostKey());
  parser.Feed({.data = AsBytes(packets), .direction = kDown, .gap_bytes = 30}, batch);
  ASSERT_EQ(batch.size(), 2u);
  EXPECT_EQ(batch.observables()[0].text, kHasshServer);
  EXPECT_EQ(batch.observables()[1].text, kHostKeySha256);
}

TEST(Ssh, IsDoneWhenBothEndsEncrypt) {
  SshParser parser;
  testing::ParserBatch batch;
  std::vector<Progress> answers;
  for (const Turn& turn : Conversation()) {
    answers.push_back(parser.Feed({.data = AsBytes(turn.bytes), .direction = turn.direction}, batch).progress);
  }
  EXPECT_EQ(answers[0], Progress::kNeedMore);
  EXPECT_EQ(answers[1], Progress::kSkip) << "the client says no more of itself";
  EXPECT_EQ(answers[2], Progress::kDone);
  EXPECT_EQ(parser.HeldBytes(), 0u);
}

}  // namespace
}  // namespace vedette
