#include "exporter/alert/content_id.h"

#include <algorithm>

#include "parsers/base/digest.h"

namespace vedette {
namespace {

// The name spaces of the two kinds of id: random, made once, part of the format.
constexpr uint8_t kAlertSpace[16] = {0x5c, 0x1f, 0x0e, 0x52, 0x9d, 0x3b, 0x4a, 0x86,
                                     0xa7, 0x60, 0x2e, 0xc4, 0x1b, 0x7d, 0x93, 0xf8};
constexpr uint8_t kIncidentSpace[16] = {0xe2, 0x94, 0x6b, 0x0d, 0x47, 0xc8, 0x4f, 0x15,
                                        0xb3, 0x8a, 0x71, 0x5e, 0xd0, 0x26, 0xaf, 0x39};

// Collects the parts of a name; every part carries its length, so that no two lists of parts give the same bytes.
class Name {
 public:
  explicit Name(const uint8_t (&space)[16]) {
    bytes_.reserve(kUsualBytes);
    bytes_.append(reinterpret_cast<const char*>(space), sizeof space);
  }

  void Add(std::string_view text) {
    Add(text.size());
    bytes_ += text;
  }
  void Add(uint64_t number) {
    char bytes[8];
    for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(number >> (56 - 8 * i));
    bytes_.append(bytes, sizeof bytes);
  }
  void Add(const IpAddress& address) {
    bytes_ += static_cast<char>(address.version());
    bytes_ += AsText(Bytes(address.bytes()));
  }

  std::string Uuid() const {
    Sha1Digest digest = Sha1(AsBytes(bytes_));
    digest[6] = static_cast<uint8_t>((digest[6] & 0x0f) | 0x50);  // version 5
    digest[8] = static_cast<uint8_t>((digest[8] & 0x3f) | 0x80);  // variant
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    text.reserve(36);
    for (size_t i = 0; i < 16; ++i) {
      if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
      text += kDigits[digest[i] >> 4];
      text += kDigits[digest[i] & 15];
    }
    return text;
  }

 private:
  static constexpr size_t kUsualBytes = 256;  // longer values grow it

  std::string bytes_;
};

}  // namespace

std::string AlertId(const Sighting& alert, std::string_view sensor, const IndicatorRecord& any_hit) {
  Name name(kAlertSpace);
  name.Add(sensor);
  name.Add(alert.flow.id);
  name.Add(alert.time_ns);
  name.Add(NameOf(alert.kind));
  name.Add(static_cast<uint64_t>(alert.direction));
  name.Add(alert.value);
  // Of a value that is text, the address that it writes adds nothing.
  name.Add(FormOf(alert.kind) == ValueForm::kAddress ? alert.address : IpAddress());
  if (alert.kind == ObservableKind::kPayload) {
    name.Add(NameOf(any_hit.type));
    name.Add(any_hit.value);
  }
  return name.Uuid();
}

std::string IncidentId(const Sighting& alert, const IndicatorRecord& best, const Roles& roles) {
  Name name(kIncidentSpace);
  name.Add(NameOf(best.type));
  name.Add(best.value);
  if (roles.affected != End::kNone) {
    name.Add(roles.affected == End::kClient ? alert.flow.client : alert.flow.server);
  } else {
    name.Add(std::min(alert.flow.client, alert.flow.server));
    name.Add(std::max(alert.flow.client, alert.flow.server));
  }
  return name.Uuid();
}

}  // namespace vedette
