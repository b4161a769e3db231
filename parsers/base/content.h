// Content: what a protocol carries as a whole for somebody else, such as the body of an HTTP message or a file.
//
// A parser that meets content begins a ContentStream and gives it what it sees: bytes, gaps, and the end. Who wants
// them is a ContentConsumer, one per stream, made by the ContentConsumers that the worker uses. With none the stream is
// empty, the parser skips the content, and nobody looks at its bytes.
//
// Transfer codings are taken off (an HTTP body comes without its chunks' sizes), encodings are not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "parsers/base/bytes.h"
#include "parsers/base/observable.h"

namespace vedette {

enum class ContentKind : uint8_t { kHttpRequestBody, kHttpResponseBody, kCount };

class ContentKinds {
 public:
  constexpr ContentKinds() = default;
  constexpr ContentKinds(std::initializer_list<ContentKind> kinds) {
    for (const ContentKind kind : kinds) bits_ |= BitOf(kind);
  }
  constexpr bool Has(ContentKind kind) const { return (bits_ & BitOf(kind)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }

 private:
  static constexpr uint32_t BitOf(ContentKind kind) { return uint32_t{1} << static_cast<unsigned>(kind); }
  uint32_t bits_ = 0;
};
static_assert(static_cast<size_t>(ContentKind::kCount) <= 32);

// What is known before the first byte. Texts are as sent, empty where nothing is said, and hold during Begin only.
struct ContentInfo {
  ContentKind kind;
  Direction direction;
  std::optional<uint64_t> declared_bytes;
  std::string_view type;      // a media type, with its parameters
  std::string_view encoding;  // the codings that are still on it, in the order in which they were put on
  std::string_view name;      // of the file
};

enum class ContentEnd : uint8_t {
  kComplete,
  kCut,     // the rest was not seen, or where it ends is not known any more
  kAbsent,  // it was announced and not sent
};

// Looks at one piece of content. It is destroyed without End where its flow is given up.
class ContentConsumer {
 public:
  virtual ~ContentConsumer() = default;
  // The view holds during the call only. `values`: where to write what was found.
  virtual void OnBytes(Bytes bytes, ObservableBatch& values) = 0;
  virtual void OnGap(uint64_t bytes, ObservableBatch& values) = 0;
  virtual void OnEnd(ContentEnd end, ObservableBatch& values) = 0;
  virtual size_t HeldBytes() const = 0;  // counts against the memory of all parsers
};

// Makes consumers; one per worker.
class ContentConsumers {
 public:
  virtual ~ContentConsumers() = default;
  virtual ContentKinds wanted() const = 0;
  // Null: nobody wants this one.
  virtual std::unique_ptr<ContentConsumer> Begin(const ContentInfo& info, ObservableBatch& values) = 0;
};

// What a parser holds of content at hand. Empty: nobody wants it, and all calls do nothing.
class ContentStream {
 public:
  ContentStream() = default;
  explicit ContentStream(std::unique_ptr<ContentConsumer> consumer) : consumer_(std::move(consumer)) {}

  explicit operator bool() const { return consumer_ != nullptr; }
  void Pass(Bytes bytes, ObservableBatch& values) {
    if (consumer_ != nullptr && !bytes.empty()) consumer_->OnBytes(bytes, values);
  }
  void PassGap(uint64_t bytes, ObservableBatch& values) {
    if (consumer_ != nullptr && bytes != 0) consumer_->OnGap(bytes, values);
  }
  // Empty afterwards.
  void End(ContentEnd end, ObservableBatch& values) {
    if (consumer_ == nullptr) return;
    consumer_->OnEnd(end, values);
    consumer_.reset();
  }
  size_t HeldBytes() const { return consumer_ != nullptr ? consumer_->HeldBytes() : 0; }

 private:
  std::unique_ptr<ContentConsumer> consumer_;
};

}  // namespace vedette
