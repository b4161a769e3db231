// The judge judged: what it injects is what it says, the same each time, and a loss shows.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "sensor/decode/decoder.h"
#include "sensor/decode/link.h"
#include "tests/injection/conversation.h"
#include "tests/injection/findings.h"
#include "tests/injection/judge.h"

namespace vedette::injection {
namespace {

Conversation Requests(const Conversation::Ends& ends, size_t count) {
  Conversation conversation(ends);
  conversation.Open();
  for (size_t i = 0; i < count; ++i) {
    conversation.Send(kClient, "GET /page" + std::to_string(i) + " HTTP/1.1\r\nHost: customer" + std::to_string(i) +
                                   "-host.test\r\n\r\n");
    conversation.Send(kServer, "HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\n" + std::string(600, 'b'), 500,
                      i % 2 == 0);
  }
  conversation.Close();
  return conversation;
}

std::vector<Conversation::Ends> Kinds() {
  Conversation::Ends v4, v6, vlan;
  v6.version = 6;
  vlan.vlan = true;
  vlan.first[0] = 0xfffffff0;
  return {v4, v6, vlan};
}

Injected Inject(const Variant& variant, const Trace& trace, uint64_t seed) {
  Injected injected;
  Rng rng(seed);
  variant.inject(trace, rng, injected);
  return injected;
}

std::vector<std::string> BytesOf(const std::vector<Frame>& frames) {
  std::vector<std::string> all;
  all.reserve(frames.size());
  for (const Frame& frame : frames) all.emplace_back(AsText(frame.bytes()));
  return all;
}

Frame FrameOf(const std::vector<uint8_t>& bytes) {
  Frame frame;
  frame.data = bytes.data();
  frame.captured_bytes = frame.wire_bytes = static_cast<uint32_t>(bytes.size());
  frame.link_type = kLinkEthernet;
  return frame;
}

const Variant& Named(const std::vector<Variant>& all, const std::string& name) {
  return *std::find_if(all.begin(), all.end(), [&](const Variant& variant) { return variant.name == name; });
}

TEST(InjectionTcpFrame, ChecksumOfRfc1071) {
  const uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
  EXPECT_EQ(InternetChecksum(bytes), static_cast<uint16_t>(~0xddf2));
}

TEST(InjectionTcpFrame, WhatIsBuiltHasRightChecksumsAndIsReadBack) {
  for (const Conversation::Ends& ends : Kinds()) {
    const Conversation conversation = Requests(ends, 2);
    for (const std::vector<uint8_t>& bytes : conversation.frames()) {
      const Frame frame = FrameOf(bytes);
      TcpFrame tcp;
      ASSERT_TRUE(Parse(frame, tcp));
      EXPECT_TRUE(tcp.whole());
      EXPECT_EQ(TcpChecksumError(frame, tcp), 0);
      if (ends.version == 4) {
        EXPECT_EQ(InternetChecksum(frame.bytes().subspan(tcp.ip, 20)), 0);
      }
      Segment segment;
      segment.sequence = tcp.sequence + 9;
      segment.acknowledgment = 77;
      segment.payload = AsBytes(std::string_view("odd"));
      segment.ttl = 3;
      for (const bool wrong : {false, true}) {
        segment.wrong_checksum = wrong;
        const std::vector<uint8_t> built = Build(frame, tcp, true, segment);
        const Frame again = FrameOf(built);
        TcpFrame read;
        ASSERT_TRUE(Parse(again, read));
        EXPECT_EQ(TcpChecksumError(again, read) != 0, wrong);
        EXPECT_EQ(read.sequence, tcp.sequence + 9);
        EXPECT_EQ(read.acknowledgment, 77u);
        EXPECT_EQ(read.source_port, tcp.destination_port);
        EXPECT_EQ(FlowKeyOf(again, read), FlowKeyOf(frame, tcp));
        EXPECT_EQ(AsText(again.bytes().subspan(read.payload, read.payload_bytes)), "odd");
        EXPECT_GE(built.size(), 60u);
      }
    }
  }
}

TEST(InjectionTcpFrame, FragmentsGiveTheSegmentAgain) {
  for (const Conversation::Ends& ends : Kinds()) {
    const Conversation conversation = Requests(ends, 1);
    const Frame frame = FrameOf(conversation.frames()[3]);
    TcpFrame tcp;
    ASSERT_TRUE(Parse(frame, tcp));
    const std::vector<std::vector<uint8_t>> fragments = Fragmented(frame, tcp, 4711);
    ASSERT_EQ(fragments.size(), 2u);
    Decoder decoder(Decoder::Options{});
    Packet packet;
    decoder.BeginBurst();
    const Frame first = FrameOf(fragments[0]), second = FrameOf(fragments[1]);
    EXPECT_NE(decoder.Decode(first, packet), DecodeResult::kPacket);
    ASSERT_EQ(decoder.Decode(second, packet), DecodeResult::kPacket);
    EXPECT_EQ(AsText(packet.payload), AsText(frame.bytes().subspan(tcp.payload, tcp.payload_bytes)));
    EXPECT_EQ(packet.sequence, tcp.sequence);
  }
}

TEST(InjectionTrace, FindsConnectionsSidesAndPlaces) {
  const Trace trace = Requests({}, 3).trace();
  ASSERT_EQ(trace.connections().size(), 1u);
  const Connection& connection = trace.connections()[0];
  EXPECT_TRUE(connection.handshake);
  EXPECT_EQ(connection.num_data[kClient], 3u);
  EXPECT_EQ(connection.num_data[kServer], 6u);
  EXPECT_EQ(connection.forge, 3u);
  EXPECT_EQ(trace.side(0), kClient);
  EXPECT_EQ(trace.side(1), kServer);
  const Trace server = trace.OneSide(kServer);
  EXPECT_EQ(server.connections()[0].num_data[kClient], 0u);
  EXPECT_EQ(server.side(0), kServer);
  EXPECT_EQ(trace.Lossy(1, 1).connections()[0].forge, Connection::kNowhere);
}

TEST(InjectionVariants, NamesAreUniqueAndTold) {
  std::set<std::string> names;
  for (const Variant& variant : AllVariants()) {
    EXPECT_TRUE(names.insert(variant.name).second) << variant.name;
    EXPECT_FALSE(variant.about.empty()) << variant.name;
  }
  EXPECT_GT(names.size(), 100u);
}

TEST(InjectionVariants, EachInjectsTheSameForTheSameSeed) {
  const Trace trace = Requests({}, 6).trace();
  for (const Variant& variant : AllVariants()) {
    const Injected one = Inject(variant, trace, 5), two = Inject(variant, trace, 5);
    EXPECT_EQ(BytesOf(one.frames), BytesOf(two.frames)) << variant.name;
    // Runs of four frames, the one in ten and timestamps are not in this conversation.
    if (std::set<std::string>{"reversed-4", "copy-before-tenth-low-ttl", "copy-before-first-timestamp"}.contains(
            variant.name)) {
      continue;
    }
    EXPECT_TRUE(one.touched[0]) << variant.name;
  }
}

TEST(InjectionVariants, WhatOnlyAddsLeavesTheRestInItsOrder) {
  const Trace trace = Requests({}, 6).trace();
  const std::vector<std::string> own = BytesOf(trace.frames());
  std::vector<Variant> adding;
  AddForgedControl(adding);
  AddForgedData(adding);
  for (const Variant& variant : adding) {
    const Injected injected = Inject(variant, trace, 5);
    const std::vector<std::string> all = BytesOf(injected.frames);
    EXPECT_EQ(all.size(), own.size() + injected.forged) << variant.name;
    size_t at = 0;
    for (const std::string& bytes : all) at += at < own.size() && bytes == own[at] ? 1 : 0;
    EXPECT_EQ(at, own.size()) << variant.name;
  }
}

TEST(InjectionVariants, TheSynIsWhereItIsSaidToBe) {
  const std::vector<Variant> all = AllVariants();
  const Injected injected = Inject(Named(all, "syn-2^29-ahead-client"), Requests({}, 2).trace(), 1);
  TcpFrame syn;
  ASSERT_TRUE(Parse(injected.frames[3], syn));
  EXPECT_EQ(syn.flags, kSyn);
  EXPECT_EQ(syn.sequence, 1001u + (1u << 29));
  EXPECT_EQ(syn.source_port, 40000);
}

TEST(InjectionVariants, ForgesForASideThatWasNotCaptured) {
  const std::vector<Variant> all = AllVariants();
  const Trace client = Requests({}, 2).trace().OneSide(kClient);
  const Injected injected = Inject(Named(all, "far-8-server"), client, 1);
  EXPECT_GE(injected.forged, 8u);
  TcpFrame forged;
  ASSERT_TRUE(Parse(injected.frames[2], forged));
  EXPECT_EQ(forged.source_port, 80);
  EXPECT_EQ(forged.sequence, 5'000'001u + 100'000'000u);
}

TEST(InjectionJudge, NothingIsLostWhereNothingIsHidden) {
  const Trace trace = Requests({}, 4).trace();
  const Result result = JudgeCapture(trace, "t", {Named(AllVariants(), "double-each")}, {});
  const Tally& whole = result.tallies[0][0];
  EXPECT_EQ(result.captures_judged, 1u);
  EXPECT_GE(whole.expected, 4u);
  EXPECT_EQ(whole.lost, 0u);
  EXPECT_TRUE(result.changes.empty());
}

TEST(InjectionJudge, ALossShows) {
  const Trace trace = Requests({}, 4).trace();
  const Variant cut{"cut", "", Expect::kKept, [](const Trace& of, Rng&, Injected& out) {
                      out.frames.assign(of.frames().begin(), of.frames().begin() + 8);
                      out.touched = {true};
                    }};
  for (const size_t literals : {size_t{0}, size_t{8}}) {
    JudgeOptions options;
    options.max_literals = literals;
    const Result result = JudgeCapture(trace, "t", {cut}, options);
    EXPECT_GE(result.tallies[0][0].lost, 1u) << literals;
    ASSERT_FALSE(result.changes.empty());
    EXPECT_LT(result.tallies[0][0].recall(), 0.99);
  }
}

TEST(InjectionJudge, WhatWasNotTouchedIsNotJudged) {
  const Variant nothing{"nothing", "", Expect::kKept, [](const Trace& of, Rng&, Injected& out) {
                          out.frames = of.frames();
                          out.touched = {false};
                        }};
  EXPECT_EQ(JudgeCapture(Requests({}, 2).trace(), "t", {nothing}, {}).tallies[0][0].expected, 0u);
}

}  // namespace
}  // namespace vedette::injection
