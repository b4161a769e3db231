#include "exporter/feed/keys.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "parsers/base/secret_file.h"

namespace vedette {
namespace {

constexpr size_t kKeyChars = 40;                 // 32 bytes in Z85
constexpr size_t kMaxKeyFileBytes = 4UL * 1024;  // a certificate of CZMQ with its metadata has a few hundred

bool IsKey(const std::string& text) {
  std::array<uint8_t, 32> bytes{};
  const bool valid = text.size() == kKeyChars && zmq_z85_decode(bytes.data(), text.c_str()) != nullptr;
  explicit_bzero(bytes.data(), bytes.size());
  return valid;
}

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return descriptor_; }
  bool open() const { return descriptor_ >= 0; }

 private:
  int descriptor_;
};

int Create(const std::string& path, mode_t mode) {
  return open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
}

std::string CreateError(const std::string& path) {
  const int code = errno;
  if (code == EEXIST) return path + ": exists already; choose another prefix, or move the old key away first";
  return path + ": cannot create: " + std::strerror(code);
}

bool WriteAll(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return fsync(descriptor) == 0;
}

bool ReadAll(int descriptor, const std::string& path, std::string& text, std::string& error) {
  text.resize(kMaxKeyFileBytes + 1);
  size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = read(descriptor, text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      error = path + ": cannot read: " + std::strerror(errno);
      return false;
    }
    if (got == 0) break;
    size += static_cast<size_t>(got);
  }
  if (size > kMaxKeyFileBytes) {
    error = path + ": too large to be a key file; `vedette keygen` makes one";
    return false;
  }
  text.resize(size);
  return true;
}

// The value of `name = "value"`, empty where there is none. A line is at least indented; its quotes may be missing.
std::string ZplValue(std::string_view text, std::string_view name) {
  const auto trim = [](std::string_view part) {
    constexpr std::string_view kAround = " \t\r\"'";
    const size_t begin = part.find_first_not_of(kAround);
    if (begin == part.npos) return std::string_view();
    return part.substr(begin, part.find_last_not_of(kAround) - begin + 1);
  };
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == text.npos ? std::string_view() : text.substr(end + 1);
    const size_t equals = line.find('=');
    if (equals == line.npos || trim(line.substr(0, equals)) != name) continue;
    return std::string(trim(line.substr(equals + 1)));
  }
  return {};
}

// A file for the other side: a public key and no secret one.
bool IsPublicFile(const std::string& path) {
  const File file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  std::string text;
  std::string error;
  if (!file.open() || !ReadAll(file.get(), path, text, error)) return false;
  const bool is_public = IsKey(ZplValue(text, "public-key")) && ZplValue(text, "secret-key").empty();
  WipeSecret(text);
  return is_public;
}

}  // namespace

void KeyPair::Clear() {
  public_key.clear();
  WipeSecret(secret_key);
}

KeyPair NewKeyPair() {
  std::array<char, kKeyChars + 1> public_key{};
  std::array<char, kKeyChars + 1> secret_key{};
  KeyPair keys;
  if (zmq_curve_keypair(public_key.data(), secret_key.data()) == 0) {
    keys.public_key = public_key.data();
    keys.secret_key = secret_key.data();
  }
  explicit_bzero(secret_key.data(), secret_key.size());
  return keys;
}

bool WriteKeyPair(const KeyPair& keys, const std::string& prefix, std::string& error) {
  if (!IsKey(keys.public_key) || !IsKey(keys.secret_key)) {
    error = prefix + ": no key pair to write (is libzmq built without CURVE?)";
    return false;
  }
  const std::string secret_path = prefix + ".key";
  const std::string public_path = prefix + ".pub";
  const File secret(Create(secret_path, S_IRUSR | S_IWUSR));
  if (!secret.open()) {
    error = CreateError(secret_path);
    return false;
  }
  const File shared(Create(public_path, S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH));
  if (!shared.open()) {
    error = CreateError(public_path);
    unlink(secret_path.c_str());
    return false;
  }
  const std::string public_line = "    public-key = \"" + keys.public_key + "\"\n";
  std::string text =
      "# Secret. Keep it on this machine; the public key for others is in the .pub file.\ncurve\n" + public_line;
  text.reserve(text.size() + 80);  // no copy of the secret left behind by growing
  text += "    secret-key = \"";
  text += keys.secret_key;
  text += "\"\n";
  bool written = WriteAll(secret.get(), text);
  WipeSecret(text);
  if (!written) {
    error = secret_path + ": cannot write: " + std::strerror(errno);
  } else if (!WriteAll(shared.get(), "# Public key, for the other side.\ncurve\n" + public_line)) {
    error = public_path + ": cannot write: " + std::strerror(errno);
    written = false;
  }
  if (!written) {
    unlink(secret_path.c_str());
    unlink(public_path.c_str());
  }
  return written;
}

bool ReadSecretKey(const std::string& path, KeyPair& keys, std::string& error, const std::string& owner) {
  std::string text;
  if (!ReadSecretFile(path, kMaxKeyFileBytes, text, error, owner)) {
    if (IsPublicFile(path)) {
      error = path + ": this is the public key; the secret one is in the same folder and ends in .key";
      return false;
    }
    if (access(path.c_str(), F_OK) != 0) error += "; `vedette keygen` makes a key";
    return false;
  }
  keys.public_key = ZplValue(text, "public-key");
  keys.secret_key = ZplValue(text, "secret-key");
  WipeSecret(text);
  if (!IsKey(keys.secret_key)) {
    error = path + ": holds no secret-key of 40 characters; `vedette keygen` makes one (is this the .pub file?)";
    return false;
  }
  std::array<char, kKeyChars + 1> derived{};
  if (zmq_curve_public(derived.data(), keys.secret_key.c_str()) != 0) {
    error = path + ": the secret key does not work";
    return false;
  }
  if (keys.public_key.empty()) keys.public_key = derived.data();
  if (keys.public_key != derived.data()) {
    error = path + ": its public-key does not belong to its secret-key; restore the file or make a new pair";
    return false;
  }
  return true;
}

bool ReadPublicKey(const std::string& text, std::string& public_key, std::string& error) {
  // A path can look like Z85, so what exists as a file is one.
  const File file(open(text.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.open()) {
    const int code = errno;
    if (IsKey(text)) {
      public_key = text;
      return true;
    }
    error = "'" + text + "' is neither a public key (40 characters of Z85) nor a file: " + std::strerror(code);
    return false;
  }
  std::string content;
  if (!ReadAll(file.get(), text, content, error)) return false;
  public_key = ZplValue(content, "public-key");
  WipeSecret(content);  // it may be a secret file
  if (IsKey(public_key)) return true;
  error = text + ": holds no public-key of 40 characters";
  return false;
}

}  // namespace vedette
