#include "signatures/indicator.h"

#include <array>

#include "parsers/base/text.h"

namespace vedette {
namespace {

constexpr ObservableMask EmittedAt(Emission emission) {
  return ObservableMask::Where([=](const ObservableTraits& kind) { return kind.emission == emission; });
}

constexpr std::array<std::string_view, 6> kTlpNames = {"amber+strict", "clear",        "green",
                                                       "amber",        "amber+strict", "red"};

}  // namespace

ObservableMask EmittedFor(ObservableMask looked_in) {
  constexpr ObservableMask kCertificates = ObservableMask::Where(
      [](const ObservableTraits& kind) { return kind.ownership == Ownership::kCertificateOwner; });
  ObservableMask mask = EmittedAt(Emission::kAlways);
  mask.Add(looked_in);
  if (looked_in.Intersects(kCertificates)) mask.Add(EmittedAt(Emission::kWithCertificates));
  return mask;
}

std::string_view NameOf(Tlp tlp) { return kTlpNames[static_cast<size_t>(tlp)]; }

std::optional<Tlp> TlpOf(std::string_view name) {
  std::string lowered = LowerAscii(name);
  std::string_view text = lowered;
  if (text.substr(0, 4) == "tlp:") text.remove_prefix(4);
  if (text == "white") return Tlp::kClear;
  for (size_t i = 1; i < kTlpNames.size(); ++i) {
    if (kTlpNames[i] == text) return static_cast<Tlp>(i);
  }
  return std::nullopt;
}

}  // namespace vedette
