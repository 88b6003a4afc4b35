/** Whether one path is, or lies below, another; by their names alone. */
export const contains = (outer: string, inner: string): boolean =>
  outer === '/' || inner === outer || inner.startsWith(`${outer}/`);
