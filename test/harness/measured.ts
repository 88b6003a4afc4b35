/** How long something took, in seconds. For hang bounds only: machines are shared. */
export async function measured<T>(work: () => Promise<T>): Promise<{ result: T; seconds: number }> {
  const started = performance.now();
  const result = await work();
  return { result, seconds: (performance.now() - started) / 1000 };
}
