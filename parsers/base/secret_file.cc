#include "parsers/base/secret_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>
#include <vector>

#include "parsers/base/errno_text.h"
#include "parsers/base/file.h"

namespace vedette {
namespace {

// Larger than any entry of a user database; getpwnam_r says ERANGE where it is not.
constexpr size_t kPasswdBytes = 16384;

// Whose files are taken: this user's, root's, and those of one more.
class Owners {
 public:
  explicit Owners(const std::string& another) {
    if (another.empty()) return;
    passwd entry{};
    passwd* found = nullptr;
    std::vector<char> buffer(kPasswdBytes);
    if (getpwnam_r(another.c_str(), &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr)
      another_ = found->pw_uid;
  }
  bool Have(const struct stat& status) const {
    return status.st_uid == geteuid() || status.st_uid == 0 || status.st_uid == another_;
  }

 private:
  uid_t another_ = 0;
};

bool CheckFolder(const Owners& owners, const std::filesystem::path& file, const std::string& path, std::string& error) {
  const std::string parent = file.parent_path().string();
  const std::string folder = parent.empty() ? "." : parent;
  struct stat status {};
  if (stat(folder.c_str(), &status) != 0) {
    error = fmt::format("{}: cannot examine its folder {}: {}", path, folder, ErrnoText(errno));
    return false;
  }
  if (!owners.Have(status)) {
    error =
        fmt::format("{}: its folder {} belongs to another user, who could replace it; move it, or `chown` the folder",
                    path, folder);
    return false;
  }
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0 && (status.st_mode & S_ISVTX) == 0) {
    error = fmt::format("{}: others may write its folder {} and could replace it; run `chmod go-w {}`", path, folder,
                        folder);
    return false;
  }
  return true;
}

bool CheckLink(const Owners& owners, const std::string& path, std::string& error) {
  struct stat link {};
  if (lstat(path.c_str(), &link) != 0 || !S_ISLNK(link.st_mode)) return true;
  if (!owners.Have(link)) {
    error = path + ": is a symbolic link of another user; name the file itself";
    return false;
  }
  std::error_code failure;
  const std::filesystem::path target = std::filesystem::canonical(path, failure);
  if (failure) {
    error = fmt::format("{}: cannot follow this symbolic link: {}", path, failure.message());
    return false;
  }
  return CheckFolder(owners, target, path, error);
}

bool CheckFile(const Owners& owners, int descriptor, const std::string& path, std::string& error) {
  struct stat status {};
  if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    error = path + ": not a regular file";
    return false;
  }
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    error =
        path + ": others can read this secret; run `chmod 600 " + path + "`, and make a new one if someone may have";
    return false;
  }
  if (!owners.Have(status)) {
    error = path + ": belongs to another user; run `chown` on it, or run as its owner";
    return false;
  }
  return true;
}

bool ReadAll(int descriptor, const std::string& path, size_t max_bytes, std::string& text, std::string& error) {
  text.assign(max_bytes + 1, '\0');
  const std::optional<size_t> size = ReadUpTo(descriptor, text.data(), text.size());
  if (!size) {
    error = path + ": cannot read: " + ErrnoText();
    WipeSecret(text);
    return false;
  }
  if (*size > max_bytes) {
    error = fmt::format("{}: too large to be a secret (more than {} bytes)", path, max_bytes);
    WipeSecret(text);
    return false;
  }
  text.resize(*size);
  return true;
}

}  // namespace

void WipeSecret(std::string& text) {
  explicit_bzero(text.data(), text.size());
  text.clear();
}

bool ReadSecretFile(const std::string& path, size_t max_bytes, std::string& text, std::string& error,
                    const std::string& owner) {
  const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.is_open()) {
    error = path + ": cannot open this secret: " + ErrnoText(errno);
    return false;
  }
  const Owners owners(owner);
  return CheckFile(owners, file.get(), path, error) && CheckLink(owners, path, error) &&
         CheckFolder(owners, path, path, error) && ReadAll(file.get(), path, max_bytes, text, error);
}

}  // namespace vedette
