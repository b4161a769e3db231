#include "exporter/geo/build/mmdb_writer.h"

#include <cstring>

namespace vedette {
namespace {

// Types of the format's data section.
constexpr unsigned kPointer = 1, kUtf8 = 2, kDouble = 3, kUint16 = 5, kUint32 = 6, kMap = 7, kUint64 = 9, kArray = 11,
                   kBoolean = 14;

void AppendBytes(uint64_t number, unsigned count, std::string& out) {
  for (unsigned i = count; i > 0; --i) out += static_cast<char>(number >> (8 * (i - 1)));
}

// Control byte and length of a value.
void AppendControl(unsigned type, size_t size, std::string& out) {
  const unsigned first = type < 8 ? type << 5 : 0;
  unsigned inline_size = 0;
  std::string tail;
  if (size < 29) {
    inline_size = static_cast<unsigned>(size);
  } else if (size < 285) {
    inline_size = 29;
    AppendBytes(size - 29, 1, tail);
  } else if (size < 65'821) {
    inline_size = 30;
    AppendBytes(size - 285, 2, tail);
  } else {
    inline_size = 31;
    AppendBytes(size - 65'821, 3, tail);
  }
  out += static_cast<char>(first | inline_size);
  if (type >= 8) out += static_cast<char>(type - 7);
  out += tail;
}

void AppendUnsigned(unsigned type, uint64_t number, std::string& out) {
  unsigned bytes = 0;
  while (bytes < 8 && number >> (8 * bytes) != 0) ++bytes;
  AppendControl(type, bytes, out);
  AppendBytes(number, bytes, out);
}

void AppendText(const std::string& text, std::string& out) {
  AppendControl(kUtf8, text.size(), out);
  out += text;
}

// The encoding without pointers: names the value.
void AppendPlain(const MmdbValue& value, std::string& out) {
  switch (value.type) {
    case MmdbValue::Type::kString:
      AppendText(value.text, out);
      break;
    case MmdbValue::Type::kDouble: {
      uint64_t bits;
      std::memcpy(&bits, &value.real, sizeof bits);
      AppendControl(kDouble, 8, out);
      AppendBytes(bits, 8, out);
      break;
    }
    case MmdbValue::Type::kUint16:
      AppendUnsigned(kUint16, value.number, out);
      break;
    case MmdbValue::Type::kUint32:
      AppendUnsigned(kUint32, value.number, out);
      break;
    case MmdbValue::Type::kUint64:
      AppendUnsigned(kUint64, value.number, out);
      break;
    case MmdbValue::Type::kBool:
      AppendControl(kBoolean, value.number, out);
      break;
    case MmdbValue::Type::kArray:
      AppendControl(kArray, value.array.size(), out);
      for (const MmdbValue& element : value.array) AppendPlain(element, out);
      break;
    case MmdbValue::Type::kMap:
      AppendControl(kMap, value.map.size(), out);
      for (const auto& [key, entry] : value.map) {
        AppendText(key, out);
        AppendPlain(entry, out);
      }
      break;
  }
}

MmdbValue Number(MmdbValue::Type type, uint64_t number) {
  MmdbValue value;
  value.type = type;
  value.number = number;
  return value;
}

}  // namespace

MmdbValue MmdbValue::String(std::string text) {
  MmdbValue value;
  value.type = Type::kString;
  value.text = std::move(text);
  return value;
}
MmdbValue MmdbValue::Double(double real) {
  MmdbValue value;
  value.type = Type::kDouble;
  value.real = real;
  return value;
}
MmdbValue MmdbValue::Uint16(uint16_t number) { return Number(Type::kUint16, number); }
MmdbValue MmdbValue::Uint32(uint32_t number) { return Number(Type::kUint32, number); }
MmdbValue MmdbValue::Uint64(uint64_t number) { return Number(Type::kUint64, number); }
MmdbValue MmdbValue::Bool(bool is_true) { return Number(Type::kBool, is_true ? 1 : 0); }
MmdbValue MmdbValue::Array(std::vector<MmdbValue> values) {
  MmdbValue value;
  value.type = Type::kArray;
  value.array = std::move(values);
  return value;
}
MmdbValue MmdbValue::Map(std::vector<MmdbEntry> entries) {
  MmdbValue value;
  value.map = std::move(entries);
  return value;
}

MmdbWriter::MmdbWriter() : nodes_(1, Node{0, 0}) {}

uint32_t MmdbWriter::AddValue(const MmdbValue& value) {
  std::string name;
  AppendPlain(value, name);
  const auto known = values_.find(name);
  if (known != values_.end()) return known->second;
  const auto number = static_cast<uint32_t>(value_offsets_.size());
  // A record points at the value itself, never at a pointer, so a value inside another one is written again.
  value_offsets_.push_back(static_cast<uint32_t>(data_.size()));
  Encode(value);
  values_.emplace(std::move(name), number);
  return number;
}

// Writes a pointer to a value that the data section has already; false if it has not.
bool MmdbWriter::EncodePointer(const std::string& key) {
  constexpr size_t kShortestWorthwhile = 4;  // a pointer takes up to 5 bytes, most of them 3 or 4
  if (key.size() < kShortestWorthwhile) return false;
  const auto known = offsets_.find(key);
  if (known == offsets_.end()) {
    offsets_.emplace(key, static_cast<uint32_t>(data_.size()));
    return false;
  }
  uint32_t offset = known->second;
  const auto control = [&](unsigned size_bits, unsigned high) {
    data_ += static_cast<char>(kPointer << 5 | size_bits << 3 | (high & 7));
  };
  if (offset < 2048) {
    control(0, offset >> 8);
    AppendBytes(offset & 0xff, 1, data_);
  } else if (offset < 526'336) {
    offset -= 2048;
    control(1, offset >> 16);
    AppendBytes(offset & 0xffff, 2, data_);
  } else if (offset < 134'744'064) {
    offset -= 526'336;
    control(2, offset >> 24);
    AppendBytes(offset & 0xffffff, 3, data_);
  } else {
    control(3, 0);
    AppendBytes(offset, 4, data_);
  }
  return true;
}

void MmdbWriter::EncodeString(const std::string& text) {
  std::string encoded;
  AppendText(text, encoded);
  if (!EncodePointer(encoded)) data_ += encoded;
}

void MmdbWriter::Encode(const MmdbValue& value) {
  const auto encode_inner = [this](const MmdbValue& inner) {
    if (inner.type == MmdbValue::Type::kString) {
      EncodeString(inner.text);
    } else if (inner.type == MmdbValue::Type::kMap || inner.type == MmdbValue::Type::kArray) {
      std::string key;
      AppendPlain(inner, key);
      if (!EncodePointer(key)) Encode(inner);
    } else {
      AppendPlain(inner, data_);
    }
  };
  if (value.type == MmdbValue::Type::kMap) {
    AppendControl(kMap, value.map.size(), data_);
    for (const auto& [key, entry] : value.map) {
      EncodeString(key);
      encode_inner(entry);
    }
  } else if (value.type == MmdbValue::Type::kArray) {
    AppendControl(kArray, value.array.size(), data_);
    for (const MmdbValue& element : value.array) encode_inner(element);
  } else {
    AppendPlain(value, data_);
  }
}

void MmdbWriter::InsertPrefix(Place128 prefix, unsigned length, uint32_t record) {
  uint32_t node = 0;
  for (unsigned depth = 0;; ++depth) {
    const unsigned bit = static_cast<unsigned>(prefix >> (127 - depth)) & 1;
    if (depth + 1 == length) {
      nodes_[node][bit] = record;
      return;
    }
    const uint32_t next = nodes_[node][bit];
    if (next == 0 || (next & kValueBit) != 0) {
      const auto added = static_cast<uint32_t>(nodes_.size());
      nodes_.push_back({next, next});
      nodes_[node][bit] = added;
      node = added;
    } else {
      node = next;
    }
  }
}

void MmdbWriter::Insert(Place128 first, Place128 last, uint32_t value) {
  const uint32_t record = value | kValueBit;
  // The fewest prefixes that cover the range.
  while (true) {
    unsigned length = 128;
    while (length > 1) {
      const Place128 size_less_one = (Place128{1} << (129 - length)) - 1;
      if ((first & size_less_one) != 0 || first + size_less_one > last || first + size_less_one < first) break;
      --length;
    }
    InsertPrefix(first, length, record);
    const Place128 end = first + ((Place128{1} << (128 - length)) - 1);
    if (end >= last) return;
    first = end + 1;
  }
}

void MmdbWriter::Insert(const IpAddress& address, unsigned prefix_length, const MmdbValue& value) {
  const unsigned length = address.is_v4() ? 96 + prefix_length : prefix_length;
  const Place128 mask = length == 0 ? kLastPlace : (Place128{1} << (128 - length)) - 1;
  const Place128 first = PlaceOf(address) & ~mask;
  Insert(first, first | mask, AddValue(value));
}

uint32_t MmdbWriter::NodeAt(Place128 prefix, unsigned length) const {
  uint32_t node = 0;
  for (unsigned depth = 0; depth < length; ++depth) {
    node = nodes_[node][static_cast<unsigned>(prefix >> (127 - depth)) & 1];
    if (node == 0 || (node & kValueBit) != 0) break;
  }
  return node;
}

// Two halves that say the same are one: the record to use in place of `node`.
uint32_t MmdbWriter::Join(uint32_t node) {
  for (unsigned bit = 0; bit < 2; ++bit) {
    const uint32_t child = nodes_[node][bit];
    if (child != 0 && (child & kValueBit) == 0) {
      const uint32_t joined = Join(child);  // at most 128 deep: the length of an address
      nodes_[node][bit] = joined;
    }
  }
  const Node& children = nodes_[node];
  const bool leaf = children[0] == 0 || (children[0] & kValueBit) != 0;
  return leaf && children[0] == children[1] ? children[0] : node;
}

bool MmdbWriter::Finish(const MmdbMetadata& metadata, std::string& file) {
  Join(0);
  // The other ways to write an IPv4 address inside IPv6, where nothing of their own is known: RFC 4291 and RFC 3056.
  const uint32_t v4 = NodeAt(0, 96);
  if (v4 != 0) {
    if (NodeAt(Place128{0xffff} << 32, 96) == 0) InsertPrefix(Place128{0xffff} << 32, 96, v4);
    if (NodeAt(Place128{0x2002} << 112, 16) == 0) InsertPrefix(Place128{0x2002} << 112, 16, v4);
  }

  // Nodes still in use, in the order of a walk from the root.
  constexpr uint32_t kUnseen = 0xffffffff;
  std::vector<uint32_t> numbers(nodes_.size(), kUnseen), order, todo{0};
  order.reserve(nodes_.size());
  while (!todo.empty()) {
    const uint32_t node = todo.back();
    todo.pop_back();
    if (numbers[node] != kUnseen) continue;
    numbers[node] = static_cast<uint32_t>(order.size());
    order.push_back(node);
    for (int bit = 1; bit >= 0; --bit) {
      const uint32_t child = nodes_[node][static_cast<size_t>(bit)];
      if (child != 0 && (child & kValueBit) == 0) todo.push_back(child);
    }
  }

  constexpr uint64_t kSeparatorBytes = 16;
  const uint64_t node_count = order.size();
  const uint64_t largest = node_count + kSeparatorBytes + data_.size();
  if (largest > 0xffffffff) return false;
  const unsigned record_bits = largest < 1 << 24 ? 24 : largest < 1 << 28 ? 28 : 32;
  const auto record_of = [&](uint32_t record) -> uint64_t {
    if (record == 0) return node_count;
    if ((record & kValueBit) != 0) return node_count + kSeparatorBytes + value_offsets_[record & ~kValueBit];
    return numbers[record];
  };
  file.clear();
  file.reserve(node_count * record_bits / 4 + data_.size() + 1024);
  for (const uint32_t node : order) {
    const uint64_t left = record_of(nodes_[node][0]), right = record_of(nodes_[node][1]);
    if (record_bits == 28) {
      AppendBytes(left & 0xffffff, 3, file);
      AppendBytes((left >> 24) << 4 | right >> 24, 1, file);
      AppendBytes(right & 0xffffff, 3, file);
    } else {
      AppendBytes(left, record_bits / 8, file);
      AppendBytes(right, record_bits / 8, file);
    }
  }
  file.append(kSeparatorBytes, '\0');
  file += data_;
  file += "\xab\xcd\xefMaxMind.com";
  AppendPlain(MmdbValue::Map({
                  {"binary_format_major_version", MmdbValue::Uint16(2)},
                  {"binary_format_minor_version", MmdbValue::Uint16(0)},
                  {"build_epoch", MmdbValue::Uint64(metadata.build_epoch)},
                  {"database_type", MmdbValue::String(metadata.database_type)},
                  {"description", MmdbValue::Map({{"en", MmdbValue::String(metadata.description)}})},
                  {"ip_version", MmdbValue::Uint16(6)},
                  {"languages", MmdbValue::Array({MmdbValue::String("en")})},
                  {"node_count", MmdbValue::Uint32(static_cast<uint32_t>(node_count))},
                  {"record_size", MmdbValue::Uint16(static_cast<uint16_t>(record_bits))},
              }),
              file);
  return true;
}

}  // namespace vedette
