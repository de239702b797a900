/** Ends a forked process when its parent is gone: provers, factory tasks and processes of the benchmark call it first. */

/**
 * Ends this process when the channel to its parent closes, however the parent ends: kill -9 included. Node emits `disconnect`
 * once, also while nobody listens yet: a parent that ended during this process's imports is found by `connected`.
 * @param status exit status
 */
export function endWithParent(status: number): void {
  process.once("disconnect", () => process.exit(status));
  if (!process.connected) process.exit(status);
}
