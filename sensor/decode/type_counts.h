// Which types of a kind were met, and how often: the EtherTypes that are not IP, say. A type is a number that whoever
// sends may choose, so only the first few are told apart.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace vedette {

class TypeCounts {
 public:
  // Names of a figure, each for good; a network has ten of them at most. Later ones count together.
  static constexpr size_t kMaxTypes = 24;

  struct Entry {
    uint32_t type;
    uint64_t count;
  };

  void Add(uint32_t type, uint64_t count = 1) {
    for (Entry& entry : std::span(entries_).first(size_)) {
      if (entry.type == type) {
        entry.count += count;
        return;
      }
    }
    if (size_ == kMaxTypes) {
      others_ += count;
    } else {
      entries_[size_++] = {type, count};
    }
  }
  void Add(const TypeCounts& part) {
    for (const Entry& entry : part.entries()) Add(entry.type, entry.count);
    others_ += part.others_;
  }

  // Calls visit(name(type), count) for each type, and visit("others", count) for later ones where there are some.
  template <class Name, class Visit>
  void ForEach(Name name, Visit visit) const {
    for (const Entry& entry : entries()) visit(name(entry.type), entry.count);
    if (others_ != 0) visit("others", others_);
  }

  std::span<const Entry> entries() const { return std::span(entries_).first(size_); }
  uint64_t others() const { return others_; }

 private:
  std::array<Entry, kMaxTypes> entries_{};
  size_t size_ = 0;
  uint64_t others_ = 0;
};

// What stands in a link header where IP would: a number, in the space that the header takes it from.
enum class LinkSpace : uint8_t {
  kEtherType,
  kLlc,     // IEEE 802.2: the destination's service access point
  kSnap,    // a type of an organisation's own
  kPpp,     // RFC 1661
  kFamily,  // an address family, of a loopback interface
};
constexpr uint32_t LinkTypeNumber(LinkSpace space, uint16_t type) { return static_cast<uint32_t>(space) << 16 | type; }
// "arp", "0x88b5", "llc_0x42", "ppp_0xc021": names for those that are met everywhere, else the number.
std::string NameOfLinkType(uint32_t number);

}  // namespace vedette
