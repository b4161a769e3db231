// CURVE key pairs on disk.
//
// Files are in ZPL (ZeroMQ RFC 4) as CZMQ and pyzmq write certificates, so that `zmq.auth.load_certificate` reads ours
// and we read theirs:
//
//   curve
//       public-key = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
//       secret-key = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"      in PREFIX.key only
#pragma once

#include <string>

namespace vedette {

// Wipes the secret when it goes.
struct KeyPair {
  std::string public_key;  // Z85 (ZeroMQ RFC 32), 40 characters
  std::string secret_key;

  ~KeyPair() { Clear(); }
  void Clear();
};

KeyPair NewKeyPair();
// Writes PREFIX.key (both, mode 0600) and PREFIX.pub (the public one, 0644). Never over an existing file, never through
// a symbolic link, and neither of them where one fails.
bool WriteKeyPair(const KeyPair& keys, const std::string& prefix, std::string& error);
// Refuses a file that others can read or replace (parsers/base/secret_file.h), and a pair that does not belong together,
// with what to do about it.
// `owner`: one more user to whom it may belong, as there.
bool ReadSecretKey(const std::string& path, KeyPair& keys, std::string& error, const std::string& owner = {});
// `text` is 40 characters of Z85, or the path of a .pub file.
bool ReadPublicKey(const std::string& text, std::string& public_key, std::string& error);

}  // namespace vedette
