#include "signatures/patterns/pattern_database.h"

#include <hs.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <optional>
#include <utility>

#include "parsers/base/digest.h"
#include "parsers/base/text.h"

namespace vedette {
namespace {

constexpr size_t kAlignment = 8;  // of a serialised database in what the cache keeps

void AppendU32(uint32_t value, std::string& out) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
}

unsigned FlagsOf(const PatternDatabase::Pattern& pattern) {
  return (pattern.caseless ? HS_FLAG_CASELESS : 0u) | (pattern.every ? 0u : HS_FLAG_SINGLEMATCH);
}

// Names the database: all that Hyperscan makes it from, itself and the machine included.
DatabaseCache::Key KeyOf(const std::vector<PatternDatabase::Pattern>& patterns) {
  Digester digester(DigestAlgorithm::kSha256);
  std::string text = "pattern database 1\n";
  text.append(hs_version()).append("\n");
  hs_platform_info_t platform{};
  hs_populate_platform(&platform);
  AppendU32(platform.tune, text);
  AppendU32(static_cast<uint32_t>(platform.cpu_features >> 32), text);
  AppendU32(static_cast<uint32_t>(platform.cpu_features), text);
  AppendU32(HS_MODE_BLOCK, text);
  constexpr size_t kPieceBytes = size_t{64} * 1024;  // hashed at a time
  for (const PatternDatabase::Pattern& pattern : patterns) {
    AppendU32(FlagsOf(pattern) << 1 | (pattern.regex ? 1u : 0u), text);
    AppendU32(static_cast<uint32_t>(pattern.expression.size()), text);
    text += pattern.expression;
    if (text.size() < kPieceBytes) continue;
    digester.Update(AsBytes(text));
    text.clear();
  }
  digester.Update(AsBytes(text));
  return digester.Finish().bytes;
}

// What Hyperscan says about an expression, for whoever wrote it.
std::string ReasonOf(std::string_view message) {
  const auto says = [&](std::string_view part) { return message.find(part) != std::string_view::npos; };
  if (says("too large") || says("too big") || says("too long") || says("Resource limit")) {
    return "too large to be compiled: shorten it, or repeat less often";
  }
  if (says("Embedded start anchors")) return "a ^ that is not at the beginning is not supported: make it two rows";
  if (says("Embedded end anchors")) return "a $ that is not at the end is not supported: make it two rows";
  if (says("can never match")) return "can never match anything: look at its ^, $ and \\b";
  while (!message.empty() && message.back() == '.') message.remove_suffix(1);
  return "cannot be searched for (Hyperscan: " + std::string(message) + "): write it in another way";
}

struct FreeBytes {
  void operator()(char* bytes) const { std::free(bytes); }
};

}  // namespace

void PatternScratch::Free::operator()(hs_scratch* scratch) const { hs_free_scratch(scratch); }
void PatternDatabase::Free::operator()(hs_database* database) const { hs_free_database(database); }

PatternDatabase::PatternDatabase(hs_database* database) : database_(database) {
  if (hs_database_size(database, &memory_bytes_) != HS_SUCCESS) memory_bytes_ = 0;
}

// As \xhh, because hs_compile_lit_multi of 5.4.0 fails on literals that hold NULs.
std::string PatternDatabase::Literal(std::string_view bytes) {
  std::string expression;
  expression.reserve(bytes.size() * 4);
  for (const char c : bytes) expression.append("\\x").append(ToHex({&c, 1}));
  return expression;
}

// Compiles, and finds out which expressions stand in the way.
class PatternDatabase::Compiler {
 public:
  explicit Compiler(const std::vector<Pattern>& patterns) : patterns_(patterns) {}

  void Run(Built& out) {
    std::vector<uint32_t> kept(patterns_.size());
    std::iota(kept.begin(), kept.end(), 0);
    std::unique_ptr<hs_database, Free> database;
    bool tried_alone = false;
    // Each round refuses at least one expression; most often the first says all.
    constexpr size_t kMaxRounds = 20;
    for (size_t round = 0; !kept.empty() && (database = Try(kept)) == nullptr; ++round) {
      const bool any_regex = std::any_of(kept.begin(), kept.end(), [&](uint32_t i) { return patterns_[i].regex; });
      if (no_memory_ || !any_regex) {
        out.error = no_memory_ ? kNoMemory : "Hyperscan could not compile the contents: " + message_;
        return;
      }
      if (!tried_alone) {
        tried_alone = true;
        if (RefuseAlone(kept, out)) continue;
        if (!out.error.empty()) return;
      }
      if (culprit_ && patterns_[*culprit_].regex && round < kMaxRounds) {
        Refuse(*culprit_, ReasonOf(message_), kept, out);
      } else {
        RefuseTheLast(kept, out);
        if (!out.error.empty()) return;
      }
    }
    if (database != nullptr) out.database.reset(new PatternDatabase(database.release()));
    std::sort(out.refused.begin(), out.refused.end(),
              [](const Refused& a, const Refused& b) { return a.pattern < b.pattern; });
  }

 private:
  static constexpr char kNoMemory[] = "no memory to compile the patterns";

  std::unique_ptr<hs_database, Free> Try(const std::vector<uint32_t>& wanted) {
    std::vector<const char*> expressions;
    std::vector<unsigned> flags;
    for (const uint32_t i : wanted) {
      expressions.push_back(patterns_[i].expression.c_str());
      flags.push_back(FlagsOf(patterns_[i]));
    }
    hs_database_t* database = nullptr;
    hs_compile_error_t* error = nullptr;
    if (hs_compile_multi(expressions.data(), flags.data(), wanted.data(), static_cast<unsigned>(wanted.size()),
                         HS_MODE_BLOCK, nullptr, &database, &error) == HS_SUCCESS) {
      return std::unique_ptr<hs_database, Free>(database);
    }
    culprit_.reset();
    no_memory_ = error == nullptr;
    if (error != nullptr) {
      message_ = error->message;
      no_memory_ = message_.find("allocate memory") != std::string::npos;
      if (error->expression >= 0 && static_cast<size_t>(error->expression) < wanted.size()) {
        culprit_ = wanted[static_cast<size_t>(error->expression)];
      }
      hs_free_compile_error(error);
    }
    return nullptr;
  }

  static void Refuse(uint32_t pattern, std::string reason, std::vector<uint32_t>& kept, Built& out) {
    out.refused.push_back({pattern, std::move(reason)});
    kept.erase(std::remove(kept.begin(), kept.end(), pattern), kept.end());
  }

  // Every expression by itself. Whether one was refused. With an error where memory ran out: that is no fault of
  // theirs.
  bool RefuseAlone(std::vector<uint32_t>& kept, Built& out) {
    const size_t before = out.refused.size();
    std::vector<uint32_t> good;
    for (const uint32_t i : kept) {
      if (!patterns_[i].regex || Try({i}) != nullptr) {
        good.push_back(i);
      } else if (no_memory_) {
        out.error = kNoMemory;
        return false;
      } else {
        out.refused.push_back({i, ReasonOf(message_)});
      }
    }
    kept = std::move(good);
    return out.refused.size() > before;
  }

  // All together are too much: as many of the first expressions as fit stay. With an error where memory ran out.
  void RefuseTheLast(std::vector<uint32_t>& kept, Built& out) {
    const auto with_first = [&](size_t count) {
      std::vector<uint32_t> some;
      for (const uint32_t i : kept) {
        if (patterns_[i].regex && count == 0) continue;
        if (patterns_[i].regex) --count;
        some.push_back(i);
      }
      return some;
    };
    size_t fits = 0, too_many = 0;
    for (const uint32_t i : kept) too_many += patterns_[i].regex ? 1 : 0;
    while (too_many - fits > 1) {
      const size_t middle = fits + (too_many - fits) / 2;
      (Try(with_first(middle)) != nullptr ? fits : too_many) = middle;
      if (fits != middle && no_memory_) {
        out.error = kNoMemory;
        return;
      }
    }
    std::vector<uint32_t> some = with_first(fits);
    for (const uint32_t i : kept) {
      if (std::binary_search(some.begin(), some.end(), i)) continue;
      out.refused.push_back({i, "no room: together with the expressions before it it is too large to be compiled"});
    }
    kept = std::move(some);
  }

  const std::vector<Pattern>& patterns_;
  std::optional<uint32_t> culprit_;  // of the last failure
  std::string message_;
  bool no_memory_ = false;
};

namespace {

// What the cache keeps: the refused expressions, then, aligned, the serialised database.
std::string ContentOf(const std::vector<PatternDatabase::Refused>& refused, std::string_view database) {
  std::string out;
  AppendU32(static_cast<uint32_t>(refused.size()), out);
  for (const PatternDatabase::Refused& one : refused) {
    AppendU32(one.pattern, out);
    AppendU32(static_cast<uint32_t>(one.reason.size()), out);
    out += one.reason;
  }
  out.append((kAlignment - out.size() % kAlignment) % kAlignment, '\0');
  out += database;
  return out;
}

bool ReadContent(const std::string& content, size_t num_patterns, std::vector<PatternDatabase::Refused>& refused,
                 std::string_view& database) {
  ByteReader in(AsBytes(content));
  uint32_t count = 0;
  if (!in.ReadU32(count) || count > num_patterns) return false;
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t pattern = 0, length = 0;
    Bytes reason;
    if (!in.ReadU32(pattern) || pattern >= num_patterns || !in.ReadU32(length) || !in.ReadBytes(length, reason)) {
      return false;
    }
    refused.push_back({pattern, std::string(AsText(reason))});
  }
  const size_t used = content.size() - in.rest().size();
  const size_t begin = used + (kAlignment - used % kAlignment) % kAlignment;
  if (begin > content.size()) return false;
  database = std::string_view(content).substr(begin);
  return true;
}

}  // namespace

PatternDatabase::Built PatternDatabase::Compile(const std::vector<Pattern>& patterns, DatabaseCache& cache) {
  Built out;
  if (hs_valid_platform() != HS_SUCCESS) {
    out.error = "this machine's processor lacks SSSE3, which Hyperscan needs to search for patterns";
    return out;
  }
  DatabaseCache::Key key{};
  if (cache.enabled()) {
    key = KeyOf(patterns);
    if (const std::optional<std::string> content = cache.Load(key)) {
      std::string_view serialised;
      hs_database_t* database = nullptr;
      if (ReadContent(*content, patterns.size(), out.refused, serialised) &&
          hs_deserialize_database(serialised.data(), serialised.size(), &database) == HS_SUCCESS) {
        out.database.reset(new PatternDatabase(database));
        out.from_cache = true;
        return out;
      }
      out.refused.clear();
    }
  }
  Compiler(patterns).Run(out);
  if (out.database == nullptr || !cache.enabled()) return out;
  char* bytes = nullptr;
  size_t length = 0;
  if (hs_serialize_database(out.database->database_.get(), &bytes, &length) == HS_SUCCESS) {
    const std::unique_ptr<char, FreeBytes> owner(bytes);
    cache.Store(key, ContentOf(out.refused, {bytes, length}));
  }
  return out;
}

bool PatternDatabase::PrepareScratch(PatternScratch& scratch) const {
  hs_scratch_t* raw = scratch.scratch_.release();
  const bool prepared = hs_alloc_scratch(database_.get(), &raw) == HS_SUCCESS;
  if (prepared) scratch.scratch_.reset(raw);  // on failure Hyperscan has freed it
  return prepared;
}

// Hyperscan 5.4 reads up to 31 bytes behind the end of its input where the processor has AVX-512 VBMI
// (VectorCamp/vectorscan#322, the same code). What follows a page that is not there ends the program: input that ends
// so near to one is copied.
Bytes PatternDatabase::AwayFromPageEnd(Bytes data, PatternScratch& scratch) {
  constexpr uintptr_t kPageBytes = 4096;
  constexpr size_t kReadBehind = 64;
  const uintptr_t last = reinterpret_cast<uintptr_t>(data.data()) + data.size() - 1;
  if (data.empty() || last % kPageBytes + kReadBehind < kPageBytes) return data;
  std::vector<uint8_t>& copy = scratch.copy_;
  if (copy.size() < data.size() + kReadBehind) copy.resize(data.size() + kReadBehind);
  std::memcpy(copy.data(), data.data(), data.size());
  return Bytes(copy).first(data.size());
}

bool PatternDatabase::Scan(Bytes data, PatternScratch& scratch, OnMatch on_match, void* context) const {
  data = AwayFromPageEnd(data, scratch);
  return hs_scan(database_.get(), reinterpret_cast<const char*>(data.data()), static_cast<unsigned>(data.size()), 0,
                 scratch.scratch_.get(), on_match, context) == HS_SUCCESS;
}

}  // namespace vedette
