// bench_traffic FOLDER [--bytes N] [--seconds N] [--indicators N]
//
// Makes what the benchmark runs on, always the same:
//
//   mixed.pcap           ordinary traffic (tests/bench/traffic.h), 500 MB
//   payload.csv          10,000 literals on payload and 100,000 names
//   fields-N.csv         N names and N addresses, for N = 1,000, 10,000 … up to --indicators (1,000,000)
//   storm.csv, calm.csv  the names that most flows of the capture show, and as many that none does
//
// Of names and addresses one in a thousand is in the traffic, in few flows: a network where something is found now and
// then.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "tests/bench/traffic.h"

namespace vedette::bench {
namespace {

constexpr uint64_t kLiterals = 10'000, kNames = 100'000, kRareHit = 1'000;

void Write32(std::ofstream& out, uint64_t value) {
  const auto number = static_cast<uint32_t>(value);
  out.write(reinterpret_cast<const char*>(&number), sizeof number);
}

bool WriteCapture(const std::string& path, const TrafficOptions& options, TrafficNames& names) {
  std::ofstream out(path, std::ios::binary);
  Write32(out, 0xa1b23c4d);  // nanoseconds
  Write32(out, 4u << 16 | 2);
  Write32(out, 0);
  Write32(out, 0);
  Write32(out, 262'144);
  Write32(out, 1);
  uint64_t packets = 0, bytes = 0;
  MakeTraffic(
      options,
      [&](const TrafficFrame& frame) {
        Write32(out, frame.time_ns / 1'000'000'000);
        Write32(out, frame.time_ns % 1'000'000'000);
        Write32(out, frame.bytes.size());
        Write32(out, frame.bytes.size());
        out.write(reinterpret_cast<const char*>(frame.bytes.data()), static_cast<std::streamsize>(frame.bytes.size()));
        ++packets;
        bytes += frame.bytes.size();
      },
      names);
  out.flush();
  std::printf("%s: %lu packets, %lu bytes\n", path.c_str(), packets, bytes);
  return out.good();
}

// A list of rows whose values are rare in the traffic.
class List {
 public:
  List(const std::string& path, uint64_t seed) : out_(path), random_(seed) { out_ << "type,value,id,tlp\n"; }
  void Add(const char* type, const std::string& value) {
    out_ << type << ',' << value << ',' << type << '-' << number_++ << ",clear\n";
  }
  void Names(uint64_t count, const TrafficNames& names) {
    for (uint64_t i = 0; i < count; ++i) {
      Add("domain", i % kRareHit == kRareHit / 2 ? Rare(names.hosts) : random_.Host());
    }
  }
  void Addresses(uint64_t count, const TrafficNames& names) {
    for (uint64_t i = 0; i < count; ++i) {
      Add("ip", i % kRareHit == kRareHit / 2 ? Rare(names.addresses) : random_.Address());
    }
  }
  void Literals(uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) Add("content", random_.Literal() + "/" + random_.Literal());
  }
  bool Close() {
    out_.flush();
    return out_.good();
  }
  NameMaker& random() { return random_; }

 private:
  // Those that come first are in most flows.
  const std::string& Rare(const std::vector<std::string>& values) {
    const size_t half = values.size() / 2;
    return values[half + random_.Below(half)];
  }

  std::ofstream out_;
  NameMaker random_;
  uint64_t number_ = 0;
};

int Main(int argc, char** argv) {
  TrafficOptions options;
  uint64_t most = 1'000'000;
  if (argc < 2 || argc % 2 != 0) {
    std::fprintf(stderr, "usage: bench_traffic FOLDER [--bytes N] [--seconds N] [--indicators N]\n");
    return 2;
  }
  const std::string folder = std::string(argv[1]) + '/';
  for (int i = 2; i + 1 < argc; i += 2) {
    const uint64_t value = std::strtoull(argv[i + 1], nullptr, 10);
    if (std::strcmp(argv[i], "--bytes") == 0) options.bytes = value;
    if (std::strcmp(argv[i], "--seconds") == 0) options.seconds = static_cast<double>(value);
    if (std::strcmp(argv[i], "--indicators") == 0) most = value;
  }
  TrafficNames names;
  bool well = WriteCapture(folder + "mixed.pcap", options, names);
  List payload(folder + "payload.csv", 2);
  payload.Literals(kLiterals);
  payload.Names(kNames, names);
  well &= payload.Close();
  for (uint64_t count = 1'000; count <= most; count *= 10) {
    List fields(folder + "fields-" + std::to_string(count) + ".csv", 3 + count);
    fields.Names(count, names);
    fields.Addresses(count, names);
    well &= fields.Close();
  }
  List storm(folder + "storm.csv", 4), calm(folder + "calm.csv", 5);
  for (const std::string& host : names.hosts) {
    storm.Add("domain", host);
    calm.Add("domain", calm.random().Host());
  }
  well &= storm.Close() && calm.Close();
  if (!well) std::fprintf(stderr, "%s: cannot be written\n", folder.c_str());
  return well ? 0 : 1;
}

}  // namespace
}  // namespace vedette::bench

int main(int argc, char** argv) { return vedette::bench::Main(argc, argv); }
