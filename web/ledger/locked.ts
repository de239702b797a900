/**
 * Locks over all tabs of this site, if the browser has them: not if the page came without encryption. Contributions are sent by
 * one tab at a time.
 */

/**
 * Acts alone with this name, or beside others that share it.
 * @returns null if "exclusive" is asked for and the name is taken: nothing was done
 */
export async function locked<T>(
  name: string,
  mode: "exclusive" | "shared",
  act: () => Promise<T>,
): Promise<T | null> {
  const locks = globalThis.navigator?.locks;
  if (locks === undefined) return act();
  if (mode === "shared") return locks.request(name, { mode }, act);
  return locks.request(name, { ifAvailable: true }, async (lock) => (lock === null ? null : act()));
}
