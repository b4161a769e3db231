// MD5, SHA-1 and SHA-256 through OpenSSL.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "parsers/base/bytes.h"

struct evp_md_st;
struct evp_md_ctx_st;

namespace vedette {

enum class DigestAlgorithm : uint8_t { kMd5, kSha1, kSha256 };

struct DigestValue {
  std::array<uint8_t, 32> bytes{};
  uint8_t size = 0;  // 16, 20 or 32; 0 where the library refused

  std::string Hex() const;  // lower case; "" where the library refused
};

// One algorithm, reusable: Update any number of times, then Finish, which starts over. Creating one costs
// about as much as digesting 100 bytes, so keep it as long as there is more to digest. Not thread safe; two of them
// share no mutable state.
//
// OpenSSL in FIPS mode has no MD5: Finish then gives an empty value, and a caller reports none.
class Digester {
 public:
  explicit Digester(DigestAlgorithm algorithm);

  void Update(Bytes bytes);
  [[nodiscard]] DigestValue Finish();
  // What Finish would return now; Update may continue.
  [[nodiscard]] DigestValue SoFar() const;

  // All of it at once.
  [[nodiscard]] DigestValue Of(Bytes bytes) {
    Update(bytes);
    return Finish();
  }

 private:
  struct FreeAlgorithm {
    void operator()(evp_md_st* algorithm) const;
  };
  struct FreeContext {
    void operator()(evp_md_ctx_st* context) const;
  };

  bool Begin();

  std::unique_ptr<evp_md_st, FreeAlgorithm> algorithm_;
  std::unique_ptr<evp_md_ctx_st, FreeContext> context_;
  bool begun_ = false;
};

// SHA-1 where a published format asks for it: Community ID and name-based UUIDs. Not for security. Keeps nothing, so it
// suits texts that come one by one.
using Sha1Digest = std::array<uint8_t, 20>;
Sha1Digest Sha1(Bytes message);

}  // namespace vedette
