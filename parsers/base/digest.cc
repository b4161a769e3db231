#include "parsers/base/digest.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "parsers/base/text.h"

namespace vedette {
namespace {

const char* LibraryNameOf(DigestAlgorithm algorithm) {
  switch (algorithm) {
    case DigestAlgorithm::kMd5:
      return "MD5";
    case DigestAlgorithm::kSha1:
      return "SHA1";
    case DigestAlgorithm::kSha256:
      return "SHA256";
  }
  return "";
}

}  // namespace

std::string DigestValue::Hex() const { return ToHex(AsText(Bytes(bytes).first(size))); }

void Digester::FreeAlgorithm::operator()(evp_md_st* algorithm) const { EVP_MD_free(algorithm); }
void Digester::FreeContext::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

Digester::Digester(DigestAlgorithm algorithm)
    : algorithm_(EVP_MD_fetch(nullptr, LibraryNameOf(algorithm), nullptr)), context_(EVP_MD_CTX_new()) {}

bool Digester::Begin() {
  begun_ = algorithm_ && context_ && EVP_DigestInit_ex2(context_.get(), algorithm_.get(), nullptr) == 1;
  return begun_;
}

void Digester::Update(Bytes bytes) {
  if (!begun_ && !Begin()) return;
  if (EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) != 1) begun_ = false;
}

DigestValue Digester::Finish() {
  DigestValue value;
  unsigned size = 0;
  if ((begun_ || Begin()) && EVP_DigestFinal_ex(context_.get(), value.bytes.data(), &size) == 1) {
    value.size = static_cast<uint8_t>(size);
  }
  begun_ = false;
  return value;
}

DigestValue Digester::SoFar() const {
  DigestValue value;
  unsigned size = 0;
  const std::unique_ptr<EVP_MD_CTX, FreeContext> copy(EVP_MD_CTX_new());
  const bool ready = copy && (begun_ ? EVP_MD_CTX_copy_ex(copy.get(), context_.get()) == 1
                                     : EVP_DigestInit_ex2(copy.get(), algorithm_.get(), nullptr) == 1);
  if (ready && EVP_DigestFinal_ex(copy.get(), value.bytes.data(), &size) == 1) value.size = static_cast<uint8_t>(size);
  return value;
}

// SHA1() looks its algorithm up under locks and allocates, which takes three times as long as the digest of an alert's
// few bytes.
Sha1Digest Sha1(Bytes message) {
  Sha1Digest digest{};
  SHA_CTX context;
  SHA1_Init(&context);
  SHA1_Update(&context, message.data(), message.size());
  SHA1_Final(digest.data(), &context);
  return digest;
}

}  // namespace vedette
