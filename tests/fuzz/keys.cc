// Any bytes as a key file: a key comes out whole, or an error that names the file. What is written reads the same.
#include "exporter/feed/keys.h"

#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vedette;
  static const FuzzFile file("keys");
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  file.Write(text);
  std::string error, public_key;
  KeyPair keys;
  if (ReadSecretKey(file.path(), keys, error)) {
    Check(keys.secret_key.size() == 40 && keys.public_key.size() == 40 && error.empty());
    std::string of_secret_file;
    // A secret file may leave its public key out.
    if (ReadPublicKey(file.path(), of_secret_file, error)) Check(of_secret_file == keys.public_key);
  } else {
    Check(error.starts_with(file.path() + ": "));
  }
  error.clear();
  if (ReadPublicKey(file.path(), public_key, error)) {
    Check(public_key.size() == 40 && error.empty());
    // A key given as text is the same.
    std::string again;
    Check(ReadPublicKey(public_key, again, error) && again == public_key);
  } else {
    Check(error.starts_with(file.path() + ": "));
  }
  // As the value of a configuration, which may be a key or a path. Not one of a real file.
  const std::string value(text.substr(0, text.find('\0')));
  error.clear();
  if (value.find('/') == value.npos && access(value.c_str(), F_OK) != 0 && !ReadPublicKey(value, public_key, error)) {
    Check(!error.empty());
  }
  return 0;
}
