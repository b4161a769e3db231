// Writes a MaxMind DB file, format version 2.0 (maxmind.github.io/MaxMind-DB): search tree, data section, metadata.
//
// Ranges go in one by one, values are shared. For files of a few million networks, at set-up time and in tests.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "exporter/geo/build/ip_ranges.h"

namespace vedette {

// A value of the data section. Built by the caller, so trusted: no bound on its depth.
struct MmdbEntry;
struct MmdbValue {
  enum class Type : uint8_t { kString, kDouble, kUint16, kUint32, kUint64, kBool, kMap, kArray };
  Type type = Type::kMap;
  std::string text;
  double real = 0;
  uint64_t number = 0;
  std::vector<MmdbEntry> map;
  std::vector<MmdbValue> array;

  static MmdbValue String(std::string text);
  static MmdbValue Double(double real);
  static MmdbValue Uint16(uint16_t number);
  static MmdbValue Uint32(uint32_t number);
  static MmdbValue Uint64(uint64_t number);
  static MmdbValue Bool(bool is_true);
  static MmdbValue Array(std::vector<MmdbValue> values);
  static MmdbValue Map(std::vector<MmdbEntry> entries);
};
struct MmdbEntry {
  std::string key;
  MmdbValue value;
};

struct MmdbMetadata {
  std::string database_type;
  std::string description;  // English
  uint64_t build_epoch = 0;
};

class MmdbWriter {
 public:
  MmdbWriter();

  // The same value twice gives the same number.
  uint32_t AddValue(const MmdbValue& value);
  // A later range replaces an earlier one where they overlap.
  void Insert(Place128 first, Place128 last, uint32_t value);
  // For tests and small files.
  void Insert(const IpAddress& address, unsigned prefix_length, const MmdbValue& value);

  // The whole file. IPv4 is found under ::/96, and through ::ffff:0:0/96 and 2002::/16 too. False: more than the
  // format's 32-bit records can hold.
  bool Finish(const MmdbMetadata& metadata, std::string& file);

  size_t num_nodes() const { return nodes_.size(); }

 private:
  // A record of a node: 0: nothing; top bit set: a value; else the number of a node (never the root).
  using Node = std::array<uint32_t, 2>;
  static constexpr uint32_t kValueBit = 0x80000000;

  void InsertPrefix(Place128 prefix, unsigned length, uint32_t record);
  uint32_t Join(uint32_t node);
  uint32_t NodeAt(Place128 prefix, unsigned length) const;
  void Encode(const MmdbValue& value);
  void EncodeString(const std::string& text);
  bool EncodePointer(const std::string& key);

  std::vector<Node> nodes_;
  std::string data_;
  std::vector<uint32_t> value_offsets_;                // by value number
  std::unordered_map<std::string, uint32_t> values_;   // number by encoding without pointers
  std::unordered_map<std::string, uint32_t> offsets_;  // offset of an existing value, by the same key
};

}  // namespace vedette
