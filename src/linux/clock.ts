/**
 * Milliseconds since Node began, as performance.now() has them: at the first use of that, Node loads everything that it can
 * measure with, which takes longer than all mounts of a boot.
 */
export const uptime = (): number => process.uptime() * 1000;
