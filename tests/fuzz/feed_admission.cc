// Who is let into the feed, without sockets: requests to the authenticator (ZAP), connection tokens, and the ledger of
// live connections against a naive list of all that happened.
#include <map>
#include <string>
#include <vector>

#include "exporter/feed/connections.h"
#include "exporter/feed/zap.h"
#include "tests/fuzz/input.h"

namespace {

using namespace vedette;

void Ask(FuzzInput& input, ConnectionLedger& ledger) {
  std::vector<std::string> request;
  // Mostly right, so that what is wrong stands alone.
  const std::vector<std::string> right = {"1.0", "7",     std::string(kZapDomain), "192.0.2.1",
                                          "",    "CURVE", std::string(32, 'k')};
  const size_t num_frames = input.Byte() % 10;
  const uint16_t given = input.Number16();
  for (size_t i = 0; i < num_frames; ++i) {
    const bool as_it_should_be = i < right.size() && (given >> i & 1) == 0;
    request.push_back(as_it_should_be ? right[i] : std::string(input.Text()));
  }
  const uint8_t decision = input.Byte();
  const bool known = (decision & 1) != 0;
  const bool not_now = !known && (decision & 2) != 0;
  bool asked = false;
  const std::vector<std::string> reply =
      AnswerZap(request, [&](const std::string& key, std::string_view) -> std::variant<ZapAnswer, ZapRefusal> {
        asked = true;
        Check(key.size() == 40);
        if (known) return ZapAnswer{"cert-a", WriteToken(ledger.Admit(0))};
        return not_now ? ZapRefusal::kNotNow : ZapRefusal::kUnknownKey;
      });
  Check(reply.empty() == (request.size() < 2));
  if (reply.empty()) return;
  Check(reply.size() == 6 && reply[0] == "1.0" && reply[1] == request[1]);
  // Only a whole request of a key that we know is let in, and only then is there a name.
  const bool whole = request.size() == 7 && request[0] == "1.0" && request[2] == kZapDomain && request[5] == "CURVE" &&
                     request[6].size() == 32;
  Check(asked == whole && (reply[2] == "200") == (whole && known));
  // Nobody but a partner hears that it is not now.
  if (asked && !known) Check(reply[2] == (not_now ? "500" : "400"));
  Check((reply[2] == "200") == (reply[4] == "cert-a") && (reply[2] == "200") == !reply[5].empty());
}

void ReadAsToken(std::string_view text) {
  const std::optional<ConnectionToken> token = ReadToken(text);
  if (!token) return;
  const std::optional<ConnectionToken> again = ReadToken(WriteToken(*token));
  Check(again && again->partner == token->partner && again->serial == token->serial &&
        again->admitted == token->admitted);
}

// Admissions and ends in the order in which they happened.
struct Admission {
  ConnectionToken token;
  int descriptor;
  PartnerId partner;
  bool ended = false;
  uint64_t granted = 0;
  bool entered = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzInput input(data, size);
  ConnectionLedger ledger;
  std::vector<Admission> all;
  for (int i = 0; i < 200 && !input.empty(); ++i) {
    const uint8_t action = input.Byte();
    const int descriptor = input.Byte() % 8;
    switch (action % 5) {
      case 0:
        Ask(input, ledger);
        break;
      case 1:
        ReadAsToken(input.Text());
        break;
      case 2: {  // a connection is let in; its descriptor is free, or its end was reported before
        bool in_use = false;
        for (const Admission& one : all) in_use |= !one.ended && one.descriptor == descriptor;
        if (!in_use)
          all.push_back({ledger.Admit(action >> 4 & 1), descriptor, static_cast<PartnerId>(action >> 4 & 1)});
        break;
      }
      case 3:
        ledger.OnDisconnected(descriptor);
        for (Admission& one : all) one.ended |= one.descriptor == descriptor;
        break;
      default:
        if (all.empty()) break;
        Admission& one = all[static_cast<size_t>(descriptor) % all.size()];
        ConnectionLedger::Connection* found = ledger.Find(one.token, one.descriptor);
        Check((found != nullptr) == !one.ended);
        if (found == nullptr) break;
        Check(found->partner == one.partner && found->descriptor == one.descriptor && found->granted == one.granted);
        one.entered = true;
        one.granted = ++found->granted;
        if ((action & 0x80) != 0) found->closing = true;
    }
    for (const PartnerId partner : {PartnerId{0}, PartnerId{1}}) {
      size_t num_granted = 0;
      const Admission* oldest = nullptr;
      for (const Admission& one : all) {
        if (one.ended || !one.entered || one.partner != partner) continue;
        const bool closing = ledger.Find(one.token, one.descriptor)->closing;
        num_granted += !closing;
        if (!closing && oldest == nullptr) oldest = &one;
      }
      Check(ledger.NumGranted(partner) == num_granted);
      const ConnectionLedger::Connection* of_ledger = ledger.Oldest(partner);
      Check((of_ledger == nullptr) == (oldest == nullptr));
      Check(oldest == nullptr || of_ledger->descriptor == oldest->descriptor);
      size_t num_visited = 0;
      ledger.ForEachGranted(partner, [&](const ConnectionLedger::Connection& one) {
        Check(one.partner == partner && !one.closing);
        ++num_visited;
      });
      Check(num_visited == num_granted);
    }
  }
  return 0;
}
