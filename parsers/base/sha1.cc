#include "parsers/base/sha1.h"

#include <openssl/sha.h>

namespace vedette {

Sha1Digest Sha1(Bytes message) {
  Sha1Digest digest{};
  SHA1(message.data(), message.size(), digest.data());
  return digest;
}

}  // namespace vedette
