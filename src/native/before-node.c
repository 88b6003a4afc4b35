// Loaded into Node ahead of libc. Node begins by emptying the signal mask, giving ignored signals their default, raising the
// limit of open files (PlatformInit in src/node.cc) and marking the lowest descriptors close-on-exec (libuv's
// uv_disable_stdio_inheritance): note down how they were, for the main command, and keep the signals blocked until
// src/supervise/signals.ts has handlers for them (docs/decisions/0005).
#include "syscall.h"

enum { SIG_IGN = 1, RLIMIT_NOFILE = 7, F_GETFD = 1, FIRST_FD = 3, DESCRIPTORS = 64 };

struct kernel_sigaction {
  word handler, flags, restorer, mask;
};

// Read by src/linux/before-node.ts: bit n-1 is signal n, bit n is descriptor n.
struct {
  word blocked, ignored, files_soft, files_hard, inherited;
} nix_cache_init_before_node;

static char **told_mask(char **envp) {
  char **last = 0;
  while (*envp) last = envp++;
  if (!last) return 0;
  for (int i = 0; i < PREFIX; i++)
    if ((*last)[i] != mask_variable[i]) return 0;
  // Whoever starts Node without /init may have anything in the environment.
  for (int i = PREFIX; i < PREFIX + DIGITS; i++)
    if ((*last)[i] < 'a' || (*last)[i] > 'p') return 0;
  return last;
}

__attribute__((constructor)) static void note(int argc, char **argv, char **envp) {
  (void)argc, (void)argv;
  word blocked = block_signals();
  char **told = told_mask(envp);
  if (told) {
    blocked = 0;
    for (int i = 0; i < DIGITS; i++) blocked |= (word)((*told)[PREFIX + i] - 'a') << 4 * i;
    *told = 0;
  }
  nix_cache_init_before_node.blocked = blocked;
  for (word n = 1; n <= SIGNALS; n++) {
    struct kernel_sigaction action;
    if (syscall4(sys_rt_sigaction, n, 0, (word)&action, sizeof action.mask) == 0 && action.handler == SIG_IGN)
      nix_cache_init_before_node.ignored |= 1ul << (n - 1);
  }
  for (word fd = FIRST_FD; fd < DESCRIPTORS; fd++)
    if (syscall4(sys_fcntl, fd, F_GETFD, 0, 0) == 0) nix_cache_init_before_node.inherited |= 1ul << fd;
  syscall4(sys_prlimit64, 0, RLIMIT_NOFILE, 0, (word)&nix_cache_init_before_node.files_soft);
}

// Stands in for libc's. Its first caller is Node, about to let through what is pending and has no handler yet.
int pthread_sigmask(int how, const word *set, word *before) {
  static int called;
  if (!called++) return 0;
  return (int)-syscall4(sys_rt_sigprocmask, (word)how, (word)set, (word)before, sizeof(word));
}
