// A smaller bounding set and no_new_privs belong to a thread and cannot be taken back (capabilities(7), prctl(2)), and
// JavaScript runs on no thread that could do without. This is the whole life of one that can (docs/decisions/0006).
#include "syscall.h"

enum { PR_CAPBSET_DROP = 24, PR_SET_NO_NEW_PRIVS = 38, CAPABILITIES = 64, FUTEX_WAIT_PRIVATE = 128, FUTEX_WAKE_PRIVATE = 129 };

// Filled in and read by src/linux/limited-spawn.ts.
struct limited_spawn {
  word drop, no_new_privileges;
  // posix_spawnp(3) as dlsym(3) finds it: a library without symbol versions would get the oldest, which runs what is no
  // program in a shell.
  int (*spawn)(void *pid, void *file, void *actions, void *attributes, void *argv, void *envp);
  void *arguments[6];
  // 0, or the errno of what failed.
  word refused, not_spawned;
  unsigned done;
};

static word limit(const struct limited_spawn *wanted) {
  for (word n = 0; n < CAPABILITIES; n++) {
    if (!(wanted->drop >> n & 1)) continue;
    long result = syscall4(sys_prctl, PR_CAPBSET_DROP, n, 0, 0);
    if (result) return (word)-result;
  }
  return wanted->no_new_privileges ? (word)-syscall4(sys_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0) : 0;
}

// For pthread_create(3). To the kernel this thread is the child's parent: a child that asked to die with its parent
// (PR_SET_PDEATHSIG) would die with the thread, so that stays until init ends. It sleeps for good and takes no signals.
void *nix_cache_init_limited_spawn(struct limited_spawn *it) {
  void **a = it->arguments;
  block_signals();
  it->refused = limit(it);
  if (!it->refused) it->not_spawned = (word)it->spawn(a[0], a[1], a[2], a[3], a[4], a[5]);
  int childless = it->refused || it->not_spawned;
  __atomic_store_n(&it->done, 1, __ATOMIC_RELEASE);
  syscall4(sys_futex, (word)&it->done, FUTEX_WAKE_PRIVATE, 1, 0);
  while (!childless) syscall4(sys_ppoll, 0, 0, 0, 0);
  return 0;
}

// For the main thread: returns when the other has done its work.
void nix_cache_init_await_spawn(struct limited_spawn *it) {
  while (!__atomic_load_n(&it->done, __ATOMIC_ACQUIRE))
    syscall4(sys_futex, (word)&it->done, FUTEX_WAIT_PRIVATE, 0, 0);
}
