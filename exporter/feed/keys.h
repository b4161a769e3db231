// CURVE key pairs on disk.
#pragma once

#include <string>

namespace vedette {

struct KeyPair {
  std::string public_key;  // Z85 (ZeroMQ RFC 32), 40 characters
  std::string secret_key;
};

KeyPair NewKeyPair();
// Writes PREFIX.key (both, mode 0600, never over an existing file) and PREFIX.pub (the public one, 0644).
bool WriteKeyPair(const KeyPair& keys, const std::string& prefix, std::string& error);
// Refuses a secret file that others can read, with what to do about it.
bool ReadSecretKey(const std::string& path, KeyPair& keys, std::string& error);
// `text` is 40 characters of Z85, or the path of a .pub file.
bool ReadPublicKey(const std::string& text, std::string& public_key, std::string& error);

}  // namespace vedette
