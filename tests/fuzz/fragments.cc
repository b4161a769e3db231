// Fragments of a few datagrams, six bytes each: which one, offset, length, more, time. The table has to put together
// what the naive way does.
#include <cstdint>
#include <cstdlib>
#include <numeric>

#include "tests/unit/sensor/decode/naive_fragments.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vedette;
  constexpr uint64_t kTimeout = 1000;
  constexpr size_t kMaxFragments = 500;  // below the table's bound on pieces
  const auto check = [](bool holds) {
    if (!holds) std::abort();
  };
  NotDecodedCounts counts{};
  FragmentTable table({.bytes = size_t{64} << 20, .datagrams = 1000, .timeout_ns = kTimeout}, counts);
  testing::NaiveFragments naive(kTimeout);
  uint64_t accounted = 0, num_added = 0, time_ns = 0;
  const uint8_t v4[4] = {192, 0, 2, 1}, v6[16] = {0x20, 0x01, 0x0d, 0xb8};
  for (size_t at = 0; at + 6 <= size && num_added < kMaxFragments; at += 6) {
    const uint8_t* p = data + at;
    DatagramKey key;
    key.source = key.destination = (p[0] & 1) != 0 ? IpAddress::V6(v6) : IpAddress::V4(v4);
    key.identification = p[0] >> 1 & 3;
    time_ns += p[5];
    const std::string bytes((p[3] & 0x80) != 0 ? p[3] & 0x7fu : (p[3] & 0x3fu) * 8, static_cast<char>(p[4]));
    const FragmentTable::Fragment fragment{.offset = ((p[1] & 0x1fu) << 8 | p[2]) * 8,
                                           .more = (p[1] & 0x80) != 0,
                                           .protocol = 17,
                                           .data = AsBytes(bytes),
                                           .time_ns = time_ns};
    FragmentTable::Datagram datagram;
    const std::optional<std::string> expected = naive.Add(key, fragment);
    const FragmentTable::Status status = table.Add(key, fragment, datagram);
    ++num_added;
    check(expected.has_value() == (status == FragmentTable::Status::kComplete));
    if (expected) {
      check(*expected == AsText(datagram.data));
      accounted += datagram.num_frames;
    }
    check(accounted + std::accumulate(counts.begin(), counts.end(), uint64_t{0}) == num_added);
  }
  table.Finish();
  check(accounted + std::accumulate(counts.begin(), counts.end(), uint64_t{0}) == num_added);
  check(table.held_bytes() == 0 && counts[static_cast<size_t>(NotDecoded::kFragmentHeld)] == 0);
  return 0;
}
