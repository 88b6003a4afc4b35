// errno must be read before anything else happens in JavaScript: a number that does not fit, a collection of garbage or code that
// becomes ready to run, each may call the kernel and have it fail.
#include "syscall.h"

int *__errno_location(void);

// A function of libc that reports failure as -1; returns the negative errno in place of that.
long nix_cache_init_call(long (*function)(word, word, word, word, word, word, word, word), word a, word b, word c, word d, word e,
                         word f, word g, word h) {
  long result = function(a, b, c, d, e, f, g, h);
  // Who returns an int leaves the upper half as it is.
  return (int)result == -1 ? -(long)*__errno_location() : result;
}
