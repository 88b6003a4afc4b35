// Linux system calls without a C library: neither program has one yet when it runs (syscall(2)).
typedef unsigned long word;

#if defined(__x86_64__)
enum { sys_write = 1, sys_fcntl = 72, sys_rt_sigaction = 13, sys_rt_sigprocmask = 14, sys_execve = 59, sys_exit = 60, sys_prctl = 157, sys_futex = 202, sys_ppoll = 271, sys_prlimit64 = 302 };

static inline long syscall5(long number, word a, word b, word c, word d, word e) {
  long result;
  register word fourth __asm__("r10") = d;
  register word fifth __asm__("r8") = e;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth)
                   : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
enum { sys_write = 64, sys_fcntl = 25, sys_rt_sigaction = 134, sys_rt_sigprocmask = 135, sys_execve = 221, sys_exit = 93, sys_prctl = 167, sys_futex = 98, sys_ppoll = 73, sys_prlimit64 = 261 };

static inline long syscall5(long number, word a, word b, word c, word d, word e) {
  register long eighth __asm__("x8") = number;
  register word first __asm__("x0") = a;
  register word second __asm__("x1") = b;
  register word third __asm__("x2") = c;
  register word fourth __asm__("x3") = d;
  register word fifth __asm__("x4") = e;
  __asm__ volatile("svc 0" : "+r"(first) : "r"(eighth), "r"(second), "r"(third), "r"(fourth), "r"(fifth) : "memory");
  return (long)first;
}
#else
#error "x86-64 and arm64 only"
#endif

static inline long syscall4(long number, word a, word b, word c, word d) { return syscall5(number, a, b, c, d, 0); }

enum { SIG_SETMASK = 2, SIGTTOU = 22, SIGNALS = 64 };

// The threads made from here on inherit this mask, so it lets two things through: SIGTTOU, which our main thread alone
// blocks, later; and the two real-time signals by which glibc's threads talk to each other (nptl(7)).
static const word until_node_is_ready = ~(1ul << (SIGTTOU - 1) | 3ul << 31);

static inline word block_signals(void) {
  word before = 0;
  syscall4(sys_rt_sigprocmask, SIG_SETMASK, (word)&until_node_is_ready, (word)&before, sizeof before);
  return before;
}

// How /init tells the library the mask it was given: the last variable of the environment, taken out again there.
static const char mask_variable[] = "_NIX_CACHE_INIT_MASK=";
enum { PREFIX = sizeof mask_variable - 1, DIGITS = 16 };
