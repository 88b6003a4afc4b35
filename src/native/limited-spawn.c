// A smaller bounding set and no_new_privs belong to a thread and cannot be taken back (capabilities(7), prctl(2)), and
// JavaScript runs on no thread that could end with them. This is the whole life of one that can (docs/decisions/0006).
#include "syscall.h"

enum { PR_CAPBSET_DROP = 24, PR_SET_NO_NEW_PRIVS = 38, CAPABILITIES = 64 };

// Filled in and read by src/linux/limited-spawn.ts.
struct limited_spawn {
  word drop, no_new_privileges;
  // posix_spawnp(3) as dlsym(3) finds it: a library without symbol versions would get the oldest, which runs what is no
  // program in a shell.
  int (*spawn)(void *pid, void *file, void *actions, void *attributes, void *argv, void *envp);
  void *arguments[6];
  // 0, or the errno of what failed.
  word refused, not_spawned;
};

static word limit(const struct limited_spawn *wanted) {
  for (word n = 0; n < CAPABILITIES; n++) {
    if (!(wanted->drop >> n & 1)) continue;
    long result = syscall4(sys_prctl, PR_CAPBSET_DROP, n, 0, 0);
    if (result) return (word)-result;
  }
  return wanted->no_new_privileges ? (word)-syscall4(sys_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0) : 0;
}

// For pthread_create(3).
void *nix_cache_init_limited_spawn(struct limited_spawn *it) {
  void **a = it->arguments;
  it->refused = limit(it);
  if (!it->refused) it->not_spawned = (word)it->spawn(a[0], a[1], a[2], a[3], a[4], a[5]);
  return 0;
}
