// The first instructions of /init. PID 1 loses every signal that it has no handler for (pid_namespaces(7)), unless it is
// blocked: that one waits. So block them all before the kernel maps Node and the loader relocates it, which takes
// milliseconds, and go on as Node (docs/decisions/0005).
#include "syscall.h"

static const char program[] = "/opt/nix-cache-init/bin/nix-cache-init";
static const char failure[] = "nix-cache-init: internal: cannot execute /opt/nix-cache-init/bin/nix-cache-init (copy all of "
                              "dist/rootfs into the image, built for this machine)\n";

__attribute__((noreturn, used)) void start(word *stack) {
  char **argv = (char **)(stack + 1);
  char **envp = argv + stack[0] + 1;
  char told[PREFIX + DIGITS + 1];

  word mask = block_signals();
  for (int i = 0; i < PREFIX; i++) told[i] = mask_variable[i];
  for (int i = 0; i < DIGITS; i++) told[PREFIX + i] = 'a' + (mask >> 4 * i & 15);
  told[PREFIX + DIGITS] = 0;

  // The place behind the environment is the auxiliary vector's, which nobody needs any more: execve(2) makes a new one.
  char **last = envp;
  while (*last) last++;
  last[0] = told;
  last[1] = 0;
  syscall4(sys_execve, (word)program, (word)argv, (word)envp, 0);
  syscall4(sys_write, 2, (word)failure, sizeof failure - 1, 0);
  for (;;) syscall4(sys_exit, 70, 0, 0, 0);
}

#if defined(__x86_64__)
__asm__(".globl _start\n_start: mov %rsp, %rdi\n and $-16, %rsp\n call start\n");
#else
__asm__(".globl _start\n_start: mov x0, sp\n b start\n");
#endif
