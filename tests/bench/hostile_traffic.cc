#include "tests/bench/hostile_traffic.h"

#include <algorithm>

#include "sensor/flow/flow_table.h"
#include "sensor/pipeline/worker.h"
#include "tests/injection/conversation.h"
#include "tests/injection/variants.h"

namespace vedette::bench {
namespace {

using injection::Conversation;
using injection::kClient;
using injection::kServer;
using injection::kSyn;
using injection::Noise;
using injection::Rng;
using injection::Segment;

constexpr size_t kMss = 1460;
constexpr uint64_t kSynFlood = 1'000'000;

Conversation::Ends EndsOf(uint32_t number, uint16_t server_port = 80) {
  Conversation::Ends ends;
  ends.client = number;
  ends.server = number % 250 + 1;
  ends.client_port = static_cast<uint16_t>(10'000 + number % 50'000);
  ends.server_port = server_port;
  return ends;
}

// Hands on what a conversation has said, and counts it.
class Sender {
 public:
  Sender(uint64_t packets, const TakeFrame& take) : left_(packets), take_(take) {}
  bool done() const { return left_ == 0; }
  void Send(const std::vector<uint8_t>& frame) {
    take_(frame);
    if (left_ != 0) --left_;
  }
  void Flush(Conversation& conversation) {
    for (const std::vector<uint8_t>& frame : conversation.Take()) Send(frame);
  }

 private:
  uint64_t left_;
  const TakeFrame& take_;
};

// Calls `talk` with one opened conversation after another until enough was sent.
template <class Talk>
void EachFlow(uint64_t packets, const TakeFrame& take, Talk&& talk, uint16_t port = 80) {
  Sender sender(packets, take);
  for (uint32_t number = 1; !sender.done(); ++number) {
    Conversation conversation(EndsOf(number, port));
    conversation.Open();
    talk(conversation, sender, number);
    sender.Flush(conversation);
  }
}

std::string Request(Rng& rng, size_t number) {
  return "GET /path/" + std::to_string(number) + "/index.html HTTP/1.1\r\nHost: www" + std::to_string(rng.Below(5000)) +
         ".example.com\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: */*\r\nAccept-Language: en\r\n\r\n";
}

std::string Response(Rng& rng, size_t bytes) {
  std::string body(bytes, '\0');
  for (char& c : body) c = static_cast<char>(rng.Next());
  return "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: " + std::to_string(bytes) + "\r\n\r\n" + body;
}

// A datagram of the server's port 53 or to it, in the place of a segment.
std::vector<uint8_t> DnsQuery(Rng& rng, const std::vector<std::string>& labels) {
  std::vector<uint8_t> dns = {
      static_cast<uint8_t>(rng.Next()), static_cast<uint8_t>(rng.Next()), 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
  for (const std::string& label : labels) {
    dns.push_back(static_cast<uint8_t>(label.size()));
    dns.insert(dns.end(), label.begin(), label.end());
  }
  dns.insert(dns.end(), {0, 0, 1, 0, 1});
  std::vector<uint8_t> out = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 0, 0, 1, 0, 0, 64, 17, 0, 0, 10};
  const size_t udp = 8 + dns.size(), ip = 20 + udp;
  out[16] = static_cast<uint8_t>(ip >> 8);
  out[17] = static_cast<uint8_t>(ip);
  for (int i = 0; i < 3; ++i) out.push_back(static_cast<uint8_t>(rng.Below(200) + 1));
  out.insert(out.end(), {192, 0, 2, 53, static_cast<uint8_t>(rng.Below(128) + 64), static_cast<uint8_t>(rng.Next()), 0,
                         53, static_cast<uint8_t>(udp >> 8), static_cast<uint8_t>(udp), 0, 0});
  out.insert(out.end(), dns.begin(), dns.end());
  return out;
}

std::vector<std::string> ManyLabels(Rng& rng) {
  constexpr size_t kLabels = 120;
  std::vector<std::string> labels;
  labels.reserve(kLabels + 2);
  for (size_t i = 0; i < kLabels; ++i) labels.emplace_back(1, static_cast<char>('a' + rng.Below(26)));
  labels.emplace_back("example");
  labels.emplace_back("com");
  return labels;
}

void Ordinary(uint64_t packets, const TakeFrame& take) {
  Rng rng(1);
  EachFlow(packets, take, [&](Conversation& conversation, Sender& sender, uint32_t number) {
    for (int i = 0; i < 4; ++i) {
      sender.Send(DnsQuery(rng, {"www" + std::to_string(rng.Below(5000)), "example", "com"}));
      conversation.Send(kClient, Request(rng, number));
      conversation.Send(kServer, Response(rng, 2000 + rng.Below(20'000)), kMss, i % 2 == 0);
      sender.Flush(conversation);
    }
    conversation.Close();
  });
}

void Bulk(uint64_t packets, const TakeFrame& take, char byte) {
  const std::string bytes(kMss * 20, byte);
  EachFlow(packets, take, [&](Conversation& conversation, Sender& sender, uint32_t number) {
    for (uint32_t i = 0; i < 20; ++i) {
      conversation.Send(number % 2 == 0 ? kClient : kServer, bytes, kMss, false);
      sender.Flush(conversation);
    }
  });
}

void HostFlood(uint64_t packets, const TakeFrame& take) {
  Rng rng(2);
  EachFlow(packets, take, [&](Conversation& conversation, Sender&, uint32_t) {
    for (int i = 0; i < 50; ++i) {
      std::string host;
      for (const std::string& label : ManyLabels(rng)) host += (host.empty() ? "" : ".") + label;
      conversation.Send(kClient, "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n", kMss, false);
    }
  });
}

void Pipelined(uint64_t packets, const TakeFrame& take) {
  std::string requests;
  while (requests.size() < kMss * 10)
    requests += "GET /" + std::to_string(requests.size()) + " HTTP/1.1\r\nHost: a.example\r\n\r\n";
  EachFlow(packets, take, [&](Conversation& conversation, Sender& sender, uint32_t) {
    for (int i = 0; i < 10; ++i) {
      conversation.Send(kClient, requests, kMss, false);
      sender.Flush(conversation);
    }
  });
}

// One byte at a time: in order, or each behind a hole.
void Tiny(uint64_t packets, const TakeFrame& take, bool holes) {
  const uint8_t byte = 'x';
  EachFlow(packets, take, [&](Conversation& conversation, Sender& sender, uint32_t) {
    for (uint32_t i = 0; i < 2000; ++i) {
      if (holes) {
        Segment segment = conversation.Next(kClient);
        segment.sequence += 2 + 2 * i;
        segment.payload = {&byte, 1};
        conversation.Put(kClient, segment);
      } else {
        conversation.Send(kClient, "x", 1, false);
      }
      sender.Flush(conversation);
    }
  });
}

// Full segments, each behind a hole, the farthest first: as much work for a queue as can be.
void Holes(uint64_t packets, const TakeFrame& take, bool backwards) {
  const std::vector<uint8_t> bytes(kMss, 'h');
  EachFlow(packets, take, [&](Conversation& conversation, Sender& sender, uint32_t) {
    for (uint32_t i = 0; i < 700; ++i) {
      Segment segment = conversation.Next(kServer);
      segment.sequence += 1 + (backwards ? 699 - i : i) * static_cast<uint32_t>(kMss + 1);
      segment.payload = bytes;
      conversation.Put(kServer, segment);
      sender.Flush(conversation);
    }
  });
}

void SynFlood(uint64_t packets, const TakeFrame& take) {
  Sender sender(packets, take);
  for (uint32_t number = 1; !sender.done(); ++number) {
    Conversation::Ends ends = EndsOf(number);
    ends.first[0] = number * 2654435761u;
    Conversation conversation(ends);
    Segment syn = conversation.Next(kClient);
    syn.flags = kSyn;
    conversation.Put(kClient, syn);
    sender.Flush(conversation);
  }
}

// First fragments of datagrams that are never completed, or datagrams of many small ones without the last.
void Fragments(uint64_t packets, const TakeFrame& take, bool small) {
  Rng rng(3);
  Sender sender(packets, take);
  const size_t bytes = small ? 8 : 1400;
  for (uint32_t number = 1; !sender.done(); ++number) {
    for (uint32_t i = 0; i < (small ? 900u : 1u); ++i) {
      std::vector<uint8_t> frame = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0};
      const size_t ip = 20 + bytes;
      for (const size_t byte :
           {ip >> 8, ip & 0xff, size_t{number >> 8 & 0xff}, size_t{number & 0xff}, size_t{0x20 | (2 * i) >> 8},
            size_t{2 * i & 0xff}, size_t{64}, size_t{17}, size_t{0}, size_t{0}, size_t{10}, size_t{1},
            size_t{number >> 16 & 0xff}, size_t{1}, size_t{192}, size_t{0}, size_t{2}, size_t{7}}) {
        frame.push_back(static_cast<uint8_t>(byte));
      }
      frame.resize(frame.size() + bytes, 'f');
      sender.Send(frame);
    }
  }
}

// What is forged comes before each real segment.
template <class Forge>
void Forged(uint64_t packets, const TakeFrame& take, Forge&& forge) {
  Rng rng(4);
  EachFlow(packets, take, [&](Conversation& conversation, Sender& sender, uint32_t number) {
    for (uint32_t i = 0; i < 20; ++i) {
      forge(conversation, rng, kClient);
      conversation.Send(kClient, Request(rng, number));
      forge(conversation, rng, kServer);
      conversation.Send(kServer, Response(rng, 1000));
      sender.Flush(conversation);
    }
  });
}

void ForgeSyn(Conversation& conversation, Rng& rng, size_t side) {
  Segment segment = conversation.Next(side);
  segment.flags = kSyn;
  segment.sequence += static_cast<uint32_t>(rng.Next());
  conversation.Put(side, segment);
}

void ForgeFar(Conversation& conversation, Rng& rng, size_t side) {
  const std::vector<uint8_t> bytes = Noise(rng, 1000);
  for (uint32_t i = 0; i < 4; ++i) {
    Segment segment = conversation.Next(side);
    segment.sequence += 100'000'000 + i * 1000 + static_cast<uint32_t>(rng.Below(8)) * 20'000'000;
    segment.payload = bytes;
    conversation.Put(side, segment);
  }
}

void ForgeCopy(Conversation& conversation, Rng& rng, size_t side) {
  const std::vector<uint8_t> bytes = Noise(rng, 200);
  Segment segment = conversation.Next(side);
  segment.payload = bytes;
  segment.ttl = 1;
  conversation.Put(side, segment);
}

// Each segment of one stream again and again with other bytes.
void CopyFlood(uint64_t packets, const TakeFrame& take) {
  Rng rng(5);
  EachFlow(packets, take, [&](Conversation& conversation, Sender& sender, uint32_t number) {
    for (uint32_t i = 0; i < 20; ++i) {
      for (int copy = 0; copy < 10; ++copy) {
        const std::string other = Request(rng, rng.Below(1000));
        Segment segment = conversation.Next(kClient);
        segment.payload = AsBytes(other);
        conversation.Put(kClient, segment);
      }
      conversation.Send(kClient, Request(rng, number));
      sender.Flush(conversation);
    }
  });
}

void Doubled(uint64_t packets, const TakeFrame& take) {
  Ordinary(packets / 2, [&](const std::vector<uint8_t>& frame) {
    take(frame);
    take(frame);
  });
}

// Flows that all begin their search in one bucket of the flow table, for whoever knows the seed (replay's is fixed).
void Chain(uint64_t packets, const TakeFrame& take) {
  constexpr uint64_t kBuckets = 4096;  // as many as a table of these flows has, or more
  constexpr size_t kChain = 20'000;
  const FlowHashSeed seed = WorkerOptions().hash_seed;
  std::vector<std::vector<uint8_t>> chain;
  for (uint32_t number = 1; chain.size() < kChain; ++number) {
    uint8_t ends[2][16] = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 0},
                           {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1}};
    const uint32_t host = number >> 14;
    ends[0][13] = static_cast<uint8_t>(host >> 16);
    ends[0][14] = static_cast<uint8_t>(host >> 8);
    ends[0][15] = static_cast<uint8_t>(host);
    FlowKey key;
    key.source = ends[0];
    key.destination = ends[1];
    key.source_port = static_cast<uint16_t>(20'000 + (number & 0x3fff));
    key.destination_port = 80;
    key.protocol = 6;
    key.version = 4;
    key.ComputeHash(seed);
    if (key.hash % kBuckets != 0) continue;
    Conversation::Ends flow;
    flow.client = host;
    flow.client_port = key.source_port;
    Conversation conversation(flow);
    conversation.Acknowledge(kClient);
    chain.push_back(conversation.frames()[0]);
  }
  Sender sender(packets, take);
  for (size_t i = 0; !sender.done(); ++i) sender.Send(chain[i % chain.size()]);
}

}  // namespace

std::vector<HostileCase> HostileCases() {
  std::vector<HostileCase> all;
  const auto add = [&](const char* name, const char* about, auto send, uint64_t least = 0) {
    all.push_back({name, about, send, least, 0});
  };
  using N = uint64_t;
  using T = const TakeFrame&;
  add("ordinary", "HTTP of 2 to 22 kB an answer, DNS", Ordinary);
  add("zeros", "full segments of zeros", [](N n, T take) { Bulk(n, take, '\0'); });
  add("letters", "full segments of A, where literals of A and B are looked for",
      [](N n, T take) { Bulk(n, take, 'A'); });
  add("names-dns", "DNS queries of 122 labels", [](N n, T take) {
    Rng rng(6);
    for (N i = 0; i < n; ++i) take(DnsQuery(rng, ManyLabels(rng)));
  });
  add("names-http", "HTTP requests to hosts of 122 labels", HostFlood);
  add("pipelined", "HTTP requests of 45 bytes, 32 in a segment", Pipelined);
  add("tiny", "segments of one byte, in order", [](N n, T take) { Tiny(n, take, false); });
  add("tiny-holes", "segments of one byte, each behind a hole", [](N n, T take) { Tiny(n, take, true); });
  add("holes", "full segments, each behind a hole", [](N n, T take) { Holes(n, take, false); });
  add("holes-backwards", "the same, the farthest first", [](N n, T take) { Holes(n, take, true); });
  add("syn-flood", "a million flows of one SYN each", SynFlood, kSynFlood);
  add("fragments", "first fragments that nothing follows", [](N n, T take) { Fragments(n, take, false); });
  add("fragments-small", "datagrams in fragments of 8 bytes, every second missing",
      [](N n, T take) { Fragments(n, take, true); });
  add("forged-syn", "a forged SYN before each segment", [](N n, T take) { Forged(n, take, ForgeSyn); });
  add("forged-far", "four forged segments far ahead before each one", [](N n, T take) { Forged(n, take, ForgeFar); });
  add("forged-copies", "other bytes at the place of each segment", [](N n, T take) { Forged(n, take, ForgeCopy); });
  add("copy-flood", "ten copies of each request that differ", CopyFlood);
  add("doubled", "ordinary traffic, each packet twice", Doubled);
  add(
      "idle-flows", "a million flows that end in one sweep, then ordinary traffic",
      [](N n, T take) {
        SynFlood(kSynFlood, take);
        Ordinary(n > kSynFlood ? n - kSynFlood : n, take);
      },
      kSynFlood + 100'000);
  all.back().pause_after = kSynFlood;
  add("chain", "20,000 flows of one bucket of the flow table", Chain);
  return all;
}

std::vector<std::string> HostileIndicators() {
  std::vector<std::string> all = {"content:AAAAAAAAAAAAAAAB", "content:AAAABAAAABAAAAB", "content:xxxxxxxxxxxxxxxxy"};
  Rng rng(7);
  const auto letters = [&](size_t count) {
    const std::vector<uint8_t> text = Noise(rng, count);
    return std::string(text.begin(), text.end());
  };
  for (int i = 0; i < 2000; ++i) all.push_back("content:" + letters(8 + rng.Below(16)));
  for (int i = 0; i < 20'000; ++i) all.push_back("domain:" + letters(5 + rng.Below(10)) + ".example.com");
  return all;
}

}  // namespace vedette::bench
