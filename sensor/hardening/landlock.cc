#include "sensor/hardening/landlock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "parsers/base/errno_text.h"

namespace vedette {
namespace {

// include/uapi/linux/landlock.h as of ABI 7.
enum FileAccess : uint64_t {
  kExecute = 1U << 0,
  kWriteFile = 1U << 1,
  kReadFile = 1U << 2,
  kReadDir = 1U << 3,
  kRemoveDir = 1U << 4,
  kRemoveFile = 1U << 5,
  kMakeChar = 1U << 6,
  kMakeDir = 1U << 7,
  kMakeReg = 1U << 8,
  kMakeSock = 1U << 9,
  kMakeFifo = 1U << 10,
  kMakeBlock = 1U << 11,
  kMakeSym = 1U << 12,
  kRefer = 1U << 13,     // ABI 2
  kTruncate = 1U << 14,  // ABI 3
  kIoctlDev = 1U << 15,  // ABI 5
};
enum NetAccess : uint64_t { kBindTcp = 1U << 0, kConnectTcp = 1U << 1 };               // ABI 4
enum Scope : uint64_t { kScopeAbstractUnixSocket = 1U << 0, kScopeSignal = 1U << 1 };  // ABI 6
enum RuleType : int { kPathBeneath = 1, kNetPort = 2 };
constexpr unsigned kCreateRulesetVersion = 1;

struct RulesetAttributes {
  uint64_t access_fs;
  uint64_t access_net;  // ABI 4
  uint64_t scoped;      // ABI 6
};
struct __attribute__((packed)) PathBeneathAttributes {
  uint64_t access;
  int32_t parent;
};
struct NetPortAttributes {
  uint64_t access;
  uint64_t port;
};

constexpr uint64_t kReading = kReadFile | kReadDir;
constexpr uint64_t kWriting = kReading | kWriteFile | kTruncate | kRemoveDir | kRemoveFile | kMakeDir | kMakeReg |
                              kMakeSock | kMakeFifo | kMakeSym | kRefer;
// What a rule for a single file can grant.
constexpr uint64_t kOfFiles = kExecute | kWriteFile | kReadFile | kTruncate | kIoctlDev;

uint64_t KnownFileAccess(int abi) {
  uint64_t known = (kMakeSym << 1) - 1;
  if (abi >= 2) known |= kRefer;
  if (abi >= 3) known |= kTruncate;
  if (abi >= 5) known |= kIoctlDev;
  return known;
}

}  // namespace

int LandlockAbi() {
  const long abi = syscall(SYS_landlock_create_ruleset, nullptr, size_t{0}, kCreateRulesetVersion);
  return abi < 0 ? 0 : static_cast<int>(abi);
}

LandlockRules::~LandlockRules() {
  for (const PathRule& rule : paths_) close(rule.file);
}

bool LandlockRules::Add(const std::string& path, uint64_t access) {
  const int file = open(path.c_str(), O_PATH | O_CLOEXEC);
  if (file < 0) return false;
  struct stat status {};
  if (fstat(file, &status) != 0) {
    const int number = errno;
    close(file);
    errno = number;
    return false;
  }
  if (!S_ISDIR(status.st_mode)) access &= kOfFiles;
  paths_.push_back({path, file, access});
  return true;
}

bool LandlockRules::AllowRead(const std::string& path) { return Add(path, kReading); }
bool LandlockRules::AllowWrite(const std::string& folder) { return Add(folder, kWriting); }
bool LandlockRules::AllowWriteFile(const std::string& path) { return Add(path, kWriteFile | kReadFile); }

bool LandlockRules::Enforce(int abi, std::string& error) {
  const uint64_t known = KnownFileAccess(abi);
  RulesetAttributes attributes{known, 0, 0};
  size_t attribute_bytes = sizeof attributes.access_fs;
  if (abi >= 4) {
    attributes.access_net = connect_anywhere_ ? kBindTcp : kBindTcp | kConnectTcp;
    attribute_bytes += sizeof attributes.access_net;
  }
  if (abi >= 6) {
    attributes.scoped = kScopeAbstractUnixSocket | kScopeSignal;
    attribute_bytes += sizeof attributes.scoped;
  }
  const int ruleset = static_cast<int>(syscall(SYS_landlock_create_ruleset, &attributes, attribute_bytes, 0U));
  if (ruleset < 0) {
    error = fmt::format("Landlock refuses the rules (ABI {}): {}", abi, ErrnoText(errno));
    return false;
  }
  const auto fail = [&](const std::string& what) {
    error = fmt::format("Landlock refuses {} (ABI {}): {}", what, abi, ErrnoText(errno));
    close(ruleset);
    return false;
  };
  for (const PathRule& rule : paths_) {
    const PathBeneathAttributes beneath{rule.access & known, rule.file};
    if (syscall(SYS_landlock_add_rule, ruleset, kPathBeneath, &beneath, 0U) != 0) return fail(rule.path);
  }
  if (abi >= 4) {
    for (const uint16_t port : listen_ports_) {
      const NetPortAttributes net{kBindTcp, port};
      if (syscall(SYS_landlock_add_rule, ruleset, kNetPort, &net, 0U) != 0) return fail(fmt::format("port {}", port));
    }
    for (size_t i = 0; !connect_anywhere_ && i < connect_ports_.size(); ++i) {
      const uint16_t port = connect_ports_[i];
      const NetPortAttributes net{kConnectTcp, port};
      if (syscall(SYS_landlock_add_rule, ruleset, kNetPort, &net, 0U) != 0) return fail(fmt::format("port {}", port));
    }
  }
  if (syscall(SYS_landlock_restrict_self, ruleset, 0U) != 0) return fail("to be enforced");
  close(ruleset);
  return true;
}

}  // namespace vedette
