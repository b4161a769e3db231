#include "sensor/hardening/system_calls.h"

#include <fmt/format.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <system_error>
#include <type_traits>

namespace vedette {
namespace {

constexpr int kAlways[] = {
    // Memory. mmap and mprotect follow below.
    SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(mincore), SCMP_SYS(mlock),
    SCMP_SYS(munlock), SCMP_SYS(msync), SCMP_SYS(membarrier),
    // Threads. clone follows below.
    SCMP_SYS(futex), SCMP_SYS(set_robust_list), SCMP_SYS(get_robust_list), SCMP_SYS(rseq), SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity), SCMP_SYS(sched_setaffinity), SCMP_SYS(sched_getparam), SCMP_SYS(sched_getscheduler),
    SCMP_SYS(sched_setscheduler), SCMP_SYS(sched_get_priority_max), SCMP_SYS(sched_get_priority_min),
    SCMP_SYS(setpriority), SCMP_SYS(getpriority), SCMP_SYS(set_tid_address), SCMP_SYS(gettid), SCMP_SYS(getcpu),
    SCMP_SYS(exit), SCMP_SYS(exit_group),
    // Signals: its own. Landlock keeps them from other processes; without it the kernel's rule for users does.
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigtimedwait),
    SCMP_SYS(rt_sigpending), SCMP_SYS(sigaltstack), SCMP_SYS(signalfd4), SCMP_SYS(tgkill), SCMP_SYS(restart_syscall),
    // The command runner's end is waited for.
    SCMP_SYS(wait4), SCMP_SYS(waitid),
    // Time and waiting.
    SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(times), SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime),
    SCMP_SYS(timerfd_gettime), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(select), SCMP_SYS(pselect6),
    SCMP_SYS(epoll_create), SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_pwait2), SCMP_SYS(eventfd2), SCMP_SYS(pipe), SCMP_SYS(pipe2),
    // Files; which ones is Landlock's part.
    SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(close), SCMP_SYS(close_range), SCMP_SYS(read), SCMP_SYS(readv),
    SCMP_SYS(pread64), SCMP_SYS(preadv), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(pwrite64), SCMP_SYS(pwritev),
    SCMP_SYS(lseek), SCMP_SYS(fstat), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(newfstatat), SCMP_SYS(statx),
    SCMP_SYS(statfs), SCMP_SYS(fstatfs), SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
    SCMP_SYS(getdents64), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getcwd), SCMP_SYS(fsync),
    SCMP_SYS(fdatasync), SCMP_SYS(sync_file_range), SCMP_SYS(ftruncate), SCMP_SYS(truncate), SCMP_SYS(fallocate),
    SCMP_SYS(fadvise64), SCMP_SYS(readahead), SCMP_SYS(flock), SCMP_SYS(fcntl), SCMP_SYS(dup), SCMP_SYS(dup2),
    SCMP_SYS(dup3), SCMP_SYS(umask), SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(unlink),
    SCMP_SYS(unlinkat), SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(rmdir), SCMP_SYS(link), SCMP_SYS(linkat),
    SCMP_SYS(symlink), SCMP_SYS(symlinkat), SCMP_SYS(chmod), SCMP_SYS(fchmod), SCMP_SYS(fchmodat), SCMP_SYS(utimensat),
    SCMP_SYS(sendfile), SCMP_SYS(inotify_init1), SCMP_SYS(inotify_add_watch), SCMP_SYS(inotify_rm_watch),
    // Sockets. socket, socketpair and what sends follow below; a capture socket is open already.
    SCMP_SYS(bind), SCMP_SYS(listen), SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(connect), SCMP_SYS(shutdown),
    SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(recvfrom),
    SCMP_SYS(recvmsg), SCMP_SYS(recvmmsg),
    // Itself.
    SCMP_SYS(getpid), SCMP_SYS(getppid), SCMP_SYS(getpgrp), SCMP_SYS(getpgid), SCMP_SYS(getsid), SCMP_SYS(getuid),
    SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(getresuid), SCMP_SYS(getresgid),
    SCMP_SYS(getgroups), SCMP_SYS(capget), SCMP_SYS(getrlimit), SCMP_SYS(getrusage), SCMP_SYS(sysinfo), SCMP_SYS(uname),
    SCMP_SYS(getrandom), SCMP_SYS(arch_prctl)};

// What no part of a sensor calls and an intruder would.
constexpr int kEndsTheProcess[] = {SCMP_SYS(execve),
                                   SCMP_SYS(execveat),
                                   SCMP_SYS(fork),
                                   SCMP_SYS(vfork),
                                   SCMP_SYS(ptrace),
                                   SCMP_SYS(process_vm_readv),
                                   SCMP_SYS(process_vm_writev),
                                   SCMP_SYS(pidfd_getfd),
                                   SCMP_SYS(bpf),
                                   SCMP_SYS(perf_event_open),
                                   SCMP_SYS(userfaultfd),
                                   SCMP_SYS(init_module),
                                   SCMP_SYS(finit_module),
                                   SCMP_SYS(delete_module),
                                   SCMP_SYS(kexec_load),
                                   SCMP_SYS(kexec_file_load),
                                   SCMP_SYS(mount),
                                   SCMP_SYS(umount2),
                                   SCMP_SYS(pivot_root),
                                   SCMP_SYS(chroot),
                                   SCMP_SYS(setns),
                                   SCMP_SYS(unshare),
                                   SCMP_SYS(add_key),
                                   SCMP_SYS(request_key),
                                   SCMP_SYS(keyctl),
                                   SCMP_SYS(mknod),
                                   SCMP_SYS(mknodat),
                                   SCMP_SYS(reboot),
                                   SCMP_SYS(swapon),
                                   SCMP_SYS(swapoff),
                                   SCMP_SYS(iopl),
                                   SCMP_SYS(ioperm),
                                   SCMP_SYS(setuid),
                                   SCMP_SYS(setgid),
                                   SCMP_SYS(setreuid),
                                   SCMP_SYS(setregid),
                                   SCMP_SYS(setresuid),
                                   SCMP_SYS(setresgid),
                                   SCMP_SYS(setgroups),
                                   SCMP_SYS(capset)};

// ioctl is a thousand calls; these are libc's and libpcap's questions, and non-blocking sockets.
constexpr unsigned long kIoctls[] = {TCGETS,        TIOCGWINSZ,   FIONREAD,      FIONBIO,     FIOCLEX,
                                     SIOCGIFINDEX,  SIOCGIFFLAGS, SIOCGIFADDR,   SIOCGIFCONF, SIOCGIFNAME,
                                     SIOCGIFHWADDR, SIOCGIFMTU,   SIOCGSTAMP_OLD};

constexpr int kThreadNames[] = {PR_SET_NAME,    PR_GET_NAME, PR_GET_NO_NEW_PRIVS,
                                PR_GET_SECCOMP, PR_SET_VMA,  PR_GET_DUMPABLE};

// Of a process that opens packet sockets. socket and ioctl follow below.
constexpr int kForPacketSockets[] = {
    SCMP_SYS(bind), SCMP_SYS(recvmsg), SCMP_SYS(recvfrom), SCMP_SYS(sendmsg), SCMP_SYS(sendto), SCMP_SYS(close),
    // Waiting; memory; its end.
    SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(clock_nanosleep), SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(madvise),
    SCMP_SYS(futex), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask), SCMP_SYS(restart_syscall), SCMP_SYS(write),
    SCMP_SYS(exit), SCMP_SYS(exit_group)};

struct Release {
  void operator()(void* filter) const { seccomp_release(filter); }
};
using Filter = std::unique_ptr<std::remove_pointer_t<scmp_filter_ctx>, Release>;

// Adds rules until one fails; libseccomp's calls return a negative errno.
class Rules {
 public:
  explicit Rules(scmp_filter_ctx filter) : filter_(filter) {}

  void Add(uint32_t action, int call) {
    if (status_ == 0) status_ = seccomp_rule_add(filter_, action, call, 0);
    Note(call);
  }
  void AllowIf(int call, scmp_arg_cmp condition) {
    if (status_ == 0) status_ = seccomp_rule_add(filter_, SCMP_ACT_ALLOW, call, 1, condition);
    Note(call);
  }
  void AllowIf(int call, scmp_arg_cmp first, scmp_arg_cmp second) {
    if (status_ == 0) status_ = seccomp_rule_add(filter_, SCMP_ACT_ALLOW, call, 2, first, second);
    Note(call);
  }
  void AllowIf(int call, scmp_arg_cmp first, scmp_arg_cmp second, scmp_arg_cmp third) {
    if (status_ == 0) status_ = seccomp_rule_add(filter_, SCMP_ACT_ALLOW, call, 3, first, second, third);
    Note(call);
  }
  int status() const { return status_; }
  int failed_call() const { return failed_call_; }

 private:
  void Note(int call) {
    if (status_ != 0 && failed_call_ < 0) failed_call_ = call;
  }
  scmp_filter_ctx filter_;
  int status_ = 0;
  int failed_call_ = -1;
};

scmp_arg_cmp Equals(unsigned argument, uint64_t value) { return {argument, SCMP_CMP_EQ, value, 0}; }
scmp_arg_cmp HasBits(unsigned argument, uint64_t mask, uint64_t value) {
  return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}

void AddAll(Rules& rules) {
  for (const int call : kAlways) rules.Add(SCMP_ACT_ALLOW, call);
  for (const int call : kEndsTheProcess) rules.Add(SCMP_ACT_KILL_PROCESS, call);

  // Memory is never both written and executed. Loading a library maps its code readable and executable, no more.
  rules.AllowIf(SCMP_SYS(mmap), HasBits(2, PROT_EXEC, 0));
  rules.AllowIf(SCMP_SYS(mmap), HasBits(2, PROT_EXEC | PROT_WRITE, PROT_EXEC));
  rules.AllowIf(SCMP_SYS(mprotect), HasBits(2, PROT_EXEC, 0));

  // Threads of this process, no processes.
  constexpr uint64_t kThread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
  constexpr uint64_t kNamespaces =
      CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
  rules.AllowIf(SCMP_SYS(clone), HasBits(0, kThread | kNamespaces, kThread));
  rules.Add(SCMP_ACT_ALLOW, SCMP_SYS(clone3));       // answered by the first filter, below
  rules.Add(SCMP_ACT_ALLOW, SCMP_SYS(personality));  // likewise

  // TCP and datagrams for the feed and the metrics (a name in an endpoint is looked up by UDP), local sockets for the
  // control socket, netlink to list interfaces. No raw and no packet sockets. A stream that is not TCP (MPTCP, SMC,
  // SCTP) would connect to anywhere: Landlock's rule for connections is about TCP alone.
  constexpr uint64_t kType = 0xf;
  constexpr uint64_t kDefault = 0;  // TCP of a stream, UDP of datagrams
  for (const uint64_t family : {AF_INET, AF_INET6}) {
    for (const uint64_t protocol : {kDefault, uint64_t{IPPROTO_TCP}})
      rules.AllowIf(SCMP_SYS(socket), Equals(0, family), HasBits(1, kType, SOCK_STREAM), Equals(2, protocol));
    for (const uint64_t protocol : {kDefault, uint64_t{IPPROTO_UDP}})
      rules.AllowIf(SCMP_SYS(socket), Equals(0, family), HasBits(1, kType, SOCK_DGRAM), Equals(2, protocol));
  }
  rules.AllowIf(SCMP_SYS(socket), Equals(0, AF_UNIX));
  rules.AllowIf(SCMP_SYS(socket), Equals(0, AF_NETLINK), Equals(2, 0));  // NETLINK_ROUTE
  rules.AllowIf(SCMP_SYS(socketpair), Equals(0, AF_UNIX));
  // To send with MSG_FASTOPEN is to connect, without Landlock being asked.
  rules.AllowIf(SCMP_SYS(sendto), HasBits(3, MSG_FASTOPEN, 0));
  rules.AllowIf(SCMP_SYS(sendmsg), HasBits(2, MSG_FASTOPEN, 0));
  rules.AllowIf(SCMP_SYS(sendmmsg), HasBits(3, MSG_FASTOPEN, 0));

  for (const unsigned long request : kIoctls) rules.AllowIf(SCMP_SYS(ioctl), Equals(1, request));
  for (const int option : kThreadNames) rules.AllowIf(SCMP_SYS(prctl), Equals(0, static_cast<uint64_t>(option)));
  rules.AllowIf(SCMP_SYS(prlimit64), Equals(2, 0));  // reads a limit
  // abort() sends itself a signal.
  rules.AllowIf(SCMP_SYS(kill), Equals(0, static_cast<uint64_t>(getpid())));
}

bool Load(scmp_filter_ctx filter, const Rules& rules, bool& missing, std::string& error) {
  if (rules.status() != 0) {
    error = fmt::format("the filter of system calls cannot be built (call {}): {}", rules.failed_call(),
                        std::generic_category().message(-rules.status()));
    return false;
  }
  const int status = seccomp_load(filter);
  if (status == 0) return true;
  missing = status == -EINVAL || status == -ENOSYS || status == -EOPNOTSUPP;
  error = missing ? "the kernel has no seccomp filters (CONFIG_SECCOMP_FILTER)"
                  : fmt::format("the kernel refuses the filter of system calls: {}",
                                std::generic_category().message(-status));
  return false;
}

}  // namespace

bool AllowListedSystemCalls(bool& missing, std::string& error) {
  missing = false;
  // Two filters; of their answers the stricter holds. The first is not logged: these two calls are expected.
  const Filter expected(seccomp_init(SCMP_ACT_ALLOW));
  const Filter list(seccomp_init(SCMP_ACT_ERRNO(EPERM)));
  if (expected == nullptr || list == nullptr) {
    error = "no memory for the filter of system calls";
    return false;
  }
  Rules quiet(expected.get());
  quiet.Add(SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3));
  quiet.Add(SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(personality));  // Confine's question whether a filter holds
  // Everything but what is allowed is told in the kernel's log (before Linux 4.14 only what ends the process is).
  seccomp_attr_set(list.get(), SCMP_FLTATR_CTL_LOG, 1);
  // A binary tree instead of a chain of a hundred and fifty comparisons.
  seccomp_attr_set(list.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
  Rules listed(list.get());
  AddAll(listed);
  return Load(expected.get(), quiet, missing, error) && Load(list.get(), listed, missing, error);
}

bool AllowPacketSocketCalls(bool& missing, std::string& error) {
  missing = false;
  const Filter list(seccomp_init(SCMP_ACT_ERRNO(EPERM)));
  if (list == nullptr) {
    error = "no memory for the filter of system calls";
    return false;
  }
  seccomp_attr_set(list.get(), SCMP_FLTATR_CTL_LOG, 1);
  Rules rules(list.get());
  for (const int call : kForPacketSockets) rules.Add(SCMP_ACT_ALLOW, call);
  rules.AllowIf(SCMP_SYS(mmap), HasBits(2, PROT_EXEC, 0));
  rules.AllowIf(SCMP_SYS(socket), Equals(0, AF_PACKET));
  rules.AllowIf(SCMP_SYS(ioctl), Equals(1, SIOCGIFINDEX));
  return Load(list.get(), rules, missing, error);
}

}  // namespace vedette
