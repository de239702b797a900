/**
 * How long before the lease's end a machine stops by its own clock (docs/how-to/fail-over.md). Another machine takes the lease in a
 * block whose time is not before the end, so this clock may be behind by less than the margin. It is compared with each
 * block, and half of the margin is too much. A block is some seconds old when it is seen: on Ethereum up to 4 s until it has
 * spread (attestations are due then), and some more for two processes that look every second. A clock that is behind by half
 * of the margin and as much more goes unnoticed. So the margin has to be more than twice that age, and 20 s is.
 */
const LEAST_LEASE_MARGIN_MS = 20_000;

/** anvil's own: its blocks are seen at once, and nothing on it is worth anything. */
const LOCAL_CHAIN_ID = 31_337;

/** The lease is extended once a third of its time is over, and two more tries have to have room before the margin. */
const LEAST_MARGINS = 3;

/** @returns why it is too short; null where it is not */
export function leaseMarginProblem(marginMs: number, chainId: number): string | null {
  if (chainId === LOCAL_CHAIN_ID || marginMs >= LEAST_LEASE_MARGIN_MS) return null;
  return `is ${marginMs}, and below ${LEAST_LEASE_MARGIN_MS} a clock that is behind goes unnoticed`;
}

/** @returns why the lease is too short for its margin; null where it is not */
export function leaseSecondsProblem(durationSeconds: number, marginMs: number): string | null {
  if (durationSeconds * 1_000 >= LEAST_MARGINS * marginMs) return null;
  return `is ${durationSeconds}, and has to be three times the margin of ${marginMs} ms`;
}
