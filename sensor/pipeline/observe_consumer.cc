#include "sensor/pipeline/observe_consumer.h"

#include <algorithm>

#include "parsers/base/text.h"

namespace vedette {

void ObserveConsumer::OnBurst(const ObservableBatch& batch, std::span<const EmissionContext>,
                              std::span<const EndedFlow>) {
  for (const Observable& o : batch.observables()) {
    const auto kind = static_cast<size_t>(o.kind);
    if (IsContext(o.kind) || o.kind == ObservableKind::kPayload) continue;
    if (FormOf(o.kind) == ValueForm::kAddress) {
      addresses_[kind].insert(o.address);
    } else if (texts_[kind].find(o.text) == texts_[kind].end()) {
      texts_[kind].emplace(o.text);
    }
  }
}

void ObserveConsumer::MergeFrom(const ObserveConsumer& other) {
  for (size_t kind = 0; kind < kObservableKinds; ++kind) {
    texts_[kind].insert(other.texts_[kind].begin(), other.texts_[kind].end());
    addresses_[kind].insert(other.addresses_[kind].begin(), other.addresses_[kind].end());
  }
}

std::vector<std::pair<std::string_view, std::string>> ObserveConsumer::Sorted() const {
  std::vector<std::pair<std::string_view, std::string>> all;
  for (size_t kind = 0; kind < kObservableKinds; ++kind) {
    const std::string_view name = NameOf(static_cast<ObservableKind>(kind));
    for (const std::string& text : texts_[kind]) all.emplace_back(name, Escaped(text));
    for (const IpAddress& address : addresses_[kind]) all.emplace_back(name, address.ToString());
  }
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace vedette
